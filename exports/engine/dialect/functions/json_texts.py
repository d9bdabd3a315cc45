"""JSON as text."""

from __future__ import annotations

from sqlglot import exp

from exports.engine.dialect import types as t
from exports.engine.dialect.expressions import Expressions
from exports.engine.dialect.functions.registry import Given, scalar, values
from exports.engine.dialect.scopes import Typed


@scalar("json_format")
def _json_format(own: Expressions, node: exp.Expr, given: Given) -> Typed:
    (found,) = values(own, node, given, 1, 1)
    if found.type != t.JSON:
        raise own.refuse(node, "wrong-types", f"json_format takes json, not {found.type}: use json_parse.")
    wrong = own.fail("No page says the order of names in an object: use json_extract_scalar")
    return Typed(
        f"CASE WHEN contains(CAST({found.sql} AS VARCHAR), '{{') THEN {wrong} "
        f"ELSE CAST(json({found.sql}) AS VARCHAR) END",
        t.VARCHAR,
    )
