"""One estimate of the crowd for now and for later."""

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from risk.scouting.expected import UNKNOWN, believed_crowd, count_now, during
from risk.scouting.occupancy import coarse

heads = st.integers(0, 20_000)
means = st.floats(0.5, 500)
hours = st.floats(0, 200)
stays = st.sampled_from([0.5, 1.0, 2.0])
dwells = st.floats(0.25, 10)


@given(heads, means, hours, stays, dwells)
def test_the_same_crowd_now_and_usually_is_the_same_crowd_later(
    count: int, kind: float, ahead: float, stay: float, dwell: float
) -> None:
    crowd = believed_crowd(kind, count)
    later = during(crowd, crowd, ahead_h=ahead, stay_h=stay, dwell_h=dwell)
    now = during(crowd, crowd, ahead_h=0.0, stay_h=stay, dwell_h=dwell)
    assert np.isclose(now, crowd)
    assert np.isclose(later, crowd)


@given(heads, heads, means, hours, hours, stays, dwells)
def test_the_present_crowd_fades_into_the_usual_one(
    here: int, usually: int, kind: float, soon: float, wait: float, stay: float, dwell: float
) -> None:
    present, usual = believed_crowd(kind, here), believed_crowd(kind, usually)
    near, far = (during(usual, present, ahead_h=at, stay_h=stay, dwell_h=dwell) for at in (soon, soon + wait))
    assert abs(far - usual) <= abs(near - usual) + 1e-9
    assert min(present, usual) - 1e-9 <= near <= max(present, usual) + 1e-9


@given(heads, heads, means)
def test_more_people_are_never_a_smaller_crowd(fewer: int, more: int, kind: float) -> None:
    fewer, more = sorted((fewer, more))
    assert believed_crowd(kind, fewer) <= believed_crowd(kind, more)


@given(heads, means)
def test_a_count_and_what_is_usual_of_the_kind_are_weighed(count: int, kind: float) -> None:
    found, seen = float(believed_crowd(kind, count)), float(coarse(count))
    assert min(kind, seen) - 1e-9 <= found <= max(kind, seen) + 1e-9


@given(means, hours, stays, dwells)
def test_an_uncounted_place_has_the_crowd_of_its_kind(kind: float, ahead: float, stay: float, dwell: float) -> None:
    usual = believed_crowd(kind, UNKNOWN)
    assert float(during(usual, UNKNOWN, ahead_h=ahead, stay_h=stay, dwell_h=dwell)) == kind


def test_fewer_than_five_say_something_only_where_a_place_is_scanned() -> None:
    assert [math.isnan(one) for one in count_now([0, 4, 5], [False] * 3)] == [True, True, False]
    assert count_now([0, 4, 5], [True] * 3).tolist() == [0, 4, 5]
