"""Charts of a place's past, in drawing units: bars of usual hours, of weeks and of days, with intervals."""

import datetime as dt
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from django.utils.formats import date_format, number_format
from django.utils.translation import gettext as _

from exports.policy.owner_figures import Figure
from exports.statistics.figures import DayFigures, WeekFigures

WIDTH: Final = 270
"""Narrow, so that labels are legible on a phone; a wide page does not stretch the chart."""
HEIGHT: Final = 120
FOOT: Final = 18
HEAD: Final = 10
LEFT: Final = 34
"""Space for labels below, above and left of the bars."""
MOST_WEEKS: Final = 8
LABELS: Final = 4
TICKS: Final = 4


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar, and the label below it; empty if there is no space for one."""

    x: float
    y: float
    width: float
    height: float
    label: str
    is_now: bool = False
    low_y: float = 0
    high_y: float = 0

    @property
    def middle(self) -> float:
        """Return the position of the line of its interval."""
        return round(self.x + self.width / 2, 1)


@dataclass(frozen=True, slots=True)
class Tick:
    """A line across the chart, and its number."""

    y: float
    people: int


@dataclass(frozen=True, slots=True)
class Chart:
    """Bars on a common baseline."""

    bars: Sequence[Bar]
    ticks: Sequence[Tick]
    width: int = WIDTH
    height: int = HEAD + HEIGHT + FOOT
    left: int = LEFT
    floor: int = HEAD + HEIGHT


def hours_chart(heads: Sequence[float], *, most: float, now: int) -> Chart:
    """Return the usual number of people inside by hour of one weekday; `most`: that of the week."""
    top = _top(most)
    step = (WIDTH - LEFT) / len(heads)
    bars = [
        _bar(LEFT + hour * step, step, _y(many, top), str(hour) if hour % 3 == 0 else "", is_now=hour == now)
        for hour, many in enumerate(heads)
    ]
    return Chart(bars, _ticks(top))


def weeks_chart(weeks: Sequence[WeekFigures]) -> Chart | None:
    """Return the visits of whole weeks, oldest first, with intervals; `None` without any. `weeks`: newest first."""
    shown = [(week.monday, week.visits) for week in weeks if week.days == 7][:MOST_WEEKS]
    return _dated(shown[::-1], room_for=MOST_WEEKS)


def days_chart(days: Sequence[DayFigures]) -> Chart | None:
    """Return the visits of days that have figures, oldest first, with their intervals; `None` if there are none."""
    shown = [(day.date, day.visits) for day in days if day.visits is not None]
    return _dated(shown[::-1], room_for=len(days))


def scores_chart(bins: Sequence[int], *, threshold: float) -> Chart:
    """Return scans by tenths of their score, on a logarithmic scale since most score 0; high scores are marked."""
    decades = max(1, math.ceil(math.log10(max(1, *bins) + 1)))
    step = (WIDTH - LEFT) / len(bins)
    bars = [
        _bar(
            LEFT + at * step,
            step,
            _y(math.log10(scans + 1), decades),
            number_format(at / len(bins), 1) if at % 2 == 0 else "",
            is_now=at + 1 > round(threshold * len(bins), 6),
        )
        for at, scans in enumerate(bins)
    ]
    return Chart(bars, [Tick(_y(math.log10(10**power + 1), decades), 10**power) for power in range(decades)])


def _dated(shown: Sequence[tuple[dt.date, Figure]], *, room_for: int) -> Chart | None:
    if not shown:
        return None
    top = _top(max(visits.people + visits.within for _day, visits in shown))
    step = (WIDTH - LEFT) / room_for
    every = math.ceil(len(shown) / LABELS)
    bars = []
    for at, (day, visits) in enumerate(shown):
        label = date_format(day, _("M j")) if at % every == 0 else ""
        ends = _y(max(0, visits.people - visits.within), top), _y(visits.people + visits.within, top)
        bars.append(_bar(LEFT + at * step, step, _y(visits.people, top), label, ends=ends))
    return Chart(bars, _ticks(top))


def _bar(
    x: float, step: float, y: float, label: str, *, is_now: bool = False, ends: tuple[float, float] = (0, 0)
) -> Bar:
    return Bar(
        round(x + 1.5, 1),
        y,
        round(step - 3, 1),
        round(HEAD + HEIGHT - y, 1),
        label,
        is_now,
        low_y=ends[0],
        high_y=ends[1],
    )


def _y(people: float, top: int) -> float:
    return round(HEAD + HEIGHT * (1 - people / top), 1)


def _ticks(top: int) -> list[Tick]:
    return [Tick(_y(top * part // TICKS, top), top * part // TICKS) for part in range(TICKS + 1)]


def _top(most: float) -> int:
    """Return the smallest round number of people, at least `most`, that the lines divide evenly."""
    for power in range(8):
        for head in (4, 8, 12, 16, 20, 24, 28, 32, 40):
            if head * 10**power >= most:
                return int(head * 10**power)
    return math.ceil(most)
