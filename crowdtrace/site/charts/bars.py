"""Charts of bars: costs and crowds of the hours of a day, visits of weeks and days with intervals, scores of scans."""

import datetime as dt
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from django.utils.formats import date_format, number_format
from django.utils.translation import gettext as _

from crowdtrace.site.charts.axes import Axis, Tick, points_top, round_values
from exports.policy.owner_figures import Figure
from exports.statistics.figures import DayFigures, WeekFigures

LEFT: Final = 34
"""Width left of the bars, for the numbers of the axis."""
FOOT, HOURS_FOOT = 18, 24
"""Height below the bars, for their labels; those of hours are larger on a phone."""

# The chart of figures is narrow, so that labels are legible on a phone; a wide page does not stretch it.
FIGURES_WIDTH, FIGURES_HEIGHT, FIGURES_HEAD = 270, 120, 10
FIGURES_GAP: Final = 3
MOST_WEEKS: Final = 8
MOST_LABELS: Final = 4

HOURS_HEIGHT, HOURS_HEAD, HOURS_STEP, HOURS_GAP = 96, 8, 14, 4
LEAST_BAR: Final = 3
"""The smallest bar of an hour is drawn even if its value is close to zero."""
LABEL_EVERY_H: Final = 4
LEVEL_LABEL_EVERY_H: Final = 6
"""Hours of a whole day are labelled less often: one of them is "midnight"."""
BARS_OF_LABEL: Final = 4
"""Width of a label of an hour, in bars."""


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar, and the label below it; empty if there is no space for one. `interval`: its ends, lower value first."""

    label_x: float
    x: float
    y: float
    width: float
    height: float
    label: str
    is_marked: bool = False
    interval: tuple[float, float] | None = None

    @property
    def middle(self) -> float:
        """Return the position of the line of its interval."""
        return round(self.x + self.width / 2, 1)


@dataclass(frozen=True, slots=True)
class BarChart:
    """Bars on a common baseline, `floor`. `limit`: position of a line across the bars."""

    bars: Sequence[Bar]
    ticks: Sequence[Tick]
    left: int
    width: int
    floor: int
    limit: float | None = None
    foot: int = FOOT

    @property
    def height(self) -> int:
        """Return the height with the labels."""
        return self.floor + self.foot


@dataclass(frozen=True, slots=True)
class HourCost:
    """The cost of an hour in points. `start`: in the zone that is shown; `fits`: whether it is within the limit."""

    start: dt.datetime
    name: str
    points: float
    fits: bool


# The scouting card ----------------------------------------------------------------------------------------------------
def costs_chart(hours: Sequence[HourCost], *, limit: float, today: dt.date) -> BarChart:
    """Return the cost of a stay in each open hour ahead, with the limit in points; hours within it are marked.

    The axis ends no lower than the limit, so that small costs look small.
    """
    top = points_top(max([limit, *(hour.points for hour in hours)]))
    axis = _upward(top, height=HOURS_HEIGHT, head=HOURS_HEAD)
    labels = _labels(hours, today)
    bars = [
        _hour_bar(axis, at, hour.points, label, left=LEFT, is_marked=hour.fits)
        for at, (hour, label) in enumerate(zip(hours, labels, strict=True))
    ]
    return _hours_chart(bars, axis.ticks([0.0, top / 2, top]), left=LEFT, limit=axis.at(limit))


def levels_chart(levels: Sequence[int], *, most: int, names: Sequence[str], now: int) -> BarChart:
    """Return how full a place usually is in each hour of a day, from 0 to `most`; the hour `now` is marked."""
    axis = _upward(most, height=HOURS_HEIGHT, head=HOURS_HEAD)
    bars = [
        _hour_bar(axis, hour, level, names[hour] if hour % LEVEL_LABEL_EVERY_H == 0 else "", is_marked=hour == now)
        for hour, level in enumerate(levels)
    ]
    return _hours_chart(bars, [])


def hour_label(moment: dt.datetime) -> str:
    """Return the name of a moment's hour, as in "3 p.m."."""
    return date_format(moment.replace(minute=0, tzinfo=None), "TIME_FORMAT")


def _hours_chart(bars: Sequence[Bar], ticks: Sequence[Tick], *, left: int = 0, limit: float | None = None) -> BarChart:
    width = left + HOURS_STEP * max(1, len(bars))
    return BarChart(bars, ticks, left=left, width=width, floor=HOURS_HEAD + HOURS_HEIGHT, limit=limit, foot=HOURS_FOOT)


def _labels(hours: Sequence[HourCost], today: dt.date) -> list[str]:
    """Return the label of each hour: a weekday where a day begins, or a time, far enough apart."""
    labels: list[str] = []
    day, labelled = today, -LABEL_EVERY_H
    for at, hour in enumerate(hours):
        is_due = hour.start.date() != day or hour.start.hour % LABEL_EVERY_H == 0
        if not is_due or at + BARS_OF_LABEL > len(hours) or at - labelled < LABEL_EVERY_H:
            labels.append("")
            continue
        labels.append(hour_label(hour.start) if hour.start.date() == day else date_format(hour.start, "D"))
        day, labelled = hour.start.date(), at
    return labels


def _hour_bar(axis: Axis, at: int, value: float, label: str, *, left: int = 0, is_marked: bool) -> Bar:
    y = min(axis.at(value), axis.start - LEAST_BAR)
    return _bar(left + at * HOURS_STEP, y, axis, label, step=HOURS_STEP, gap=HOURS_GAP, is_marked=is_marked)


# Figures of the owner and the operator --------------------------------------------------------------------------------
def hours_chart(heads: Sequence[float], *, most: float, now: int) -> BarChart:
    """Return the usual number of people inside by hour of one weekday; `most`: that of the week."""
    values = round_values(most, whole=True)
    axis = _figures_axis(values[-1])
    labels = [str(hour) if hour % 3 == 0 else "" for hour in range(len(heads))]
    bars = [
        _figure_bar(axis, hour, people, labels[hour], room_for=len(heads), is_marked=hour == now)
        for hour, people in enumerate(heads)
    ]
    return _figures_chart(bars, axis.ticks(values))


def weeks_chart(weeks: Sequence[WeekFigures]) -> BarChart | None:
    """Return the visits of whole weeks, oldest first, with intervals; `None` without any. `weeks`: newest first."""
    shown = [(week.monday, week.visits) for week in weeks if week.days == 7][:MOST_WEEKS]
    return _dated(shown[::-1], room_for=MOST_WEEKS)


def days_chart(days: Sequence[DayFigures]) -> BarChart | None:
    """Return the visits of days that have figures, oldest first, with their intervals; `None` if there are none."""
    shown = [(day.date, day.visits) for day in days if day.visits is not None]
    return _dated(shown[::-1], room_for=len(days))


def scores_chart(bins: Sequence[int], *, threshold: float) -> BarChart:
    """Return scans by tenths of their score, on a logarithmic scale since most score 0; high scores are marked."""
    decades = max(1, math.ceil(math.log10(max(1, *bins) + 1)))
    axis = _figures_axis(decades)
    bars = [
        _figure_bar(
            axis,
            at,
            math.log10(scans + 1),
            number_format(at / len(bins), 1) if at % 2 == 0 else "",
            room_for=len(bins),
            is_marked=at + 1 > round(threshold * len(bins), 6),
        )
        for at, scans in enumerate(bins)
    ]
    ticks = [Tick(axis.at(math.log10(10**power + 1)), 10**power) for power in range(decades)]
    return _figures_chart(bars, ticks)


def _dated(shown: Sequence[tuple[dt.date, Figure]], *, room_for: int) -> BarChart | None:
    if not shown:
        return None
    values = round_values(max(visits.people + visits.within for _day, visits in shown), whole=True)
    axis = _figures_axis(values[-1])
    every = math.ceil(len(shown) / MOST_LABELS)
    bars = []
    for at, (day, visits) in enumerate(shown):
        label = date_format(day, _("M j")) if at % every == 0 else ""
        ends = axis.at(visits.people - visits.within), axis.at(visits.people + visits.within)
        bars.append(_figure_bar(axis, at, visits.people, label, room_for=room_for, interval=ends))
    return _figures_chart(bars, axis.ticks(values))


def _figures_axis(top: float) -> Axis:
    return _upward(top, height=FIGURES_HEIGHT, head=FIGURES_HEAD)


def _figures_chart(bars: Sequence[Bar], ticks: Sequence[Tick]) -> BarChart:
    return BarChart(bars, ticks, left=LEFT, width=FIGURES_WIDTH, floor=FIGURES_HEAD + FIGURES_HEIGHT)


def _figure_bar(
    axis: Axis,
    at: int,
    value: float,
    label: str,
    *,
    room_for: int,
    is_marked: bool = False,
    interval: tuple[float, float] | None = None,
) -> Bar:
    step = (FIGURES_WIDTH - LEFT) / room_for
    x, y = LEFT + at * step, axis.at(value)
    return _bar(x, y, axis, label, step=step, gap=FIGURES_GAP, is_marked=is_marked, interval=interval)


# Both -----------------------------------------------------------------------------------------------------------------
def _upward(top: float, *, height: int, head: int) -> Axis:
    return Axis(0, top, head + height, head)


def _bar(
    x: float,
    y: float,
    axis: Axis,
    label: str,
    *,
    step: float,
    gap: float,
    is_marked: bool,
    interval: tuple[float, float] | None = None,
) -> Bar:
    """Return a bar from the baseline of the axis up to `y`, in the middle of a step that begins at `x`."""
    return Bar(
        round(x, 1),
        round(x + gap / 2, 1),
        y,
        round(step - gap, 1),
        round(axis.start - y, 1),
        label,
        is_marked,
        interval,
    )
