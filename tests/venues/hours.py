"""The shared table of opening hours, which the kiosk reads too (`tests/frontend/hours.test.mjs`).

Every case was computed by hand from the rules of its zone: the spans of UTC in which the venue is open.
"""

import datetime as dt
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from venues.hours import Interval

TABLE: Final = Path(__file__).parents[1] / "data" / "opening_hours.json"
STEP: Final = dt.timedelta(minutes=7)
SECOND: Final = dt.timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Case:
    """Weekly hours, a range of time, and when the venue is open in it."""

    what: str
    zone: ZoneInfo
    hours: list[list[list[int]]]
    range: Interval
    open: list[Interval]

    def moments(self) -> Iterator[dt.datetime]:
        """Yield both sides of every edge, and a time every few minutes."""
        edges = [moment for span in self.open for edge in (span.start, span.end) for moment in (edge - SECOND, edge)]
        steps = range((self.range.end - self.range.start) // STEP)
        for moment in [*edges, *(self.range.start + step * STEP for step in steps)]:
            if self.range.start <= moment < self.range.end:
                yield moment

    def answers(self) -> dict[dt.datetime, bool]:
        """Return whether the venue is open at each of these times."""
        return {at: any(span.start <= at < span.end for span in self.open) for at in self.moments()}


def _case(row: dict[str, Any]) -> Case:
    def interval(start: str, end: str) -> Interval:
        return Interval(dt.datetime.fromisoformat(start), dt.datetime.fromisoformat(end))

    spans = [interval(*span) for span in row["open"]]
    return Case(row["what"], ZoneInfo(row["zone"]), row["hours"], interval(row["from"], row["to"]), spans)


CASES: Final = [_case(row) for row in json.loads(TABLE.read_text())]
