"""Weekly opening hours in the format of a bundle; `venues.hours` evaluates them."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Final
from zoneinfo import ZoneInfo

from venues import hours

_DAYS: Final = 7


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """One opening: weekday (0 is Monday) and minutes after that day's midnight, `opens` inclusive, `closes` exclusive.

    A span that extends past midnight closes after minute 1440: Friday 20:00 to 02:00 is `Span(4, 1200, 1560)`.
    """

    weekday: int
    opens: int
    closes: int

    def __post_init__(self) -> None:
        """Raise `ValueError` for a span that is empty, longer than a day, or on no day."""
        if not (0 <= self.weekday < _DAYS and 0 <= self.opens < hours.DAY_MIN):
            raise ValueError("a span must open on a weekday 0..6 at a minute 0..1439")
        if not self.opens < self.closes <= self.opens + hours.DAY_MIN:
            raise ValueError("a span must close after it opens and within a day")


_ALWAYS_OPEN: Final = tuple(Span(weekday, 0, hours.DAY_MIN) for weekday in range(_DAYS))


@dataclass(frozen=True, slots=True)
class WeeklyHours:
    """Opening hours in the venue's time zone. Without spans it is never open."""

    zone: ZoneInfo
    spans: tuple[Span, ...]

    def is_open(self, at: float) -> bool:
        """Return whether the venue is open at Unix time `at` by these hours."""
        if self.spans == _ALWAYS_OPEN:
            return True
        week: list[list[tuple[int, int]]] = [[] for _day in range(_DAYS)]
        for span in self.spans:
            week[span.weekday].append((span.opens, span.closes))
        return hours.is_open(week, self.zone, dt.datetime.fromtimestamp(at, dt.UTC))
