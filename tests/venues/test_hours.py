"""Opening hours: weekly hours, events, overnight stays, clock changes."""

import datetime as dt
import itertools
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.venues.hours import CASES, Case
from venues.hours import (
    ALWAYS_OPEN,
    EVENT_LEAD,
    LATEST_CLOSE_MIN,
    NEVER_OPEN,
    BadHours,
    Interval,
    check_hours,
    closes_at,
    is_open,
    open_hours_ahead,
    opening_intervals,
)

NEW_YORK = ZoneInfo("America/New_York")
UTC = dt.UTC
MINUTE = dt.timedelta(minutes=1)
ZONES = ["UTC", "America/New_York", "America/Phoenix", "Pacific/Apia", "Asia/Kathmandu", "Australia/Lord_Howe"]


def local(*parts: int, zone: ZoneInfo = NEW_YORK, fold: int = 0) -> dt.datetime:
    """Return a time by the wall clock of a zone."""
    return dt.datetime(*parts, tzinfo=zone, fold=fold).astimezone(UTC)  # type: ignore[arg-type,misc]


def week(**days: list[list[int]]) -> list[list[list[int]]]:
    """Return weekly hours that are empty except on the named days."""
    return [days.get(day, []) for day in ("mon", "tue", "wed", "thu", "fri", "sat", "sun")]


@st.composite
def weeks(draw: Any) -> list[list[list[int]]]:
    """Draw any weekly hours that are accepted."""
    hours: list[list[list[int]]] = []
    for _day in range(7):
        edges = sorted(draw(st.lists(st.integers(0, 1439), max_size=8, unique=True)))
        hours.append([[a, b] for a, b in zip(edges[::2], edges[1::2], strict=False)])
    for index, day in enumerate(hours):
        following = hours[(index + 1) % 7]
        latest = min(LATEST_CLOSE_MIN, 1440 + (following[0][0] if following else 720))
        if day and draw(st.booleans()):
            day[-1][1] = draw(st.integers(day[-1][0] + 1, latest))
    return hours


moments = st.datetimes(dt.datetime(2024, 1, 1), dt.datetime(2027, 12, 31)).map(  # noqa: DTZ001
    lambda naive: naive.replace(microsecond=0, tzinfo=UTC)
)
zones = st.sampled_from(ZONES).map(ZoneInfo)


def wall_says_open(hours: list[list[list[int]]], zone: ZoneInfo, at: dt.datetime) -> bool:
    """Return the rule read from the wall clock, for times far from a clock change."""
    wall = at.astimezone(zone)
    minute = wall.hour * 60 + wall.minute
    today = any(opens <= minute < closes for opens, closes in hours[wall.weekday()])
    return today or any(opens <= minute + 1440 < closes for opens, closes in hours[wall.weekday() - 1])


@given(hours=weeks(), zone=zones, at=moments)
def test_open_is_what_the_wall_clock_says_away_from_clock_changes(
    hours: list[list[list[int]]], zone: ZoneInfo, at: dt.datetime
) -> None:
    two_days = dt.timedelta(days=2)
    if (at - two_days).astimezone(zone).utcoffset() == (at + two_days).astimezone(zone).utcoffset():
        assert is_open(hours, zone, at) == wall_says_open(hours, zone, at)


@given(hours=weeks(), zone=zones, at=moments)
def test_intervals_are_sorted_apart_and_touch_the_range(
    hours: list[list[list[int]]], zone: ZoneInfo, at: dt.datetime
) -> None:
    end = at + dt.timedelta(days=10)
    spans = opening_intervals(hours, zone, at, end)
    assert all(span.start < span.end for span in spans)
    assert all(one.end < other.start for one, other in itertools.pairwise(spans))
    assert all(span.end > at and span.start < end for span in spans)


@given(hours=weeks(), zone=zones, at=moments)
def test_closing_is_the_first_instant_that_is_not_open(
    hours: list[list[list[int]]], zone: ZoneInfo, at: dt.datetime
) -> None:
    closing = closes_at(hours, zone, at)
    if not is_open(hours, zone, at):
        assert closing == at
    elif closing is not None:
        assert closing > at
        assert not is_open(hours, zone, closing)
        assert is_open(hours, zone, closing - dt.timedelta(seconds=1))


@given(hours=weeks(), zone=zones, at=moments, count=st.integers(1, 30))
def test_hours_ahead_are_distinct_sorted_and_open_somewhere(
    hours: list[list[list[int]]], zone: ZoneInfo, at: dt.datetime, count: int
) -> None:
    found = open_hours_ahead(hours, zone, at, count=count)
    assert len(found) <= count
    assert found == sorted(set(found))
    for hour in found:
        assert opening_intervals(hours, zone, max(hour, at), hour + dt.timedelta(hours=1))


@given(hours=weeks())
def test_accepted_hours_stay_as_they_are(hours: list[list[list[int]]]) -> None:
    assert check_hours(hours) == hours


@given(
    value=st.recursive(
        st.none() | st.booleans() | st.integers(-5, 3000) | st.floats() | st.text(max_size=3),
        lambda inner: st.lists(inner, max_size=8),
        max_leaves=40,
    )
)
def test_anything_else_is_refused_with_its_place(value: object) -> None:
    try:
        accepted = check_hours(value)
    except BadHours as error:
        pointer = error.pointer
    else:
        assert accepted == value
        return
    assert pointer == "" or pointer.startswith("/")


@pytest.mark.parametrize(
    ("hours", "pointer", "code"),
    [
        ([], "", "seven_days"),
        ("always", "", "seven_days"),
        ([[]] * 6, "", "seven_days"),
        ([[], [], 3, [], [], [], []], "/2", "not_a_day"),
        (week(mon=[[0, 10]] * 13), "/0", "not_a_day"),
        (week(sat=[[600, 700, 800]]), "/5/0", "not_a_pair"),
        (week(sat=[[600, True]]), "/5/0", "not_a_pair"),
        (week(sat=[[600.0, 700]]), "/5/0", "not_a_pair"),  # type: ignore[list-item]
        (week(tue=[[1440, 1500]]), "/1/0/0", "opens"),
        (week(tue=[[-1, 1500]]), "/1/0/0", "opens"),
        (week(tue=[[600, 600]]), "/1/0/1", "closes"),
        (week(tue=[[600, 2161]]), "/1/0/1", "closes"),
        (week(tue=[[600, 700], [650, 800]]), "/1/1", "overlap"),
        (week(tue=[[600, 700], [500, 550]]), "/1/1", "overlap"),
        (week(tue=[[1200, 1600]], wed=[[100, 600]]), "/1/0", "overlap"),
        (week(sun=[[1200, 1600]], mon=[[100, 600]]), "/6/0", "overlap"),
    ],
)
def test_wrong_hours_name_the_place_and_the_reason(hours: object, pointer: str, code: str) -> None:
    with pytest.raises(BadHours) as caught:
        check_hours(hours)
    assert (caught.value.pointer, caught.value.code) == (pointer, code)


def test_a_night_may_touch_the_next_morning() -> None:
    hours = week(sat=[[1200, 1560]], sun=[[120, 600]])
    assert check_hours(hours) == hours
    assert opening_intervals(hours, NEW_YORK, local(2026, 5, 16, 21), local(2026, 5, 17, 5)) == [
        Interval(local(2026, 5, 16, 20), local(2026, 5, 17, 10))
    ]


def test_saturday_night_is_still_open_on_sunday_at_two() -> None:
    bar = week(sat=[[1200, 1440 + 180]])
    assert is_open(bar, NEW_YORK, local(2026, 5, 17, 2))
    assert not is_open(bar, NEW_YORK, local(2026, 5, 17, 3))
    assert closes_at(bar, NEW_YORK, local(2026, 5, 16, 23)) == local(2026, 5, 17, 3)


def test_sunday_night_runs_over_into_monday() -> None:
    bar = week(sun=[[1200, 1440 + 60]])
    assert is_open(bar, NEW_YORK, local(2026, 5, 18, 0, 30))
    assert not is_open(bar, NEW_YORK, local(2026, 5, 11, 1))


def test_new_year_does_not_split_an_interval() -> None:
    bar = week(thu=[[1200, 1440 + 240]])  # 31 December 2026 is a Thursday
    assert closes_at(bar, NEW_YORK, local(2026, 12, 31, 23, 59)) == local(2027, 1, 1, 4)


def test_a_venue_that_never_closes_has_no_closing_time() -> None:
    assert closes_at(ALWAYS_OPEN, NEW_YORK, local(2026, 3, 8, 2, 30)) is None
    assert len(open_hours_ahead(ALWAYS_OPEN, NEW_YORK, local(2026, 3, 8, 0, 30))) == 24


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.what)
def test_a_venue_is_open_as_the_shared_table_says(case: Case) -> None:
    assert {at: is_open(case.hours, case.zone, at) for at in case.moments()} == case.answers()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.what)
def test_intervals_are_those_of_the_shared_table(case: Case) -> None:
    start, end = case.range.start, case.range.end
    found = opening_intervals(case.hours, case.zone, start, end)
    assert [Interval(max(span.start, start), min(span.end, end)) for span in found] == case.open


def test_an_event_opens_a_venue_that_has_no_hours_an_hour_early() -> None:
    supper = Interval(local(2026, 5, 16, 19), local(2026, 5, 16, 23))
    opening = supper.start - EVENT_LEAD
    assert not is_open(NEVER_OPEN, NEW_YORK, opening - MINUTE, events=[supper])
    assert is_open(NEVER_OPEN, NEW_YORK, opening, events=[supper])
    assert closes_at(NEVER_OPEN, NEW_YORK, opening, events=[supper]) == supper.end


def test_an_event_lengthens_the_hours_it_touches() -> None:
    shop = week(sat=[[600, 1080]])
    late = Interval(local(2026, 5, 16, 18, 30), local(2026, 5, 16, 22))
    assert closes_at(shop, NEW_YORK, local(2026, 5, 16, 12), events=[late]) == late.end


def test_hours_ahead_start_with_the_present_one() -> None:
    shop = week(sat=[[600, 720]], sun=[[630, 690]])
    found = open_hours_ahead(shop, NEW_YORK, local(2026, 5, 16, 11, 20))
    assert found == [
        local(2026, 5, 16, 11),
        local(2026, 5, 17, 10),
        local(2026, 5, 17, 11),
        local(2026, 5, 23, 10),
        local(2026, 5, 23, 11),
        local(2026, 5, 24, 10),
        local(2026, 5, 24, 11),
    ]
