"""Maps."""

from __future__ import annotations

from sqlglot import exp

from exports.engine.dialect import types as t
from exports.engine.dialect.expressions import Expressions
from exports.engine.dialect.functions.arguments import array_of, map_of
from exports.engine.dialect.functions.registry import Given, as_types, fallback, scalar, values
from exports.engine.dialect.scopes import Lambda, Typed
from exports.engine.dialect.types import named
from exports.engine.dialect.writer import name_of


@scalar("map_entries")
def _map_entries(own: Expressions, node: exp.Expr, given: Given) -> Typed:
    whole = map_of(own, node, values(own, node, given, 1, 1)[0])
    kind = t.array(t.row(("field0", "field1"), whole.type.of))
    each = '{"field0": "each"."key", "field1": "each"."value"}'
    return Typed(f'list_transform(map_entries({whole.sql}), lambda "each": {each})', kind)


@scalar("map_from_entries")
def _map_from_entries(own: Expressions, node: exp.Expr, given: Given) -> Typed:
    whole = array_of(own, node, values(own, node, given, 1, 1)[0])
    inner = whole.type.of[0]
    if inner.name != "row" or len(inner.of) != 2:
        raise own.refuse(node, "wrong-types", "map_from_entries takes an array of rows of two fields.")
    return Typed(f"map_from_entries({whole.sql})", t.mapping(*inner.of))


@scalar("map_concat")
def _map_concat(own: Expressions, node: exp.Expr, given: Given) -> Typed:
    written, kind = as_types(own, node, [map_of(own, node, each) for each in given])
    absent = " OR ".join(f"{each} IS NULL" for each in written)
    return Typed(f"CASE WHEN {absent} THEN NULL ELSE map_concat({', '.join(written)}) END", kind)


@scalar("map_filter", "transform_values", "transform_keys")
def _map_filter(own: Expressions, node: exp.Expr, given: Given) -> Typed:
    if len(given) != 2:
        raise own.refuse(node, "wrong-types", f"{name_of(node)} takes a map and a lambda.")
    whole = map_of(own, node, given[0])
    if not isinstance(given[1], Lambda):
        raise own.refuse(node, "wrong-types", f"{name_of(node)} takes a map and a lambda.")
    key, value = (named(name) for name in given[1].names[:2] + [""] * (2 - len(given[1].names)))
    _, body = own.lambda_(given[1], whole.type.of, node)
    # DuckDB's lambda has one argument, the entry; its parts get the names in the text.
    entries = f"map_entries({whole.sql})"
    bound = _bound(body.sql, key, value)
    if name_of(node) == "map_filter":
        kept = f'list_filter({entries}, lambda "entry": {bound})'
        return Typed(f"CASE WHEN {whole.sql} IS NOT NULL THEN map_from_entries({kept}) END", whole.type)
    if name_of(node) == "transform_values":
        each = f'{{"key": "entry"."key", "value": {bound}}}'
        kind = t.mapping(whole.type.of[0], body.type)
    else:
        each = f'{{"key": {bound}, "value": "entry"."value"}}'
        kind = t.mapping(body.type, whole.type.of[1])
    return Typed(
        f"CASE WHEN {whole.sql} IS NOT NULL "
        f'THEN map_from_entries(list_transform({entries}, lambda "entry": {each})) END',
        kind,
    )


def _bound(body: str, key: str, value: str) -> str:
    """Bind the names of key and value in a body, through lists of one element."""
    inner = f'list_transform(["entry"."value"], lambda {value}: {body})[1]'
    return f'list_transform(["entry"."key"], lambda {key}: {inner})[1]'


@scalar("map")
def _makemap_of(own: Expressions, node: exp.Expr, given: Given) -> Typed:
    if not given:
        return Typed("MAP {}", t.mapping(t.UNKNOWN, t.UNKNOWN))
    return fallback(own, node, given, "map")
