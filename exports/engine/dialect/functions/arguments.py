"""Arguments of one kind: a moment, a number, an array or a map; another kind is refused."""

from __future__ import annotations

from sqlglot import exp

from exports.engine.dialect import types as t
from exports.engine.dialect.expressions import Expressions
from exports.engine.dialect.scopes import Lambda, Typed
from exports.engine.dialect.writer import name_of


def array_of(own: Expressions, node: exp.Expr, given: Typed | Lambda) -> Typed:
    """Return an argument that is an array."""
    if not isinstance(given, Typed) or given.type.name != "array":
        has = given.type if isinstance(given, Typed) else "a lambda"
        raise own.refuse(node, "wrong-types", f"{name_of(node)} takes an array first, not {has}.")
    return given


def map_of(own: Expressions, node: exp.Expr, given: Typed | Lambda) -> Typed:
    """Return an argument that is a map."""
    if not isinstance(given, Typed) or given.type.name != "map":
        raise own.refuse(node, "wrong-types", f"{name_of(node)} takes a map first.")
    return given


def moment_of(own: Expressions, node: exp.Expr, given: Typed) -> Typed:
    """Return an argument that is a date or a time."""
    if given.type == t.UNKNOWN:
        return Typed("CAST(NULL AS TIMESTAMP)", t.timestamp())
    if given.type.name not in t.MOMENTS:
        raise own.refuse(node, "wrong-types", f"{name_of(node)} takes a date or a time, not {given.type}.")
    return given


def called(node: exp.Expr) -> str:
    """Return the name of a function, also where it is the part of an `extract`."""
    return node.this.name.lower() if isinstance(node, exp.Extract) else name_of(node)


def number_of(own: Expressions, node: exp.Expr, given: Typed) -> Typed:
    """Return an argument that is a number."""
    if given.type == t.UNKNOWN:
        return Typed("CAST(NULL AS INTEGER)", t.INTEGER)
    if not t.is_number(given.type):
        raise own.refuse(node, "wrong-types", f"{name_of(node)} takes a number, not {given.type}.")
    return given
