"""The location of ZIP codes: state and centroid of the first three digits, and distances between them.

`data/zip3.csv` has the first three digits of every ZIP code in use, the state, and the mean of the centroids of its
five-digit codes, in degrees. Military and a few other prefixes have no centroid.
"""

import csv
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Final

EARTH_RADIUS_KM: Final = 6371.0088
"""Mean radius R1 of the Earth in km (IUGG)."""
_FILE: Final = Path(__file__).parent / "data" / "zip3.csv"


@dataclass(frozen=True, slots=True)
class Place:
    """Three digits of a ZIP code."""

    zip3: str
    state: str
    latitude: float | None
    longitude: float | None


@dataclass(frozen=True, slots=True)
class Point:
    """A position on the Earth, rounded to a tenth of a degree (11 km), so that the server never knows a better one."""

    latitude: float
    longitude: float

    @classmethod
    def rounded(cls, latitude: float, longitude: float) -> "Point":
        """Return a point from degrees. Raise `ValueError` if they are not valid."""
        if not (-90 <= latitude <= 90 and -180 <= longitude <= 180):
            raise ValueError("not a position")
        return cls(round(latitude, 1) + 0.0, round(longitude, 1) + 0.0)


@lru_cache(maxsize=1)
def places() -> Mapping[str, Place]:
    """Return every known place by its three digits."""
    with _FILE.open(encoding="ascii", newline="") as lines:
        return MappingProxyType(
            {
                row["zip3"]: Place(row["zip3"], row["state"], _degrees(row["latitude"]), _degrees(row["longitude"]))
                for row in csv.DictReader(lines)
            }
        )


def place(zip_code: str) -> Place | None:
    """Return the place of a ZIP code of three or five digits; `None` if it is unknown."""
    return places().get(zip_code[:3])


def state(zip_code: str) -> str | None:
    """Return the two letters of the state of a ZIP code; `None` if it is unknown."""
    found = place(zip_code)
    return found.state if found else None


def distance_km(one: str, other: str) -> float | None:
    """Return the great-circle distance between two ZIP codes (haversine formula); `None` if one is unknown."""
    a, b = place(one), place(other)
    if a is None or b is None:
        return None
    return 0.0 if a.zip3 == b.zip3 else _haversine_km(a, b)


def distance_from_km(point: Point, zip_code: str) -> float | None:
    """Return the great-circle distance from a position to a ZIP code; `None` if that is unknown."""
    found = place(zip_code)
    return None if found is None else _haversine_km(point, found)


@lru_cache(maxsize=1024)
def nearest(zip3: str) -> tuple[str, ...]:
    """Return every known place, nearest first: the place itself, then by distance; places without a centroid are last.

    If the place itself has no centroid, the places of its state come first. The result is empty for an unknown place.
    """
    centre = places().get(zip3)
    if centre is None:
        return ()

    def key(other: Place) -> tuple[bool, float, bool, str]:
        away = _haversine_km(centre, other)
        return other.zip3 != zip3, math.inf if away is None else away, other.state != centre.state, other.zip3

    return tuple(other.zip3 for other in sorted(places().values(), key=key))


@lru_cache(maxsize=1024)
def nearest_to(point: Point) -> tuple[str, ...]:
    """Return every known place by its distance from a position; places without a centroid are last."""

    def key(other: Place) -> tuple[float, str]:
        away = _haversine_km(point, other)
        return math.inf if away is None else away, other.zip3

    return tuple(other.zip3 for other in sorted(places().values(), key=key))


def _degrees(text: str) -> float | None:
    return float(text) if text else None


def _haversine_km(a: Place | Point, b: Place) -> float | None:
    if a.latitude is None or a.longitude is None or b.latitude is None or b.longitude is None:
        return None
    north_a, north_b = math.radians(a.latitude), math.radians(b.latitude)
    east = math.radians(b.longitude - a.longitude)
    chord = math.sin((north_b - north_a) / 2) ** 2 + math.cos(north_a) * math.cos(north_b) * math.sin(east / 2) ** 2
    return 2 * EARTH_RADIUS_KM * math.asin(math.sqrt(min(1.0, chord)))
