"""When a venue is open: weekly hours in local time, events, overnight stays, clock changes. Pure.

Weekly hours are seven lists, Monday first, of `[opens, closes]` in minutes from local midnight on the wall clock.
`closes` may exceed 1440 (the next day), up to noon of the next day, 2160. Intervals are half open: open at `opens`,
closed at `closes`.

On the wall clock means: a venue opens the first time that the clock reaches `opens`, and closes the last time that it
reaches `closes`. A time that the clock skips in spring is the time of the change; a time that occurs twice in autumn
opens at its first and closes at its second occurrence.

An opening is therefore one continuous span, as a sign on a door means it: nobody is turned away while clock and sign
say open, and no venue closes for half an hour in the middle of its night. In New York, a Saturday's 22:00-01:30 lasts
4.5 hours on 31 October 2026; at 01:45 daylight time it is open, because 01:30 comes again.

This is the only implementation in Python: cards, stays, the door and its signed bundle use it. The kiosk computes the
same in `passes/frontend/door/hours.js`; both are tested with `tests/data/opening_hours.json`.
"""

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

DAY_MIN: Final = 1440
LATEST_CLOSE_MIN: Final = DAY_MIN + 720
"""Latest end of a day's hours, noon of the next day; longer hours are a new interval of the next day."""
MOST_INTERVALS_A_DAY: Final = 12
EVENT_LEAD: Final = dt.timedelta(minutes=60)
"""How long before an event its doors open; our choice, so that guests who come early are admitted."""

Hours = Sequence[Sequence[Sequence[int]]]
ALWAYS_OPEN: Final[list[list[list[int]]]] = [[[0, DAY_MIN]] for _ in range(7)]
NEVER_OPEN: Final[list[list[list[int]]]] = [[] for _ in range(7)]

_LOOK_AHEAD: Final = dt.timedelta(days=9)  # longer than a week: a venue that is open that long does not close
_STEP: Final = dt.timedelta(hours=1)


class BadHours(ValueError):
    """Invalid weekly hours; `pointer` is the JSON pointer of the location inside them.

    `code` is one of `seven_days`, `not_a_day`, `not_a_pair`, `opens`, `closes`, `overlap`.
    """

    def __init__(self, pointer: str, code: str) -> None:
        super().__init__(f"{code} at {pointer or 'the top'}")
        self.pointer = pointer
        self.code = code


@dataclass(frozen=True, slots=True, order=True)
class Interval:
    """A half-open span of time, UTC."""

    start: dt.datetime
    end: dt.datetime


def check_hours(value: object) -> list[list[list[int]]]:
    """Return weekly hours as plain lists. Raise `BadHours` at the first error."""
    if not isinstance(value, list) or len(value) != 7:
        raise BadHours("", "seven_days")
    week = [_check_day(index, day) for index, day in enumerate(value)]
    for index, day in enumerate(week):
        following = week[(index + 1) % 7]
        if day and following and day[-1][1] - DAY_MIN > following[0][0]:
            raise BadHours(f"/{index}/{len(day) - 1}", "overlap")
    return week


def opening_intervals(
    hours: Hours, zone: ZoneInfo, start: dt.datetime, end: dt.datetime, *, events: Iterable[Interval] = ()
) -> list[Interval]:
    """Return the spans in which the venue is open that touch `[start, end)`, merged, sorted and not cut at its ends.

    `events` are times of events; each opens the venue from `EVENT_LEAD` before its start until its end. Spans are
    computed for two more days on both sides, so a venue that never closes gets one span that is somewhat longer than
    the range.
    """
    spans = [Interval(event.start - EVENT_LEAD, event.end) for event in events]
    spans.extend(_weekly(hours, zone, start, end))
    return [span for span in _merged(spans) if span.end > start and span.start < end]


def is_open(hours: Hours, zone: ZoneInfo, at: dt.datetime, *, events: Iterable[Interval] = ()) -> bool:
    """Return whether the venue is open at a time."""
    if any(event.start - EVENT_LEAD <= at < event.end for event in events):
        return True
    return any(span.start <= at < span.end for span in _weekly(hours, zone, at, at))


def closes_at(hours: Hours, zone: ZoneInfo, at: dt.datetime, *, events: Iterable[Interval] = ()) -> dt.datetime | None:
    """Return the next closing of a venue that is open at `at`; `at` if it is closed; `None` if it never closes."""
    horizon = at + _LOOK_AHEAD
    for span in opening_intervals(hours, zone, at, horizon, events=events):
        if span.start <= at < span.end:
            return span.end if span.end < horizon else None
    return at


def next_change(
    hours: Hours, zone: ZoneInfo, at: dt.datetime, *, events: Iterable[Interval] = ()
) -> tuple[bool, dt.datetime | None]:
    """Return whether the venue is open at a time, and its next change; `None` if there is none within nine days."""
    horizon = at + _LOOK_AHEAD
    spans = opening_intervals(hours, zone, at, horizon, events=events)
    if not spans:
        return False, None
    first = spans[0]
    if at < first.start:
        return False, first.start
    return True, first.end if first.end < horizon else None


def open_hours_ahead(
    hours: Hours, zone: ZoneInfo, at: dt.datetime, *, count: int = 24, events: Iterable[Interval] = ()
) -> list[dt.datetime]:
    """Return the starts of the next `count` hours (UTC) in any part of which the venue is open, the present first.

    It looks nine days ahead, so a venue that rarely opens gives fewer.
    """
    first = at.astimezone(dt.UTC).replace(minute=0, second=0, microsecond=0)
    found: list[dt.datetime] = []
    for span in opening_intervals(hours, zone, at, at + _LOOK_AHEAD, events=events):
        opening = span.start.astimezone(dt.UTC).replace(minute=0, second=0, microsecond=0)
        hour = max(first, opening, found[-1] + _STEP if found else first)
        while hour < span.end and len(found) < count:
            found.append(hour)
            hour += _STEP
    return found


def _check_day(index: int, day: object) -> list[list[int]]:
    if not isinstance(day, list) or len(day) > MOST_INTERVALS_A_DAY:
        raise BadHours(f"/{index}", "not_a_day")
    previous_close = 0
    for place, pair in enumerate(day):
        pointer = f"/{index}/{place}"
        if not isinstance(pair, list) or len(pair) != 2 or any(type(minute) is not int for minute in pair):
            raise BadHours(pointer, "not_a_pair")
        opens, closes = pair
        if not 0 <= opens < DAY_MIN:
            raise BadHours(f"{pointer}/0", "opens")
        if not opens < closes <= LATEST_CLOSE_MIN:
            raise BadHours(f"{pointer}/1", "closes")
        if opens < previous_close:
            raise BadHours(pointer, "overlap")
        previous_close = closes
    return [list(pair) for pair in day]


def _weekly(hours: Hours, zone: ZoneInfo, start: dt.datetime, end: dt.datetime) -> Iterator[Interval]:
    day = start.astimezone(zone).date() - dt.timedelta(days=2)
    last = end.astimezone(zone).date() + dt.timedelta(days=2)
    while day <= last:
        for opens, closes in hours[day.weekday()] if hours else ():
            span = Interval(_instant(day, opens, zone, last=False), _instant(day, closes, zone, last=True))
            if span.start < span.end:  # the clock may skip the whole span
                yield span
        day += dt.timedelta(days=1)


@lru_cache(maxsize=65_536)
def _instant(day: dt.date, minute: int, zone: ZoneInfo, *, last: bool) -> dt.datetime:
    """Return the first or last time at which the wall clock reaches a minute of a day."""
    wall = dt.datetime.combine(day, dt.time()) + dt.timedelta(minutes=minute)
    found = wall.replace(tzinfo=zone, fold=int(last)).astimezone(dt.UTC)
    if found.astimezone(zone).replace(tzinfo=None) == wall:
        return found
    return clock_change(wall, zone)


def clock_change(wall: dt.datetime, zone: ZoneInfo) -> dt.datetime:
    """Return the instant at which the clock skips over a wall time that does not exist, by bisection to the second."""
    low = wall.replace(tzinfo=zone, fold=1).astimezone(dt.UTC)
    high = wall.replace(tzinfo=zone, fold=0).astimezone(dt.UTC)
    before = low.astimezone(zone).utcoffset()
    while high - low > dt.timedelta(seconds=1):
        middle = (low + (high - low) / 2).replace(microsecond=0)
        low, high = (middle, high) if middle.astimezone(zone).utcoffset() == before else (low, middle)
    return high


def _merged(spans: Iterable[Interval]) -> list[Interval]:
    merged: list[Interval] = []
    for span in sorted(spans):
        if merged and span.start <= merged[-1].end:
            merged[-1] = Interval(merged[-1].start, max(merged[-1].end, span.end))
        else:
            merged.append(span)
    return merged
