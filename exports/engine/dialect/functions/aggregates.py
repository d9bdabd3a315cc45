"""Aggregates whose value depends on the type of their argument."""

from __future__ import annotations

import re
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
    total = f"CAST(sum(@{found.sql})~ AS {t.in_duckdb(kind)})"
    # DuckDB keeps a sum of 39 digits, which the type cannot hold.
    most = f"CAST('{'9' * (38 - kind.scale)}.{'9' * kind.scale}' AS {t.in_duckdb(kind)})"
    wrong = own.fail("A sum of decimals has at most 38 digits")
    return Typed(f"CASE WHEN abs({total}) > {most} THEN {wrong} ELSE {total} END", kind)


@aggregate("max", "min")
def _max(own: Expressions, node: exp.Expr, given: Given) -> Typed:
    found = values(own, node, given, 1, 2)
    if found[0].type.name not in ("real", "double"):
        return TO_TABLE
    if len(found) == 2:
        if name_of(node) == "min":
            return TO_TABLE
        largest = f"max({found[0].sql}, {own.as_type(node, found[1], t.BIGINT)})~"
        return Typed(_without_nan(own, found[0], largest), t.array(found[0].type))
    # NaN is the result only if all values are NaN; DuckDB treats it as the largest number.
    name, number = name_of(node), found[0]
    numbers = f"{name}(CASE WHEN NOT isnan({number.sql}) THEN {number.sql} END)~"
    return Typed(f"coalesce({numbers}, {name}({number.sql})~)", number.type)


def _without_nan(own: Expressions, number: Typed, written: str) -> str:
    """Write an aggregate that fails if a value is NaN, which DuckDB treats as the largest number."""
    wrong = own.fail("NaN among the values of this aggregate is not offered: leave it out by FILTER")
    return f"CASE WHEN bool_or(isnan({number.sql}))~ THEN {wrong} ELSE {written} END"


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
    given_shares = node.expressions[1].expressions if share.type.name == "array" else [node.expressions[1]]
    if not given_shares or not all(_is_share(each) for each in given_shares):
        raise own.refuse(node, "bad-value", "A percentage is a number from 0 to 1, written in the query here.")
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
    whole = t.array(kind) if share.type.name == "array" else kind
    wanted = t.array(t.DOUBLE) if share.type.name == "array" else t.DOUBLE
    quantile = f"quantile_disc({written}, {own.as_type(node, share, wanted)})~"
    if number.type.name in ("real", "double"):
        quantile = _without_nan(own, number, quantile)
    return Typed(quantile, whole)


def _is_share(node: exp.Expr) -> bool:
    return isinstance(node, exp.Literal) and not node.args.get("is_string") and 0 <= float(node.this) <= 1


@aggregate("approx_distinct")
def _approx_distinct(own: Expressions, node: exp.Expr, given: Given) -> Typed:
    found = values(own, node, given, 1, 2)
    error = found[1].constant if len(found) == 2 else "0.023"
    if error is None or not re.fullmatch(r"[0-9.eE+-]+", error) or not 0.0040625 <= float(error) <= 0.26:
        raise own.refuse(node, "bad-value", "The standard error is a number from 0.0040625 to 0.26.")
    return TO_TABLE


@aggregate("max_by", "min_by")
def _max_by(own: Expressions, node: exp.Expr, given: Given) -> Typed:
    found = values(own, node, given, 2, 3)
    value, key = found[:2]
    is_number = key.type.name in ("real", "double") and name_of(node) == "max_by"
    # NaN is the largest number only if all are NaN; DuckDB treats it as the largest number.
    number_first = f'CASE WHEN {key.sql} IS NOT NULL THEN {{"a": NOT isnan({key.sql}), "b": {key.sql}}} END'
    ordered_by = number_first if is_number else key.sql
    if len(given) != 3:
        return Typed(f"arg_max_null({value.sql}, {ordered_by})~", value.type) if is_number else TO_TABLE
    number = found[2]
    name = "arg_max" if name_of(node) == "max_by" else "arg_min"
    return Typed(f"{name}({value.sql}, {ordered_by}, {own.as_type(node, number, t.BIGINT)})~", t.array(value.type))


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
