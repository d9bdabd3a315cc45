"""Arrays."""

from __future__ import annotations

from sqlglot import exp

from exports.engine.dialect import types as t
from exports.engine.dialect.casts import cast
from exports.engine.dialect.expressions import Expressions
from exports.engine.dialect.functions.arguments import array_of
from exports.engine.dialect.functions.registry import Given, scalar, values
from exports.engine.dialect.scopes import Typed


@scalar("element_at")
def _element_at(own: Expressions, node: exp.Expr, given: Given) -> Typed:
    whole, at = values(own, node, given, 2, 2)
    if whole.type.name == "map":
        key = own.as_type(node, at, whole.type.of[0])
        return Typed(f"{whole.sql}[{key}]", whole.type.of[1])
    array = array_of(own, node, whole)
    place = own.as_type(node, at, t.BIGINT)
    wrong = own.fail("Elements are counted from 1, or from -1 at the end")
    return Typed(f"CASE WHEN {place} = 0 THEN {wrong} ELSE {array.sql}[{place}] END", array.type.of[0])


@scalar("zip")
def _zip(own: Expressions, node: exp.Expr, given: Given) -> Typed:
    found = [array_of(own, node, each) for each in given]
    if not 2 <= len(found) <= 5:
        raise own.refuse(node, "wrong-types", "zip takes 2 to 5 arrays.")
    names = tuple(f"field{number}" for number in range(len(found)))
    kind = t.row(names, tuple(each.type.of[0] for each in found))
    absent = " OR ".join(f"{each.sql} IS NULL" for each in found)
    zipped = f"CAST(list_zip({', '.join(each.sql for each in found)}) AS {t.in_duckdb(t.array(kind))})"
    return Typed(f"CASE WHEN {absent} THEN NULL ELSE {zipped} END", t.array(kind))


@scalar("array_join")
def _array_join(own: Expressions, node: exp.Expr, given: Given) -> Typed:
    found = values(own, node, given, 2, 3)
    whole = array_of(own, node, found[0])
    text = cast('"each"', whole.type.of[0], t.VARCHAR, own.fail)
    if text is None:
        raise own.refuse(node, "not-offered", f"array_join of {whole.type.of[0]} is not offered: format the elements.")
    between = own.as_type(node, found[1], t.VARCHAR)
    if len(found) == 3:
        text = f"coalesce({text}, {own.as_type(node, found[2], t.VARCHAR)})"
    return Typed(f'coalesce(array_to_string(list_transform({whole.sql}, lambda "each": {text}), {between}), '
                 f"CASE WHEN {whole.sql} IS NOT NULL THEN '' END)", t.VARCHAR)  # fmt: skip
