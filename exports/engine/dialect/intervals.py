"""Intervals: parse literals of several units, extract parts, multiply and divide by numbers."""

from __future__ import annotations

import re
from typing import Final

from exports.engine.dialect.types import MONTHS, Type

# Milliseconds of each unit, largest first.
MILLISECONDS: Final = {"DAY": 86_400_000, "HOUR": 3_600_000, "MINUTE": 60_000, "SECOND": 1000}
_UNITS: Final = list(MILLISECONDS)
# The separator before each unit in a literal.
_BETWEEN: Final = {"HOUR": " ", "MINUTE": ":", "SECOND": ":"}
# The division and the remainder that extract each part from milliseconds.
_PARTS: Final = {
    "day": ("// 86400000", ""),
    "hour": ("// 3600000", "% 24"),
    "minute": ("// 60000", "% 60"),
    "second": ("// 1000", "% 60"),
    "millisecond": ("", "% 1000"),
}


def interval_parts(text: str, first: str, last: str) -> int | None:
    """Return the months or milliseconds of a literal from unit `first` to `last`, or `None` if it is malformed."""
    if (first, last) == ("YEAR", "MONTH"):
        found = re.fullmatch(r"([+-]?)(\d{1,6})-(\d{1,6})", text)
        months = 12 * int(found[2]) + int(found[3]) if found else 0
        return (-months if found[1] == "-" else months) if found else None
    if first not in _UNITS or last not in _UNITS or _UNITS.index(first) >= _UNITS.index(last):
        return None
    units = _UNITS[_UNITS.index(first) : _UNITS.index(last) + 1]
    shape = "".join((_BETWEEN[unit] if number else "") + r"(\d{1,9})" for number, unit in enumerate(units))
    found = re.fullmatch("([+-]?)" + shape + (r"(?:\.(\d{1,3}))?" if last == "SECOND" else ""), text)
    if found is None:
        return None
    whole = sum(int(part) * MILLISECONDS[unit] for part, unit in zip(found.groups()[1:], units, strict=False))
    if last == "SECOND":
        whole += int((found.groups()[-1] or "0").ljust(3, "0"))
    return -whole if found[1] == "-" else whole


def months(sql: str) -> str:
    """Write the months of an interval."""
    return f"CAST(12 * date_part('year', {sql}) + date_part('month', {sql}) AS BIGINT)"


def milliseconds(sql: str) -> str:
    """Write the milliseconds of an interval."""
    return f"CAST(round(epoch({sql}) * 1000) AS BIGINT)"


def scaled(sql: str, kind: Type, sign: str, number: str) -> str:
    """Write an interval multiplied or divided by a number, truncated to its unit."""
    units, make = (months(sql), "to_months") if kind == MONTHS else (milliseconds(sql), "to_milliseconds")
    amount = f"CAST(trunc({units} {sign} CAST({number} AS DOUBLE)) AS BIGINT)"
    return f"{make}({f'CAST({amount} AS INTEGER)' if kind == MONTHS else amount})"


def part(sql: str, kind: Type, name: str) -> str | None:
    """Write a part of an interval, such as its hours below a day, or return `None` if it has no such part."""
    if kind == MONTHS:
        return {"year": f"({months(sql)} // 12)", "month": f"({months(sql)} % 12)"}.get(name)
    if name not in _PARTS:
        return None
    by, below = _PARTS[name]
    return f"({milliseconds(sql)} {by} {below})".replace("  ", " ").replace(" )", ")")
