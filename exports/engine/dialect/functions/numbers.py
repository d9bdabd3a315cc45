"""Numbers: signs, remainders and rounding."""

from __future__ import annotations

import re
from collections.abc import Sequence

from sqlglot import exp

from exports.engine.dialect import types as t
from exports.engine.dialect.expressions import Expressions
from exports.engine.dialect.functions.arguments import number_of
from exports.engine.dialect.functions.registry import Given, scalar, values
from exports.engine.dialect.scopes import Typed
from exports.engine.dialect.writer import name_of


@scalar("abs", "sign")
def _abs(own: Expressions, node: exp.Expr, given: Given) -> Typed:
    found = number_of(own, node, values(own, node, given, 1, 1)[0])
    if name_of(node) == "sign" and found.type.name in ("real", "double"):
        plain = f"CAST(sign({found.sql}) AS {t.in_duckdb(found.type)})"
        return Typed(f"CASE WHEN isnan({found.sql}) OR {found.sql} = 0 THEN {found.sql} ELSE {plain} END", found.type)
    if name_of(node) == "sign" and found.type.name == "decimal":
        return Typed(f"CAST(sign({found.sql}) AS DECIMAL(1, 0))", t.decimal(1, 0))
    return Typed(f"CAST({name_of(node)}({found.sql}) AS {t.in_duckdb(found.type)})", found.type)


@scalar("mod")
def _mod(own: Expressions, node: exp.Expr, given: Given) -> Typed:
    left, right = values(own, node, given, 2, 2)
    return own.modulus(node, left, right)


@scalar("ceil", "ceiling", "floor")
def _ceil(own: Expressions, node: exp.Expr, given: Given) -> Typed:
    found = number_of(own, node, values(own, node, given, 1, 1)[0])
    if t.is_whole(found.type):
        return found
    kind = found.type
    if kind.name == "decimal":
        kind = t.decimal(kind.digits - kind.scale + min(kind.scale, 1), 0)
    name = "floor" if name_of(node) == "floor" else "ceil"
    return Typed(f"CAST({name}({found.sql}) AS {t.in_duckdb(kind)})", kind)


@scalar("round")
def _round(own: Expressions, node: exp.Expr, given: Given) -> Typed:
    number, *rest = values(own, node, given, 1, 2)
    found = number_of(own, node, number)
    places = _places(own, node, rest)
    if t.is_whole(found.type):
        exact = f"round(CAST({found.sql} AS DECIMAL(38, 0)), {places})"
        return found if places >= 0 else Typed(f"CAST({exact} AS {t.in_duckdb(found.type)})", found.type)
    if found.type.name != "decimal":
        return Typed(f"CAST(round({found.sql}, {places}) AS {t.in_duckdb(found.type)})", found.type)
    digits, scale = found.type.digits, found.type.scale
    kind = t.decimal(digits + 1, scale) if rest else t.decimal(digits - scale + min(1, scale), 0)
    rounded = found.sql if places >= scale else f"round({found.sql}, {places})"
    return Typed(f"CAST({rounded} AS {t.in_duckdb(kind)})", kind)


def _places(own: Expressions, node: exp.Expr, rest: Sequence[Typed]) -> int:
    if not rest:
        return 0
    known = rest[0].constant
    if known is None or not re.fullmatch(r"-?\d{1,2}", known) or abs(int(known)) > 38:
        raise own.refuse(node, "not-offered", "The number of places is written in the query here.")
    return int(known)


@scalar("truncate")
def _truncate(own: Expressions, node: exp.Expr, given: Given) -> Typed:
    number, *rest = values(own, node, given, 1, 2)
    found = number_of(own, node, number)
    places = _places(own, node, rest)
    if places < 0:
        raise own.refuse(node, "not-offered", "truncate takes 0 places or more here.")
    if found.type.name == "decimal":
        kind = found.type if rest else t.decimal(found.type.digits - found.type.scale, 0)
        cut = found.sql if places >= found.type.scale else f"trunc({found.sql}, {places})"
        return Typed(f"CAST({cut} AS {t.in_duckdb(kind)})", kind)
    if rest:
        raise own.refuse(node, "not-the-same", "truncate with places takes a decimal here: cast the number to decimal.")
    kind = t.REAL if found.type == t.REAL else t.DOUBLE
    return Typed(f"trunc({own.as_type(node, found, kind)})", kind)


@scalar("bit_count")
def _bit_count(own: Expressions, node: exp.Expr, given: Given) -> Typed:
    number, bits = values(own, node, given, 2, 2)
    if bits.constant != "64":
        raise own.refuse(node, "not-offered", "bit_count counts 64 bits here.")
    return Typed(f"CAST(bit_count({own.as_type(node, number, t.BIGINT)}) AS BIGINT)", t.BIGINT)
