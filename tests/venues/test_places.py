"""ZIP codes, states and distances."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from venues import places

CODES = sorted(places.places())
codes = st.sampled_from(CODES)


def test_every_place_has_three_digits_and_a_state() -> None:
    assert len(CODES) == 933
    for place in places.places().values():
        assert len(place.zip3) == 3
        assert place.zip3.isdigit()
        assert len(place.state) == 2
        assert (place.latitude is None) == (place.longitude is None)


@pytest.mark.parametrize(("code", "state"), [("94110", "CA"), ("100", "NY"), ("99950", "AK"), ("00901", "PR")])
def test_a_zip_code_lies_in_its_state(code: str, state: str) -> None:
    assert places.state(code) == state


@pytest.mark.parametrize("code", ["", "99", "000", "00000", "abc", "94"])
def test_an_unknown_code_lies_nowhere(code: str) -> None:
    assert places.place(code) is None
    assert places.state(code) is None
    assert places.distance_km(code, "941") is None
    assert places.nearest(code) == ()


def test_san_francisco_and_new_york_are_4130_km_apart() -> None:
    # Great-circle distance of the two cities, 2,570 miles; centroids of areas move it a little.
    assert places.distance_km("94110", "10001") == pytest.approx(4130, rel=0.01)


@given(one=codes, other=codes)
def test_distance_is_symmetric_and_never_negative(one: str, other: str) -> None:
    there, back = places.distance_km(one, other), places.distance_km(other, one)
    assert there == back
    assert there is None or 0 <= there < 20_038


@given(one=codes, other=codes, third=codes)
def test_a_detour_is_never_shorter(one: str, other: str, third: str) -> None:
    direct, first, second = (places.distance_km(a, b) for a, b in ((one, third), (one, other), (other, third)))
    if direct is not None and first is not None and second is not None:
        assert direct <= first + second + 1e-6


@given(code=codes)
def test_the_nearest_place_is_the_place_itself_and_all_are_listed_once(code: str) -> None:
    order = places.nearest(code)
    assert order[0] == code
    assert sorted(order) == CODES
    known = [one for one in (places.distance_km(code, other) for other in order) if one is not None]
    assert known == sorted(known)


def test_a_place_without_a_centroid_is_near_its_state() -> None:
    assert [places.state(one) for one in places.nearest("005")[:20]] == ["NY"] * 20
