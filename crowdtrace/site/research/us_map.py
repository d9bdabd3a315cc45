"""A map of the United States as numbers: the class of each state, and the size of each ZIP area's dot.

Pure: it takes values by state and by 3-digit ZIP and knows nothing of their source, so that released counts and
forecasts are drawn by the same template. `tools/build_map.mjs` makes the outlines and positions.
"""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

CLASSES: Final = 5
SMALLEST_DOT, LARGEST_DOT = 2.0, 14.0  # units of the map, of which the country is 975 wide
_DATA: Final = Path(__file__).with_name("data")


@dataclass(frozen=True)
class Shape:
    """A state as it is drawn; `level` is 0 if it has no value, otherwise 1 to `CLASSES`."""

    state: str
    name: str
    path: str
    level: int
    text: str


@dataclass(frozen=True)
class Dot:
    """A 3-digit ZIP area."""

    zip3: str
    x: float
    y: float
    radius: float
    text: str


@dataclass(frozen=True)
class Class:
    """A line of the legend; a value belongs to it from `low` up to `high`."""

    level: int
    low: float
    high: float


@dataclass(frozen=True)
class UsMap:
    """The data of the template; `without_place` counts ZIP areas with a value that are outside the projection."""

    width: int
    height: int
    shapes: tuple[Shape, ...]
    dots: tuple[Dot, ...]
    legend: tuple[Class, ...]
    without_place: int


@lru_cache(maxsize=1)
def outlines() -> dict[str, Any]:
    """Return outlines of states and positions of ZIP areas."""
    found: dict[str, Any] = json.loads((_DATA / "us_map.json").read_text(encoding="utf-8"))
    return found


@lru_cache(maxsize=1)
def state_names() -> dict[str, str]:
    """Return the full name of each state, territory and military region by its USPS letters."""
    found: dict[str, str] = json.loads((_DATA / "states.json").read_text(encoding="utf-8"))
    return found


def draw(
    *,
    values: Mapping[str, float],
    texts: Mapping[str, str],
    sizes: Mapping[str, float],
    size_texts: Mapping[str, str],
) -> UsMap:
    """Return the map of `values` by state and `sizes` by 3-digit ZIP; `texts` describe each in words."""
    legend = classes(values)
    data = outlines()
    shapes = tuple(
        Shape(each["state"], state_names()[each["state"]], each["path"], level, texts.get(each["state"], ""))
        for each in data["states"]
        for level in (level_of(values.get(each["state"]), legend),)
    )
    places = {zip3: (x, y) for zip3, x, y in data["zips"]}
    largest = max(sizes.values(), default=0.0)
    dots = tuple(
        Dot(zip3, *places[zip3], radius(size, largest), size_texts.get(zip3, ""))
        for zip3, size in sorted(sizes.items(), key=lambda item: -item[1])
        if zip3 in places and size > 0
    )
    outside = sum(1 for zip3, size in sizes.items() if size > 0 and zip3 not in places)
    return UsMap(data["width"], data["height"], shapes, dots, legend, outside)


def classes(values: Mapping[str, float]) -> tuple[Class, ...]:
    """Return classes of about equally many states, by quantiles; fewer classes if values repeat."""
    ordered = sorted(values.values())
    if not ordered:
        return ()
    cuts = sorted({ordered[min(len(ordered) - 1, len(ordered) * step // CLASSES)] for step in range(CLASSES)})
    ends = [*cuts[1:], ordered[-1]]
    shift = CLASSES - len(cuts)
    return tuple(Class(shift + number, *pair) for number, pair in enumerate(zip(cuts, ends, strict=True), start=1))


def level_of(value: float | None, legend: tuple[Class, ...]) -> int:
    """Return the class of a value, 0 if there is none."""
    if value is None:
        return 0
    return max((each.level for each in legend if value >= each.low), default=0)


def radius(size: float, largest: float) -> float:
    """Return the radius of a dot, whose area is proportional to its size."""
    share = math.sqrt(size / largest) if largest > 0 else 0.0
    return round(SMALLEST_DOT + (LARGEST_DOT - SMALLEST_DOT) * share, 1)
