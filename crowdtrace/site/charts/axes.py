"""Axes of charts: positions of values, round ticks, and outlines as paths. Pure."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

STEPS: Final = (1.0, 2.0, 2.5, 5.0, 10.0)
TICKS: Final = 4
POINTS_STEPS: Final = (1.0, 2.0, 5.0, 10.0)
LEAST_POINTS: Final = 10.0
"""Smallest range of a chart of costs in points, so that a tenth of a point does not fill it."""
LEAST: Final = 1e-9
"""Smallest value that a chart resolves."""
_SLACK: Final = 1e-9
"""Tolerance, in steps, for the error of binary fractions in a value that is exactly on a step."""


@dataclass(frozen=True, slots=True)
class Tick:
    """A tick of an axis: its position, and the value of its label."""

    place: float
    value: float


@dataclass(frozen=True, slots=True)
class Axis:
    """Values from `low` to `high` on positions from `start` to `end`; a vertical axis has its larger position first."""

    low: float
    high: float
    start: float
    end: float
    is_log: bool = False

    def at(self, value: float) -> float:
        """Return the position of a value, in tenths; values beyond the ends are placed at the ends."""
        low, high, inside = (self._scaled(each) for each in (self.low, self.high, self._clamped(value)))
        return round(self.start + (self.end - self.start) * (inside - low) / (high - low), 1)

    def ticks(self, values: Iterable[float]) -> list[Tick]:
        """Return the ticks of these values."""
        return [Tick(self.at(value), value) for value in values]

    def _clamped(self, value: float) -> float:
        return min(max(value, self.low), self.high)

    def _scaled(self, value: float) -> float:
        return math.log(value) if self.is_log else value


def round_values(highest: float, *, whole: bool = False) -> list[float]:
    """Return round values from 0 to at least the highest value, in about four steps; `whole`: whole numbers only."""
    if highest < LEAST:
        return [0.0, 1.0]
    rough = highest / TICKS
    size = max(10.0 ** math.floor(math.log10(rough)), 1.0 if whole else 0.0)
    sizes = [size * factor for factor in STEPS if not whole or (size * factor).is_integer()]
    step = next(each for each in sizes if each >= rough * (1 - _SLACK))
    return [float(f"{step * number:.6g}") for number in range(math.ceil(highest / step - _SLACK) + 1)]


def points_top(most: float) -> float:
    """Return the end of an axis of points: the next of 10, 20, 50, 100, 200 and so on (`axisTop` in `rounding.js`)."""
    if most <= LEAST_POINTS:
        return LEAST_POINTS
    power = 10.0 ** math.floor(math.log10(most))
    return next(step * power for step in POINTS_STEPS if step * power >= most)


def path(points: Iterable[tuple[float, float]], *, closed: bool = False) -> str:
    """Return a line through the points as the `d` of a path, or the outline of an area; empty without points."""
    line = "L".join(f"{x:g} {y:g}" for x, y in points)
    return f"M{line}{'z' if closed else ''}" if line else ""
