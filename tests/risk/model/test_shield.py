"""Guarantees of a shield: monotone, finite, blind where it must be, and rounded once."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from risk.model import shield as sh
from risk.model.far import InvalidInputError
from risk.model.hits import BLIND_BELOW
from risk.model.kinds import Kind
from risk.model.parameters import Parameters
from risk.model.pathogens import PROFILES
from risk.model.ratings import posterior
from risk.model.risklevels import risklevel
from risk.model.rounding import shown_shield
from risk.model.visits import Visits, visits_of
from tests.risk.model.rooms import HOUR_US, MINUTE_US, Crowd, crowds

PARAMETERS = Parameters(draws=64)
EASY = 1e-9


def visits(
    crowd: Crowd, *, masks: tuple[int, int] = (0, 0), distancing: tuple[int, int] = (0, 0), at: int = 0
) -> Visits:
    """Return the visit of the person in row ``at``; ratings as (sum, count)."""
    doses = crowd.doses()
    return visits_of(
        segments=[1],
        dose_h2_per_m3=doses.dose_h2_per_m3[at],
        person_h=doses.person_h[at],
        masks=posterior(0.3, *masks),
        distancing=posterior(0.3, *distancing),
        heads=doses.heads[at],
        age_days=1.0,
        kinds=[Kind.BAR],
        known_active_per_person=0.0004,
        volume_log_sd=0.3,
        air_log_sd=0.4,
    )


def shielded(crowd: Crowd, **given_: object) -> sh.Shield:
    return sh.shield(visits(crowd, **given_), PARAMETERS, budget=1.0)  # type: ignore[arg-type]


def not_above(later: sh.Shield, before: sh.Shield) -> None:
    assert later.shield <= before.shield + EASY
    assert later.low <= before.low + EASY
    assert later.high <= before.high + EASY
    assert later.infection_probability >= before.infection_probability - EASY


@settings(deadline=None, max_examples=60)
@given(crowds(), st.integers(0, 600), st.integers(1, 240), st.sampled_from((0, 1, 2, 3)))
def test_one_more_person_never_raises_a_shield(crowd: Crowd, begin: int, length: int, answer: int) -> None:
    more = crowd.with_stay(begin * MINUTE_US, (begin + length) * MINUTE_US, answer)
    not_above(shielded(more), shielded(crowd))


@settings(deadline=None, max_examples=60)
@given(crowds(), st.integers(1, 120), st.booleans())
def test_a_longer_stay_never_raises_a_shield(crowd: Crowd, minutes: int, earlier: bool) -> None:
    arrive, leave, answer = crowd.stays[0]
    moved = (
        (max(0, arrive - minutes * MINUTE_US), leave, answer)
        if earlier
        else (arrive, leave + minutes * MINUTE_US, answer)
    )
    longer = dataclasses.replace(crowd, stays=(moved, *crowd.stays[1:]))
    not_above(shielded(longer), shielded(crowd))


@settings(deadline=None, max_examples=60)
@given(crowds(), st.integers(1, 12), st.data(), st.booleans())
def test_a_better_rating_never_lowers_a_shield(crowd: Crowd, count: int, data: st.DataObject, masks: bool) -> None:
    total = data.draw(st.integers(count, 5 * count - 1))
    name = "masks" if masks else "distancing"
    not_above(shielded(crowd, **{name: (total, count)}), shielded(crowd, **{name: (total + 1, count)}))


@settings(deadline=None, max_examples=60)
@given(crowds(), st.floats(0.0, 10.0))
def test_better_air_never_lowers_a_shield(crowd: Crowd, more_per_h: float) -> None:
    better = dataclasses.replace(crowd, removal_per_h=crowd.removal_per_h + more_per_h)
    worse_far = shielded(crowd)
    # The cut-off of what lingers changes with the air: its effect must not exceed its own size.
    assert shielded(better).shield >= worse_far.shield - EASY - 1e-3 * (100 - worse_far.shield)


@settings(deadline=None, max_examples=60)
@given(crowds(most=BLIND_BELOW), st.data())
def test_crowds_of_fewer_than_twelve_others_are_blind_to_answers(crowd: Crowd, data: st.DataObject) -> None:
    answers = data.draw(st.lists(st.sampled_from((0, 1, 2, 3)), min_size=len(crowd.stays), max_size=len(crowd.stays)))
    changed = dataclasses.replace(
        crowd, stays=tuple((a, b, answer) for (a, b, _), answer in zip(crowd.stays, answers, strict=True))
    )
    first, second = shielded(crowd), shielded(changed)
    for field in dataclasses.fields(sh.Shield):
        np.testing.assert_array_equal(getattr(first, field.name), getattr(second, field.name))


@settings(deadline=None, max_examples=60)
@given(crowds(least=BLIND_BELOW + 1, most=BLIND_BELOW + 4), st.data())
def test_answers_can_only_add(crowd: Crowd, data: st.DataObject) -> None:
    at = data.draw(st.integers(1, len(crowd.stays) - 1))
    stays = list(crowd.stays)
    stays[at] = (stays[at][0], stays[at][1], 0)
    clean = dataclasses.replace(crowd, stays=tuple(stays))
    stays[at] = (stays[at][0], stays[at][1], data.draw(st.sampled_from((1, 2, 3))))
    not_above(shielded(dataclasses.replace(crowd, stays=tuple(stays))), shielded(clean))


def test_the_form_reads_no_answer_among_fewer_than_twelve_others() -> None:
    """Invented visitors answer no; they compare shields with and without one person's bad answers."""

    def puppet(others: int, answer: int) -> float:
        stays = (*((0, 2 * HOUR_US, 0) for _ in range(others)), (0, 2 * HOUR_US, answer))
        return shielded(Crowd(stays, 60.0, 1.5)).shield

    for others in range(1, BLIND_BELOW):
        assert puppet(others, 0) == puppet(others, 3)
    # Among more of them, the form uses its input, which is never one person's answer (`risk.model.answers`).
    assert puppet(BLIND_BELOW, 0) > puppet(BLIND_BELOW, 3)


@settings(deadline=None, max_examples=60)
@given(crowds(), st.integers(0, 9))
def test_relabelling_people_changes_nothing(crowd: Crowd, turn: int) -> None:
    rest = crowd.stays[1:]
    turn %= max(1, len(rest))
    turned = dataclasses.replace(crowd, stays=(crowd.stays[0], *rest[turn:], *rest[:turn]))
    assert shielded(turned).shield == pytest.approx(shielded(crowd).shield, abs=1e-9)


@settings(deadline=None, max_examples=40)
@given(
    st.lists(st.floats(0, 1e6), min_size=4, max_size=4),
    st.lists(st.integers(0, 10**9), min_size=4, max_size=4),
    st.floats(0, 1),
    st.sampled_from(tuple(Kind)),
    st.sampled_from(sorted(PROFILES)),
)
def test_every_accepted_input_gives_finite_values_in_range(
    doses: list[float], heads: list[int], prevalence: float, kind: Kind, profile: str
) -> None:
    given_ = visits_of(
        segments=[1],
        dose_h2_per_m3=[max(doses), *doses[1:]],
        person_h=[max(doses), *doses[1:]],
        masks=posterior(0.0, 0, 0),
        distancing=posterior(1.0, 0, 0),
        heads=[max(heads), *heads[1:]],
        age_days=0.0,
        kinds=[kind],
        known_active_per_person=prevalence,
        volume_log_sd=2.0,
        air_log_sd=2.0,
    )
    got = sh.shield(given_, Parameters(pathogen=PROFILES[profile], draws=16))
    assert 0.0 <= got.low <= got.shield <= got.high <= 100.0
    assert 0.0 <= got.infection_probability <= 1.0
    assert 0.0 <= got.incubating <= 1.0
    assert np.isfinite([got.spent, *got.cost, *got.dose_quanta]).all()


def test_no_visits_leave_a_whole_shield() -> None:
    none = visits_of(
        segments=[],
        dose_h2_per_m3=np.zeros((0, 4)),
        person_h=np.zeros((0, 4)),
        masks=(1.0, 1.0),
        distancing=(1.0, 1.0),
        heads=np.zeros((0, 4)),
        age_days=0.0,
        kinds=[],
        known_active_per_person=0.0,
    )
    got = sh.shield(none, PARAMETERS)
    assert (got.shield, got.low, got.high, got.infection_probability, got.risklevel) == (
        100.0,
        100.0,
        100.0,
        0.0,
        "Low",
    )


def several(ages: list[float]) -> Visits:
    crowd = Crowd(tuple((0, HOUR_US, 0) for _ in range(12)))
    one = visits(crowd)
    n = len(ages)
    return visits_of(
        segments=[1] * n,
        dose_h2_per_m3=np.repeat(one.dose_h2_per_m3, n, axis=0),
        person_h=np.repeat(one.person_h, n, axis=0),
        masks=posterior(0.3, 0, 0),
        distancing=posterior(0.3, 0, 0),
        heads=np.repeat(one.heads, n, axis=0),
        age_days=ages,
        kinds=[Kind.BAR] * n,
        known_active_per_person=0.0004,
    )


def test_a_visit_costs_the_same_whatever_came_before_and_costs_add_up_to_what_is_spent() -> None:
    alone, among = sh.shield(several([1.0]), PARAMETERS), sh.shield(several([1.0, 3.0, 9.0]), PARAMETERS)
    assert alone.cost[0] == pytest.approx(among.cost[0], rel=1e-12)
    assert among.cost.sum() == pytest.approx(100 * among.spent, rel=1e-12)


def test_a_visit_counts_ten_days_and_is_forgotten_after_fourteen() -> None:
    np.testing.assert_allclose(sh.weight([0, 10, 11, 12, 14, 20]), [1, 1, 0.75, 0.5, 0, 0])
    assert sh.shield(several([14.5]), PARAMETERS).shield == 100.0


def test_overspending_is_kept_and_not_cut() -> None:
    got = sh.shield(several([0.0] * 40), PARAMETERS, budget=1e-4)
    assert got.shield == 0.0
    assert got.spent > 1.0


def test_the_chance_of_incubating_follows_the_incubation_curve() -> None:
    young, old = (sh.shield(several([age]), PARAMETERS).incubating for age in (0.1, 9.0))
    assert old < 0.1 * young
    lauer = PROFILES["sars-cov-2-ancestral"].incubation
    # Lauer 2020: median 5.1 days, 97.5 % of those with symptoms show them within 11.5 days.
    assert float(lauer.still_incubating(5.06)) == pytest.approx(0.5, abs=0.01)
    assert float(lauer.still_incubating(11.5)) == pytest.approx(0.025, abs=0.003)


def test_shown_values_are_rounded_once_and_never_look_better() -> None:
    assert (shown_shield(99.99), shown_shield(0.4)) == (99, 0)
    assert [risklevel(p) for p in (0.0, 0.00999, 0.01, 0.0499, 0.05, 1.0)] == [
        "Low",
        "Low",
        "Moderate",
        "Moderate",
        "High",
        "High",
    ]


def test_own_susceptibility_and_own_mask_only_help() -> None:
    base = sh.shield(several([1.0]), PARAMETERS)
    assert sh.shield(several([1.0]), PARAMETERS, susceptibility=0.5).spent == pytest.approx(base.spent / 2)
    with_mask, without = (sh.shield(several([1.0]), PARAMETERS, own_mask=worn).spent for worn in (1.0, 0.0))
    assert with_mask < base.spent < without


def test_the_same_input_gives_the_same_bits() -> None:
    first, second = (sh.shield(several([1.0, 2.0]), Parameters(draws=64)) for _ in range(2))
    assert first.shield == second.shield
    assert first.parameters == second.parameters


@pytest.mark.parametrize("budget", [0.0, -1.0, float("nan"), 2.0, float("inf")])
def test_an_impossible_budget_is_refused(budget: float) -> None:
    with pytest.raises(InvalidInputError):
        sh.shield(several([1.0]), PARAMETERS, budget=budget)


@pytest.mark.parametrize(("total", "count"), [(6, 1), (0, 1), (3, -1), (float("nan"), 1)])
def test_impossible_ratings_are_refused(total: float, count: float) -> None:
    with pytest.raises(InvalidInputError):
        posterior(0.3, total, count)
