"""Weekly hours of a bundle are open when the venue's own are."""

import datetime as dt
from zoneinfo import ZoneInfo

import pytest

from passes.codec import Span
from passes.rules import weekly_hours
from tests.venues.hours import CASES, Case


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.what)
def test_a_door_is_open_when_the_venue_is(case: Case) -> None:
    week = tuple(tuple((opens, closes) for opens, closes in day) for day in case.hours)
    hours = weekly_hours(0, 0, case.zone, week)
    assert {at: hours.is_open(at.timestamp()) for at in case.moments()} == case.answers()


@pytest.mark.parametrize("span", [(7, 0, 60), (-1, 0, 60), (0, 1440, 1500), (0, 60, 60), (0, 60, 1501), (0, -1, 5)])
def test_a_span_lies_on_a_day_and_has_a_length_of_at_most_one(span: tuple[int, int, int]) -> None:
    with pytest.raises(ValueError, match="a span"):
        Span(*span)


@pytest.mark.parametrize("name", ["America/New_York", "Australia/Lord_Howe", "Pacific/Apia"])
def test_a_venue_that_is_always_open_is_open_whatever_the_clock_does(name: str) -> None:
    zone = ZoneInfo(name)
    always, split = (tuple(((0, 1440),) for _ in range(7)), tuple(((0, 720), (720, 1440)) for _ in range(7)))
    short, long = weekly_hours(1, 1, zone, always), weekly_hours(1, 2, zone, split)
    around = [
        dt.datetime(2011, 12, 30, 10, tzinfo=dt.UTC),
        dt.datetime(2026, 3, 8, 7, tzinfo=dt.UTC),
        dt.datetime(2026, 11, 1, 6, tzinfo=dt.UTC),
    ]
    times = [start.timestamp() + 1800 * step for start in around for step in range(-60, 60)]
    assert all(short.is_open(at) and long.is_open(at) for at in times)
