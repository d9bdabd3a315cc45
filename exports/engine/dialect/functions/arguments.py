"""Check that an argument is a moment, a number, an array or a map."""

from __future__ import annotations

from sqlglot import exp

from exports.engine.dialect import types as t
from exports.engine.dialect.expressions import Expressions
from exports.engine.dialect.scopes import Lambda, Typed
from exports.engine.dialect.writer import name_of


def array_of(own: Expressions, node: exp.Expr, given: Typed | Lambda) -> Typed:
    """Return an argument if it is an array; else raise `QueryError`."""
    if not isinstance(given, Typed) or given.type.name != "array":
        has = given.type if isinstance(given, Typed) else "a lambda"
        raise own.refuse(node, "wrong-types", f"{name_of(node)} takes an array first, not {has}.")
    return given


def map_of(own: Expressions, node: exp.Expr, given: Typed | Lambda) -> Typed:
    """Return an argument if it is a map; else raise `QueryError`."""
    if not isinstance(given, Typed) or given.type.name != "map":
        raise own.refuse(node, "wrong-types", f"{name_of(node)} takes a map first.")
    return given


def moment_of(own: Expressions, node: exp.Expr, given: Typed) -> Typed:
    """Return an argument if it is a date or a time; else raise `QueryError`."""
    if given.type == t.UNKNOWN:
        return Typed("CAST(NULL AS TIMESTAMP)", t.timestamp())
    if given.type.name not in t.MOMENTS:
        raise own.refuse(node, "wrong-types", f"{name_of(node)} takes a date or a time, not {given.type}.")
    return given


def called(node: exp.Expr) -> str:
    """Return the name of a function, or of the field of an `extract`."""
    return node.this.name.lower() if isinstance(node, exp.Extract) else name_of(node)


def number_of(own: Expressions, node: exp.Expr, given: Typed) -> Typed:
    """Return an argument if it is a number; else raise `QueryError`."""
    if given.type == t.UNKNOWN:
        return Typed("CAST(NULL AS INTEGER)", t.INTEGER)
    if not t.is_number(given.type):
        raise own.refuse(node, "wrong-types", f"{name_of(node)} takes a number, not {given.type}.")
    return given
