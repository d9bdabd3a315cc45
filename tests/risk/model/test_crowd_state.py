"""Crowd state: exact at edges, close between them, equal however it is computed."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from risk.crowd import venue_days
from risk.model import crowd_state as cs
from risk.model.compiled import US_PER_H
from risk.model.far import CLEAR_AFTER, MERGE_GAP_US, InvalidInputError
from risk.model.hits import BLIND_BELOW
from risk.model.readings import OwnStays, read_stays
from tests.risk.model.reference_reading import StayReading, read_stay
from tests.risk.model.rooms import HOUR_US, Crowd, crowds


def state_of(crowd: Crowd, **changes: object) -> cs.CrowdState:
    stays = np.array(crowd.stays)
    given_ = {
        "arrive_us": stays[:, 0],
        "leave_us": stays[:, 1],
        "answer_class": stays[:, 2],
        "volume_m3": crowd.volume_m3,
        "removal_rate_per_h": crowd.removal_per_h,
        "first_edge": 0,
        "last_edge": 80,
    }
    return cs.crowd_state(**{**given_, **changes})  # type: ignore[arg-type]


def read(crowd: Crowd, state: cs.CrowdState, at: int) -> StayReading:
    arrive, leave, answer = crowd.stays[at]
    return read_stay(state, arrive_us=arrive, leave_us=leave, answer_class=answer)


@settings(deadline=None, max_examples=50)
@given(crowds(quarters=True))
def test_stays_from_edge_to_edge_are_read_exactly(crowd: Crowd) -> None:
    state, doses = state_of(crowd), crowd.doses()
    for at in range(len(crowd.stays)):
        reading = read(crowd, state, at)
        scale = state.integral_h2_per_m3.sum() * 1e-9
        # The two can differ only in what is left after eight air exchanges.
        np.testing.assert_allclose(
            reading.dose_h2_per_m3.sum(axis=0), doses.dose_h2_per_m3[at], rtol=4e-3, atol=max(scale, 1e-12)
        )
        assert (reading.heads == doses.heads[at]).all()
        np.testing.assert_allclose(reading.person_h.sum(axis=0), doses.person_h[at], atol=1e-9)


def test_stays_between_edges_are_within_one_percent_median_and_five_at_the_95th() -> None:
    rng = np.random.default_rng(5)
    errors: list[float] = []
    company: list[float] = []
    for volume, removal in ((300.0, 1.2), (300.0, 3.0), (75.0, 9.0), (75.0, 15.0)):
        arrive = (rng.uniform(0.1, 10, 150) * HOUR_US).astype(np.int64)
        leave = arrive + (rng.gamma(2.0, 0.5, 150) * HOUR_US).astype(np.int64) + 1
        answer = rng.choice(4, 150, p=[0.85, 0.08, 0.05, 0.02])
        crowd = Crowd(tuple(zip(arrive.tolist(), leave.tolist(), answer.tolist(), strict=True)), volume, removal)
        state, doses = state_of(crowd, last_edge=100), crowd.doses()
        for at in range(150):
            reading = read(crowd, state, at)
            errors.append(abs(reading.dose_h2_per_m3[:, 0].sum() / doses.dose_h2_per_m3[at, 0] - 1))
            company.append(abs(reading.person_h[:, 0].sum() / doses.person_h[at, 0] - 1))
            assert (reading.heads >= doses.heads[at]).all()
    assert np.median(errors) < 0.001
    assert np.quantile(errors, 0.95) < 0.01
    assert np.median(company) < 0.01
    assert np.quantile(company, 0.95) < 0.05


@settings(deadline=None, max_examples=40)
@given(crowds(least=2), st.integers(1, 60))
def test_going_on_from_an_edge_gives_the_same_as_from_the_start(crowd: Crowd, edge: int) -> None:
    whole = state_of(crowd)
    since = edge * cs.QUARTER_US - CLEAR_AFTER / crowd.removal_per_h * US_PER_H
    needed = [stay for stay in crowd.stays if stay[1] >= since]
    if not needed:
        return
    rest = state_of(
        Crowd(tuple(needed), crowd.volume_m3, crowd.removal_per_h),
        first_edge=edge,
        concentration_per_m3=whole.concentration_per_m3[edge],
    )
    np.testing.assert_allclose(rest.integral_h2_per_m3, whole.integral_h2_per_m3[edge:], rtol=1e-9, atol=1e-15)
    assert (rest.present == whole.present[edge:]).all()
    assert (rest.lingering == whole.lingering[edge:]).all()
    assert (rest.arrivals == whole.arrivals[edge:]).all()


@settings(deadline=None, max_examples=40)
@given(crowds())
def test_a_person_alone_has_a_dose_of_exactly_zero(crowd: Crowd) -> None:
    alone = Crowd(crowd.stays[:1], crowd.volume_m3, crowd.removal_per_h)
    reading = read(alone, state_of(alone), 0)
    assert (reading.dose_h2_per_m3 == 0).all()
    assert (reading.person_h == 0).all()
    assert (reading.heads == 0).all()


def test_an_earlier_stay_of_ones_own_is_no_company() -> None:
    crowd = Crowd(((0, HOUR_US, 2), (2 * HOUR_US, 3 * HOUR_US, 2)))
    reading = read_stay(
        state_of(crowd), arrive_us=2 * HOUR_US, leave_us=3 * HOUR_US, answer_class=2, earlier=[(0, HOUR_US, 2)]
    )
    assert (reading.dose_h2_per_m3 == 0).all()
    assert (reading.heads == 0).all()


def test_air_that_changes_during_the_day_changes_the_quarters_after_it() -> None:
    crowd = Crowd(((0, 4 * HOUR_US, 0), (0, 4 * HOUR_US, 0)))
    rates = np.where(np.arange(80) < 8, 3.0, 9.0)
    state, plain = state_of(crowd, removal_rate_per_h=rates), state_of(crowd)
    np.testing.assert_array_equal(state.integral_h2_per_m3[:8], plain.integral_h2_per_m3[:8])
    assert (state.integral_h2_per_m3[8:16, 0] < plain.integral_h2_per_m3[8:16, 0]).all()
    # Steady state of the new air, from the mass balance: n/(lambda*V) times a quarter-hour.
    assert state.integral_h2_per_m3[15, 0] == pytest.approx(2 / (9.0 * 200.0) * 0.25, rel=1e-3)


def test_reading_beyond_the_state_is_refused() -> None:
    crowd = Crowd(((0, HOUR_US, 0),))
    with pytest.raises(InvalidInputError):
        read_stay(state_of(crowd, last_edge=4), arrive_us=0, leave_us=2 * HOUR_US, answer_class=0)
    with pytest.raises(InvalidInputError):
        state_of(crowd, last_edge=0)


@pytest.mark.parametrize("value", [np.nan, np.inf, -1e-9])
def test_going_on_from_what_is_no_concentration_is_refused(value: float) -> None:
    with pytest.raises(InvalidInputError) as caught:
        state_of(Crowd(((0, HOUR_US, 0),)), concentration_per_m3=[0.0, value, 0.0, 0.0])
    assert caught.value.field == "concentration_per_m3"


@settings(deadline=None, max_examples=40)
@given(crowds(least=2), st.integers(0, 60), st.data())
def test_stays_read_all_at_once_are_what_each_reads_alone(crowd: Crowd, cut: int, data: st.DataObject) -> None:
    """The compiled reader of a whole holder compared with `read_stay`, over a state stored in two parts."""
    state = state_of(crowd, removal_rate_per_h=np.linspace(0.8, 1.2, 80) * crowd.removal_per_h)
    mine = sorted(data.draw(st.lists(st.sampled_from(crowd.stays), min_size=1, max_size=3, unique=True)))
    own = mine[:1]
    for stay in mine[1:]:
        if stay[0] - own[-1][1] >= MERGE_GAP_US:
            own.append(stay)
    parts = [state.between(0, cut), state.between(cut, 80)] if cut else [state]
    rows = [(0, venue_days.pack(venue_days.Crowd(part, *_nothing(part.quarters))), None) for part in parts]
    columns = np.array(own)
    read = read_stays(
        venue_days.table_of(rows),
        OwnStays(
            venue=np.zeros(len(own), np.int64),
            arrive_us=columns[:, 0],
            leave_us=columns[:, 1],
            until_us=columns[:, 1],
            answer_class=columns[:, 2].astype(np.int8),
            came_back=np.zeros(len(own), bool),
            in_state=np.ones(len(own), bool),
        ),
    )
    for at, (arrive, leave, _answer) in enumerate(own):
        if leave == arrive:
            continue
        met = [stay for stay in own if stay[0] < leave]
        alone = read_stay(state, arrive_us=arrive, leave_us=leave, answer_class=-1, earlier=met)
        here = slice(read.start[at], read.start[at + 1])
        assert read.counted[at]
        assert read.others[at] == alone.others
        assert read.blind[at] == (alone.others < BLIND_BELOW)
        shown = 1 if read.blind[at] else 4
        np.testing.assert_array_equal(read.heads[at, :shown], alone.heads[:shown])
        np.testing.assert_allclose(read.dose_h2_per_m3[here, :shown], alone.dose_h2_per_m3[:, :shown], rtol=1e-12)
        np.testing.assert_allclose(read.person_h[here, :shown], alone.person_h[:, :shown], rtol=1e-12, atol=1e-15)
        assert not read.dose_h2_per_m3[here, shown:].any()


def _nothing(quarters: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return np.zeros((quarters, 4), np.int64), np.zeros(quarters, np.int64), np.zeros((quarters, 3), np.int64)
