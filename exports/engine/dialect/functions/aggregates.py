"""Aggregates whose value depends on the type of their argument."""

from __future__ import annotations

from typing import Final

from sqlglot import exp

from exports.engine.dialect import types as t
from exports.engine.dialect.casts import shifted
from exports.engine.dialect.expressions import Expressions
from exports.engine.dialect.functions.arguments import number_of
from exports.engine.dialect.functions.registry import Given, aggregate, values
from exports.engine.dialect.scopes import Typed
from exports.engine.dialect.writer import name_of

TO_TABLE: Final = Typed("", t.UNKNOWN)


@aggregate("sum")
def _sum(own: Expressions, node: exp.Expr, given: Given) -> Typed:
    found = values(own, node, given, 1, 1)[0]
    if found.type.name != "decimal":
        return TO_TABLE
    kind = t.decimal(38, found.type.scale)
    return Typed(f"CAST(sum(@{found.sql})~ AS {t.in_duckdb(kind)})", kind)


@aggregate("max", "min")
def _max(own: Expressions, node: exp.Expr, given: Given) -> Typed:
    found = values(own, node, given, 1, 2)
    if len(found) == 2 or found[0].type.name not in ("real", "double"):
        return TO_TABLE
    # NaN is the result only if all values are NaN; DuckDB treats it as the largest number.
    name, number = name_of(node), found[0]
    numbers = f"{name}(CASE WHEN NOT isnan({number.sql}) THEN {number.sql} END)~"
    return Typed(f"coalesce({numbers}, {name}({number.sql})~)", number.type)


@aggregate("avg")
def _avg(own: Expressions, node: exp.Expr, given: Given) -> Typed:
    found = values(own, node, given, 1, 1)[0]
    if found.type == t.REAL:
        return Typed(f"CAST(avg(@CAST({found.sql} AS DOUBLE))~ AS FLOAT)", t.REAL)
    if found.type.name != "decimal":
        return TO_TABLE
    digits, scale = found.type.digits, found.type.scale
    total, count = f"CAST(sum(@{found.sql})~ AS DECIMAL(38, {scale}))", f"count(@{found.sql})~"
    return Typed(_mean(total, count, digits, scale), found.type)


def _mean(total: str, count: str, digits: int, scale: int) -> str:
    above = f"CAST({total} * CAST(1{'0' * scale} AS DECIMAL({scale + 1}, 0)) AS HUGEINT)"
    whole = f"((abs({above}) + {count} // 2) // nullif({count}, 0) * CASE WHEN {above} < 0 THEN -1 ELSE 1 END)"
    return shifted(whole, scale, digits)


@aggregate("approx_percentile")
def _approx_percentile(own: Expressions, node: exp.Expr, given: Given) -> Typed:
    found = values(own, node, given, 2, 4)
    if len(found) > 2:
        raise own.refuse(node, "not-offered", "Weights and accuracies of approx_percentile are not offered.")
    number, share = number_of(own, node, found[0]), found[1]
    kind = (
        number.type
        if number.type.name in ("real", "double", "bigint")
        else t.BIGINT
        if t.is_whole(number.type)
        else t.DOUBLE
    )
    written = own.as_type(node, number, kind)
    shares = share.type.of[0] if share.type.name == "array" else share.type
    if not t.is_number(shares):
        raise own.refuse(node, "wrong-types", "A percentage is a number from 0 to 1.")
    if share.type.name == "array":
        return Typed(f"quantile_disc({written}, {own.as_type(node, share, t.array(t.DOUBLE))})~", t.array(kind))
    return Typed(f"quantile_disc({written}, {own.as_type(node, share, t.DOUBLE)})~", kind)


@aggregate("max_by", "min_by")
def _max_by(own: Expressions, node: exp.Expr, given: Given) -> Typed:
    if len(given) != 3:
        return TO_TABLE
    value, key, number = values(own, node, given, 3, 3)
    name = "arg_max" if name_of(node) == "max_by" else "arg_min"
    return Typed(f"{name}({value.sql}, {key.sql}, {own.as_type(node, number, t.BIGINT)})~", t.array(value.type))


@aggregate("map_agg")
def _map_agg(own: Expressions, node: exp.Expr, given: Given) -> Typed:
    key, value = values(own, node, given, 2, 2)
    entry = f'{{"k": {own.as_type(node, key, key.type)}, "v": {own.as_type(node, value, value.type)}}}'
    return Typed(
        f'map_from_entries(list_filter(list({entry})~, lambda "each": "each"."k" IS NOT NULL))',
        t.mapping(key.type, value.type),
    )


@aggregate("grouping")
def _grouping(own: Expressions, node: exp.Expr, given: Given) -> Typed:
    found = values(own, node, given, 1, 31)
    return Typed(f"CAST(grouping({', '.join(each.sql for each in found)}) AS BIGINT)~", t.BIGINT)
