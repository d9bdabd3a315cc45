"""Constants, pathogens, kinds, classes and draws: complete, in range, and consistent with each other."""

from __future__ import annotations

import dataclasses
import math
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from risk.model import classes, pathogens
from risk.model.constants import Constant, fixed
from risk.model.far import InvalidInputError
from risk.model.kinds import PRIORS, Kind
from risk.model.load import RESULT_AFTER_DAYS, infectious_window, infectiousness_share, load_factor
from risk.model.parameters import Adaptive, Answers, Parameters
from risk.model.pathogens import INFLUENZA, MEASLES, PROFILES, SARS_COV_2_ANCESTRAL, SARS_COV_2_OMICRON, Pathogen
from risk.model.shield import shield
from risk.model.uncertainty import beta_quantiles, draws_of, quantile, uniforms
from risk.model.visits import NO_VISITS

PARAMETERS = Parameters(draws=256)


@pytest.mark.parametrize("pathogen", PROFILES.values(), ids=lambda p: p.name)
def test_every_constant_of_a_pathogen_has_a_range_and_a_source(pathogen: Pathogen) -> None:
    for field in dataclasses.fields(pathogen):
        value = getattr(pathogen, field.name)
        if isinstance(value, Constant):
            assert value.low < value.value < value.high, field.name
            assert len(value.source) > 5, field.name


@pytest.mark.parametrize("pathogen", PROFILES.values(), ids=lambda p: p.name)
def test_talking_emits_more_than_resting_and_singing_more_than_talking(pathogen: Pathogen) -> None:
    rest, talk, sing = pathogen.quanta_rest_per_h, pathogen.quanta_talk_per_h, pathogen.quanta_sing_per_h
    for end in ("low", "value", "high"):
        assert getattr(rest, end) < getattr(talk, end) < getattr(sing, end)


@pytest.mark.parametrize(
    ("pathogen", "median_days"),
    [(SARS_COV_2_ANCESTRAL, 5.06), (SARS_COV_2_OMICRON, 3.1), (INFLUENZA, 1.4), (MEASLES, 12.5)],
    ids=lambda x: getattr(x, "name", None),
)
def test_each_pathogen_has_its_own_incubation_curve(pathogen: Pathogen, median_days: float) -> None:
    curve = pathogen.incubation.still_incubating([0.0, median_days, 60.0])
    np.testing.assert_allclose(curve, [1.0, 0.5, 0.0], atol=0.01)


def test_a_new_profile_is_one_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = (
        "from dataclasses import replace\n"
        "from risk.model.pathogens.measles import MEASLES\n"
        "RUBELLA = replace(MEASLES, name='{name}')\n"
    )
    monkeypatch.setattr(pathogens, "__path__", [*pathogens.__path__, str(tmp_path)])
    (tmp_path / "rubella.py").write_text(text.format(name="rubella"))
    found = pathogens.profiles()
    assert set(found) == {*PROFILES, "rubella"}
    with_it = Parameters(pathogen=found["rubella"], draws=16)
    assert with_it.version not in {Parameters(pathogen=each, draws=16).version for each in PROFILES.values()}
    assert shield(NO_VISITS, with_it).parameters == with_it.version
    (tmp_path / "rubella_two.py").write_text(text.format(name="influenza"))
    with pytest.raises(ValueError, match="two profiles are called influenza"):
        pathogens.profiles()
    for name in ("rubella", "rubella_two"):
        sys.modules.pop(f"risk.model.pathogens.{name}", None)


def test_every_kind_has_a_prior_and_its_text_is_its_name() -> None:
    assert set(PRIORS) == set(Kind)
    assert [kind.value for kind in Kind] == [kind.name.lower() for kind in Kind]


@pytest.mark.parametrize(
    ("value", "low", "high", "unit"),
    [
        (1, 2, 3, "h"),
        (1, 0.5, 0.9, "h"),
        (math.nan, 0, 1, "h"),
        (-1, -2, 0, "h"),
        (0.5, 0.2, 1.0, "share"),
        (1, 1, 1, ""),
    ],
)
def test_an_impossible_constant_is_refused(value: float, low: float, high: float, unit: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        Constant(value, low, high, unit, "somewhere")


def test_the_version_changes_with_every_part_and_with_nothing_else() -> None:
    base = Parameters()
    assert base.version == Parameters().version
    assert len(base.version) == 12
    changed = [
        dataclasses.replace(base, pathogen=MEASLES),
        dataclasses.replace(base, adaptive=Adaptive(dose_scale=1.01)),
        dataclasses.replace(base, draws=128),
        dataclasses.replace(base, adaptive=Adaptive(kind_intensity=(("bar", 1.2),))),
        dataclasses.replace(base, kinds=base.kinds[:-1]),
    ]
    assert len({base.version, *(parameters.version for parameters in changed)}) == 6


@pytest.mark.parametrize("factor", [math.nan, math.inf, 0.0, -1.0])
def test_absurd_adaptive_factors_are_refused(factor: float) -> None:
    with pytest.raises(ValueError, match="absurd"):
        Adaptive(dose_scale=factor)


def test_a_range_becomes_a_distribution_with_its_median_and_ends() -> None:
    rate = Constant(2.0, 1.0, 8.0, "1/h", "here")
    share = Constant(0.3, 0.1, 0.9, "share", "here")
    for constant in (rate, share):
        np.testing.assert_allclose(
            quantile(constant, [0.05, 0.5, 0.95]), [constant.low, constant.value, constant.high], rtol=1e-6
        )
    assert (quantile(share, [1e-9, 1 - 1e-9]) < 1).all()


def test_the_shared_points_fill_every_dimension_evenly() -> None:
    points = uniforms(256, 34)
    assert points.shape == (256, 34)
    for column in points.T:
        counts = np.histogram(column, 8, (0, 1))[0]
        assert counts.min() >= 16


@settings(deadline=None, max_examples=60)
@given(st.floats(0.1, 9.9), st.floats(0.0, 3.0))
def test_a_better_rating_raises_every_draw(a: float, more: float) -> None:
    u = draws_of(PARAMETERS).mask_u
    worse, better = beta_quantiles(a, 10.0 + 3.0 - a, u), beta_quantiles(a + more, 10.0 + 3.0 - a - more, u)
    assert (better >= worse - 1e-12).all()


@settings(deadline=None, max_examples=60)
@given(st.floats(0.0, 1.0))
def test_chances_rise_along_the_classes_and_stay_below_certainty(known: float) -> None:
    got = classes.chances(PARAMETERS, known)
    assert (np.diff(got.by_class, axis=1) >= 0).all()
    assert (got.by_class <= classes.HIGHEST_CHANCE).all()
    assert (got.by_class >= 0).all()
    assert (got.admitted >= got.by_class[:, 0]).all()
    assert (got.admitted <= np.maximum(got.prevalence, got.by_class[:, 0])).all()


@settings(deadline=None, max_examples=150)
@given(
    st.floats(1e-9, 0.5),
    st.tuples(st.floats(0.0, 0.3), st.floats(0.0, 0.3), st.floats(0.0, 0.2)),
    st.sampled_from(sorted(PROFILES)),
)
def test_the_classes_sum_to_prevalence_whatever_it_is_and_whatever_people_answer(
    prevalence: float, mix: tuple[float, float, float], profile: str
) -> None:
    contact, symptoms, diagnosed = mix
    answers = dataclasses.replace(
        Answers(),
        share_contact=fixed(contact, "share", "test"),
        share_symptoms=fixed(symptoms, "share", "test"),
        share_diagnosed=fixed(diagnosed, "share", "test"),
    )
    parameters = Parameters(pathogen=PROFILES[profile], answers=answers, draws=32)
    got = classes.chances(parameters, prevalence, already_total=True)
    total = np.einsum("s,nsd->nd", classes.answer_shares(answers), got.by_class)
    np.testing.assert_allclose(total, got.prevalence, rtol=1e-9 if prevalence < 0.05 else 2e-3)
    np.testing.assert_allclose(got.admitted, got.prevalence, rtol=1e-9 if prevalence < 0.05 else 2e-3)
    assert (np.diff(got.by_class, axis=1) >= -1e-12).all()
    assert (got.by_class <= classes.HIGHEST_CHANCE).all()


@settings(deadline=None, max_examples=60)
@given(st.floats(1e-9, 0.1), st.floats(1.0, 1.2))
def test_more_prevalence_never_makes_a_class_less_likely(prevalence: float, factor: float) -> None:
    less, more = classes.chances(PARAMETERS, [prevalence, prevalence * factor], already_total=True).by_class
    assert (more >= less * (1 - 1e-9)).all()


@pytest.mark.parametrize("pathogen", PROFILES.values(), ids=lambda p: p.name)
def test_constants_of_the_course_are_those_of_the_profile_s_own_curve(pathogen: Pathogen) -> None:
    """Before onset: of people, by the infectious days, and within a tenth also of transmission."""
    first, last = infectious_window(pathogen)
    assert last - first == pytest.approx(pathogen.infectious_days.value)
    before = pathogen.not_yet_symptomatic.value
    assert before == pytest.approx(-first / (last - first), abs=0.02)
    assert before == pytest.approx(float(infectiousness_share(pathogen, -99.0, 0.0)), abs=0.1)
    assert pathogen.load_factor_symptoms.value == pytest.approx(load_factor(pathogen, 0.0), abs=0.03)
    assert pathogen.load_factor_diagnosed.value == pytest.approx(load_factor(pathogen, RESULT_AFTER_DAYS), abs=0.03)
    assert load_factor(pathogen, first) == 1.0


def test_about_two_thirds_of_prevalence_stays_with_people_who_answer_no() -> None:
    assert float(classes.hidden_share(draws_of(PARAMETERS)).mean()) == pytest.approx(0.7, abs=0.06)
    got = classes.chances(PARAMETERS, 0.01, already_total=True)
    assert float(got.by_class[0, 0].mean()) == pytest.approx(0.0075, rel=0.15)


def test_the_ratio_of_hidden_carriers_is_applied_once() -> None:
    draws = draws_of(PARAMETERS)
    total, known = classes.prevalence([0.01, 0.01], draws, already_total=[True, False])
    assert (total == 0.01).all()
    # A known case is active for ten days, an infection is infectious for fewer.
    np.testing.assert_allclose(known, np.minimum(0.01 * draws.infections_per_case * draws.infectious_days / 10, 0.5))


def test_a_venue_that_refuses_the_sick_admits_less_risk() -> None:
    refused = classes.refused_classes(symptoms=True, diagnosed=True, contact=False, near=False)
    everybody, strict = (classes.chances(PARAMETERS, 0.001, refused=r).admitted for r in ((False,) * 4, refused))
    assert (strict <= everybody + 1e-15).all()
    assert strict.mean() < everybody.mean()


def test_the_gravest_answer_decides_the_class() -> None:
    got = classes.answer_class(
        symptoms=[0, 0, 0, 1, 1, 1], diagnosed=[0, 0, 0, 0, 0, 1], contact=[0, 1, 0, 0, 1, 1], near=[0, 0, 1, 0, 1, 0]
    )
    assert list(got) == [0, 1, 1, 2, 2, 3]


@pytest.mark.parametrize("known", [-0.1, 1.1, math.nan])
def test_an_impossible_prevalence_is_refused(known: float) -> None:
    with pytest.raises(InvalidInputError):
        classes.chances(PARAMETERS, known)
