"""Times that a clock change skips or repeats, and spans in words."""

import datetime as dt
from zoneinfo import ZoneInfo

import pytest

from venues.wall_clock import coming, days_and_times, instants, skipped, wall_time

NEW_YORK, LORD_HOWE = ZoneInfo("America/New_York"), ZoneInfo("Australia/Lord_Howe")


def at(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text)


@pytest.mark.parametrize(
    ("zone", "wall", "found"),
    [
        ("America/New_York", "2026-06-05T19:00", ["2026-06-05T23:00+00:00"]),
        ("America/New_York", "2027-03-14T02:30", []),
        ("America/New_York", "2026-11-01T01:30", ["2026-11-01T05:30+00:00", "2026-11-01T06:30+00:00"]),
        ("Europe/Berlin", "2027-03-28T02:00", []),
        ("Europe/Berlin", "2027-03-28T03:00", ["2027-03-28T01:00+00:00"]),
        ("Australia/Lord_Howe", "2026-10-04T02:10", []),
        ("America/Santiago", "2027-09-05T00:30", []),
        ("UTC", "2027-01-01T00:00", ["2027-01-01T00:00+00:00"]),
    ],
)
def test_a_clock_shows_a_time_once_twice_or_never(zone: str, wall: str, found: list[str]) -> None:
    assert instants(at(wall), ZoneInfo(zone)) == [at(one) for one in found]


def test_a_skipped_time_is_between_two_instants() -> None:
    assert skipped(at("2027-03-14T02:30"), NEW_YORK) == (dt.time(2), dt.time(3))
    assert skipped(at("2026-10-04T02:10"), LORD_HOWE) == (dt.time(2), dt.time(2, 30))


def test_the_second_time_is_known_from_the_first() -> None:
    first, second = instants(at("2026-11-01T01:30"), NEW_YORK)
    assert (coming(first, NEW_YORK), coming(second, NEW_YORK)) == (0, 1)
    assert wall_time(first, NEW_YORK) == wall_time(second, NEW_YORK) == at("2026-11-01T01:30")


@pytest.mark.parametrize(
    ("starts", "ends", "words"),
    [
        ("2026-06-05T23:00Z", "2026-06-06T02:00Z", "June 5, 2026, 7 p.m.–10 p.m."),
        ("2026-06-05T23:00Z", "2026-06-06T05:00Z", "June 5, 2026, 7 p.m. – June 6, 2026, 1 a.m."),
        ("2026-06-05T23:00Z", "2026-06-08T00:00Z", "June 5, 2026, 7 p.m. – June 7, 2026, 8 p.m."),
        ("2026-11-01T05:30Z", "2026-11-01T06:30Z", "Nov. 1, 2026, 1:30 a.m. EDT–1:30 a.m. EST"),
        ("2026-10-31T23:00Z", "2026-11-01T17:00Z", "Oct. 31, 2026, 7 p.m. EDT – Nov. 1, 2026, noon EST"),
    ],
)
def test_a_span_names_all_of_its_days_and_the_zone_where_the_clock_changes(starts: str, ends: str, words: str) -> None:
    assert days_and_times(at(starts), at(ends), NEW_YORK) == words
