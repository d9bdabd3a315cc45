"""Layout of the charts of estimates: factors on a logarithmic axis, and versions next to each other in time."""

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
    """Positions of an interval along an axis."""

    middle: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Tick:
    """A tick of an axis, and its label."""

    at: float
    value: float


@dataclass(frozen=True, slots=True)
class Moved:
    """A version in the chart that shows how the scale changed."""

    x: float
    y: Place
    version: Version


def along(value: float) -> float:
    """Return the position of a factor on an axis from 0 to `WIDTH`; values beyond its ends are placed at the ends."""
    share = math.log(min(max(value, LEAST), MOST) / LEAST) / math.log(MOST / LEAST)
    return round(WIDTH * share, 1)


def place(interval: Interval) -> Place:
    """Return the positions of a factor's interval."""
    return Place(along(interval.middle), along(interval.low), along(interval.high))


def ticks() -> list[Tick]:
    """Return the ticks of the axis of factors."""
    return [Tick(along(value), value) for value in TICKS]


def up(value: float) -> float:
    """Return the vertical position of a factor in the chart over time, from its top."""
    return round(HEIGHT * (1.0 - along(value) / WIDTH), 1)


def upward_ticks() -> list[Tick]:
    """Return the ticks of the vertical axis."""
    return [Tick(up(value), value) for value in TICKS]


def moved(versions: Sequence[Version]) -> list[Moved]:
    """Return the versions from left to right, by day."""
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
    """Return the middles as the points of a line."""
    return " ".join(f"{one.x},{one.y.middle}" for one in points)
