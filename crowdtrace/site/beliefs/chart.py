"""Where a drawing puts an interval: factors on a logarithmic axis, versions side by side in time."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from risk.estimates.beliefs import Interval, Version

TICKS: Final = (0.2, 0.5, 1.0, 2.0, 5.0)
LEAST, MOST = 0.15, 7.0
WIDTH: Final = 320.0
HEIGHT: Final = 160.0
MARGIN: Final = 36.0


@dataclass(frozen=True, slots=True)
class Place:
    """Places of an interval along an axis."""

    middle: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Tick:
    """A mark of an axis, and what it says."""

    at: float
    value: float


@dataclass(frozen=True, slots=True)
class Moved:
    """A version in the drawing of how the scale moved."""

    x: float
    y: Place
    version: Version


def along(value: float) -> float:
    """Place of a factor on an axis 0 to `WIDTH`; what lies beyond its ends is put there."""
    share = math.log(min(max(value, LEAST), MOST) / LEAST) / math.log(MOST / LEAST)
    return round(WIDTH * share, 1)


def place(interval: Interval) -> Place:
    """Places of a factor's interval."""
    return Place(along(interval.middle), along(interval.low), along(interval.high))


def ticks() -> list[Tick]:
    """Marks of the axis of factors."""
    return [Tick(along(value), value) for value in TICKS]


def up(value: float) -> float:
    """Height of a factor in the drawing of time, from its top."""
    return round(HEIGHT * (1.0 - along(value) / WIDTH), 1)


def upward_ticks() -> list[Tick]:
    """Marks of the upright axis."""
    return [Tick(up(value), value) for value in TICKS]


def moved(versions: Sequence[Version]) -> list[Moved]:
    """Versions from left to right, by day."""
    if not versions:
        return []
    first, last = versions[0].day, versions[-1].day
    days = max((last - first).days, 1)
    return [Moved(_across((one.day - first).days / days), _upward(one.scale), one) for one in versions]


def _across(share: float) -> float:
    return round(MARGIN + share * (WIDTH - MARGIN - 12.0), 1)


def _upward(interval: Interval) -> Place:
    return Place(up(interval.middle), up(interval.low), up(interval.high))


def line(points: Iterable[Moved]) -> str:
    """The middles as points of a line."""
    return " ".join(f"{one.x},{one.y.middle}" for one in points)
