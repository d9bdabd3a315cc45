"""Weekly opening hours on a venue's wall clock."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final
from zoneinfo import ZoneInfo

DAY_MINUTES: Final = 1440
_DAYS: Final = 7
_DAY_ZERO: Final = dt.datetime(1, 1, 1)  # noqa: DTZ001  (wall clocks have no zone; it is a Monday)


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """One opening: weekday (0 is Monday) and minutes after that day's midnight, `opens` inside, `closes` outside.

    A span that runs past midnight closes after minute 1440: Friday 20:00 to 02:00 is `Span(4, 1200, 1560)`.
    """

    weekday: int
    opens: int
    closes: int

    def __post_init__(self) -> None:
        """ValueError for a span that is empty, longer than a day, or on no day."""
        if not (0 <= self.weekday < _DAYS and 0 <= self.opens < DAY_MINUTES):
            raise ValueError("a span opens on a weekday 0..6 at a minute 0..1439")
        if not self.opens < self.closes <= self.opens + DAY_MINUTES:
            raise ValueError("a span closes after it opens and within a day")


@dataclass(frozen=True, slots=True)
class WeeklyHours:
    """Opening hours in the venue's own time zone. No span at all: never open."""

    zone: ZoneInfo
    spans: tuple[Span, ...]

    @classmethod
    def from_lists(cls, lists: Sequence[Sequence[Sequence[int]]], zone: ZoneInfo) -> WeeklyHours:
        """Hours from seven lists, Monday first, of `[opens, closes]`; ValueError for lists of another shape."""
        if len(lists) != _DAYS or any(len(pair) != 2 for day in lists for pair in day):
            raise ValueError("hours are seven lists of pairs")
        spans = (Span(weekday, opens, closes) for weekday, day in enumerate(lists) for opens, closes in day)
        return cls(zone=zone, spans=tuple(spans))

    def is_open(self, at: float) -> bool:
        """Whether the wall clock at Unix time `at` lies in a span.

        An hour that the clock shows twice is open twice, an hour that it skips is skipped.
        """
        now = self._minute(at)
        return any(opens <= now < closes for opens, closes in self._around(now, days=0))

    def closing_after(self, at: float) -> int | None:
        """Unix time at which the venue next closes, if it is open at `at`; None if it is closed or never closes."""
        now = self._minute(at)
        end = now
        for opens, closes in sorted(self._around(now, days=_DAYS + 1)):
            if opens <= end < closes:  # the span holds the moment, or follows on without a gap
                end = closes
        if end == now or end >= now + _DAYS * DAY_MINUTES:
            return None
        wall = _DAY_ZERO + dt.timedelta(minutes=end)
        first, second = (int(wall.replace(tzinfo=self.zone, fold=fold).timestamp()) for fold in (0, 1))
        if second < first:  # the clock skips this minute: closed from the first one behind the gap
            return next(moment for moment in range(second, first + 1, 60) if self._minute(moment) >= end)
        return first if first > at else second

    def _minute(self, at: float) -> int:
        """Minutes of the wall clock since the first day of the calendar."""
        wall = dt.datetime.fromtimestamp(at, self.zone).replace(tzinfo=None)
        return (wall - _DAY_ZERO) // dt.timedelta(minutes=1)

    def _around(self, now: int, *, days: int) -> Iterator[tuple[int, int]]:
        """All spans from yesterday to so many days ahead, in minutes of the wall clock."""
        today = now // DAY_MINUTES
        for day in range(today - 1, today + days + 1):
            weekday = day % _DAYS
            for span in self.spans:
                if span.weekday == weekday:
                    yield day * DAY_MINUTES + span.opens, day * DAY_MINUTES + span.closes
