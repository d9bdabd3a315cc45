"""Casts: each pair of types in DuckDB's terms, by Athena's rules; a pair that is not known is refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from exports.engine.dialect.types import (
    UTC,
    Type,
    as_decimal,
    in_duckdb,
    is_number,
    is_whole,
    named,
    quoted,
)

Fail = Callable[[str], str]

# White space around a text that is cast to another type.
SPACES: Final = "(' ' || chr(9) || chr(10) || chr(11) || chr(12) || chr(13))"
# What Athena's trim removes: the white space of Java's Character.isWhitespace.
_BLANK_CODES: Final = (
    *range(9, 14), *range(28, 33), 0x1680, *range(0x2000, 0x2007), *range(0x2008, 0x200B), 0x2028, 0x2029, 0x205F,
    0x3000,
)  # fmt: skip
BLANKS: Final = f"({' || '.join(f'chr({code})' for code in _BLANK_CODES)})"

WHOLE: Final = "[+-]?[0-9]+"
FRACTION: Final = "[+-]?([0-9]+[.]?[0-9]*|[.][0-9]+)"
SCIENTIFIC: Final = f"{FRACTION}([eE][+-]?[0-9]+)?"
# Java parses a floating-point number with spaces around it, and with a type suffix.
FLOATING: Final = f"\\s*({SCIENTIFIC}[dDfF]?|[+-]?NaN|[+-]?Infinity)\\s*"
DAY: Final = "[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}"
MOMENT: Final = DAY + "( ([01]?[0-9]|2[0-3]):[0-9]{1,2}(:[0-9]{1,2}([.][0-9]{1,12})?)?)?"
# The suffix that a time may have: UTC, because all values of a column have one zone here.
BEHIND: Final = "( ?(UTC|Z|[+-]00:00))"


def local(sql: str, kind: Type) -> str:
    """Write a date or time as a TIMESTAMP on the clock of its zone."""
    if kind.name == "date":
        return f"CAST({sql} AS TIMESTAMP)"
    return f"timezone({quoted(kind.zone)}, {sql})" if kind.zone else sql


def placed(sql: str, kind: Type) -> str:
    """Write a local TIMESTAMP as a value of a type of time."""
    if kind.name == "date":
        return f"CAST({sql} AS DATE)"
    if kind.zone in ("", UTC):
        return f"timezone('UTC', {sql})" if kind.zone else sql
    # When clocks are set back, an hour occurs twice: Athena takes the first occurrence, DuckDB the second.
    second = f"timezone({quoted(kind.zone)}, {sql})"
    first = f"({second} - INTERVAL 1 HOUR)"
    return f"CASE WHEN timezone({quoted(kind.zone)}, {first}) = {sql} THEN {first} ELSE {second} END"


def moved(sql: str, kind: Type, before: str) -> str:
    """Write a local TIMESTAMP that was computed from the value `before`, with the same UTC offset if possible."""
    if kind.zone in ("", UTC):
        return placed(sql, kind)
    kept = f"({before} + ({sql} - {local(before, kind)}))"
    return f"CASE WHEN timezone({quoted(kind.zone)}, {kept}) = {sql} THEN {kept} ELSE {placed(sql, kind)} END"


def moment_as_text(sql: str, kind: Type) -> str:
    """Write the cast of a time to text, in Athena's format."""
    shape = "%Y-%m-%d %H:%M:%S" + {0: "", 3: ".%g", 6: ".%f"}.get(kind.digits, "")
    text = f"strftime({local(sql, kind)}, '{shape}')"
    if kind.digits not in (0, 3, 6):
        text = f"substr(strftime({local(sql, kind)}, '%Y-%m-%d %H:%M:%S.%f'), 1, {20 + kind.digits})"
    return f"({text} || {quoted(' ' + kind.zone)})" if kind.zone else text


def interval_as_text(sql: str, kind: Type) -> str:
    """Write an interval as text in Athena's format: 2 03:00:00.000, or 3-5."""
    if kind.name == "interval year to month":
        months = f"CAST(12 * date_part('year', {sql}) + date_part('month', {sql}) AS BIGINT)"
        parts = f"abs({months}) // 12, abs({months}) % 12"
        return f"(CASE WHEN {months} < 0 THEN '-' ELSE '' END || format('{{}}-{{}}', {parts}))"
    units = f"CAST(round(epoch({sql}) * 1000) AS BIGINT)"
    parts = ", ".join(
        (
            f"abs({units}) // 86400000",
            f"abs({units}) // 3600000 % 24",
            f"abs({units}) // 60000 % 60",
            f"abs({units}) // 1000 % 60",
            f"abs({units}) % 1000",
        )
    )
    shape = "{} {:02d}:{:02d}:{:02d}.{:03d}"
    return f"(CASE WHEN {units} < 0 THEN '-' ELSE '' END || format('{shape}', {parts}))"


def coerced(sql: str, kind: Type, target: Type) -> str:
    """Write the implicit coercion of a value to a wider type."""
    if kind == target:
        return sql
    if kind.name == target.name and (kind.name in ("timestamp", "timestamp with time zone", "varchar", "row")):
        return sql
    if kind.name in ("date", "timestamp") and target.name == "timestamp with time zone":
        return f"timezone('UTC', {local(sql, kind)})"  # the session's zone, whatever zone the other values have
    return f"CAST({sql} AS {in_duckdb(target)})"


def cast(sql: str, kind: Type, target: Type, fail: Fail, *, length: int = 0) -> str | None:
    """Write a cast, or return `None` for a pair that is not offered. `length` is that of varchar(n)."""
    if target.name == "varchar":
        return _to_text(sql, kind, fail, length)
    if kind == target or kind.name == "unknown":
        return f"CAST({sql} AS {in_duckdb(target)})" if kind.name == "unknown" else sql
    match target.name:
        case "tinyint" | "smallint" | "integer" | "bigint":
            return _to_whole(sql, kind, target, fail)
        case "real" | "double":
            if kind.name == "varchar":
                plain = f"regexp_replace(trim({sql}, {SPACES}), '[dDfF]$', '')"
                return _checked(sql, FLOATING, target, fail, read=plain)
            return _plain(sql, target) if is_number(kind) or kind.name == "boolean" else _of_json(sql, kind, target)
        case "decimal":
            if kind.name == "varchar":
                return _checked(sql, SCIENTIFIC, target, fail)
            if kind.name in ("real", "double"):
                return f"CAST(CAST({sql} AS VARCHAR) AS {in_duckdb(target)})"
            return _plain(sql, target) if is_number(kind) or kind.name == "boolean" else _of_json(sql, kind, target)
        case "boolean":
            if kind.name == "varchar":
                return _checked(sql, "(?i:t|f|true|false|1|0)", target, fail)
            return _plain(sql, target) if is_number(kind) else _of_json(sql, kind, target)
        case "date" | "timestamp" | "timestamp with time zone":
            return _to_moment(sql, kind, target, fail)
        case "varbinary":
            return None
        case "json":
            return _to_json(sql, kind)
        case "array" | "map" if kind.name == "json":
            return _of_json_parts(sql, target, fail)
        case "array" if kind.name == "array":
            inner = cast('"each"', kind.of[0], target.of[0], fail)
            return None if inner is None else f'list_transform({sql}, lambda "each": {inner})'
        case "map" if kind.name == "map":
            return _to_map(sql, kind, target, fail)
        case "row" if kind.name == "row" and len(kind.of) == len(target.of):
            return _to_row(sql, kind, target, fail)
    return None


def _plain(sql: str, target: Type) -> str:
    return f"CAST({sql} AS {in_duckdb(target)})"


def _of_json(sql: str, kind: Type, target: Type) -> str | None:
    return f"CAST(json_extract_string({sql}, '$') AS {in_duckdb(target)})" if kind.name == "json" else None


def _checked(sql: str, shape: str, target: Type, fail: Fail, *, read: str = "") -> str:
    """Cast a text of a given form; DuckDB's own cast would also accept spaces, fractions and other words.

    `read`: the part of the text to cast, if not all of it.
    """
    wrong = fail(f"Cannot cast a text of another shape to {target}")
    return (
        f"CASE WHEN {sql} IS NULL OR regexp_full_match({sql}, {quoted(shape)}) "
        f"THEN CAST({read or sql} AS {in_duckdb(target)}) ELSE {wrong} END"
    )


def _to_whole(sql: str, kind: Type, target: Type, fail: Fail) -> str | None:
    if kind.name == "varchar":
        return _checked(sql, WHOLE, target, fail)
    if kind.name in ("real", "double"):
        return _plain(f"round({sql})", target)
    return _plain(sql, target) if is_number(kind) or kind.name == "boolean" else _of_json(sql, kind, target)


def _to_text(sql: str, kind: Type, fail: Fail, length: int) -> str | None:
    if kind.name == "varchar":
        return f"left({sql}, {length})" if length else sql
    if kind.name == "unknown":
        return "CAST(NULL AS VARCHAR)"
    if kind.name in ("timestamp", "timestamp with time zone"):
        text = moment_as_text(sql, kind)
    elif kind.name == "decimal" and kind.digits == kind.scale:  # DuckDB omits the 0 of 0.5
        text = f"regexp_replace(CAST({sql} AS VARCHAR), '^(-?)[.]', '\\10.')"
    elif kind.name == "date" or is_whole(kind) or kind.name in ("decimal", "boolean"):
        text = f"CAST({sql} AS VARCHAR)"
    elif kind.name in ("real", "double"):
        text = f"athena_scientific(CAST({sql} AS VARCHAR))"
    elif kind.name.startswith("interval"):
        text = interval_as_text(sql, kind)
    elif kind.name == "json":
        whole = fail("Only texts, whole numbers and booleans of JSON are cast to varchar: use json_extract_scalar")
        text = (
            f"CASE WHEN json_type({sql}) IN ('OBJECT', 'ARRAY', 'DOUBLE') THEN {whole} "
            f"ELSE json_extract_string({sql}, '$') END"
        )
    else:
        return None
    if not length:
        return text
    wrong = fail(f"The value is longer than varchar({length})")
    return f"CASE WHEN length({text}) > {length} THEN {wrong} ELSE {text} END"


def _to_moment(sql: str, kind: Type, target: Type, fail: Fail) -> str | None:
    if kind.name == "varchar":
        plain = f"trim({sql}, {SPACES})"
        if target.name == "date":
            return _checked(sql, rf"\s*{DAY}\s*", target, fail, read=plain)
        behind = f"{BEHIND}?" if target.zone else ""
        read = f"regexp_replace({plain}, {quoted(BEHIND + '$')}, '')" if target.zone else plain
        checked = _checked(sql, rf"\s*{MOMENT}{behind}\s*", Type("timestamp"), fail, read=read)
        rounded = _to_digits(checked, 12, target.digits)
        return f"timezone('UTC', {rounded})" if target.zone else rounded
    if kind.name not in ("date", "timestamp", "timestamp with time zone"):
        return None
    if target.name == "timestamp with time zone":
        rounded = _to_digits(local(sql, kind), kind.digits, target.digits)
        return placed(rounded, target) if kind.digits > target.digits else coerced(sql, kind, target)
    return (
        placed(_to_digits(local(sql, kind), kind.digits, target.digits), target)
        if target.name == "timestamp"
        else (placed(local(sql, kind), target))
    )


def _to_digits(sql: str, digits: int, wanted: int) -> str:
    """Write a TIMESTAMP with fewer fractional digits, rounding half up."""
    if digits <= wanted or wanted >= 6:
        return sql
    unit = 10 ** (6 - wanted)
    return f"make_timestamp((epoch_us({sql}) + {unit // 2}) // {unit} * {unit})"


def json_as_text(sql: str, fail: Fail) -> str:
    """Write JSON as a text, if the text is the same on both engines."""
    order = fail("No page says the order of names in an object: use json_extract_scalar")
    number = fail("The JSON has a number that is written in another way on Athena: cast it to double")
    text = f"CAST(json({sql}) AS VARCHAR)"
    return (
        f"CASE WHEN contains(CAST({sql} AS VARCHAR), '{{') THEN {order} "
        f"WHEN json_other_numbers({text}) THEN {number} ELSE {text} END"
    )


def _to_json(sql: str, kind: Type) -> str | None:
    """Write a value as JSON, without objects (the order of names is undocumented) and fractions."""
    inner = kind
    while inner.name == "array":
        inner = inner.of[0]
    if inner.name in ("boolean", "varchar") or is_whole(inner):
        return f"CASE WHEN {sql} IS NOT NULL THEN to_json({sql}) END"
    return None


def _of_json_parts(sql: str, target: Type, fail: Fail) -> str | None:
    """Write the cast of a JSON array or object to an array or a map."""
    wrong = fail(f"Cannot cast JSON of another kind to {target}")
    inner = cast('"part"', Type("json"), target.of[-1], fail)
    if inner is None or (target.name == "map" and target.of[0].name != "varchar"):
        return None
    inner = f"CASE WHEN json_type(\"part\") <> 'NULL' THEN {inner} END"
    if target.name == "array":
        kind, made = "ARRAY", f'list_transform(CAST({sql} AS JSON[]), lambda "part": {inner})'
    else:
        whole = f"CAST({sql} AS MAP(VARCHAR, JSON))"
        kind, made = "OBJECT", f'map(map_keys({whole}), list_transform(map_values({whole}), lambda "part": {inner}))'
    return f"CASE WHEN json_type({sql}) = '{kind}' THEN {made} WHEN json_type({sql}) <> 'NULL' THEN {wrong} END"


def _to_map(sql: str, kind: Type, target: Type, fail: Fail) -> str | None:
    key = cast('"each"', kind.of[0], target.of[0], fail)
    value = cast('"each"', kind.of[1], target.of[1], fail)
    if key is None or value is None:
        return None
    keys = f'list_transform(map_keys({sql}), lambda "each": {key})'
    return (
        f'CASE WHEN {sql} IS NOT NULL THEN map({keys}, list_transform(map_values({sql}), lambda "each": {value})) END'
    )


def _to_row(sql: str, kind: Type, target: Type, fail: Fail) -> str | None:
    parts = []
    for name, one, other_name, other in zip(kind.names, kind.of, target.names, target.of, strict=True):
        part = cast(f"struct_extract({sql}, {quoted(name)})", one, other, fail)
        if part is None:
            return None
        parts.append(f"{named(other_name)}: {part}")
    return f"CASE WHEN {sql} IS NOT NULL THEN {{{', '.join(parts)}}} END"


def division(left: str, one: Type, right: str, other: Type) -> tuple[str, Type]:
    """Write a division of decimals: it has the larger scale and rounds half away from zero."""
    first, second = as_decimal(one), as_decimal(other)
    scale = max(first.scale, second.scale)
    digits = min(38, first.digits + second.scale + max(0, second.scale - first.scale))
    above = f"CAST({left} * {_power(scale + second.scale)} AS HUGEINT)"
    below = f"CAST({right} * {_power(second.scale)} AS HUGEINT)"
    sign = f"CASE WHEN ({above} < 0) = ({below} < 0) THEN 1 ELSE -1 END"
    whole = f"((abs({above}) + abs({below}) // 2) // abs({below}) * {sign})"
    return shifted(whole, scale, digits), Type("decimal", digits=digits, scale=scale)


def _power(scale: int) -> str:
    return f"CAST(1{'0' * scale} AS DECIMAL({scale + 1}, 0))"


def shifted(whole: str, scale: int, digits: int) -> str:
    """Write a whole number of units of 10^-scale as a decimal."""
    if not scale:
        return f"CAST({whole} AS DECIMAL({digits}, 0))"
    unit = f"CAST(0.{'0' * (scale - 1)}1 AS DECIMAL({scale + 1}, {scale}))"
    return f"CAST(CAST({whole} AS DECIMAL(38, 0)) * {unit} AS DECIMAL({digits}, {scale}))"
