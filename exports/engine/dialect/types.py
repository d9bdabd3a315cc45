"""Athena's types, their implicit coercions, and their names in DuckDB."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

MOST_DIGITS: Final = 38


@dataclass(frozen=True)
class Type:
    """A type by its name in Athena.

    `of` has the types inside an array, a map or a row, `names` the fields of a row. `digits` and `scale` belong to a
    decimal; `digits` of a time are its fractional digits of the second. `zone` is that of a time with a zone.
    """

    name: str
    of: tuple[Type, ...] = ()
    names: tuple[str, ...] = ()
    digits: int = 0
    scale: int = 0
    zone: str = ""

    def __str__(self) -> str:
        match self.name:
            case "decimal":
                return f"decimal({self.digits},{self.scale})"
            case "timestamp":
                return f"timestamp({self.digits})"
            case "timestamp with time zone":
                return f"timestamp({self.digits}) with time zone"
            case "array" | "map":
                return f"{self.name}({', '.join(map(str, self.of))})"
            case "row":
                return f"row({', '.join(f'{name} {kind}' for name, kind in zip(self.names, self.of, strict=True))})"
        return self.name


UNKNOWN: Final = Type("unknown")
BOOLEAN: Final = Type("boolean")
TINYINT: Final = Type("tinyint")
SMALLINT: Final = Type("smallint")
INTEGER: Final = Type("integer")
BIGINT: Final = Type("bigint")
REAL: Final = Type("real")
DOUBLE: Final = Type("double")
VARCHAR: Final = Type("varchar")
VARBINARY: Final = Type("varbinary")
DATE: Final = Type("date")
JSON: Final = Type("json")
DAYS: Final = Type("interval day to second")
MONTHS: Final = Type("interval year to month")

# Decimal digits of each integer type.
WHOLE: Final = {"tinyint": 3, "smallint": 5, "integer": 10, "bigint": 19}
_RANKS: Final = {
    name: rank for rank, name in enumerate(("tinyint", "smallint", "integer", "bigint", "decimal", "real", "double"))
}
MOMENTS: Final = ("date", "timestamp", "timestamp with time zone")
UTC: Final = "UTC"


def decimal(digits: int, scale: int) -> Type:
    """Return a decimal type of at most 38 digits."""
    return Type("decimal", digits=max(1, min(MOST_DIGITS, digits)), scale=scale)


def timestamp(digits: int = 3) -> Type:
    """Return the type of a time without a zone."""
    return Type("timestamp", digits=digits)


def zoned(digits: int = 3, zone: str = UTC) -> Type:
    """Return the type of a time with a zone. The zone is part of the type: all values of a column have the same."""
    return Type("timestamp with time zone", digits=digits, zone=zone)


def array(of: Type) -> Type:
    """Return an array type."""
    return Type("array", of=(of,))


def mapping(key: Type, value: Type) -> Type:
    """Return a map type."""
    return Type("map", of=(key, value))


def row(names: tuple[str, ...], of: tuple[Type, ...]) -> Type:
    """Return a row type."""
    return Type("row", of=of, names=names)


def is_whole(kind: Type) -> bool:
    """Return whether a type is an integer type of up to 64 bits."""
    return kind.name in WHOLE


def is_number(kind: Type) -> bool:
    """Return whether a type is numeric."""
    return kind.name in _RANKS


def as_decimal(kind: Type) -> Type:
    """Return the decimal type that can represent all values of an integer or decimal type."""
    return decimal(WHOLE[kind.name], 0) if is_whole(kind) else kind


def common(left: Type, right: Type) -> Type | None:
    """Return the type that both can be coerced to implicitly, if any."""
    if left == right or right.name == "unknown":
        return left
    if left.name == "unknown":
        return right
    if is_number(left) and is_number(right):
        return _common_number(left, right)
    if left.name in MOMENTS and right.name in MOMENTS:
        upper = max(left, right, key=lambda each: MOMENTS.index(each.name))
        zone = left.zone or right.zone
        if left.zone and right.zone and left.zone != right.zone:
            zone = UTC
        return replace(upper, digits=max(left.digits, right.digits), zone=zone)
    if left.name != right.name or len(left.of) != len(right.of):
        return None
    parts = [common(one, other) for one, other in zip(left.of, right.of, strict=True)]
    if any(part is None for part in parts):
        return None
    return replace(left, of=tuple(part for part in parts if part is not None))


def _common_number(left: Type, right: Type) -> Type:
    upper = max(left, right, key=lambda each: _RANKS[each.name])
    if upper.name != "decimal":
        return upper
    one, other = as_decimal(left), as_decimal(right)
    scale = max(one.scale, other.scale)
    return decimal(max(one.digits - one.scale, other.digits - other.scale) + scale, scale)


def becomes(kind: Type, target: Type) -> bool:
    """Return whether a type can be coerced implicitly to another."""
    if kind.name == "unknown":
        return True
    if target.name == "decimal" and not target.digits:
        return kind.name == "decimal" or is_whole(kind)
    found = common(kind, target)
    return found is not None and (found == target or (found.name == target.name and found.name in MOMENTS))


def in_duckdb(kind: Type) -> str:
    """Return the name of a type in DuckDB."""
    match kind.name:
        case "unknown":
            return "VARCHAR"
        case "real":
            return "FLOAT"
        case "varbinary":
            return "BLOB"
        case "decimal":
            return f"DECIMAL({kind.digits}, {kind.scale})"
        case "timestamp with time zone":
            return "TIMESTAMPTZ"
        case "interval day to second" | "interval year to month":
            return "INTERVAL"
        case "array":
            return f"{in_duckdb(kind.of[0])}[]"
        case "map":
            return f"MAP({in_duckdb(kind.of[0])}, {in_duckdb(kind.of[1])})"
        case "row":
            parts = zip(kind.names, kind.of, strict=True)
            return f"STRUCT({', '.join(f'{named(name)} {in_duckdb(part)}' for name, part in parts)})"
    return kind.name.upper()


def named(name: str) -> str:
    """Write a name."""
    return '"' + name.replace('"', '""') + '"'


def quoted(text: str) -> str:
    """Write a text."""
    return "'" + text.replace("'", "''") + "'"
