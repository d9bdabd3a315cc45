"""The sweep compared with an independent model and closed forms, and its guarantees."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import solve_ivp

from risk.model import far
from tests.risk.model.rooms import HOUR_US, MINUTE_US, Crowd, crowds, pair_dose

ORACLE = Path(__file__).parents[2] / "data" / "room_concentration.json"
SCENARIOS = json.loads(ORACLE.read_text())["scenarios"]


@pytest.mark.parametrize("scenario", SCENARIOS, ids=range(len(SCENARIOS)))
def test_every_oracle_of_an_independent_model_is_met_to_one_millionth(scenario: dict[str, Any]) -> None:
    got = far.room_integrals(
        volume_m3=scenario["volume_m3"],
        removal_rate_per_h=scenario["removal_rate_per_h"],
        emitters_h=[(e["arrive_h"], e["leave_h"]) for e in scenario["emitters"]],
        visits_h=[(v["arrive_h"], v["leave_h"]) for v in scenario["visits"]],
    )
    want = [v["integrated_concentration_per_unit_emission_h_per_m3"] for v in scenario["visits"]]
    np.testing.assert_allclose(got, want, rtol=1e-6, atol=0.0)


def test_the_sweep_equals_a_numerical_solution_of_the_differential_equation() -> None:
    crowd = Crowd(((0, HOUR_US, 0), (HOUR_US // 2, 3 * HOUR_US, 1), (2 * HOUR_US, 4 * HOUR_US, 0)), 120.0, 1.7)
    taker = 2

    def change(t: float, y: np.ndarray) -> list[float]:
        inside = sum(a <= t * HOUR_US < b for at, (a, b, _) in enumerate(crowd.stays) if at != taker)
        return [inside / crowd.volume_m3 - crowd.removal_per_h * y[0], y[0] if 2 <= t <= 4 else 0.0]

    solved = solve_ivp(change, (0, 4), [0.0, 0.0], max_step=0.002, rtol=1e-8)
    assert crowd.doses().dose_h2_per_m3[taker, 0] == pytest.approx(solved.y[1, -1], rel=1e-3)


@settings(deadline=None, max_examples=60)
@given(crowds(least=2))
def test_each_dose_is_the_sum_of_what_each_other_person_gave(crowd: Crowd) -> None:
    doses = far.unit_doses(crowd.arrays(), crowd.rooms, clear_after=math.inf).dose_h2_per_m3
    for taker in range(len(crowd.stays)):
        gave = [pair_dose(crowd, giver, taker) for giver in range(len(crowd.stays)) if giver != taker]
        others = [stay[2] for at, stay in enumerate(crowd.stays) if at != taker]
        want = [sum(gave), *(sum(d for d, c in zip(gave, others, strict=True) if c == k) for k in (1, 2, 3))]
        np.testing.assert_allclose(doses[taker], want, rtol=1e-6, atol=1e-13)


@settings(deadline=None, max_examples=60)
@given(crowds(least=2))
def test_company_is_counted_to_the_microsecond(crowd: Crowd) -> None:
    doses = crowd.doses()
    for taker, (a, b, _) in enumerate(crowd.stays):
        overlap = [max(0, min(b, d) - max(a, c)) for at, (c, d, _) in enumerate(crowd.stays) if at != taker]
        assert doses.person_us[taker, 0] == sum(overlap)


@settings(deadline=None, max_examples=60)
@given(crowds(least=2), st.integers(1, 1000), st.randoms(use_true_random=False))
def test_moving_the_clock_or_mixing_the_rows_changes_nothing(crowd: Crowd, days: int, random: object) -> None:
    base = crowd.doses()
    order = list(range(len(crowd.stays)))
    random.shuffle(order)  # type: ignore[attr-defined]
    moved = Crowd(
        tuple(
            (crowd.stays[at][0] + days * 24 * HOUR_US, crowd.stays[at][1] + days * 24 * HOUR_US, crowd.stays[at][2])
            for at in order
        ),
        crowd.volume_m3,
        crowd.removal_per_h,
    ).doses()
    assert (moved.dose_h2_per_m3 == base.dose_h2_per_m3[order]).all()
    assert (moved.heads == base.heads[order]).all()


@settings(deadline=None, max_examples=60)
@given(crowds(least=1, most=6), st.integers(0, 600), st.integers(2, 240), st.data())
def test_far_dose_adds_up_when_a_stay_is_split(crowd: Crowd, begin: int, length: int, data: st.DataObject) -> None:
    cut = data.draw(st.integers(1, length - 1))
    a, m, b = begin * MINUTE_US, (begin + cut) * MINUTE_US, (begin + length) * MINUTE_US

    def observed(start: int, end: int) -> float:
        seen = crowd.with_stay(start, end, far.RECEIVES_ONLY)
        # Without the cut-off after eight air exchanges, which may fall between the parts.
        return float(far.unit_doses(seen.arrays(), seen.rooms, clear_after=math.inf).dose_h2_per_m3[-1, 0])

    assert observed(a, m) + observed(m, b) == pytest.approx(observed(a, b), rel=1e-9, abs=1e-15)


@settings(deadline=None, max_examples=60)
@given(crowds(least=1, most=5), st.floats(0.0, 3.0))
def test_nobody_else_within_eight_air_exchanges_means_exactly_no_dose(crowd: Crowd, more_h: float) -> None:
    last = max(stay[1] for stay in crowd.stays)
    begin = last + int((far.CLEAR_AFTER / crowd.removal_per_h + more_h) * HOUR_US) + 1
    alone = crowd.with_stay(begin, begin + HOUR_US, 0).doses()
    assert (alone.dose_h2_per_m3[-1] == 0.0).all()
    assert (alone.heads[-1] == 0).all()


def test_ones_own_earlier_breath_is_taken_out() -> None:
    crowd = Crowd(((0, HOUR_US, 2), (HOUR_US // 2, 2 * HOUR_US, 0), (2 * HOUR_US, 3 * HOUR_US, 0)))
    linked = crowd.doses(previous=[-1, -1, 0])
    without = Crowd(crowd.stays[1:]).doses()
    np.testing.assert_allclose(linked.dose_h2_per_m3[2], without.dose_h2_per_m3[1], rtol=1e-12, atol=1e-18)
    assert (linked.heads[2] == without.heads[1]).all()
    only_self = Crowd(((0, HOUR_US, 1), (2 * HOUR_US, 3 * HOUR_US, 0))).doses(previous=[-1, 0])
    assert (only_self.dose_h2_per_m3[1] == 0.0).all()


def test_breath_is_carried_over_midnight() -> None:
    crowd = Crowd(((23 * HOUR_US, 24 * HOUR_US - 1, 0), (24 * HOUR_US, 25 * HOUR_US, 0)), 50.0, 0.6)
    assert crowd.doses().dose_h2_per_m3[1, 0] == pytest.approx(pair_dose(crowd, 0, 1), rel=1e-9)


def test_a_stay_of_zero_length_changes_no_dose() -> None:
    crowd = Crowd(((0, 2 * HOUR_US, 0), (HOUR_US, HOUR_US, 3), (HOUR_US, 2 * HOUR_US, 0), (HOUR_US, HOUR_US, 1)))
    doses = crowd.doses()
    plain = Crowd((crowd.stays[0], crowd.stays[2])).doses()
    assert (doses.dose_h2_per_m3[[1, 3]] == 0).all()
    assert (doses.dose_h2_per_m3[[0, 2]] == plain.dose_h2_per_m3).all()
    assert (doses.heads[[0, 2]] == plain.heads).all()


def test_venues_never_interact() -> None:
    one = Crowd(((0, HOUR_US, 0), (HOUR_US // 3, 2 * HOUR_US, 1)))
    two = Crowd(((0, HOUR_US, 0), (10, 2 * HOUR_US, 3), (20, HOUR_US, 0)), 90.0, 5.0)
    stays = far.Stays.of(
        venue=[1, 0, 1, 0, 1],
        arrive_us=[two.stays[0][0], one.stays[0][0], two.stays[1][0], one.stays[1][0], two.stays[2][0]],
        leave_us=[two.stays[0][1], one.stays[0][1], two.stays[1][1], one.stays[1][1], two.stays[2][1]],
        answer_class=[0, 0, 3, 1, 0],
    )
    both = far.unit_doses(stays, far.Rooms(np.array([200.0, 90.0]), np.array([3.0, 5.0])))
    assert (both.dose_h2_per_m3[[1, 3]] == one.doses().dose_h2_per_m3).all()
    assert (both.dose_h2_per_m3[[0, 2, 4]] == two.doses().dose_h2_per_m3).all()


@given(st.integers(0, 2**32 - 1), st.integers(2, 5), st.booleans())
@settings(max_examples=30)
def test_cores_that_share_the_venues_change_no_bit(seed: int, cores: int, linked: bool) -> None:
    rng = np.random.default_rng(seed)
    venues, size = int(rng.integers(1, 40)), int(rng.integers(0, 300))
    arrive = rng.integers(0, 20, size) * HOUR_US // 4  # many at the same instant
    venue = rng.integers(0, venues, size) ** 2 // venues  # some without a stay
    stays = far.Stays.of(
        venue=venue,
        arrive_us=arrive,
        leave_us=arrive + rng.integers(0, 12, size) * HOUR_US // 4,
        answer_class=rng.integers(-1, 4, size),
        previous=_earlier_stays(venue, arrive, rng) if linked else (),
    )
    rooms = far.Rooms(rng.uniform(50, 500, venues), rng.uniform(0.5, 9, venues))
    alone, shared = far.unit_doses(stays, rooms), far.unit_doses(stays, rooms, cores=cores)
    assert alone.dose_h2_per_m3.tobytes() == shared.dose_h2_per_m3.tobytes()
    assert (alone.person_us == shared.person_us).all()
    assert (alone.heads == shared.heads).all()


def _earlier_stays(venue: Any, arrive: Any, rng: np.random.Generator) -> list[int]:
    """Link some stays to one that began earlier in the same venue, each at most once."""
    previous, free = [-1] * len(venue), set(range(len(venue)))
    for row in range(len(venue)):
        earlier = [other for other in free if venue[other] == venue[row] and arrive[other] < arrive[row]]
        if earlier and rng.random() < 0.5:
            previous[row] = int(rng.choice(earlier))
            free.discard(previous[row])
    return previous


@pytest.mark.parametrize(
    ("field", "change"),
    [
        ("leave_us", {"leave_us": [-1]}),
        ("leave_us", {"leave_us": [29 * HOUR_US]}),
        ("answer_class", {"answer_class": [4]}),
        ("venue", {"venue": [-1]}),
        ("venue", {"venue": [1]}),
    ],
)
def test_impossible_stays_are_refused_with_the_field_named(field: str, change: dict[str, list[int]]) -> None:
    given_ = {"venue": [0], "arrive_us": [0], "leave_us": [1], "answer_class": [0], **change}
    with pytest.raises(far.InvalidInputError) as caught:
        far.unit_doses(far.Stays.of(**given_), far.Rooms(np.array([1.0]), np.array([1.0])))
    assert caught.value.field == field


@pytest.mark.parametrize(("volume", "removal"), [(0, 1), (-1, 1), (math.nan, 1), (1, 0), (1, math.inf), (1, math.nan)])
def test_impossible_rooms_are_refused(volume: float, removal: float) -> None:
    with pytest.raises(far.InvalidInputError):
        far.Rooms(np.array([volume], float), np.array([removal], float))


@pytest.mark.parametrize("hours", [math.nan, math.inf, 1e12])
def test_times_out_of_the_epoch_are_refused(hours: float) -> None:
    with pytest.raises(far.InvalidInputError):
        far.microseconds([hours], "arrive_h")
