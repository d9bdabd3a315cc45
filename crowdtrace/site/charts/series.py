"""The chart of a time series: a line of values with a band of intervals."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, NamedTuple

from crowdtrace.site.charts.axes import Axis, path

WIDTH: Final = 600
HEIGHT: Final = 160


class Point(NamedTuple):
    """A day of a time series with its interval."""

    day: dt.date
    value: int
    low: int
    high: int


@dataclass(frozen=True, slots=True)
class SeriesChart:
    """A time series as it is drawn: a band of intervals, a line of values, and a dot for each day.

    Values below zero are drawn below the zero line, at `zero`; nothing is drawn across missing days.
    """

    band: str
    line: str
    dots: Sequence[tuple[float, float, Point]]
    top: int
    bottom: int
    zero: float
    first: dt.date
    last: dt.date
    width: int = WIDTH
    height: int = HEIGHT


def series_chart(points: Sequence[Point]) -> SeriesChart | None:
    """Return the chart of a series, oldest point first; `None` if there is nothing to draw."""
    if len(points) < 2:
        return None
    first, last = points[0].day, points[-1].day
    top = max(1, *(max(point.high, point.value) for point in points))
    bottom = min(0, *(min(point.low, point.value) for point in points))
    days, values = Axis(0, (last - first).days, 0, WIDTH), Axis(bottom, top, HEIGHT, 0)

    def at(point: Point, value: int) -> tuple[float, float]:
        return days.at((point.day - first).days), values.at(value)

    band, line = "", ""
    for run in _runs(points):
        upper = [at(point, point.high) for point in run]
        lower = [at(point, point.low) for point in reversed(run)]
        band += path([*upper, *lower], closed=True)
        line += path(at(point, point.value) for point in run)
    dots = [(*at(point, point.value), point) for point in points]
    return SeriesChart(band, line, dots, top, bottom, values.at(0), first, last)


def _runs(points: Sequence[Point]) -> list[list[Point]]:
    """Split a series at missing days: wherever a step is longer than the shortest one."""
    steps = [(after.day - before.day).days for before, after in pairwise(points)]
    runs = [[points[0]]]
    for point, step in zip(points[1:], steps, strict=True):
        if step > min(steps):
            runs.append([])
        runs[-1].append(point)
    return runs
