"""Operators on numbers, times, texts and arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from sqlglot import exp

from exports.engine.dialect import types as t
from exports.engine.dialect.casts import division, local, moved
from exports.engine.dialect.intervals import scaled
from exports.engine.dialect.literals import Literals
from exports.engine.dialect.scopes import Typed
from exports.engine.dialect.types import Type, common


class Operators(Literals):
    """Writes AND, OR, NOT, arithmetic and concatenation."""

    def _write_and(self, node: exp.Expr) -> Typed:
        return self._chain(node, exp.And, "AND")

    def _write_or(self, node: exp.Expr) -> Typed:
        return self._chain(node, exp.Or, "OR")

    def _chain(self, node: exp.Expr, kind: type[exp.Expr], word: str) -> Typed:
        parts: list[exp.Expr] = []
        each = node
        while isinstance(each, kind):
            parts.append(each.args["expression"])
            each = each.this
        parts.append(each)
        return Typed("(" + f" {word} ".join(self.boolean(part, word) for part in reversed(parts)) + ")", t.BOOLEAN)

    def _write_not(self, node: exp.Expr) -> Typed:
        return Typed(f"(NOT {self.boolean(node.this, 'NOT')})", t.BOOLEAN)

    def _write_neg(self, node: exp.Expr) -> Typed:
        if isinstance(node.this, exp.Literal) and not node.this.args.get("is_string"):
            if str(node.this.this) == str(1 << 63):
                return Typed(str(-(1 << 63)), t.BIGINT)
            if str(node.this.this) == str(1 << 31):  # the sign belongs to the number
                return Typed(f"CAST({-(1 << 31)} AS INTEGER)", t.INTEGER, str(-(1 << 31)))
        inner = self.write(node.this)
        if not t.is_number(inner.type) and not inner.type.name.startswith("interval"):
            raise self.refuse(node, "wrong-types", f"A value of type {inner.type} has no negative.")
        constant = f"-{inner.constant}" if inner.constant is not None else None
        return Typed(f"(-{inner.sql})", inner.type, constant)

    def _write_add(self, node: exp.Expr) -> Typed:
        return self._sum(node, exp.Add, "+")

    def _write_sub(self, node: exp.Expr) -> Typed:
        return self._sum(node, exp.Sub, "-")

    def _sum(self, node: exp.Expr, kind: type[exp.Expr], sign: str) -> Typed:  # noqa: ARG002
        chain: list[exp.Expr] = []
        each: exp.Expr = node
        while isinstance(each, (exp.Add, exp.Sub)):
            chain.append(each)
            each = each.this
        left = self.write(each)
        for step in reversed(chain):
            sign = "+" if isinstance(step, exp.Add) else "-"
            left = self._plus(step, left, self.write(step.args["expression"]), sign)
        return left

    def _plus(self, node: exp.Expr, left: Typed, right: Typed, sign: str) -> Typed:
        if left.type.name in t.MOMENTS or right.type.name in t.MOMENTS or left.type.name.startswith("interval"):
            return self._of_moments(node, left, right, sign)
        return self._arithmetic(node, left, right, sign)

    def _arithmetic(self, node: exp.Expr, left: Typed, right: Typed, sign: str) -> Typed:
        kind = self._number(node, left, right, sign)
        if kind.name != "decimal":
            return Typed(f"({self.as_type(node, left, kind)} {sign} {self.as_type(node, right, kind)})", kind)
        one, other = t.as_decimal(left.type), t.as_decimal(right.type)
        scale = max(one.scale, other.scale)
        if sign == "*":
            kind = t.decimal(one.digits + other.digits, one.scale + other.scale)
        elif sign == "%":
            whole = min(one.digits - one.scale, other.digits - other.scale)
            kind = t.decimal(whole + scale, scale)
        else:
            kind = t.decimal(max(one.digits - one.scale, other.digits - other.scale) + scale + 1, scale)
        sides = f"{self.as_type(node, left, one)} {sign} {self.as_type(node, right, other)}"
        return Typed(f"CAST({sides} AS {t.in_duckdb(kind)})", kind)

    def _number(self, node: exp.Expr, left: Typed, right: Typed, sign: str) -> Type:
        kind = common(left.type, right.type)
        if kind is not None and kind.name == "unknown":
            kind = t.INTEGER
        if kind is None or not t.is_number(kind):
            detail = f"Athena cannot apply {sign} to {left.type} and {right.type}: cast one of them."
            raise self.refuse(node, "wrong-types", detail)
        return kind

    def _write_mul(self, node: exp.Expr) -> Typed:
        left, right = self.write(node.this), self.write(node.args["expression"])
        for interval, number in ((left, right), (right, left)):
            if interval.type.name.startswith("interval") and t.is_number(number.type):
                return Typed(scaled(interval.sql, interval.type, "*", number.sql), interval.type)
        return self._arithmetic(node, left, right, "*")

    def _write_div(self, node: exp.Expr) -> Typed:
        left, right = self.write(node.this), self.write(node.args["expression"])
        if left.type.name.startswith("interval") and t.is_number(right.type):
            parted = scaled(left.sql, left.type, "/", right.sql)
            return Typed(self._unless_zero(parted, right), left.type)
        kind = self._number(node, left, right, "/")
        if kind.name in ("real", "double"):
            return Typed(f"({self.as_type(node, left, kind)} / {self.as_type(node, right, kind)})", kind)
        if kind.name == "decimal":
            one, other = self._decimal(node, left), self._decimal(node, right)
            written, kind = division(one.sql, one.type, other.sql, other.type)
        else:
            one, other = (Typed(self.as_type(node, each, kind), kind, each.constant) for each in (left, right))
            written = f"({one.sql} // {other.sql})"
        return Typed(self._unless_zero(written, other), kind)

    def _decimal(self, node: exp.Expr, given: Typed) -> Typed:
        kind = t.as_decimal(given.type)
        return Typed(self.as_type(node, given, kind), kind, given.constant)

    def _unless_zero(self, written: str, below: Typed) -> str:
        if below.constant is not None and float(below.constant) != 0:
            return written
        return f"CASE WHEN {below.sql} = 0 THEN {self.fail('Division by zero')} ELSE {written} END"

    def _write_mod(self, node: exp.Expr) -> Typed:
        return self.modulus(node, self.write(node.this), self.write(node.args["expression"]))

    def modulus(self, node: exp.Expr, left: Typed, right: Typed) -> Typed:
        """Write a remainder."""
        kind = self._number(node, left, right, "%")
        found = self._arithmetic(node, left, right, "%")
        return found if kind.name in ("real", "double") else replace(found, sql=self._unless_zero(found.sql, right))

    def _of_moments(self, node: exp.Expr, left: Typed, right: Typed, sign: str) -> Typed:
        if left.type.name.startswith("interval") and right.type.name in t.MOMENTS and sign == "+":
            left, right = right, left
        if left.type.name.startswith("interval"):
            if left.type == right.type:
                return Typed(f"({left.sql} {sign} {right.sql})", left.type)
        elif right.type.name.startswith("interval"):
            if left.type.name == "date" and right.type == t.DAYS and (right.constant or "DAY") != "DAY":
                detail = "Only whole days, months and years are added to a date: cast it to timestamp."
                raise self.refuse(node, "wrong-types", detail)
            if left.type.zone not in ("", t.UTC) and right.type == t.DAYS:
                return Typed(f"({left.sql} {sign} {right.sql})", left.type)
            written = moved(f"({local(left.sql, left.type)} {sign} {right.sql})", left.type, left.sql)
            return Typed(written, left.type)
        elif sign == "-" and right.type.name in t.MOMENTS:
            kind = common(left.type, right.type)
            if kind is not None:
                one, other = (self.as_type(node, each, kind) for each in (left, right))
                apart = f"to_days(CAST({one} - {other} AS INTEGER))" if kind.name == "date" else f"({one} - {other})"
                return Typed(apart, t.DAYS)
        detail = (
            f"Athena cannot apply {sign} to {left.type} and {right.type}: use an INTERVAL, or date_add and date_diff."
        )
        raise self.refuse(node, "wrong-types", detail)

    def _write_dpipe(self, node: exp.Expr) -> Typed:
        parts: list[exp.Expr] = []
        each: exp.Expr = node
        while isinstance(each, exp.DPipe):
            parts.append(each.args["expression"])
            each = each.this
        parts.append(each)
        return self.joined(node, [self.write(part) for part in reversed(parts)])

    def joined(self, node: exp.Expr, parts: Sequence[Typed]) -> Typed:
        """Write a concatenation of texts, of bytes, or of arrays and elements: a null makes it null."""
        kinds = {part.type.name for part in parts} - {"unknown"}
        if kinds <= {"varchar"} or kinds == {"varbinary"}:
            kind = t.VARBINARY if kinds == {"varbinary"} else t.VARCHAR
            whole = " || ".join(self.as_type(node, part, kind) for part in parts)
            # DuckDB types a constant null as an integer.
            return Typed(f"CAST({whole} AS {t.in_duckdb(kind)})", kind)
        arrays = [part.type for part in parts if part.type.name == "array"]
        if not arrays:
            wrong = " and ".join(str(part.type) for part in parts[:4])
            raise self.refuse(node, "wrong-types", f"Athena joins texts, not {wrong}: cast to varchar.")
        if "unknown" in {part.type.name for part in parts}:
            raise self.refuse(node, "not-the-same", "NULL may be an array or an element here: cast it to one of them.")
        kind = arrays[0]
        for part in parts:
            wider = common(kind, part.type if part.type.name == "array" else t.array(part.type))
            if wider is None:
                raise self.refuse(node, "wrong-types", f"A value of type {part.type} does not go into {kind}.")
            kind = wider
        written = [
            self.as_type(node, part, kind)
            if part.type.name == "array"
            else f"list_value({self.as_type(node, part, kind.of[0])})"
            for part in parts
        ]
        absent = " OR ".join(f"{each} IS NULL" for each in written)
        whole = written[0]
        for each in written[1:]:
            whole = f"list_concat({whole}, {each})"
        return Typed(f"CASE WHEN {absent} THEN NULL ELSE {whole} END", kind)
