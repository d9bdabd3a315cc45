"""Charts of estimates: factors on a logarithmic axis, and the versions of one estimate over time."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from crowdtrace.site.charts.axes import Axis, Tick
from risk.estimates.beliefs import Interval, Version

LABELLED: Final = (0.2, 0.5, 1.0, 2.0, 5.0)
LEAST, MOST = 0.15, 7.0
WIDTH: Final = 320
HEIGHT: Final = 160
LEFT, RIGHT = 36, 12

ACROSS: Final = Axis(LEAST, MOST, 0, WIDTH, is_log=True)
UPWARD: Final = Axis(LEAST, MOST, HEIGHT, 0, is_log=True)


@dataclass(frozen=True, slots=True)
class Span:
    """Positions of an interval along an axis."""

    middle: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class VersionMark:
    """A version in the chart of one estimate over time."""

    x: float
    y: Span
    version: Version


def span(interval: Interval, axis: Axis = ACROSS) -> Span:
    """Return the positions of a factor's interval."""
    return Span(axis.at(interval.middle), axis.at(interval.low), axis.at(interval.high))


def ticks() -> list[Tick]:
    """Return the ticks of the horizontal axis of factors."""
    return ACROSS.ticks(LABELLED)


def upward_ticks() -> list[Tick]:
    """Return the ticks of the vertical axis of factors."""
    return UPWARD.ticks(LABELLED)


def version_marks(versions: Sequence[Version]) -> list[VersionMark]:
    """Return the versions from left to right, by day."""
    if not versions:
        return []
    first, last = versions[0].day, versions[-1].day
    days = Axis(0, max((last - first).days, 1), LEFT, WIDTH - RIGHT)
    return [VersionMark(days.at((one.day - first).days), span(one.scale, UPWARD), one) for one in versions]


def line(marks: Iterable[VersionMark]) -> str:
    """Return the middles as the points of a line."""
    return " ".join(f"{mark.x},{mark.y.middle}" for mark in marks)
