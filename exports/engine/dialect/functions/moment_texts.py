"""Format and parse dates and times: ISO 8601, and patterns of MySQL and Joda-Time."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Final

from sqlglot import exp

from exports.engine.dialect import patterns
from exports.engine.dialect import types as t
from exports.engine.dialect.casts import local, moment_as_text
from exports.engine.dialect.expressions import Expressions
from exports.engine.dialect.functions.arguments import moment_of
from exports.engine.dialect.functions.registry import Given, scalar, values
from exports.engine.dialect.scopes import Typed
from exports.engine.dialect.types import quoted
from exports.engine.dialect.writer import name_of

ISO: Final = "[0-9]{4}-[0-9]{2}-[0-9]{2}(T[0-9]{2}(:[0-9]{2}(:[0-9]{2}([.,][0-9]{1,3})?)?)?(Z|[+-]00:?00)?)?"
NOT_ISO: Final = "from_iso8601_timestamp reads times of UTC in ISO 8601 here, such as 2020-10-15T23:30:00.000Z"
SPACES_TO_SPARE: Final = r"^\s|\s$|\s\s"
# The formats of times in the dataset, which match faster than the regular expression.
FAST: Final = ("____-__-__T__:__:__.___Z", "____-__-__T__:__:__Z")


@scalar("from_iso8601_timestamp")
def _from_iso8601_timestamp(own: Expressions, node: exp.Expr, given: Given) -> Typed:
    (found,) = values(own, node, given, 1, 1)
    text = own.as_type(node, found, t.VARCHAR)
    plain = f"CAST({text} AS TIMESTAMPTZ)"
    if found.constant is not None:
        if not re.fullmatch(ISO, found.constant):
            raise own.refuse(node, "bad-value", f"{NOT_ISO}.")
        return Typed(plain.replace(",", "."), t.zoned(3))
    fast = " OR ".join(f"{text} LIKE {quoted(shape)}" for shape in FAST)
    # This cast always fails, because of the words. A call of `error` would prevent the pushdown of filters.
    wrong = f"CAST({quoted(NOT_ISO + ': ')} || {text} AS TIMESTAMPTZ)"
    other = f"CASE WHEN regexp_full_match({text}, {quoted(ISO)}) THEN CAST(replace({text}, ',', '.') AS TIMESTAMPTZ)"
    return Typed(f"CASE WHEN {text} IS NULL OR {fast} THEN {plain} ELSE {other} ELSE {wrong} END END", t.zoned(3))


@scalar("to_iso8601")
def _to_iso8601(own: Expressions, node: exp.Expr, given: Given) -> Typed:
    moment = moment_of(own, node, values(own, node, given, 1, 1)[0])
    if moment.type.name == "date":
        return Typed(f"CAST({moment.sql} AS VARCHAR)", t.VARCHAR)
    if moment.type.zone not in ("", t.UTC):
        raise own.refuse(node, "not-offered", "to_iso8601 takes times of UTC here.")
    plain = moment_as_text(moment.sql, replace(moment.type, zone=""))
    behind = "Z" if moment.type.zone else ""
    return Typed(f"(replace({_local_text(plain, moment)}, ' ', 'T') || '{behind}')", t.VARCHAR)


def _local_text(plain: str, moment: Typed) -> str:
    if not moment.type.zone:
        return plain
    return moment_as_text(local(moment.sql, moment.type), t.timestamp(moment.type.digits))


def _shape(own: Expressions, node: exp.Expr, given: Typed, reader: str, *, reads: bool) -> str:
    """Return a constant date pattern in strftime's syntax."""
    if given.constant is None or given.type != t.VARCHAR:
        raise own.refuse(node, "not-offered", "The pattern is a text written in the query here, not a column.")
    try:
        parts = getattr(patterns, reader)(given.constant)
        return patterns.to_read(parts) if reads else "".join(parts)
    except patterns.PatternError as error:
        detail = f"{name_of(node)} does not know {error} in the pattern {given.constant[:60]}."
        raise own.refuse(node, "not-offered", detail) from None


@scalar("date_format", "format_datetime")
def _date_format(own: Expressions, node: exp.Expr, given: Given) -> Typed:
    found, pattern = values(own, node, given, 2, 2)
    moment = moment_of(own, node, found)
    reader = "of_mysql" if name_of(node) == "date_format" else "of_joda"
    shape = _shape(own, node, pattern, reader, reads=False)
    return Typed(f"strftime({local(moment.sql, moment.type)}, {quoted(shape)})", t.VARCHAR)


@scalar("date_parse", "parse_datetime")
def _date_parse(own: Expressions, node: exp.Expr, given: Given) -> Typed:
    found, pattern = values(own, node, given, 2, 2)
    text = own.as_type(node, found, t.VARCHAR)
    is_mysql = name_of(node) == "date_parse"
    shape = _shape(own, node, pattern, "of_mysql" if is_mysql else "of_joda", reads=True)
    read = f"strptime({text}, {quoted(shape)})"
    if "%y" in shape and not is_mysql:
        raise own.refuse(node, "not-the-same", "The century of yy depends on the year of the query: use yyyy.")
    if "%y" in shape and "%Y" not in shape:  # DuckDB takes 69 for 1969, Athena for 2069
        read = f"CASE WHEN year({read}) = 1969 THEN {read} + INTERVAL 100 YEAR ELSE {read} END"
    if "%f" in shape:
        read = f"date_trunc('milliseconds', {read})"
    if not re.search(SPACES_TO_SPARE, shape):  # DuckDB ignores them
        wrong = own.fail(f"{name_of(node)} finds spaces that the pattern does not have")
        read = f"CASE WHEN regexp_matches({text}, {quoted(SPACES_TO_SPARE)}) THEN {wrong} ELSE {read} END"
    return Typed(read, t.timestamp(3)) if is_mysql else Typed(f"timezone('UTC', {read})", t.zoned(3))
