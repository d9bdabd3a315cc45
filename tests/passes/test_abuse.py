"""How unusual a scan is."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from passes.abuse import ScanMark, score_marks
from passes.models import Scan
from passes.selectors import odd_devices
from passes.services import scoring
from passes.tasks import score_scans
from tests.factories import NOW, make_device, make_venue
from tests.passes.people import Phone, scan


def mark(key: int, at: float, *, out: bool = False, approved: bool = True, tag: bytes | None = None) -> ScanMark:
    return ScanMark(key, "door", at, out, approved, tag)


def test_a_steady_stream_and_a_rush_are_ordinary() -> None:
    stream = [mark(minute * 10 + one, minute * 60 + one) for minute in range(30) for one in range(4)]
    rush = [mark(1000 + one, 40 * 60 + one) for one in range(20)]
    assert set(score_marks(stream + rush).values()) == {0.0}


def test_a_hundred_scans_in_a_minute_of_a_quiet_door_are_a_script() -> None:
    quiet = [mark(minute, minute * 60) for minute in range(30)]
    burst = [mark(1000 + one, 40 * 60 + one / 2) for one in range(100)]
    scores = score_marks(quiet + burst)
    assert scores[1000] == 1.0
    assert scores[0] == 0.0


def test_trying_out_credentials_shows_in_the_share_of_red_lights() -> None:
    half = [mark(at, at * 60, approved=at % 2 == 0) for at in range(40)]
    assert score_marks(half)[0] == pytest.approx(0.5)
    assert set(score_marks(half[:10]).values()) == {0.0}  # too few to say


def test_a_checkout_within_a_minute_is_not_a_stay() -> None:
    stays = [
        mark(1, 0, tag=b"a"),
        mark(2, 59, out=True, tag=b"a"),
        mark(3, 100, tag=b"b"),
        mark(4, 160, out=True, tag=b"b"),
    ]
    assert score_marks(stays) == {1: 0.0, 2: 1.0, 3: 0.0, 4: 0.0}


@given(
    st.lists(
        st.builds(
            ScanMark,
            key=st.uuids(),
            device=st.sampled_from([None, 1, 2]),
            at=st.integers(0, 90_000).map(float),
            is_checkout=st.booleans(),
            approved=st.booleans(),
            tag=st.none() | st.sampled_from([b"a", b"b"]),
        ),
        unique_by=lambda row: row.key,
        max_size=60,
    )
)
def test_scores_lie_between_zero_and_one_and_order_does_not_matter(marks: list[ScanMark]) -> None:
    scores = score_marks(marks)
    assert all(0 <= score <= 1 for score in scores.values())
    assert set(scores) == {row.key for row in marks}


@pytest.mark.django_db
def test_scores_are_written_once() -> None:
    place = make_venue()
    door = make_device(venue=place)
    held = Phone().check_in(place)
    scan(door, held.on_screen(NOW), now=NOW)
    scan(door, held.on_screen(NOW), now=NOW + dt.timedelta(seconds=30), type="Checkout")

    assert scoring.score_scans(now=NOW) == 1
    assert scoring.score_scans(now=NOW) == 0
    assert Scan.objects.get(type="Checkout").abuse_score == 1.0
    score_scans()


@pytest.mark.django_db
def test_a_device_is_odd_from_ten_odd_scans_on_and_none_is_where_nothing_was_scanned() -> None:
    assert odd_devices(NOW) == []
    place = make_venue()
    door, quiet = make_device(venue=place), make_device(venue=place)
    assert odd_devices(NOW) == []
    for number in range(10):
        for one in (door, quiet):
            scan(one, "GO1:HELLO", now=NOW + dt.timedelta(seconds=number))
    assert odd_devices(NOW) == [], "scans that have no score yet are not odd"
    Scan.objects.filter(device=door.device).update(abuse_score=0.5)
    Scan.objects.filter(device=quiet.device).update(abuse_score=0.49)
    (found,) = odd_devices(NOW)
    assert (found.name, found.venue, found.scans, found.odd) == (door.device.name, place.name, 10, 10)
    first = Scan.objects.filter(device=door.device).first()
    assert first is not None
    Scan.objects.filter(pk=first.pk).update(abuse_score=0)
    assert odd_devices(NOW) == []
