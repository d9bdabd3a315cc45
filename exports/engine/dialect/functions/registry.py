"""The registry of functions, and helpers for their arguments."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from sqlglot import exp

from exports.engine.dialect import types as t
from exports.engine.dialect.calling import Special
from exports.engine.dialect.calls import SCALARS
from exports.engine.dialect.expressions import Expressions
from exports.engine.dialect.scopes import Lambda, Typed
from exports.engine.dialect.writer import name_of

Given = list[Typed | Lambda]
# Signatures shown for a wrong number of arguments.
FORMS: Final = {
    name: f"{name}(VARCHAR, BIGINT, BIGINT) -> VARCHAR; {name}(VARCHAR, BIGINT) -> VARCHAR"
    for name in ("substr", "substring")
}


def scalar(*names: str) -> Callable[[Special], Special]:
    """Register a function."""

    def register(function: Special) -> Special:
        for name in names:
            Expressions.specials[name] = function
        return function

    return register


def aggregate(*names: str) -> Callable[[Special], Special]:
    """Register an aggregate; it returns empty SQL to leave a call to the table of functions."""

    def register(function: Special) -> Special:
        for name in names:
            Expressions.aggregates[name] = function
        return function

    return register


def values(own: Expressions, node: exp.Expr, given: Given, least: int, most: int) -> list[Typed]:
    """Return the arguments; raise `QueryError` for a lambda, or unless there are `least` to `most`."""
    found = [each for each in given if isinstance(each, Typed)]
    if len(found) != len(given) or not least <= len(given) <= most:
        if name_of(node) in FORMS:
            raise own.refuse(
                node, "wrong-types", f"{name_of(node)} takes other arguments. There is: {FORMS[name_of(node)]}."
            )
        wanted = str(least) if least == most else f"{least} to {most}" if most < 100 else f"{least} or more"
        raise own.refuse(node, "wrong-types", f"{name_of(node)} takes {wanted} arguments, not {len(given)}.")
    return found


def as_types(own: Expressions, node: exp.Expr, found: Sequence[Typed]) -> tuple[list[str], t.Type]:
    """Write values with their common type."""
    kind = own.common_type(node, found, name_of(node))
    return [own.as_type(node, each, kind) if kind != t.UNKNOWN else each.sql for each in found], kind


def fallback(own: Expressions, node: exp.Expr, given: Given, name: str) -> Typed:
    """Write a call by the table of functions."""
    found = values(own, node, given, 0, 99)
    form, bound = own.form(node, SCALARS[name], found)
    return Typed(own.filled(form, own.arguments(node, form, found, bound)), own.named_type(form.gives, bound))
