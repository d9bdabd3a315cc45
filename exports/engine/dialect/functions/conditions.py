"""Choices among values: coalesce, nullif, greatest and least; typeof and row."""

from __future__ import annotations

from dataclasses import replace

from sqlglot import exp

from exports.engine.dialect import types as t
from exports.engine.dialect.expressions import Expressions
from exports.engine.dialect.functions.registry import Given, as_types, scalar, values
from exports.engine.dialect.scopes import Typed
from exports.engine.dialect.types import quoted
from exports.engine.dialect.writer import name_of


@scalar("coalesce")
def _coalesce(own: Expressions, node: exp.Expr, given: Given) -> Typed:
    written, kind = as_types(own, node, values(own, node, given, 2, 999))
    return Typed(f"coalesce({', '.join(written)})", kind)


@scalar("nullif")
def _nullif(own: Expressions, node: exp.Expr, given: Given) -> Typed:
    left, right = values(own, node, given, 2, 2)
    one, other = own.alike(node, [left, right])
    kind = own.common_type(node, [left, right], "=")
    equal = own.compared(kind, replace(left, sql=one), "=", replace(right, sql=other))
    return Typed(f"CASE WHEN {equal} THEN NULL ELSE {left.sql} END", left.type)


@scalar("greatest", "least")
def _greatest(own: Expressions, node: exp.Expr, given: Given) -> Typed:
    found = values(own, node, given, 1, 127)
    written = own.alike(node, found, "<") if len(found) > 1 else [found[0].sql]
    kind = own.common_type(node, found, name_of(node))
    absent = " OR ".join(f"{each} IS NULL" for each in written)
    chosen = f"{name_of(node)}({', '.join(written)})"
    if kind.name in ("real", "double"):  # NaN is chosen only if all values are NaN
        numbers = ", ".join(f"CASE WHEN NOT isnan({each}) THEN {each} END" for each in written)
        chosen = f"coalesce({name_of(node)}({numbers}), {written[0]})"
    return Typed(f"CASE WHEN {absent} THEN NULL ELSE {chosen} END", kind)


@scalar("typeof")
def _typeof(own: Expressions, node: exp.Expr, given: Given) -> Typed:
    (found,) = values(own, node, given, 1, 1)
    if "varchar" in str(found.type) or "row" in str(found.type):
        raise own.refuse(node, "not-the-same", "typeof is not offered for texts: lengths of varchar are not kept here.")
    # The argument stays: an aggregate in it makes groups, and its errors are errors.
    kind = quoted(str(found.type))
    return Typed(f"CASE WHEN ({found.sql}) IS NULL THEN {kind} ELSE {kind} END", t.VARCHAR)


@scalar("row")
def _row(own: Expressions, node: exp.Expr, given: Given) -> Typed:
    return own.row(node, values(own, node, given, 1, 999))
