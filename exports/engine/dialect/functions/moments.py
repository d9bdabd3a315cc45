"""Extract parts of dates and times, add to them and subtract them."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from sqlglot import exp

from exports.engine.dialect import intervals
from exports.engine.dialect import types as t
from exports.engine.dialect.casts import local, moved
from exports.engine.dialect.expressions import Expressions
from exports.engine.dialect.functions.arguments import called, moment_of
from exports.engine.dialect.functions.months import months_between
from exports.engine.dialect.functions.registry import Given, fallback, scalar, values
from exports.engine.dialect.scopes import Typed
from exports.engine.dialect.types import quoted
from exports.engine.dialect.writer import name_of

UNITS: Final = ("millisecond", "second", "minute", "hour", "day", "week", "month", "quarter", "year")
OF_DAYS: Final = UNITS[4:]
TO_UNITS: Final = {unit: f"to_{unit}s" for unit in UNITS if unit != "quarter"}


def _unit(own: Expressions, node: exp.Expr, given: Typed, kind: t.Type) -> str:
    unit = (given.constant or "").lower()
    known = OF_DAYS if kind.name == "date" else UNITS
    if given.type != t.VARCHAR or unit not in known:
        what = f"no unit {unit[:40]} of a {kind.name}" if given.constant else "no unit that is not written in the query"
        raise own.refuse(node, "bad-value", f"{name_of(node)} knows {what}: {', '.join(known)}.")
    return unit


@scalar("date_trunc")
def _date_trunc(own: Expressions, node: exp.Expr, given: Given) -> Typed:
    unit, found = values(own, node, given, 2, 2)
    moment = moment_of(own, node, found)
    part = _unit(own, node, unit, moment.type)
    cut = f"date_trunc({quoted(part)}, {local(moment.sql, moment.type)})"
    return Typed(moved(cut, moment.type, moment.sql), moment.type)


@scalar("date_add")
def _date_add(own: Expressions, node: exp.Expr, given: Given) -> Typed:
    unit, number, found = values(own, node, given, 3, 3)
    moment = moment_of(own, node, found)
    part = _unit(own, node, unit, moment.type)
    count = own.as_type(node, number, t.BIGINT)
    if part == "quarter":
        part, count = "month", f"(3 * {count})"
    step = f"{TO_UNITS[part]}({count})" if part in UNITS[:4] else f"{TO_UNITS[part]}(CAST({count} AS INTEGER))"
    if part == "millisecond":
        step = f"to_microseconds(1000 * {count})"
    if moment.type.zone not in ("", t.UTC) and part in UNITS[:4]:
        return Typed(f"({moment.sql} + {step})", moment.type)
    return Typed(moved(f"({local(moment.sql, moment.type)} + {step})", moment.type, moment.sql), moment.type)


@scalar("date_diff")
def _date_diff(own: Expressions, node: exp.Expr, given: Given) -> Typed:
    unit, one, other = values(own, node, given, 3, 3)
    kind = own.common_type(node, [moment_of(own, node, one), moment_of(own, node, other)], "date_diff")
    if kind.zone:  # in the first one's zone: a time without a zone is in UTC
        kind = replace(kind, zone=one.type.zone or t.UTC)
    part = _unit(own, node, unit, kind)
    begin, end = (local(own.as_type(node, each, kind), kind) for each in (one, other))
    if kind.zone and part in UNITS[:4]:
        begin, end = (own.as_type(node, each, kind) for each in (one, other))
    whole = f"CAST(date_sub({quoted(part)}, {begin}, {end}) AS BIGINT)"
    if part in ("month", "quarter", "year"):
        whole = months_between(begin, end, {"month": 1, "quarter": 3, "year": 12}[part])
    return Typed(whole, t.BIGINT)


@scalar("year", "month", "day", "hour", "minute", "second", "millisecond")
def _part(own: Expressions, node: exp.Expr, given: Given) -> Typed:
    found = values(own, node, given, 1, 1)[0]
    written = intervals.part(found.sql, found.type, called(node)) if found.type in (t.DAYS, t.MONTHS) else None
    return Typed(written, t.BIGINT) if written else fallback(own, node, given, called(node))


@scalar("date")
def _date(own: Expressions, node: exp.Expr, given: Given) -> Typed:
    return own.cast_to(node, values(own, node, given, 1, 1)[0], t.DATE)
