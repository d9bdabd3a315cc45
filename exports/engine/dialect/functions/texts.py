"""Texts: concat, substr and split."""

from __future__ import annotations

from sqlglot import exp

from exports.engine.dialect import types as t
from exports.engine.dialect.expressions import Expressions
from exports.engine.dialect.functions.registry import Given, fallback, scalar, values
from exports.engine.dialect.scopes import Typed


@scalar("concat")
def _concat(own: Expressions, node: exp.Expr, given: Given) -> Typed:
    return own.joined(node, values(own, node, given, 2, 127))


@scalar("concat_ws")
def _concat_ws(own: Expressions, node: exp.Expr, given: Given) -> Typed:
    between, *parts = values(own, node, given, 2, 127)
    separator = own.as_type(node, between, t.VARCHAR)
    if len(parts) == 1 and parts[0].type.name == "array":
        texts = own.as_type(node, parts[0], t.array(t.VARCHAR))
        return Typed(f"array_to_string({texts}, {separator})", t.VARCHAR)
    written = [own.as_type(node, each, t.VARCHAR) for each in parts]
    return Typed(f"concat_ws({separator}, {', '.join(written)})", t.VARCHAR)


@scalar("substr", "substring")
def _substr(own: Expressions, node: exp.Expr, given: Given) -> Typed:
    found = values(own, node, given, 2, 3)
    text, start, *rest = (
        own.as_type(node, each, kind) for each, kind in zip(found, (t.VARCHAR, t.BIGINT, t.BIGINT), strict=False)
    )
    length = ""
    if rest:
        known = found[2].constant
        length = f", {rest[0]}" if known is not None and not known.startswith("-") else f", greatest({rest[0]}, 0)"
    plain = f"substr({text}, {start}{length})"
    constant = found[1].constant
    if constant is not None and constant.isdigit() and int(constant) > 0:
        return Typed(plain, t.VARCHAR)
    nothing = f"{start} = 0 OR {start} < -length({text})"
    return Typed(f"CASE WHEN {nothing} THEN left({text}, 0) ELSE {plain} END", t.VARCHAR)


@scalar("split")
def _split(own: Expressions, node: exp.Expr, given: Given) -> Typed:
    if len(given) != 3:
        return fallback(own, node, given, "split")
    whole = fallback(own, node, given[:2], "split")
    limit = own.as_type(node, values(own, node, given, 3, 3)[2], t.BIGINT)
    between = own.as_type(node, values(own, node, given, 3, 3)[1], t.VARCHAR)
    last = f"[array_to_string({whole.sql}[{limit}:], {between})]"
    wrong = own.fail("split takes a limit above 0")
    return Typed(
        f"CASE WHEN {limit} < 1 THEN {wrong} WHEN len({whole.sql}) <= {limit} THEN {whole.sql} "
        f"ELSE list_concat({whole.sql}[1:{limit} - 1], {last}) END",
        whole.type,
    )
