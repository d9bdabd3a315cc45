"""Regions of weekly series: the country, states and ZIP3 areas, by the codes that sources use."""

from __future__ import annotations

from functools import lru_cache
from typing import Final, Literal

from venues import places

GeoType = Literal["nation", "state", "zip3"]
NATION: Final = "US"
GEO_TYPES: Final[tuple[GeoType, ...]] = ("nation", "state", "zip3")
# ANSI INCITS 38:2009, as FluSight and the Census Bureau write states.
_FIPS: Final = """
    01:AL 02:AK 04:AZ 05:AR 06:CA 08:CO 09:CT 10:DE 11:DC 12:FL 13:GA 15:HI 16:ID 17:IL 18:IN 19:IA 20:KS 21:KY 22:LA
    23:ME 24:MD 25:MA 26:MI 27:MN 28:MS 29:MO 30:MT 31:NE 32:NV 33:NH 34:NJ 35:NM 36:NY 37:NC 38:ND 39:OH 40:OK 41:OR
    42:PA 44:RI 45:SC 46:SD 47:TN 48:TX 49:UT 50:VT 51:VA 53:WA 54:WV 55:WI 56:WY 60:AS 66:GU 69:MP 72:PR 78:VI
"""
FIPS: Final[dict[str, str]] = {pair[:2]: pair[3:] for pair in _FIPS.split()}


@lru_cache(maxsize=1)
def states() -> frozenset[str]:
    """Return the letters of every state and territory, and of every military region that has a ZIP code."""
    return frozenset(place.state for place in places.places().values()) | set(FIPS.values())


def geo_type(region: str) -> GeoType:
    """Return the type of the region that one of our codes names."""
    if region == NATION:
        return "nation"
    return "zip3" if region.isdigit() else "state"


def state_of(region: str) -> str | None:
    """Return the state that contains a region; `None` for the country."""
    kind = geo_type(region)
    return region if kind == "state" else places.state(region) if kind == "zip3" else None


def find_region(text: str, kind: str = "") -> str | None:
    """Return our code of a region, from letters, three digits of a ZIP code, FIPS digits or `US`; `None` if unknown.

    ``kind``: `nation`, `state` or `zip3`, if the source states it.
    """
    code = text.strip().upper()
    if kind not in {"", *GEO_TYPES}:
        return None
    if code == NATION and kind in {"", "nation"}:
        return NATION
    if kind in {"", "state"} and len(code) <= 2:
        letters = FIPS.get(code.zfill(2), code)
        return letters if letters in states() else None
    return code if kind in {"", "zip3"} and code in places.places() else None


def asked_region(text: str) -> str | None:
    """Return the region that a request names: as `find_region`, or the first three digits of a five-digit ZIP code."""
    code = text.strip()
    return find_region(code[:3] if len(code) == 5 and code.isascii() and code.isdigit() else code)
