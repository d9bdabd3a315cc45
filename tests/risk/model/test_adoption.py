"""How many people a check-in represents: a setting, narrowed by observations."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from risk.model.adoption import (
    MEASURED_ODDS,
    WORD_ODDS,
    DoorCount,
    PeopleSeen,
    at_venue,
    narrowed,
    people_per_check_in,
    rounded_count,
)
from risk.model.answers import STEP, rounded
from risk.model.constants import Constant
from risk.model.far import InvalidInputError
from risk.model.parameters import ADOPTION, EVERYBODY, Parameters, adoption_around
from risk.model.shield import shield
from risk.model.uncertainty import coverage_at, draws_of, quantile
from tests.risk.model.rooms import HOUR_US, Crowd
from tests.risk.model.test_shield import visits

CROWD = Crowd(tuple((0, HOUR_US, 0) for _ in range(12)))


def spent(adoption: Constant) -> float:
    return shield(visits(CROWD), Parameters(adoption=adoption, draws=64)).spent


def test_where_a_third_checks_in_doses_are_three_times_those_where_everybody_does() -> None:
    third = Constant(1 / 3, 0.33, 0.337, "share", "test")
    assert spent(third) / spent(EVERYBODY) == pytest.approx(3.0, rel=0.02)


@settings(deadline=None, max_examples=40)
@given(st.floats(0.05, 0.95), st.floats(1.001, 1.2))
def test_more_check_ins_for_the_same_people_never_cost_more(share: float, factor: float) -> None:
    assert spent(adoption_around(min(1.0, share * factor))) <= spent(adoption_around(share)) * (1 + 1e-12)


def test_one_figure_has_as_much_doubt_as_the_default_and_the_default_is_one() -> None:
    again = adoption_around(ADOPTION.value)
    assert (again.low, again.high) == pytest.approx((ADOPTION.low, ADOPTION.high))
    assert adoption_around(1.0) is EVERYBODY
    assert (draws_of(Parameters(adoption=EVERYBODY)).coverage == 1.0).all()
    assert Parameters(adoption=again).version != Parameters(adoption=adoption_around(0.3)).version
    for share in (0.0, -0.1, 1.1, math.nan):
        with pytest.raises(ValueError, match="share"):
            adoption_around(share)


@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
def test_counting_at_a_door_finds_the_share(share: float) -> None:
    rng = np.random.default_rng(3)
    counts = [DoorCount(60, float(rng.binomial(60, share))) for _ in range(5)]
    found = narrowed(ADOPTION, counts=counts)
    assert found.low < share < found.high
    assert found.high - found.low < 0.5 * (ADOPTION.high - ADOPTION.low)


def test_counts_show_how_few_check_in_though_nobody_expected_so_few() -> None:
    found = narrowed(ADOPTION, counts=[DoorCount(200, 6), DoorCount(200, 6)])
    assert found.low < 0.035 < found.value < 0.05
    assert narrowed(ADOPTION, said=[0.02]).value < 0.12


def test_an_owner_s_word_moves_it_less_than_a_count() -> None:
    said, counted = narrowed(ADOPTION, said=[0.3]), narrowed(ADOPTION, counts=[DoorCount(100, 30)])
    assert counted.value < said.value < ADOPTION.value
    assert counted.high - counted.low < said.high - said.low < ADOPTION.high - ADOPTION.low


def test_co2_moves_it_by_as_much_as_it_knows() -> None:
    sure, vague = (narrowed(ADOPTION, seen=[PeopleSeen(3.0, sd)]).value for sd in (0.1, 0.5))
    assert sure == pytest.approx(1 / 3, rel=0.15)
    assert sure < vague < ADOPTION.value


def test_nothing_seen_changes_nothing_and_a_full_count_is_no_certainty() -> None:
    assert narrowed(ADOPTION) is ADOPTION
    assert narrowed(EVERYBODY, said=[0.2]) is EVERYBODY
    # More scans than people: somebody was scanned twice.
    most = narrowed(ADOPTION, counts=[DoorCount(50, 70)])
    assert 0.9 < most.value < most.high < 1.0


@settings(deadline=None, max_examples=60)
@given(st.floats(1.0, 1e5), st.floats(0.0, 1e5), st.floats(0.02, 1.0))
def test_every_accepted_count_gives_a_share(people: float, check_ins: float, said: float) -> None:
    found = narrowed(ADOPTION, counts=[DoorCount(people, check_ins)], said=[said])
    assert 0.0 < found.low <= found.value <= found.high < 1.0
    ratio = people_per_check_in(found)
    assert 1.0 <= ratio.low <= ratio.value <= ratio.high


@pytest.mark.parametrize("count", [DoorCount(0, 0), DoorCount(math.nan, 1), DoorCount(5, -1), DoorCount(math.inf, 1)])
def test_impossible_counts_are_refused(count: DoorCount) -> None:
    with pytest.raises(InvalidInputError):
        narrowed(ADOPTION, counts=[count])


def test_the_posterior_of_counts_is_calibrated() -> None:
    """With the truth from the prior and one count at a door, the 90 % interval contains nine of ten."""
    rng = np.random.default_rng(11)
    held = 0
    for _ in range(300):
        share = float(quantile(ADOPTION, rng.random()))
        found = narrowed(ADOPTION, counts=[DoorCount(80, float(rng.binomial(80, share)))])
        held += found.low <= share <= found.high
    assert 0.85 <= held / 300 <= 0.95


def test_a_range_is_what_people_for_each_check_in_are_drawn_from() -> None:
    coverage = draws_of(Parameters()).coverage
    assert np.quantile(coverage, 0.05) == pytest.approx(1 / ADOPTION.high, rel=0.03)
    assert np.quantile(coverage, 0.95) == pytest.approx(1 / ADOPTION.low, rel=0.05)
    assert dataclasses.replace(Parameters(), adoption=EVERYBODY).version != Parameters().version


def test_a_venue_with_the_deployment_s_adoption_costs_what_one_without_its_own_does() -> None:
    parameters = Parameters(draws=64)
    row = np.array([[ADOPTION.value, ADOPTION.low, ADOPTION.high]])
    plain = visits(CROWD)
    same = dataclasses.replace(plain, adoption=row)
    third = dataclasses.replace(plain, adoption=np.array([[0.3, 0.25, 0.35]]))
    assert shield(same, parameters) == shield(plain, parameters) or np.allclose(
        shield(same, parameters).cost, shield(plain, parameters).cost, rtol=0, atol=0
    )
    assert (coverage_at(parameters, ADOPTION) == draws_of(parameters).coverage).all()
    assert shield(third, parameters).spent > 2 * shield(plain, parameters).spent


def test_the_range_at_a_venue_reaches_both_ends_of_the_shield() -> None:
    wide, narrow = (
        shield(dataclasses.replace(visits(CROWD), adoption=np.array([row])), Parameters(draws=256), budget=0.05)
        for row in ([0.4, 0.1, 0.8], [0.4, 0.39, 0.41])
    )
    assert wide.low < narrow.low
    assert wide.high > narrow.high


@pytest.mark.parametrize(
    "row", [[0.5, 0.6, 0.9], [0.5, 0.1, 0.4], [0.0, 0.0, 0.5], [0.9, 0.5, 1.1], [0.5, math.nan, 1]]
)
def test_a_share_that_is_none_is_refused(row: list[float]) -> None:
    with pytest.raises(InvalidInputError):
        dataclasses.replace(visits(CROWD), adoption=np.array([row]))


# How far a host's word goes -------------------------------------------------------------------------------------------
SHARES = st.floats(0.01, 1.0)
COUNTS = st.lists(st.tuples(st.integers(1, 100_000), st.integers(0, 100_000)), max_size=20)


def evidence(said: float | None, counts: list[tuple[int, int]]) -> dict[str, list[object]]:
    return {"said": [] if said is None else [said], "counts": [rounded_count(*count) for count in counts]}


@settings(deadline=None, max_examples=60)
@given(SHARES, st.none() | SHARES, COUNTS, st.booleans())
def test_a_host_can_lower_doses_only_so_far(
    share: float, said: float | None, counts: list[tuple[int, int]], verified: bool
) -> None:
    prior = adoption_around(share)
    found = at_venue(prior, verified=verified, **evidence(said, counts))  # type: ignore[arg-type]
    most = WORD_ODDS if verified else 1.0
    for mine, its in ((found.low, prior.low), (found.value, prior.value), (found.high, prior.high)):
        assert mine <= its or mine * (1 - its) <= most * its * (1 - mine) * (1 + 1e-9)
        assert 1 / mine >= 1 / its / most * (1 - 1e-9)


def test_hosts_who_say_that_everybody_checks_in_lower_doses_by_a_sixth_at_most() -> None:
    lies = evidence(1.0, [(200, 200)] * 14)
    assert spent(at_venue(ADOPTION, verified=True, **lies)) / spent(ADOPTION) > 5 / 6  # type: ignore[arg-type]
    assert at_venue(ADOPTION, verified=False, **lies) is ADOPTION  # type: ignore[arg-type]
    low = adoption_around(0.3)
    assert spent(at_venue(low, verified=True, **lies)) / spent(low) > 0.5  # type: ignore[arg-type]


def test_co2_that_agrees_lets_a_verified_host_go_further() -> None:
    low, all_of_it = adoption_around(0.3), [PeopleSeen(1.0, 0.2)]
    word, measured = (at_venue(low, verified=True, said=[1.0], seen=seen) for seen in ([], all_of_it))
    assert word.value < measured.value
    assert measured.value <= MEASURED_ODDS * 0.3 / (MEASURED_ODDS * 0.3 + 0.7)
    assert at_venue(low, verified=False, said=[1.0], seen=all_of_it) == low


@pytest.mark.parametrize("verified", [True, False])
def test_a_host_who_says_that_few_check_in_is_believed(verified: bool) -> None:
    found = at_venue(ADOPTION, verified=verified, said=[0.2], counts=[DoorCount(100, 20)])
    assert found.value < 0.3
    assert spent(found) > 2 * spent(ADOPTION)


# Rounded counts -------------------------------------------------------------------------------------------------------
def test_rounded_check_ins_find_the_share_and_their_range_holds_it_nine_times_in_ten() -> None:
    rng = np.random.default_rng(12)
    held = 0
    for _ in range(300):
        share = float(quantile(ADOPTION, rng.random()))
        shown = int(rounded(rng.binomial(40, share), rng.integers(STEP)))
        found = narrowed(ADOPTION, counts=[rounded_count(40, shown)])
        held += found.low <= share <= found.high
    assert 0.85 <= held / 300 <= 0.95


def test_rounding_leaves_more_doubt_than_knowing() -> None:
    known, vague = (narrowed(ADOPTION, counts=[count]) for count in (DoorCount(40, 24), rounded_count(40, 24)))
    assert vague.high - vague.low > known.high - known.low
    assert vague.value == pytest.approx(known.value, abs=0.04)
