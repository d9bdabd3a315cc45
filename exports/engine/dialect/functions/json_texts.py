"""JSON as text."""

from __future__ import annotations

from sqlglot import exp

from exports.engine.dialect import types as t
from exports.engine.dialect.casts import json_as_text
from exports.engine.dialect.expressions import Expressions
from exports.engine.dialect.functions.registry import Given, scalar, values
from exports.engine.dialect.scopes import Typed


@scalar("json_format")
def _json_format(own: Expressions, node: exp.Expr, given: Given) -> Typed:
    (found,) = values(own, node, given, 1, 1)
    if found.type != t.JSON:
        raise own.refuse(node, "wrong-types", f"json_format takes json, not {found.type}: use json_parse.")
    return Typed(json_as_text(found.sql, own.fail), t.VARCHAR)
