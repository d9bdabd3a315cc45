"""A fan chart as numbers: known values, quantiles of four weeks, and later values. Pure; a template draws it."""

import datetime as dt
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

PAST_WEEKS: Final = 20
RIGHT, TOP, BOTTOM = 26, 12, 44
DIGIT: Final = 8
"""Width of a digit of the axis, in drawing units."""
TICKS: Final = 4
LEAST: Final = 1e-9
STEPS: Final = (1.0, 2.0, 2.5, 5.0, 10.0)
Point = tuple[dt.date, float]


@dataclass(frozen=True, slots=True)
class Tick:
    """A tick of an axis: its position, and its value or day."""

    place: float
    value: float = 0.0
    day: dt.date | None = None


@dataclass(frozen=True, slots=True)
class Fan:
    """The drawing: `bands` are outlines of central intervals, widest first; `later` are values reported afterwards."""

    width: int
    height: int
    bands: tuple[tuple[int, str], ...]
    past: str
    dots: tuple[tuple[float, float], ...]
    median: str
    later: tuple[tuple[float, float], ...]
    now: float
    days: tuple[Tick, ...]
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


@dataclass(frozen=True, slots=True)
class Wanted:
    """The data of a chart. `intervals` has lower and upper ends by week for each share, `medians` one value a week."""

    as_of: dt.date
    past: Sequence[Point]
    medians: Sequence[Point]
    intervals: Sequence[tuple[int, Sequence[tuple[dt.date, float, float]]]]
    later: Sequence[Point]


def draw(wanted: Wanted, *, width: int, height: int) -> Fan:
    """Lay the chart out in a drawing of `width` by `height` units; a unit is a pixel at the original size."""
    first = wanted.as_of - dt.timedelta(weeks=PAST_WEEKS - 1)
    past = [point for point in wanted.past if first <= point[0] <= wanted.as_of]
    last = wanted.medians[-1][0]
    later = [point for point in wanted.later if wanted.as_of < point[0] <= last]
    highest = max(
        [value for _day, value in (*past, *later)] + [high for _s, rows in wanted.intervals for *_d, high in rows]
    )
    ticks = scale(highest)
    span, most = (last - first).days, ticks[-1]
    left = DIGIT * (2 + max(3, len(f"{most:,.0f}")))

    def x(day: dt.date) -> float:
        return round(left + (width - left - RIGHT) * (day - first).days / span, 1)

    def y(value: float) -> float:
        return round(height - BOTTOM - (height - BOTTOM - TOP) * value / most, 1)

    start = past[-1:]
    bands = []
    for share, rows in wanted.intervals:
        upper = [(x(day), y(value)) for day, value in start] + [(x(day), y(high)) for day, _low, high in rows]
        lower = [(x(day), y(value)) for day, value in start] + [(x(day), y(low)) for day, low, _high in rows]
        bands.append((share, _path([*upper, *reversed(lower)]) + "z"))
    return Fan(
        width=width,
        height=height,
        bands=tuple(bands),
        past=_path([(x(day), y(value)) for day, value in past]),
        dots=tuple((x(day), y(value)) for day, value in past),
        median=_path([(x(day), y(value)) for day, value in (*start, *wanted.medians)]),
        later=tuple((x(day), y(value)) for day, value in later),
        left=left,
        now=x(wanted.as_of),
        days=tuple(Tick(x(day), day=day) for day in _days(first, wanted.as_of, last, narrow=width < 500)),
        values=tuple(Tick(y(value), value=value) for value in ticks),
    )


def scale(highest: float) -> list[float]:
    """Return round values from 0 to at least the highest value, in about four steps."""
    if highest < LEAST:
        return [0.0, 1.0]
    rough = highest / TICKS
    size = 10.0 ** math.floor(math.log10(rough))
    step = next(size * factor for factor in STEPS if size * factor >= rough * (1 - 1e-9))
    return [float(f"{step * number:.6g}") for number in range(math.ceil(highest / step - 1e-9) + 1)]


def _days(first: dt.date, as_of: dt.date, last: dt.date, *, narrow: bool) -> list[dt.date]:
    """Return the labelled days, including the as-of date, far enough apart for their labels."""
    apart = dt.timedelta(weeks=8 if narrow else 4)
    days = [as_of]
    while days[-1] - apart >= first:
        days.append(days[-1] - apart)
    return [*reversed(days), *([] if narrow else [last])]


def _path(points: Sequence[tuple[float, float]]) -> str:
    return "M" + "L".join(f"{x:g} {y:g}" for x, y in points) if points else ""
