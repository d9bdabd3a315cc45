"""Arrays through lambdas: transform, filter, reduce and the like."""

from __future__ import annotations

from sqlglot import exp

from exports.engine.dialect import types as t
from exports.engine.dialect.expressions import Expressions
from exports.engine.dialect.functions.arguments import array_of
from exports.engine.dialect.functions.registry import Given, scalar
from exports.engine.dialect.scopes import Lambda, Typed
from exports.engine.dialect.types import named
from exports.engine.dialect.writer import name_of


@scalar("transform")
def _transform(own: Expressions, node: exp.Expr, given: Given) -> Typed:
    whole, (names, body) = _with_lambda(own, node, given)
    return Typed(f"list_transform({whole.sql}, lambda {names}: {body.sql})", t.array(body.type))


def _with_lambda(own: Expressions, node: exp.Expr, given: Given) -> tuple[Typed, tuple[str, Typed]]:
    if len(given) != 2:
        raise own.refuse(node, "wrong-types", f"{name_of(node)} takes an array and a lambda.")
    whole = array_of(own, node, given[0])
    return whole, own.lambda_(given[1], whole.type.of, node)


def _condition(own: Expressions, node: exp.Expr, given: Given) -> tuple[Typed, str, str]:
    whole, (names, body) = _with_lambda(own, node, given)
    if body.type.name not in ("boolean", "unknown"):
        raise own.refuse(node, "wrong-types", f"{name_of(node)} takes a lambda that gives a boolean, not {body.type}.")
    return whole, names, body.sql


@scalar("filter")
def _filter(own: Expressions, node: exp.Expr, given: Given) -> Typed:
    whole, names, body = _condition(own, node, given)
    return Typed(f"list_filter({whole.sql}, lambda {names}: {body})", whole.type)


@scalar("any_match", "all_match", "none_match")
def _any_match(own: Expressions, node: exp.Expr, given: Given) -> Typed:
    whole, names, body = _condition(own, node, given)
    found = f"list_transform({whole.sql}, lambda {names}: {body})"
    decisive, otherwise = {
        "any_match": ("true", "true"),
        "all_match": ("false", "false"),
        "none_match": ("true", "false"),
    }[name_of(node)]
    rest = "false" if name_of(node) == "any_match" else "true"
    return Typed(
        f"CASE WHEN {whole.sql} IS NULL THEN NULL WHEN list_contains({found}, {decisive}) THEN {otherwise} "
        f"WHEN len(list_filter({found}, lambda said: said IS NULL)) > 0 THEN NULL ELSE {rest} END",
        t.BOOLEAN,
    )


@scalar("reduce")
def _reduce(own: Expressions, node: exp.Expr, given: Given) -> Typed:
    if len(given) != 4 or not isinstance(given[1], Typed):
        raise own.refuse(node, "wrong-types", "reduce takes an array, a first value and two lambdas.")
    whole, first = array_of(own, node, given[0]), given[1]
    kind = first.type
    names, body = own.lambda_(given[2], [kind, whole.type.of[0]], node)
    wider = own.common_type(node, [first, body], "reduce")
    if wider != kind:
        kind = wider
        names, body = own.lambda_(given[2], [kind, whole.type.of[0]], node)
    if t.common(kind, whole.type.of[0]) != kind:
        raise own.refuse(node, "not-offered", "reduce takes elements and a first value of one type here: cast them.")
    end_name, end = own.lambda_(given[3], [kind], node)
    elements = f"CAST({whole.sql} AS {t.in_duckdb(t.array(kind))})"
    step = f"CAST({body.sql} AS {t.in_duckdb(kind)})"
    reduced = f"list_reduce({elements}, lambda {names}: {step}, {own.as_type(node, first, kind)})"
    return Typed(
        f"CASE WHEN {whole.sql} IS NOT NULL THEN list_transform([{reduced}], lambda {end_name}: {end.sql})[1] END",
        end.type,
    )


@scalar("zip_with")
def _zip_with(own: Expressions, node: exp.Expr, given: Given) -> Typed:
    if len(given) != 3:
        raise own.refuse(node, "wrong-types", "zip_with takes two arrays and a lambda.")
    one, other = array_of(own, node, given[0]), array_of(own, node, given[1])
    _, body = own.lambda_(given[2], [one.type.of[0], other.type.of[0]], node)
    names = given[2].names if isinstance(given[2], Lambda) else []
    size = f"greatest(len({one.sql}), len({other.sql}))"
    inner = f'list_transform([{other.sql}["place"]], lambda {named(names[1])}: {body.sql})[1]'
    each = f'list_transform([{one.sql}["place"]], lambda {named(names[0])}: {inner})[1]'
    return Typed(
        f"CASE WHEN {one.sql} IS NULL OR {other.sql} IS NULL THEN NULL "
        f'ELSE list_transform(range(1, {size} + 1), lambda "place": {each}) END',
        t.array(body.type),
    )
