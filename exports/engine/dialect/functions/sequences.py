"""Sequences of numbers, dates and times."""

from __future__ import annotations

from typing import Final

from sqlglot import exp

from exports.engine.dialect import intervals
from exports.engine.dialect import types as t
from exports.engine.dialect.casts import local, placed
from exports.engine.dialect.expressions import Expressions
from exports.engine.dialect.functions.months import months_between
from exports.engine.dialect.functions.registry import Given, scalar, values
from exports.engine.dialect.scopes import Typed

# Athena fails a query with a longer one.
MOST_OF_SEQUENCE: Final = 10_000


@scalar("sequence")
def _sequence(own: Expressions, node: exp.Expr, given: Given) -> Typed:
    found = values(own, node, given, 2, 3)
    kind = own.common_type(node, found[:2], "sequence")
    begin, end = (own.as_type(node, each, kind) for each in found[:2])
    if t.is_whole(kind) or kind == t.UNKNOWN:
        begin, end = (own.as_type(node, each, t.BIGINT) for each in found[:2])
        step = own.as_type(node, found[2], t.BIGINT) if found[2:] else f"CASE WHEN {begin} <= {end} THEN 1 ELSE -1 END"
        wrong = own.fail("The step of a sequence leads from its start to its end")
        away = f"{step} = 0 OR ({begin} < {end} AND {step} < 0) OR ({begin} > {end} AND {step} > 0)"
        made = f"generate_series({begin}, {end}, {step})"
        made = _limited(own, f"abs({end} - {begin}) // abs({step})", made)
        return Typed(f"CASE WHEN {away} THEN {wrong} ELSE {made} END" if found[2:] else made, t.array(t.BIGINT))
    if kind.name not in t.MOMENTS or kind.zone not in ("", t.UTC):
        raise own.refuse(node, "wrong-types", f"sequence takes whole numbers, dates or times, not {kind}.")
    if (found[2:] and not found[2].type.name.startswith("interval")) or (kind.name != "date" and not found[2:]):
        raise own.refuse(node, "wrong-types", "sequence takes an interval as its step, such as INTERVAL '1' DAY.")
    step = found[2].sql if found[2:] else f"CASE WHEN {begin} <= {end} THEN INTERVAL 1 DAY ELSE INTERVAL (-1) DAY END"
    start, last = local(begin, kind), local(end, kind)
    if found[2:] and found[2].type == t.MONTHS:  # each is computed from the start: 31 January, 29 February, 31 March
        size = intervals.months(step)
        away = f"{size} = 0 OR ({start} < {last} AND {size} < 0) OR ({start} > {last} AND {size} > 0)"
        number = f"{months_between(start, last, 1)} // {size}"
        each = f'{start} + to_months(CAST("each" * {size} AS INTEGER))'
        made = _limited(own, number, f'list_transform(range({number} + 1), lambda "each": {placed(each, kind)})')
        wrong = own.fail("The step of a sequence leads from its start to its end")
        return Typed(f"CASE WHEN {away} THEN {wrong} ELSE {made} END", t.array(kind))
    made = f"generate_series({start}, {last}, {step})"
    size, whole = f"epoch_us({start} + {step}) - epoch_us({start})", f"epoch_us({last}) - epoch_us({start})"
    made = _limited(own, f"abs({whole}) // nullif(abs({size}), 0)", made)
    if found[2:]:
        away = f"{size} = 0 OR ({start} < {last} AND {size} < 0) OR ({start} > {last} AND {size} > 0)"
        wrong = own.fail("The step of a sequence leads from its start to its end")
        made = f"CASE WHEN {away} THEN {wrong} ELSE {made} END"
    return Typed(f'list_transform({made}, lambda "each": {placed(chr(34) + "each" + chr(34), kind)})', t.array(kind))


def _limited(own: Expressions, steps: str, made: str) -> str:
    """Write a sequence of at most `MOST_OF_SEQUENCE` values."""
    wrong = own.fail(f"A sequence has at most {MOST_OF_SEQUENCE} values")
    return f"CASE WHEN {steps} >= {MOST_OF_SEQUENCE} THEN {wrong} ELSE {made} END"
