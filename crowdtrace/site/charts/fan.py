"""A fan chart: known values, quantiles of the coming weeks, and values reported later."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from crowdtrace.site.charts.axes import Axis, Tick, path, round_values

PAST_WEEKS: Final = 20
RIGHT, TOP, BOTTOM = 26, 12, 44
DIGIT: Final = 8
"""Width of a digit of the axis, in drawing units."""
NARROW: Final = 500
"""Charts narrower than this have fewer days labelled."""
Point = tuple[dt.date, float]


@dataclass(frozen=True, slots=True)
class FanData:
    """The data of a chart. `intervals` has lower and upper ends by week for each share, `medians` one value a week."""

    as_of: dt.date
    past: Sequence[Point]
    medians: Sequence[Point]
    intervals: Sequence[tuple[int, Sequence[tuple[dt.date, float, float]]]]
    later: Sequence[Point]


@dataclass(frozen=True, slots=True)
class DayTick:
    """A tick of the axis of days: its position, and the day of its label."""

    place: float
    day: dt.date


@dataclass(frozen=True, slots=True)
class FanChart:
    """The drawing: `bands` are outlines of central intervals, widest first; `later` are values reported afterwards."""

    width: int
    height: int
    bands: tuple[tuple[int, str], ...]
    past: str
    dots: tuple[tuple[float, float], ...]
    median: str
    later: tuple[tuple[float, float], ...]
    now: float
    days: tuple[DayTick, ...]
    values: tuple[Tick, ...]
    left: int
    top: int = TOP

    @property
    def right(self) -> int:
        """Return the right end of the plot."""
        return self.width - RIGHT

    @property
    def base(self) -> int:
        """Return the bottom of the plot."""
        return self.height - BOTTOM


def fan_chart(data: FanData, *, width: int, height: int) -> FanChart:
    """Lay the chart out in a drawing of `width` by `height` units; a unit is a pixel at the original size."""
    first, last = data.as_of - dt.timedelta(weeks=PAST_WEEKS - 1), data.medians[-1][0]
    past = [point for point in data.past if first <= point[0] <= data.as_of]
    later = [point for point in data.later if data.as_of < point[0] <= last]
    labelled = round_values(_highest(data, [*past, *later]))
    left = DIGIT * (2 + max(3, len(f"{labelled[-1]:,.0f}")))
    across = Axis(0, (last - first).days, left, width - RIGHT)
    upward = Axis(0, labelled[-1], height - BOTTOM, TOP)

    def at(day: dt.date, value: float) -> tuple[float, float]:
        return across.at((day - first).days), upward.at(value)

    start = past[-1:]
    bands = []
    for share, rows in data.intervals:
        upper = [at(*point) for point in start] + [at(day, high) for day, _low, high in rows]
        lower = [at(*point) for point in start] + [at(day, low) for day, low, _high in rows]
        bands.append((share, path([*upper, *reversed(lower)], closed=True)))
    dots = tuple(at(*point) for point in past)
    days = _days(first, data.as_of, last, narrow=width < NARROW)
    return FanChart(
        width=width,
        height=height,
        bands=tuple(bands),
        past=path(dots),
        dots=dots,
        median=path(at(*point) for point in (*start, *data.medians)),
        later=tuple(at(*point) for point in later),
        left=left,
        now=across.at((data.as_of - first).days),
        days=tuple(DayTick(across.at((day - first).days), day) for day in days),
        values=tuple(upward.ticks(labelled)),
    )


def _highest(data: FanData, points: Sequence[Point]) -> float:
    ends = [high for _share, rows in data.intervals for _day, _low, high in rows]
    return max([value for _day, value in points] + ends)


def _days(first: dt.date, as_of: dt.date, last: dt.date, *, narrow: bool) -> list[dt.date]:
    """Return the labelled days, including the as-of date, far enough apart for their labels."""
    apart = dt.timedelta(weeks=8 if narrow else 4)
    days = [as_of]
    while days[-1] - apart >= first:
        days.append(days[-1] - apart)
    return [*reversed(days), *([] if narrow else [last])]
