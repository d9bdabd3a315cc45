"""Time zones."""

from __future__ import annotations

from dataclasses import replace

from sqlglot import exp

from exports.engine.dialect import types as t
from exports.engine.dialect.casts import local, placed
from exports.engine.dialect.expressions import Expressions
from exports.engine.dialect.functions.arguments import called, moment_of
from exports.engine.dialect.functions.registry import Given, fallback, scalar, values
from exports.engine.dialect.scopes import Typed
from exports.engine.dialect.writer import name_of


@scalar("timezone_hour", "timezone_minute")
def _timezone(own: Expressions, node: exp.Expr, given: Given) -> Typed:
    (found,) = values(own, node, given, 1, 1)
    if found.type.name != "timestamp with time zone":
        raise own.refuse(node, "wrong-types", f"{called(node)} takes a time with a zone, not {found.type}.")
    minutes = f"CAST((epoch({local(found.sql, found.type)}) - epoch({found.sql})) // 60 AS BIGINT)"
    return Typed(f"({minutes} {'// 60' if called(node) == 'timezone_hour' else '% 60'})", t.BIGINT)


@scalar("at_timezone", "with_timezone")
def _at_timezone(own: Expressions, node: exp.Expr, given: Given) -> Typed:
    found, zone = values(own, node, given, 2, 2)
    if zone.constant is None:
        raise own.refuse(node, "not-offered", "The time zone is written in the query here, such as 'America/New_York'.")
    moment = moment_of(own, node, found)
    name = own.zone(node, zone.constant)
    if name_of(node) == "with_timezone":
        if moment.type.name == "timestamp with time zone":
            raise own.refuse(node, "wrong-types", "with_timezone takes a timestamp without a zone.")
        kind = t.zoned(moment.type.digits, name)
        return Typed(placed(local(moment.sql, moment.type), kind), kind)
    if moment.type.name == "date":
        raise own.refuse(node, "wrong-types", "A date has no time zone: cast it to timestamp.")
    instant = own.as_type(node, moment, t.zoned(moment.type.digits, moment.type.zone or t.UTC))
    return Typed(instant, t.zoned(moment.type.digits, name))


@scalar("from_unixtime")
def _from_unixtime(own: Expressions, node: exp.Expr, given: Given) -> Typed:
    found = values(own, node, given, 1, 2)
    whole = fallback(own, node, given[:1], "from_unixtime")
    if len(found) == 1:
        return whole
    if found[1].constant is None or found[1].type != t.VARCHAR:
        raise own.refuse(node, "not-offered", "The time zone is written in the query here, such as 'America/New_York'.")
    return replace(whole, type=t.zoned(3, own.zone(node, found[1].constant)))
