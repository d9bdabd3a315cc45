"""Conditions: comparisons, IN, BETWEEN, LIKE, subqueries and CASE."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from sqlglot import exp

from exports.engine.dialect import types as t
from exports.engine.dialect.operators import Operators
from exports.engine.dialect.scopes import Typed
from exports.engine.dialect.types import Type, quoted
from exports.engine.dialect.writer import COMPARISONS

# Conditions that may be compared only in brackets.
PREDICATES: Final = (*COMPARISONS, exp.In, exp.Between, exp.Like, exp.Is, exp.Escape)
ORDERED: Final = ("<", "<=", ">", ">=")


class Conditions(Operators):
    """Writes conditions and choices."""

    def _write_eq(self, node: exp.Expr) -> Typed:
        return self._comparison(node, COMPARISONS[type(node)])

    _write_neq = _write_lt = _write_lte = _write_gt = _write_gte = _write_eq
    _write_nullsafeeq = _write_nullsafeneq = _write_eq

    def _comparison(self, node: exp.Expr, sign: str) -> Typed:
        right = node.args["expression"]
        if isinstance(node.this, PREDICATES) or isinstance(right, PREDICATES):
            raise self.refuse(node, "syntax", "Put a condition that is compared into brackets.")
        if isinstance(right, exp.Anonymous) and str(right.this).lower() in ("all", "any", "some") and right.expressions:
            quantifier = exp.All if str(right.this).lower() == "all" else exp.Any
            right = quantifier(this=right.expressions[0].copy())
        if isinstance(right, (exp.Any, exp.All)):
            return self._quantified(node, sign, right)
        left, other = self.write(node.this), self.write(right)
        one, two = self.alike(node, [left, other], sign)
        kind = self.common_type(node, [left, other], sign)
        return Typed(self.compared(kind, replace(left, sql=one), sign, replace(other, sql=two)), t.BOOLEAN)

    @staticmethod
    def compared(kind: Type, left: Typed, sign: str, right: Typed) -> str:
        """Write a comparison: NaN is equal to nothing, and neither larger nor smaller."""
        plain = f"({left.sql} {sign} {right.sql})"
        if kind.name not in ("real", "double") or sign.startswith("IS "):
            return plain
        # DuckDB treats NaN as the largest number, so it is wrong only if the side that must be larger is NaN.
        larger = right if sign in ("<", "<=") else left
        if larger.constant is not None or (sign in ("=", "<>") and right.constant is not None):
            return plain
        if sign == "<>":
            return f"({plain} OR (isnan({larger.sql}) AND {left.sql} IS NOT NULL AND {right.sql} IS NOT NULL))"
        return f"({plain} AND NOT isnan({larger.sql}))"

    def alike(self, node: exp.Expr, given: Sequence[Typed], sign: str = "=") -> list[str]:
        """Write values as their common type, to compare them."""
        kind = self.common_type(node, given, sign)
        if kind.name in ("array", "map", "row", "json") or (sign in ORDERED and kind.name == "boolean"):
            raise self.refuse(node, "not-the-same", f"Values of type {kind} are not compared by {sign} here.")
        return [self.as_type(node, each, kind) for each in given]

    def _quantified(self, node: exp.Expr, sign: str, right: exp.Expr) -> Typed:
        left = self.write(node.this)
        query, kind = self._column_of(right.this, left, node, sign)
        word = "ANY" if isinstance(right, exp.Any) else "ALL"
        if sign == "=" and word == "ANY":
            return self._among(node, left, kind, f"IN ({query})")
        return Typed(f"({self.as_type(node, left, kind)} {sign} {word} ({query}))", t.BOOLEAN)

    def _among(self, node: exp.Expr, left: Typed, kind: Type, among: str) -> Typed:
        """Write whether a value is among those of a query; NaN never is."""
        value = self.as_type(node, left, kind)
        is_number = f" AND NOT isnan({value})" if kind.name in ("real", "double") else ""
        return Typed(f"({value} {among}{is_number})", t.BOOLEAN)

    def _column_of(self, node: exp.Expr, left: Typed, above: exp.Expr, sign: str) -> tuple[str, Type]:
        """Write a subquery of one column with the common type of column and value."""
        while isinstance(node, (exp.Paren, exp.Subquery)) and not node.args.get("with_"):
            node = node.this
        if not isinstance(node, (exp.Query, exp.Values)) or self.subquery is None:
            raise self.refuse(above, "not-offered", "A subquery is expected here.")
        query, relation = self.subquery(node, self.scope)
        if len(relation.columns) != 1:
            raise self.refuse(above, "wrong-types", f"The subquery has {len(relation.columns)} columns, not one.")
        inner = Typed('"one"', relation.columns[0].type)
        kind = self.common_type(above, [left, inner], sign)
        if inner.type != kind:
            query = f'SELECT {self.as_type(above, inner, kind)} FROM ({query}) AS "given"("one")'
        return query, kind

    def _write_in(self, node: exp.Expr) -> Typed:
        left = self.write(node.this)
        if node.args.get("query") is not None:
            query, kind = self._column_of(node.args["query"], left, node, "IN")
            return self._among(node, left, kind, f"IN ({query})")
        if node.args.get("unnest") is not None or node.args.get("field") is not None or not node.expressions:
            raise self.refuse(node, "syntax", "IN takes a list or a subquery in brackets.")
        if isinstance(node.expressions[0], exp.Values):
            query, kind = self._column_of(node.expressions[0], left, node, "IN")
            return self._among(node, left, kind, f"IN ({query})")
        given = [left, *map(self.write, node.expressions)]
        first, *rest = self.alike(node, given, "IN")
        written = f"({first} IN ({', '.join(rest)}))"
        if self.common_type(node, given, "IN").name in ("real", "double"):
            written = f"({written} AND NOT isnan({first}))"
        return Typed(written, t.BOOLEAN)

    def _write_between(self, node: exp.Expr) -> Typed:
        if node.args.get("symmetric"):
            raise self.refuse(node, "not-offered", "BETWEEN SYMMETRIC is not offered: order the bounds.")
        given = [self.write(node.args[name]) for name in ("this", "low", "high")]
        one, low, high = self.alike(node, given, "<=")
        written = f"({one} BETWEEN {low} AND {high})"
        if self.common_type(node, given, "<=").name in ("real", "double"):
            nans = [sql for sql, each in ((one, given[0]), (high, given[2])) if each.constant is None]
            written = f"({' AND '.join([written, *(f'NOT isnan({sql})' for sql in nans)])})"
        return Typed(written, t.BOOLEAN)

    def _write_is(self, node: exp.Expr) -> Typed:
        if not isinstance(node.args["expression"], exp.Null):
            raise self.refuse(node, "not-offered", "IS is followed by NULL or DISTINCT FROM in Athena.")
        return Typed(f"({self.write(node.this).sql} IS NULL)", t.BOOLEAN)

    def _write_like(self, node: exp.Expr, escape: str = "") -> Typed:
        left, right = self.write(node.this), self.write(node.args["expression"])
        if isinstance(node.args["expression"], (exp.Any, exp.All, exp.Tuple)):
            raise self.refuse(node, "not-offered", "LIKE takes one pattern.")
        texts = [self.as_type(node, each, t.VARCHAR) for each in (left, right)]
        word = "NOT LIKE" if node.args.get("negate") else "LIKE"
        return Typed(f"({texts[0]} {word} {texts[1]}{escape})", t.BOOLEAN)

    def _write_escape(self, node: exp.Expr) -> Typed:
        letter = self.write(node.args["expression"])
        if not isinstance(node.this, exp.Like) or letter.constant is None or len(letter.constant) != 1:
            raise self.refuse(node, "not-offered", "ESCAPE takes one letter.")
        found = self._write_like(node.this, f" ESCAPE {letter.sql}")
        return replace(found, sql=self._escaped(node, letter.constant, found.sql))

    def _escaped(self, node: exp.Expr, letter: str, written: str) -> str:
        """Refuse a pattern whose escape precedes an ordinary letter; DuckDB would accept it."""
        pattern = self.write(node.this.args["expression"])
        sign = re.escape(letter)
        shape = f"(?s:[^{sign}]|{sign}[%_{sign}])*"
        words = "The escape of LIKE is followed by %, _ or itself"
        if pattern.constant is not None:
            if not re.fullmatch(shape, pattern.constant):
                raise self.refuse(node, "bad-value", f"{words}.")
            return written
        absent = f"NOT regexp_full_match({pattern.sql}, {quoted(shape)})"
        return f"CASE WHEN {absent} THEN {self.fail(words)} ELSE {written} END"

    def _write_exists(self, node: exp.Expr) -> Typed:
        if self.subquery is None:
            raise self.refuse(node, "not-offered", "A subquery is not allowed here.")
        query, _ = self.subquery(node.this, self.scope)
        return Typed(f"EXISTS ({query})", t.BOOLEAN)

    def _write_subquery(self, node: exp.Expr) -> Typed:
        return self._scalar(node)

    def _write_select(self, node: exp.Expr) -> Typed:
        return self._scalar(node)

    def _scalar(self, node: exp.Expr) -> Typed:
        if self.subquery is None:
            raise self.refuse(node, "not-offered", "A subquery is not allowed here.")
        query, relation = self.subquery(node, self.scope)
        if len(relation.columns) != 1:
            raise self.refuse(node, "wrong-types", f"The subquery has {len(relation.columns)} columns, not one.")
        return Typed(f"({query})", relation.columns[0].type)

    def _write_case(self, node: exp.Expr) -> Typed:
        branches = node.args["ifs"]
        values = [self.write(each.args["true"]) for each in branches]
        if node.args.get("default") is not None:
            values.append(self.write(node.args["default"]))
        kind = self.common_type(node, values, "CASE")
        written = [self.as_type(node, each, kind) if kind != t.UNKNOWN else each.sql for each in values]
        if node.this is None:
            conditions = [self.boolean(each.this, "WHEN") for each in branches]
        else:
            given = [self.write(node.this), *(self.write(each.this) for each in branches)]
            first, *rest = self.alike(node, given)
            alike = self.common_type(node, given, "=")
            one = replace(given[0], sql=first)
            conditions = [
                self.compared(alike, one, "=", replace(each, sql=sql))
                for each, sql in zip(given[1:], rest, strict=True)
            ]
        steps = " ".join(f"WHEN {one} THEN {value}" for one, value in zip(conditions, written, strict=False))
        rest_of_it = f" ELSE {written[-1]}" if node.args.get("default") is not None else ""
        return Typed(f"CASE {steps}{rest_of_it} END", kind)

    def _write_if(self, node: exp.Expr) -> Typed:
        given = [self.write(node.args["true"])]
        if node.args.get("false") is not None:
            given.append(self.write(node.args["false"]))
        kind = self.common_type(node, given, "IF")
        values = [self.as_type(node, each, kind) if kind != t.UNKNOWN else each.sql for each in given]
        otherwise = f" ELSE {values[1]}" if values[1:] else ""
        return Typed(f"CASE WHEN {self.boolean(node.this, 'IF')} THEN {values[0]}{otherwise} END", kind)
