"""The class form of hits compared with the exact pairwise sum, Monte Carlo and known special cases."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from risk.model.far import CLEAR_AFTER
from risk.model.hits import BLIND_BELOW, class_hits, far_hits, pairwise_hits
from risk.model.kinds import PRIORS, Kind
from risk.model.load import chance_of_hit, infectiousness_share
from risk.model.pathogens import SARS_COV_2_ANCESTRAL
from tests.risk.model.rooms import HOUR_US, Crowd, crowds, pair_dose

doses = st.lists(st.floats(0.0, 50.0), min_size=1, max_size=30)
chances = st.floats(0.0, 0.999)
dispersions = st.floats(0.05, 5.0)


@settings(deadline=None, max_examples=200)
@given(doses, chances, dispersions)
def test_the_class_form_is_never_below_the_pairwise_sum(each: list[float], p: float, k: float) -> None:
    classed = float(class_hits(len(each), sum(each), p, k))
    assert classed >= pairwise_hits(each, p, k) * (1 - 1e-9)


@settings(deadline=None, max_examples=100)
@given(st.floats(0.0, 50.0), st.integers(1, 200), chances, dispersions)
def test_the_class_form_is_exact_for_equal_doses(each: float, n: int, p: float, k: float) -> None:
    assert float(class_hits(n, n * each, p, k)) == pytest.approx(pairwise_hits([each] * n, p, k), rel=1e-9, abs=1e-300)


@settings(deadline=None, max_examples=100)
@given(crowds(least=2), st.floats(1e-4, 0.9), st.floats(0.1, 0.4))
def test_in_rooms_with_lingering_breath_it_is_never_below_the_pairwise_sum(crowd: Crowd, p: float, k: float) -> None:
    unit = crowd.doses()
    for taker in range(len(crowd.stays)):
        clear_us = CLEAR_AFTER / crowd.removal_per_h * HOUR_US
        each = [
            20.0 * pair_dose(crowd, giver, taker)
            for giver, stay in enumerate(crowd.stays)
            # Stays older than eight air exchanges count as gone.
            if giver != taker and crowd.stays[taker][0] - stay[1] < clear_us
        ]
        total = 20.0 * float(unit.dose_h2_per_m3[taker, 0])
        assert float(class_hits(unit.heads[taker, 0], total, p, k)) >= pairwise_hits(each, p, k) * (1 - 1e-9) - 1e-12


def test_heads_that_fade_while_they_linger_would_fall_below_the_pairwise_sum() -> None:
    """The reason why the departed count in full until the room is clear: fading weights undercount them."""
    crowd = Crowd((*((0, HOUR_US, 0) for _ in range(10)), (HOUR_US + HOUR_US // 6, 3 * HOUR_US, 0)), 50.0, 3.0)
    total = 20.0 * float(crowd.doses().dose_h2_per_m3[-1, 0])
    exact = pairwise_hits([total / 10] * 10, 0.02, 0.2)
    assert float(class_hits(10 * np.exp(-3.0 / 6), total, 0.02, 0.2)) < exact * 0.99
    assert float(class_hits(crowd.doses().heads[-1, 0], total, 0.02, 0.2)) == pytest.approx(exact, rel=1e-9)


def test_in_realistic_venues_the_class_form_is_within_a_quarter_of_the_pairwise_sum() -> None:
    rng = np.random.default_rng(3)
    worst, seen = 1.0, 0
    for kind in (Kind.RESTAURANT, Kind.OFFICE, Kind.TRANSPORT, Kind.SUPERMARKET, Kind.BAR, Kind.WORSHIP, Kind.GYM):
        prior = PRIORS[kind]
        n = int(min(60, prior.usual_heads * 2))
        begin = (rng.uniform(0, 2 * prior.usual_dwell_h, n) * HOUR_US).astype(int)
        length = (rng.gamma(4, prior.usual_dwell_h / 4, n) * HOUR_US).astype(int) + 1
        removal = prior.air_changes_per_h.value + SARS_COV_2_ANCESTRAL.decay_and_settling_per_h
        stays = tuple((int(a), int(a + b), 0) for a, b in zip(begin, length, strict=True))
        crowd = Crowd(stays, prior.volume_m3.value, removal)
        unit = crowd.doses()
        for taker in range(0, n, 5):
            each = [5.0 * pair_dose(crowd, giver, taker) for giver in range(n) if giver != taker]
            exact = pairwise_hits(each, 0.01, 0.2)
            if exact < 1e-9:
                continue
            ratio = float(class_hits(unit.heads[taker, 0], 5.0 * unit.dose_h2_per_m3[taker, 0], 0.01, 0.2)) / exact
            worst, seen = max(worst, ratio), seen + 1
            assert ratio > 0.999
    assert seen > 50
    assert worst < 1.25


@settings(deadline=None, max_examples=100)
@given(st.floats(1e-6, 1e3), st.floats(0, 1e4), chances, dispersions, st.floats(0, 10), st.floats(0, 10))
def test_hits_grow_with_heads_dose_and_chance(m: float, d: float, p: float, k: float, dm: float, dd: float) -> None:
    base = float(class_hits(m, d, p, k))
    assert np.isfinite(base)
    assert base >= 0.0
    assert float(class_hits(m + dm, d, p, k)) >= base * (1 - 1e-9) - 1e-300
    assert float(class_hits(m, d + dd, p, k)) >= base * (1 - 1e-9) - 1e-300
    assert float(class_hits(m, d, min(0.999, p * 1.1), k)) >= base * (1 - 1e-9) - 1e-300


@settings(deadline=None, max_examples=100)
@given(crowds(least=2, most=7), st.floats(1e-4, 0.5), st.data())
def test_the_exact_hits_of_a_whole_stay_never_exceed_those_of_its_parts(
    crowd: Crowd, p: float, data: st.DataObject
) -> None:
    """Pairwise always; class form if the same people are met on both sides of the cut."""
    cut = data.draw(st.integers(1, 59))
    a, m, b = 0, cut * HOUR_US // 60, HOUR_US
    whole, first, second = (
        [
            30.0 * pair_dose(crowd.with_stay(start, end, -1), giver, len(crowd.stays))
            for giver in range(len(crowd.stays))
        ]
        for start, end in ((a, b), (a, m), (m, b))
    )
    assert pairwise_hits(whole, p, 0.2) <= pairwise_hits(first, p, 0.2) + pairwise_hits(second, p, 0.2) + 1e-12
    n = len(crowd.stays)
    parts = class_hits(n, sum(first), p, 0.2) + class_hits(n, sum(second), p, 0.2)
    assert class_hits(n, sum(whole), p, 0.2) <= parts * (1 + 1e-9) + 1e-12
    # In general by no more than the class form itself exceeds the exact sum.
    exact = pairwise_hits(whole, p, 0.2)
    if exact > 0:
        excess = float(class_hits(n, sum(whole), p, 0.2)) / exact
        separate = pairwise_hits(first, p, 0.2) + pairwise_hits(second, p, 0.2)
        assert float(class_hits(n, sum(whole), p, 0.2)) <= excess * separate * (1 + 1e-9) + 1e-12


@settings(deadline=None, max_examples=50)
@given(st.integers(1, 5000), st.floats(1e-6, 0.9))
def test_the_event_risk_of_georgia_tech_is_a_special_case(n: int, p: float) -> None:
    """Chandra et al. 2020: ``1 - (1 - p)^n``, the chance that an infectious person is there; here a sure hit each."""
    hits = float(class_hits(n, n * 1e30, p, 50.0))
    assert -np.expm1(-hits) == pytest.approx(1 - (1 - p) ** n, rel=1e-9)


def test_hits_agree_with_a_monte_carlo_of_infectious_people_loads_and_infections() -> None:
    rng = np.random.default_rng(11)
    n, p, k, dose, runs = 30, 0.05, 0.2, 0.3, 400_000
    infectious = rng.binomial(n, p, runs)
    # The sum of i independent Gamma(k, 1/k) loads is Gamma(i*k, 1/k).
    loads = np.where(infectious > 0, rng.gamma(np.maximum(infectious, 1) * k, 1 / k), 0.0)
    infected = rng.random(runs) < -np.expm1(-dose * loads)
    want = -np.expm1(-float(class_hits(n, n * dose, p, k)))
    assert infected.mean() == pytest.approx(want, abs=4 * np.sqrt(want / runs))


@settings(deadline=None, max_examples=50)
@given(st.floats(0.0, 5.0))
def test_equal_loads_give_wells_riley(dose: float) -> None:
    assert float(chance_of_hit(dose, 1e7)) == pytest.approx(-np.expm1(-dose), rel=1e-5, abs=1e-12)


def test_very_unequal_loads_hit_less_often_for_the_same_mean_dose() -> None:
    assert float(chance_of_hit(1.0, 0.1)) < float(chance_of_hit(1.0, 0.4)) < float(chance_of_hit(1.0, 10.0))


def test_a_pool_over_classes_misses_what_one_sick_person_brings() -> None:
    """The reason for classes: mean p over everybody, and one person at 0.9 in a closed meeting."""
    by_class = float(class_hits(9, 9 * 0.5, 0.005, 0.2) + class_hits(1, 0.5, 0.9, 0.2))
    pooled = float(class_hits(10, 10 * 0.5, (9 * 0.005 + 0.9) / 10, 0.2))
    assert pooled < by_class


def test_infectiousness_peaks_around_the_onset_of_symptoms() -> None:
    before, after, late = infectiousness_share(SARS_COV_2_ANCESTRAL, [-2.0, 0.0, 5.0], [0.0, 2.0, 7.0])
    assert late < 0.5 * min(before, after)
    assert infectiousness_share(SARS_COV_2_ANCESTRAL, -12.0, 30.0) == pytest.approx(1.0, abs=1e-3)


@settings(deadline=None, max_examples=100)
@given(
    st.lists(st.tuples(st.sampled_from((0, 1, 2, 3)), st.floats(0.0, 10.0)), min_size=BLIND_BELOW, max_size=24),
    st.floats(1e-5, 0.05),
    dispersions.filter(lambda k: k <= 1.0),
)
def test_the_form_a_shield_uses_is_never_below_the_exact_sum_over_everybody(
    people: list[tuple[int, float]], p: float, k: float
) -> None:
    chance = np.array([p, 3 * p, 7 * p, min(0.999, 19 * p)])
    heads, dose = np.zeros(4), np.zeros(4)
    for answer, each in people:
        for column in {0, answer}:
            heads[column] += 1
            dose[column] += each
    got = far_hits(
        heads=heads[None],
        dose_quanta=dose[None, :, None],
        by_class=chance[None, :, None],
        admitted=np.array([[p]]),
        load_factor=np.ones((4, 1)),
        dispersion=np.array([k]),
    )[0, 0]
    exact = pairwise_hits([each for _, each in people], chance[[answer for answer, _ in people]], k)
    assert got >= exact * (1 - 1e-9)
    by_class = sum(
        float(class_hits(sum(a == s for a, _ in people), sum(d for a, d in people if a == s), chance[s], k))
        for s in range(4)
    )
    assert got >= by_class * (1 - 1e-9)
