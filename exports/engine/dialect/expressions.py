"""Expressions: typed by Athena's rules and written for DuckDB."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo, available_timezones

from sqlglot import exp

from exports.engine.dialect import types as t
from exports.engine.dialect.calls import AGGREGATES, REFUSED, SCALARS, WINDOWS, Call
from exports.engine.dialect.casts import cast, coerced, division, local, moved
from exports.engine.dialect.intervals import interval_parts, scaled
from exports.engine.dialect.patterns import PatternError
from exports.engine.dialect.types import Type, common, named, quoted
from exports.engine.errors import LateError, QueryError, place

if TYPE_CHECKING:
    from exports.engine.dialect.relations import Relation

# What DuckDB may be given: parts of a text are written more than once where a condition asks about them.
MOST_WRITTEN: Final = 400_000
TYPES: Final[dict[str, Type]] = {
    "BOOLEAN": t.BOOLEAN, "TINYINT": t.TINYINT, "SMALLINT": t.SMALLINT, "INT": t.INTEGER, "BIGINT": t.BIGINT,
    "FLOAT": t.REAL, "DOUBLE": t.DOUBLE, "VARCHAR": t.VARCHAR, "VARBINARY": t.VARBINARY, "DATE": t.DATE,
    "JSON": t.JSON,
}  # fmt: skip
# Names of other engines, which the parser reads as types of its own.
FOREIGN_TYPES: Final = {
    "float": "real", "float4": "real", "float8": "double", "bool": "boolean", "int1": "tinyint", "int2": "smallint",
    "int4": "integer", "int8": "bigint", "string": "varchar", "text": "varchar", "long": "bigint", "short": "smallint",
    "byte": "tinyint", "signed": "bigint", "datetime": "timestamp", "bytea": "varbinary", "blob": "varbinary",
    "binary": "varbinary",
}  # fmt: skip
COMPARISONS: Final[dict[type[exp.Expr], str]] = {
    exp.EQ: "=", exp.NEQ: "<>", exp.LT: "<", exp.LTE: "<=", exp.GT: ">", exp.GTE: ">=",
    exp.NullSafeEQ: "IS NOT DISTINCT FROM", exp.NullSafeNEQ: "IS DISTINCT FROM",
}  # fmt: skip
ORDERED: Final = ("<", "<=", ">", ">=")
# What asks only about instants, whatever clock shows them.
OF_INSTANTS: Final = frozenset({*COMPARISONS.values(), "IN", "date_diff"})
EXTRACTED: Final = frozenset(
    [
        "year",
        "quarter",
        "month",
        "week",
        "day",
        "day_of_month",
        "day_of_week",
        "dow",
        "day_of_year",
        "doy",
        "year_of_week",
        "yow",
        "hour",
        "minute",
        "second",
        "timezone_hour",
        "timezone_minute",
    ]
)
INTERVALS: Final = {
    "SECOND": t.DAYS,
    "MINUTE": t.DAYS,
    "HOUR": t.DAYS,
    "DAY": t.DAYS,
    "MONTH": t.MONTHS,
    "YEAR": t.MONTHS,
}
# Errors that Athena finds after it has accepted a text.
LATE: Final = frozenset({"wrong-types", "bad-value", "unknown-name"})
# Nodes that turn a null into another value: in `try` the null of a failure must reach the end.
OF_NULLS: Final = (exp.Case, exp.If, exp.Is, exp.NullSafeEQ, exp.NullSafeNEQ, exp.Query)
# Functions that make up for a null are refused in `try` for the same reason.
CALLS_OF_NULLS: Final = frozenset({"coalesce", "if", "nullif", "concat_ws", "count", "try", "array_agg"})


@dataclass(frozen=True)
class Typed:
    """An expression in DuckDB's words, with its type in Athena. `constant`: the text or number it was written as."""

    sql: str
    type: Type
    constant: str | None = None


@dataclass(frozen=True)
class Lambda:
    """A lambda that waits for the types of its arguments."""

    node: exp.Lambda

    @property
    def names(self) -> list[str]:
        return [each.name for each in self.node.expressions]


@dataclass
class Scope:
    """The relations that an expression sees, those of the query around it, and the names of lambdas."""

    relations: list[Relation] = field(default_factory=list)
    outer: Scope | None = None
    merged: dict[str, Typed] = field(default_factory=dict)
    """Columns of USING, which belong to no relation alone."""
    hidden: set[tuple[str, str]] = field(default_factory=set)
    """Tables and their columns that USING has merged: only the merged column has the name."""
    outputs: dict[str, Typed] = field(default_factory=dict)
    """Names that ORDER BY sees before those of relations."""


Special = Callable[["Expressions", exp.Expr, "list[Typed | Lambda]"], Typed]


class Expressions:
    """Types and writes expressions of one text."""

    specials: Final[dict[str, Special]] = {}
    aggregates: Final[dict[str, Special]] = {}

    def __init__(self, sql: str) -> None:
        self.sql = sql
        self.scope = Scope()
        self._variables: list[dict[str, Typed]] = []
        self._trying = 0
        self._written = 0
        self.subquery: Callable[[exp.Expr, Scope], tuple[str, Relation]] | None = None

    # Refusals ---------------------------------------------------------------------------------------------------------
    def refuse(self, node: exp.Expr | None, code: str, detail: str, nearest: Sequence[str] = ()) -> QueryError:
        """Return the error to raise for a node, at its place in the text."""
        line = column = None
        if node is not None:
            starts = [start for each in node.walk() if isinstance(start := each.meta.get("start"), int)]
            if starts:
                line, column = place(self.sql, min(starts))
        late = code in LATE and "function" not in detail
        return (LateError if late else QueryError)(code, detail, line, column, tuple(nearest))

    def fail(self, words: str) -> str:
        """Write what ends the query while it runs; in `try` it is a null."""
        return "NULL" if self._trying else f"athena_error({quoted(words)})"

    # Expressions ------------------------------------------------------------------------------------------------------
    def write(self, node: exp.Expr) -> Typed:
        """Type and write one expression."""
        found = self._write(node)
        self._written += len(found.sql)
        if len(found.sql) > MOST_WRITTEN or self._written > 40 * MOST_WRITTEN:
            raise self.refuse(
                node, "too-deep", "Calls within each other grow too long here. Name parts in a WITH clause."
            )
        return found

    def _write(self, node: exp.Expr) -> Typed:
        if self._trying and isinstance(node, OF_NULLS):
            raise self.refuse(node, "not-the-same", "In try, conditions on nulls are not offered: put try into them.")
        name = type(node).__name__.lower()
        writer: Callable[[exp.Expr], Typed] | None = getattr(self, f"_write_{name}", None)
        if writer is not None:
            return writer(node)
        if type(node) in COMPARISONS:
            return self._comparison(node, COMPARISONS[type(node)])
        raise self.refuse(node, "not-offered", f"{_words(node)} is not offered in Athena's dialect here.")

    def boolean(self, node: exp.Expr, where: str) -> str:
        """Write a condition."""
        found = self.write(node)
        if found.type.name not in ("boolean", "unknown"):
            raise self.refuse(node, "wrong-types", f"{where} takes a boolean, not {found.type}.")
        return f"CAST({found.sql} AS BOOLEAN)" if found.type.name == "unknown" else found.sql

    def as_type(self, node: exp.Expr | None, found: Typed, target: Type) -> str:
        """Write a value as a type that it becomes without a cast."""
        if found.type.name == "unknown":
            return f"CAST(NULL AS {t.in_duckdb(target)})"
        if not t.becomes(found.type, target):
            raise self.refuse(node, "wrong-types", f"A value of type {found.type} is no {target}: cast it.")
        return coerced(found.sql, found.type, target)

    def _write_literal(self, node: exp.Expr) -> Typed:
        text = str(node.this)
        if node.args.get("is_string"):
            return Typed(quoted(text), t.VARCHAR, text)
        if re.fullmatch(r"\d+", text):
            number = int(text)
            if number >= 1 << 63:
                raise self.refuse(node, "bad-value", f"The number {text[:40]} is larger than a bigint.")
            return Typed(str(number), t.INTEGER if number < 1 << 31 else t.BIGINT, text)
        if "e" in text.lower():
            return Typed(f"CAST({quoted(text)} AS DOUBLE)", t.DOUBLE, text)
        whole, _, part = text.partition(".")
        digits = len(whole.lstrip("0")) + len(part)
        if digits > t.MOST_DIGITS:
            raise self.refuse(node, "bad-value", "A decimal has at most 38 digits.")
        kind = t.decimal(digits, len(part))
        return Typed(f"CAST({quoted(text)} AS {t.in_duckdb(kind)})", kind, text)

    def _write_boolean(self, node: exp.Expr) -> Typed:
        return Typed("true" if node.this else "false", t.BOOLEAN)

    def _write_null(self, node: exp.Expr) -> Typed:  # noqa: ARG002
        return Typed("NULL", t.UNKNOWN)

    def _write_parsejson(self, node: exp.Expr) -> Typed:
        return self.call(node, "json_parse", [self.write(node.this)])

    def _write_hexstring(self, node: exp.Expr) -> Typed:
        return Typed(f"unhex({quoted(str(node.this))})", t.VARBINARY)

    def _write_paren(self, node: exp.Expr) -> Typed:
        inner = self.write(node.this)
        return replace(inner, sql=f"({inner.sql})")

    def _write_alias(self, node: exp.Expr) -> Typed:
        return self.write(node.this)

    # Names ------------------------------------------------------------------------------------------------------------
    def _write_identifier(self, node: exp.Expr) -> Typed:
        return self._name(node, node.name, "")

    def _write_column(self, node: exp.Expr) -> Typed:
        if isinstance(node.this, exp.Star):
            raise self.refuse(node, "syntax", "A star stands for columns only after SELECT and in count(*).")
        return self._name(node, node.name, node.args["table"].name if node.args.get("table") else "")

    def _name(self, node: exp.Expr, name: str, table: str) -> Typed:
        key = name.lower()
        if not table:
            for variables in reversed(self._variables):
                if key in variables:
                    return variables[key]
        else:
            for variables in reversed(self._variables):
                if table.lower() in variables:
                    return self._field(node, variables[table.lower()], name)
        scope: Scope | None = self.scope
        while scope is not None:
            found = self._in_scope(scope, node, key, table.lower())
            if found is not None:
                return found
            scope = scope.outer
        raise self._unknown(node, name, table)

    def _in_scope(self, scope: Scope, node: exp.Expr, key: str, table: str) -> Typed | None:
        if not table and key in scope.outputs:
            return scope.outputs[key]
        if not table and key in scope.merged:
            return scope.merged[key]
        found = [
            Typed(f"{named(relation.alias)}.{named(column.written)}", column.type)
            for relation in scope.relations
            if not table or relation.alias.lower() == table
            for column in relation.columns
            if (column.name or "").lower() == key and (relation.alias.lower(), key) not in scope.hidden
        ]
        if len(found) > 1:
            raise self.refuse(node, "unknown-name", f"The column {key} is ambiguous: name its table.")
        if found:
            return found[0]
        if table:  # a field of a column that is a row
            whole = self._in_scope(scope, node, table, "")
            if whole is not None and whole.type.name == "row":
                return self._field(node, whole, key)
        return None

    def _unknown(self, node: exp.Expr, name: str, table: str) -> QueryError:
        known: list[str] = []
        scope: Scope | None = self.scope
        while scope is not None:
            known += [column.name or "" for each in scope.relations for column in each.columns]
            scope = scope.outer
        aliases = [each.alias for each in self.scope.relations]
        if table and table.lower() not in {each.lower() for each in aliases}:
            near = get_close_matches(table.lower(), aliases, n=3, cutoff=0.2)
            detail = f"There is no table {table[:100]} in this query."
        else:
            near = get_close_matches(name.lower()[:100], [each for each in dict.fromkeys(known) if each], n=3)
            detail = f"There is no column {name[:100]}."
            if name.lower() in ("current_user", "session_user"):
                detail = f"The function {name} is not available."
        hint = f" Did you mean {near[0]}?" if near else ""
        return self.refuse(node, "unknown-name", detail + hint, near)

    def _field(self, node: exp.Expr, whole: Typed, name: str) -> Typed:
        if whole.type.name != "row":
            raise self.refuse(node, "wrong-types", f"A value of type {whole.type} has no field {name}.")
        for each, kind in zip(whole.type.names, whole.type.of, strict=True):
            if each.lower() == name.lower():
                return Typed(f"struct_extract({whole.sql}, {quoted(each)})", kind)
        near = get_close_matches(name, whole.type.names, n=3)
        raise self.refuse(node, "unknown-name", f"The row has no field {name}.", near)

    def _write_dot(self, node: exp.Expr) -> Typed:
        if isinstance(node.expression, exp.Anonymous):
            raise self.refuse(node, "unknown-name", "Functions have no schema here.")
        return self._field(node, self.write(node.this), node.expression.name)

    @contextmanager
    def variables(self, names: Sequence[str], kinds: Sequence[Type]) -> Iterator[None]:
        """Let an expression see the arguments of a lambda."""
        self._variables.append(
            {name.lower(): Typed(named(name), kind) for name, kind in zip(names, kinds, strict=True)}
        )
        try:
            yield
        finally:
            self._variables.pop()

    def lambda_(self, given: Typed | Lambda, kinds: Sequence[Type], node: exp.Expr) -> tuple[str, Typed]:
        """Write a lambda on arguments of these types; return its names, and its value."""
        if not isinstance(given, Lambda) or len(given.names) != len(kinds):
            raise self.refuse(
                node, "wrong-types", f"A lambda of {len(kinds)} arguments stands here, such as x -> x + 1."
            )
        with self.variables(given.names, kinds):
            return ", ".join(map(named, given.names)), self.write(given.node.this)

    # Operators --------------------------------------------------------------------------------------------------------
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

    def _write_interval(self, node: exp.Expr) -> Typed:
        unit = node.args["unit"].name.upper() if isinstance(node.args.get("unit"), exp.Var) else ""
        value, sign = node.this, ""
        span = node.args.get("unit")
        if isinstance(span, exp.IntervalSpan):
            return self._interval_of_units(node, span)
        if isinstance(value, exp.Neg):
            value, sign = value.this, "-"
        text = str(value.this) if isinstance(value, exp.Literal) and value.args.get("is_string") else ""
        if unit == "SECOND" and (found := re.fullmatch(r"([+-]?)(\d{1,9})\.(\d{1,3})", text)):
            amount = int(found[2]) * 1000 + int(found[3].ljust(3, "0"))
            negative = (found[1] == "-") != (sign == "-")
            return Typed(f"to_milliseconds({-amount if negative else amount})", t.DAYS, unit)
        if unit not in INTERVALS or not re.fullmatch(r"[+-]?\d{1,9}", text):
            raise self.refuse(
                node, "not-offered", "An interval is a whole number of seconds to years, such as INTERVAL '2' DAY."
            )
        return Typed(f"INTERVAL {quoted(sign + text)} {unit}", INTERVALS[unit], "DAY" if unit == "DAY" else unit)

    def _interval_of_units(self, node: exp.Expr, span: exp.Expr) -> Typed:
        """Write an interval of several units, such as INTERVAL '2 03:04' DAY TO MINUTE."""
        first, last = span.this.name.upper(), span.expression.name.upper()
        value, sign = (node.this.this, "-") if isinstance(node.this, exp.Neg) else (node.this, "")
        found = interval_parts(str(value.this), first, last)
        if found is None:
            detail = "An interval of several units is written as INTERVAL '2 03:04' DAY TO MINUTE, or '1-2' YEAR TO MONTH."
            raise self.refuse(node, "bad-value", detail)
        amount = -found if sign else found
        if first == "YEAR":
            return Typed(f"to_months({amount})", t.MONTHS, first)
        return Typed(f"to_milliseconds({amount})", t.DAYS, first)

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
            # DuckDB makes a whole number of a constant null.
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

    # Conditions -------------------------------------------------------------------------------------------------------
    def _comparison(self, node: exp.Expr, sign: str) -> Typed:
        right = node.args["expression"]
        if isinstance(right, exp.Anonymous) and str(right.this).lower() in ("all", "any", "some") and right.expressions:
            kind = exp.All if str(right.this).lower() == "all" else exp.Any
            right = kind(this=right.expressions[0].copy())
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
        # DuckDB takes NaN as the largest number, so that it is wrong only for NaN on the side that is to be larger.
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

    def common_type(self, node: exp.Expr, given: Sequence[Typed], sign: str) -> Type:
        """Return the type that values become without a cast."""
        kind: Type | None = t.UNKNOWN
        before = given[0].type
        for each in given:
            kind = common(kind, each.type) if kind is not None else None
            if kind is None:
                hint = "cast one of them"
                if {before.name, each.type.name} & set(t.MOMENTS):
                    hint = "write DATE '2020-10-15' or TIMESTAMP '2020-10-15 00:00:00'"
                detail = f"Athena cannot apply {sign} to {before} and {each.type}: {hint}."
                raise self.refuse(node, "wrong-types", detail)
            before = kind
        if kind is not None and kind.zone and sign not in OF_INSTANTS:
            self.check_zones(node, [each.type for each in given])
        return kind or t.UNKNOWN

    def check_zones(self, node: exp.Expr, kinds: Sequence[Type]) -> None:
        """Refuse values of several time zones in one place: each has its own in Athena, and a column one here."""
        zones = {kind.zone or t.UTC for kind in kinds if kind != t.UNKNOWN}
        if len(zones) > 1:
            detail = f"Values of the time zones {', '.join(sorted(zones))} meet here: use AT TIME ZONE to make them one."
            raise self.refuse(node, "not-the-same", detail)

    def _quantified(self, node: exp.Expr, sign: str, right: exp.Expr) -> Typed:
        left = self.write(node.this)
        query, kind = self._column_of(right.this, left, node, sign)
        word = "ANY" if isinstance(right, exp.Any) else "ALL"
        return Typed(f"({self.as_type(node, left, kind)} {sign} {word} ({query}))", t.BOOLEAN)

    def _column_of(self, node: exp.Expr, left: Typed, above: exp.Expr, sign: str) -> tuple[str, Type]:
        """Write a subquery of one column as the type that it has in common with a value."""
        while isinstance(node, (exp.Paren, exp.Subquery)) and not node.args.get("with_"):
            node = node.this
        if not isinstance(node, (exp.Query, exp.Values)) or self.subquery is None:
            raise self.refuse(above, "not-offered", "A subquery stands here.")
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
            return Typed(f"({self.as_type(node, left, kind)} IN ({query}))", t.BOOLEAN)
        if node.args.get("unnest") is not None or node.args.get("field") is not None or not node.expressions:
            raise self.refuse(node, "syntax", "IN takes a list or a subquery in brackets.")
        if isinstance(node.expressions[0], exp.Values):
            query, kind = self._column_of(node.expressions[0], left, node, "IN")
            return Typed(f"({self.as_type(node, left, kind)} IN ({query}))", t.BOOLEAN)
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
        """Refuse a pattern whose escape stands before another letter; DuckDB takes that letter as it is."""
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
            raise self.refuse(node, "not-offered", "A subquery cannot stand here.")
        query, _ = self.subquery(node.this, self.scope)
        return Typed(f"EXISTS ({query})", t.BOOLEAN)

    def _write_subquery(self, node: exp.Expr) -> Typed:
        return self._scalar(node)

    def _write_select(self, node: exp.Expr) -> Typed:
        return self._scalar(node)

    def _scalar(self, node: exp.Expr) -> Typed:
        if self.subquery is None:
            raise self.refuse(node, "not-offered", "A subquery cannot stand here.")
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
            first, *rest = self.alike(node, [self.write(node.this), *(self.write(each.this) for each in branches)])
            conditions = [f"{first} = {each}" for each in rest]
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

    # Casts ------------------------------------------------------------------------------------------------------------
    def _write_cast(self, node: exp.Expr) -> Typed:
        kind, length = self.type_of(node.args["to"])
        given = node.this
        if node.args.get("format") is not None:
            raise self.refuse(node, "syntax", "A cast has no FORMAT: use date_parse or date_format.")
        if not node.meta.get("call") and isinstance(given, exp.Literal) and given.args.get("is_string"):
            literal = self._moment(node, str(given.this), kind)
            if literal is not None:
                return literal
            if kind.name == "decimal" and not node.args["to"].expressions:
                return self._decimal_literal(node, str(given.this))
        return self.cast_to(node, self.write(given), kind, length)

    def cast_to(self, node: exp.Expr, found: Typed, kind: Type, length: int = 0) -> Typed:
        """Write a cast."""
        if kind.zone and found.type.zone:
            kind = replace(kind, zone=found.type.zone)
        written = cast(found.sql, found.type, kind, self.fail, length=length)
        if written is None:
            raise self.refuse(node, "wrong-types", f"A cast of {found.type} to {kind} is not offered.")
        return Typed(written, kind)

    def _write_trycast(self, node: exp.Expr) -> Typed:
        self._trying += 1
        try:
            found = self._write_cast(node)
        finally:
            self._trying -= 1
        return replace(found, sql=f"TRY({found.sql})")

    def _moment(self, node: exp.Expr, text: str, kind: Type) -> Typed | None:
        """Write a literal date or time, or raise: its form is checked here."""
        if kind.name == "date":
            if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
                raise self.refuse(node, "bad-value", "A date is written as DATE '2020-10-15'.")
            return Typed(f"CAST({quoted(text)} AS DATE)", kind)
        if kind.name not in ("timestamp", "timestamp with time zone"):
            return None
        found = re.fullmatch(
            r"(\d{4}-\d{2}-\d{2})(?: ((?:[01]\d|2[0-3]):[0-5]\d)(?::(\d{2})(?:\.(\d{1,6}))?)?)?(?: ?([A-Za-z_/]+|[+-]\d{2}:\d{2}))?",
            text,
        )
        zone = found[5] if found else None
        if not found or (zone and kind.name == "timestamp"):
            raise self.refuse(
                node, "bad-value", "A time is written as TIMESTAMP '2020-10-15 00:00:00.000', or with UTC behind."
            )
        moment = f"{found[1]} {found[2] or '00:00'}:{found[3] or '00'}{'.' + found[4] if found[4] else ''}"
        written = f"CAST({quoted(moment)} AS TIMESTAMP)"
        if kind.name == "timestamp":
            return Typed(written, replace(kind, digits=max(kind.digits, len(found[4] or ""))))
        zone = self.zone(node, zone or t.UTC)
        if zone != t.UTC:
            written = f"CAST({quoted(self._in_utc(node, moment, zone))} AS TIMESTAMP)"
        return Typed(f"timezone('UTC', {written})", t.zoned(max(kind.digits, len(found[4] or "")), zone))

    def _in_utc(self, node: exp.Expr, moment: str, zone: str) -> str:
        """Return a local time as one of UTC; of two with the same clock it is the first one."""
        try:
            local_time = dt.datetime.fromisoformat(moment).replace(tzinfo=ZoneInfo(zone))
            instant = local_time.astimezone(dt.UTC)
        except (ValueError, OverflowError):
            raise self.refuse(node, "bad-value", f"There is no time {moment}.") from None
        if instant.astimezone(ZoneInfo(zone)).replace(tzinfo=None) != local_time.replace(tzinfo=None):
            raise self.refuse(node, "bad-value", f"The clock of {zone} never shows {moment}: it was put forward.")
        return instant.replace(tzinfo=None).isoformat(sep=" ")

    def _decimal_literal(self, node: exp.Expr, text: str) -> Typed:
        found = re.fullmatch(r"([+-]?)(\d*)(?:\.(\d*))?", text.strip())
        if not found or not (found[2] or found[3]):
            raise self.refuse(node, "bad-value", "A decimal is written as DECIMAL '10.5'.")
        kind = t.decimal(len(found[2] or "") + len(found[3] or ""), len(found[3] or ""))
        return Typed(f"CAST({quoted(text.strip())} AS {t.in_duckdb(kind)})", kind)

    def zone(self, node: exp.Expr, name: str) -> str:
        """Return a zone by its name; raises `QueryError` for one that is not known."""
        if name in ("UTC", "Z", "+00:00"):
            return t.UTC
        if name not in available_timezones():
            raise self.refuse(
                node, "bad-value", f"There is no time zone {name[:40]}: write a name such as America/New_York."
            )
        return name

    def type_of(self, node: exp.Expr) -> tuple[Type, int]:
        """Return the type that a cast names, and the length of a varchar."""
        name = node.this.name if isinstance(node, exp.DataType) and hasattr(node.this, "name") else str(node)
        word = str(node.meta.get("word", "")).lower()
        if word in FOREIGN_TYPES:
            own = FOREIGN_TYPES[word]
            raise self.refuse(node, "not-offered", f"Athena has no type {word}. Use {own}.", (own,))
        given = [each.this.name for each in node.expressions if isinstance(each, exp.DataTypeParam)]
        numbers = [int(each) for each in given if each.isdigit()]
        match name:
            case "VARCHAR":
                return t.VARCHAR, numbers[0] if numbers else 0
            case "DECIMAL":
                digits, scale = (*numbers, 38, 0)[:2] if numbers else (38, 0)
                scale = numbers[1] if numbers[1:] else 0
                if not 1 <= digits <= t.MOST_DIGITS or scale > digits:
                    raise self.refuse(node, "bad-value", "A decimal has 1 to 38 digits.")
                return t.decimal(digits, scale), 0
            case "TIMESTAMP" | "TIMESTAMPTZ":
                digits = numbers[0] if numbers else 3
                if digits > 6:
                    raise self.refuse(node, "not-offered", "Times have at most 6 digits of a second here.")
                return (t.timestamp(digits) if name == "TIMESTAMP" else t.zoned(digits)), 0
            case "ARRAY" if len(node.expressions) == 1:
                return t.array(self.type_of(node.expressions[0])[0]), 0
            case "MAP" if len(node.expressions) == 2:
                return t.mapping(*(self.type_of(each)[0] for each in node.expressions)), 0
            case "STRUCT":
                names, kinds = [], []
                for number, each in enumerate(node.expressions):
                    is_named = isinstance(each, exp.ColumnDef)
                    names.append(each.name if is_named else f"field{number}")
                    kinds.append(self.type_of(each.args["kind"] if is_named else each)[0])
                return t.row(tuple(names), tuple(kinds)), 0
        if name in TYPES:
            return TYPES[name], 0
        hint = "varchar" if name in ("TEXT", "CHAR", "NCHAR", "NVARCHAR") else ""
        detail = f"The type {node.sql('trino')[:60].lower()} is not offered." + (f" Use {hint}." if hint else "")
        raise self.refuse(node, "not-offered", detail, (hint,) if hint else ())

    # Constructors -----------------------------------------------------------------------------------------------------
    def _write_array(self, node: exp.Expr) -> Typed:
        values = [self.write(each) for each in node.expressions]
        if not values:
            return Typed("[]", t.array(t.UNKNOWN))
        kind = self.common_type(node, values, "ARRAY")
        return Typed("[" + ", ".join(self.as_type(node, each, kind) for each in values) + "]", t.array(kind))

    def _write_tuple(self, node: exp.Expr) -> Typed:
        return self.row(node, [self.write(each) for each in node.expressions])

    def row(self, node: exp.Expr, values: Sequence[Typed]) -> Typed:
        """Write a row without names: Athena prints its fields as field0, field1."""
        if not values:
            raise self.refuse(node, "syntax", "A row has fields.")
        names = tuple(f"field{number}" for number in range(len(values)))
        parts = ", ".join(
            f"{named(name)}: {self.as_type(node, each, each.type)}" for name, each in zip(names, values, strict=True)
        )
        return Typed(f"{{{parts}}}", t.row(names, tuple(each.type for each in values)))

    def _write_bracket(self, node: exp.Expr) -> Typed:
        whole, (at, *_) = self.write(node.this), node.expressions
        key = self.write(at)
        if whole.type.name == "row" and key.constant and key.constant.isdigit():
            number = int(key.constant)
            if not 1 <= number <= len(whole.type.of):
                raise self.refuse(node, "wrong-types", f"The row has {len(whole.type.of)} fields.")
            return self._field(node, whole, whole.type.names[number - 1])
        if whole.type.name == "map":
            found = self.as_type(node, key, whole.type.of[0])
            absent = f"{whole.sql} IS NOT NULL AND NOT map_contains({whole.sql}, {found})"
            return Typed(
                f"CASE WHEN {absent} THEN {self.fail('Key not present in map')} ELSE {whole.sql}[{found}] END",
                whole.type.of[1],
            )
        if whole.type.name != "array":
            raise self.refuse(node, "wrong-types", f"A value of type {whole.type} has no element in brackets.")
        place_ = self.as_type(node, key, t.BIGINT)
        beyond = f"{place_} < 1 OR {place_} > len({whole.sql})"
        wrong = self.fail("Array subscripts are from 1 to the number of elements: element_at gives null beyond")
        return Typed(f"CASE WHEN {beyond} THEN {wrong} ELSE {whole.sql}[{place_}] END", whole.type.of[0])

    # Calls with their own syntax --------------------------------------------------------------------------------------
    def _write_extract(self, node: exp.Expr) -> Typed:
        part = node.this.name.lower()
        if part not in EXTRACTED:
            near = get_close_matches(part, sorted(EXTRACTED), n=3)
            raise self.refuse(node, "unknown-name", f"extract knows no {part[:40]}.", near)
        return self.call(node, part, [self.write(node.args["expression"])])

    def _write_trim(self, node: exp.Expr) -> Typed:
        name = {"LEADING": "ltrim", "TRAILING": "rtrim"}.get(str(node.args.get("position") or "").upper(), "trim")
        whole = self.write(node.this)
        if node.args.get("expression") is None:
            return self.call(node, name, [whole])
        letters = self.as_type(node, self.write(node.args["expression"]), t.VARCHAR)
        return Typed(f"{name}({self.as_type(node, whole, t.VARCHAR)}, {letters})", t.VARCHAR)

    def _write_strposition(self, node: exp.Expr) -> Typed:
        return self.call(node, "strpos", [self.write(node.this), self.write(node.args["substr"])])

    def _write_substring(self, node: exp.Expr) -> Typed:
        given = [node.this, node.args.get("start"), node.args.get("length")]
        return self.call(node, "substr", [self.write(each) for each in given if each is not None])

    def _write_attimezone(self, node: exp.Expr) -> Typed:
        return self.call(node, "at_timezone", [self.write(node.this), self.write(node.args["zone"])])

    def _write_currentuser(self, node: exp.Expr) -> Typed:
        raise self.refuse(node, "forbidden-function", "The function current_user is not available.")

    def _write_unicodestring(self, node: exp.Expr) -> Typed:
        if node.args.get("escape") or not re.fullmatch(
            r"([^\\]|\\[0-9A-Fa-f]{4}|\\\+[0-9A-Fa-f]{6}|\\\\)*", str(node.this)
        ):
            raise self.refuse(node, "not-offered", "A text of U& is written with \\0041 or \\+01F600 here.")
        text = re.sub(
            r"\\\\|\\\+([0-9A-Fa-f]{6})|\\([0-9A-Fa-f]{4})",
            lambda found: chr(int(found[1] or found[2], 16)) if found[1] or found[2] else "\\",
            str(node.this),
        )
        return Typed(quoted(text), t.VARCHAR, text)

    def _write_currentdate(self, node: exp.Expr) -> Typed:  # noqa: ARG002
        return Typed("current_date", t.DATE)

    def _write_currenttimestamp(self, node: exp.Expr) -> Typed:
        if node.this is not None:
            raise self.refuse(node, "not-offered", "current_timestamp has 3 digits of a second here.")
        return self.call(node, "now", [])

    def _write_localtimestamp(self, node: exp.Expr) -> Typed:  # noqa: ARG002
        return Typed("timezone('UTC', date_trunc('milliseconds', now()))", t.timestamp(3))

    def _write_anonymous(self, node: exp.Expr) -> Typed:
        name = str(node.this).lower()
        if self._trying and name in CALLS_OF_NULLS:
            raise self.refuse(node, "not-the-same", f"In try, {name} is not offered: put try into it.")
        if name == "try":
            return self._try(node)
        if name in WINDOWS and name not in AGGREGATES:
            raise self.refuse(node, "syntax", f"The function {name} takes an OVER clause.")
        if name in AGGREGATES or name in self.aggregates:
            return self.aggregate(node, "")
        if name not in SCALARS and name not in self.specials:
            raise self.unknown_function(node, name)
        arguments: list[Typed | Lambda] = [
            Lambda(each) if isinstance(each, exp.Lambda) else self.write(each) for each in node.expressions
        ]
        return self.call(node, name, arguments)

    def _try(self, node: exp.Expr) -> Typed:
        if len(node.expressions) != 1:
            raise self.refuse(node, "wrong-types", "try takes one expression.")
        self._trying += 1
        try:
            found = self.write(node.expressions[0])
        finally:
            self._trying -= 1
        if node.find(exp.Lambda):
            raise self.refuse(node, "not-offered", "try does not take lambdas: put it into the lambda.")
        return replace(found, sql=f"TRY({found.sql})", constant=None)

    def call(self, node: exp.Expr, name: str, arguments: Sequence[Typed | Lambda]) -> Typed:
        """Write a call of a function."""
        if name in self.specials:
            return self.specials[name](self, node, list(arguments))
        if name not in SCALARS:
            raise self.unknown_function(node, name)
        if any(isinstance(each, Lambda) for each in arguments):
            raise self.refuse(node, "wrong-types", f"{name} takes no lambda.")
        given = [each for each in arguments if isinstance(each, Typed)]
        form, bound = self.form(node, SCALARS[name], given)
        return Typed(self.filled(form, self.arguments(node, form, given, bound)), self.named_type(form.gives, bound))

    def unknown_function(self, node: exp.Expr, name: str) -> QueryError:
        """Return the error for a function that is not offered."""
        if name in REFUSED:
            return self.refuse(node, "not-the-same", f"The function {name} is not offered: {REFUSED[name]}.")
        near = get_close_matches(name[:100], offered(), n=3)
        hint = f" Did you mean {near[0]}?" if near else ""
        return self.refuse(
            node, "unknown-name", f"There is no function {name[:100]} in Athena's dialect here.{hint}", near
        )

    def form(self, node: exp.Expr, forms: Sequence[Call], given: Sequence[Typed]) -> tuple[Call, dict[str, Type]]:
        """Return the form of a function that takes these arguments, with the types that its variables are."""
        for form in sorted(forms, key=lambda each: -self._exact(each, given)):
            bound = self._bound(form, given)
            if bound is not None:
                return form, bound
        takes = "; ".join(f"{each.name}({', '.join(each.takes)}) -> {each.gives}" for each in forms[:6]).upper()
        takes = re.sub(rf"\b{forms[0].name.upper()}\(", f"{forms[0].name}(", takes)
        has = ", ".join(str(each.type) for each in given)
        raise self.refuse(node, "wrong-types", f"{forms[0].name} does not take ({has}). There is: {takes}.")

    @staticmethod
    def _exact(form: Call, given: Sequence[Typed]) -> int:
        return sum(wanted == str(each.type) for wanted, each in zip(form.takes, given, strict=False))

    def _bound(self, form: Call, given: Sequence[Typed]) -> dict[str, Type] | None:
        if len(form.takes) != len(given):
            return None
        bound: dict[str, Type] = {}
        for wanted, each in zip(form.takes, given, strict=True):
            if not _binds(wanted, each.type, bound):
                return None
        return bound

    def arguments(self, node: exp.Expr, form: Call, given: Sequence[Typed], bound: dict[str, Type]) -> list[str]:
        """Write the arguments as the types that a form takes."""
        written = []
        for wanted, each in zip(form.takes, given, strict=True):
            if wanted in ("moment", "time"):
                written.append(local(each.sql, each.type) if each.type != t.UNKNOWN else "CAST(NULL AS TIMESTAMP)")
            elif wanted == "instant":
                written.append(local(each.sql, replace(each.type, zone=t.UTC if each.type.zone else "")))
            elif wanted == "path":
                written.append(quoted(self.pattern(node, each, "json_path")))
            elif wanted == "orderable":
                written.append(each.sql)
            else:
                written.append(self.as_type(node, each, self.named_type(wanted, bound)))
        return written

    def pattern(self, node: exp.Expr, given: Typed | Lambda, reader: str) -> str:
        """Return a constant pattern, read by one of `patterns`."""
        from exports.engine.dialect import patterns

        if not isinstance(given, Typed) or given.constant is None or given.type != t.VARCHAR:
            raise self.refuse(node, "not-offered", "The pattern is a text written in the query here, not a column.")
        try:
            return str(getattr(patterns, reader)(given.constant))
        except PatternError as error:
            raise self.refuse(node, "not-offered", f"The pattern part {error} is not offered here.") from None

    def named_type(self, name: str, bound: dict[str, Type]) -> Type:
        """Return the type of a name in the table of functions."""
        if name in bound:
            return bound[name]
        if name.startswith("array("):
            return t.array(self.named_type(name[6:-1], bound))
        if name.startswith("map("):
            key, value = name[4:-1].split(",", 1)
            return t.mapping(self.named_type(key, bound), self.named_type(value, bound))
        if name == "timestamp(3) with time zone":
            return t.zoned(3)
        return Type(name)

    def filled(self, form: Call, arguments: Sequence[str]) -> str:
        """Fill a template."""

        def part(found: re.Match[str]) -> str:
            return arguments[int(found[1])] if found[1] else self.fail(found[2])

        # One pass: what an argument says is not read again.
        return re.sub(r"\$(\d)|FAIL\(([^)]*)\)", part, form.template)

    # Aggregates and windows -------------------------------------------------------------------------------------------
    def _write_filter(self, node: exp.Expr) -> Typed:
        return self.aggregate(node.this, self._filter(node))

    def _filter(self, node: exp.Expr) -> str:
        return f" FILTER (WHERE {self.boolean(node.args['expression'].this, 'FILTER')})"

    def _write_ignorenulls(self, node: exp.Expr) -> Typed:
        raise self.refuse(node, "syntax", "IGNORE NULLS stands with an OVER clause.")

    def _write_window(self, node: exp.Expr) -> Typed:
        inner, nulls, behind = node.this, "", ""
        if isinstance(inner, (exp.IgnoreNulls, exp.RespectNulls)):
            nulls = " IGNORE NULLS" if isinstance(inner, exp.IgnoreNulls) else ""
            inner = inner.this
        if isinstance(inner, exp.Filter):
            behind, inner = self._filter(inner), inner.this
        self._check_windowed(inner)
        return self.aggregate(inner, behind + " OVER " + self.window(node), nulls=nulls, windowed=True)

    def _check_windowed(self, node: exp.Expr) -> None:
        name, given = name_of(node), node.expressions
        if any(isinstance(each, exp.Distinct) for each in given):
            raise self.refuse(node, "not-offered", "DISTINCT is not offered with OVER, as on Athena.")
        places = {"lag": "an offset of 0 or more", "lead": "an offset of 0 or more", "nth_value": "a place from 1 on"}
        if name in places and given[1:]:
            place_ = self.write(given[1]).constant
            least = 1 if name == "nth_value" else 0
            if place_ is not None and re.fullmatch(r"-?\d+", place_) and int(place_) < least:
                raise self.refuse(node, "bad-value", f"{name} takes {places[name]}.")

    def window(self, node: exp.Expr) -> str:
        """Write what follows OVER."""
        parts = []
        base = node.args.get("alias")
        if base is not None:
            if not node.args.get("partition_by") and not node.args.get("order") and not node.args.get("spec"):
                return named(base.name)
            parts.append(named(base.name))
        if node.args.get("partition_by"):
            parts.append("PARTITION BY " + ", ".join(self.write(each).sql for each in node.args["partition_by"]))
        if node.args.get("order"):
            parts.append("ORDER BY " + ", ".join(self.ordered(each) for each in node.args["order"].expressions))
        if node.args.get("spec"):
            parts.append(self._frame(node.args["spec"]))
        return f"({' '.join(parts)})"

    def _frame(self, spec: exp.Expr) -> str:
        def bound(value: object, side: object) -> str:
            if isinstance(value, exp.Expr):
                found = self.write(value)
                if not t.is_whole(found.type) and not found.type.name.startswith("interval"):
                    raise self.refuse(value, "wrong-types", "A frame is a number of rows.")
                return f"{found.sql} {side}"
            return f"{value} {side}" if side else str(value)

        start = bound(spec.args.get("start"), spec.args.get("start_side"))
        kind = str(spec.args.get("kind") or "ROWS")
        if spec.args.get("exclude") is not None:
            raise self.refuse(spec, "not-offered", "EXCLUDE is not offered.")
        if spec.args.get("end") is None:
            return f"{kind} {start}"
        return f"{kind} BETWEEN {start} AND {bound(spec.args['end'], spec.args.get('end_side'))}"

    def ordered(self, node: exp.Expr) -> str:
        """Write one key of an ORDER BY; nulls come last in both directions unless the text says otherwise."""
        found = self.write(node.this)
        if found.type.name in ("map", "json"):
            raise self.refuse(node, "wrong-types", f"Values of type {found.type} have no order.")
        return found.sql + self.direction(node)

    @staticmethod
    def direction(node: exp.Expr) -> str:
        """Write the direction of a key and the place of its nulls."""
        return f"{' DESC' if node.args.get('desc') else ''} NULLS {'FIRST' if node.args.get('nulls_first') else 'LAST'}"

    def aggregate(self, node: exp.Expr, behind: str, *, nulls: str = "", windowed: bool = False) -> Typed:
        """Write an aggregate or a window function; `behind` are its FILTER and OVER."""
        if isinstance(node, exp.GroupConcat):
            return self._listagg(node, behind)
        if not isinstance(node, exp.Anonymous):
            raise self.refuse(node, "syntax", "FILTER and OVER follow a function.")
        name = str(node.this).lower()
        given, distinct, order = self._given(node)
        if name == "count" and len(given) == 1 and isinstance(given[0], exp.Star):
            given = []
        if any(isinstance(each, exp.Lambda) for each in given):
            raise self.refuse(node, "not-offered", f"{name} takes no lambda here.")
        values = [self.write(each) for each in given]
        if name in self.aggregates:
            found = self.aggregates[name](self, node, list(values))
            if found.sql:
                return self._marked(node, found, behind, distinct=distinct, order=order, nulls=nulls)
        known = AGGREGATES | WINDOWS if windowed else AGGREGATES
        if name not in known:
            if windowed and (name in SCALARS or name in self.specials):
                raise self.refuse(node, "syntax", f"The function {name} takes no OVER clause.")
            raise self.unknown_function(node, name)
        form, bound = self.form(node, known[name], values)
        if "orderable" in form.takes:
            bound["T"] = values[0].type
            if values[0].type.name in ("map", "json", "row", "array"):
                raise self.refuse(node, "wrong-types", f"{name} takes no {values[0].type}.")
        gives = self.named_type(form.gives, bound)
        template = replace(form, template=form.template.replace("$K", t.in_duckdb(gives)))
        sql = self.filled(template, self.arguments(node, form, values, bound))
        return self._marked(node, Typed(sql, gives), behind, distinct=distinct, order=order, nulls=nulls)

    def _given(self, node: exp.Expr) -> tuple[list[exp.Expr], bool, str]:
        """Return the arguments of an aggregate, whether they are distinct, and their order."""
        given = list(node.expressions)
        order = ""
        if given and isinstance(given[-1], exp.Order):
            last = given.pop()
            order = " ORDER BY " + ", ".join(self.ordered(each) for each in last.expressions)
            given.append(last.this)
        if given and isinstance(given[0], exp.Distinct):
            inner = given[0].expressions
            if len(given) > 1 or len(inner) != 1:
                raise self.refuse(node, "not-offered", "DISTINCT takes one argument here.")
            return [inner[0]], True, order
        return given, False, order

    def _marked(self, node: exp.Expr, found: Typed, behind: str, *, distinct: bool, order: str, nulls: str) -> Typed:
        """Put DISTINCT, ORDER BY, IGNORE NULLS, FILTER and OVER where a template has their marks, outside of quotes."""
        parts = re.split(r"('(?:[^']|'')*'|\"(?:[^\"]|\"\")*\")", found.sql)
        marks = {"@": "DISTINCT " if distinct else "", "^": order, "!": nulls, "~": behind}
        own = "".join(parts[::2])
        for mark, said, word in (("@", distinct, "DISTINCT"), ("^", order, "ORDER BY"), ("!", nulls, "IGNORE NULLS")):
            if said and mark not in own:
                if mark == "^" and not order:
                    continue
                if mark in "@^" and str(node.name).lower() in (
                    "min",
                    "max",
                    "bool_and",
                    "bool_or",
                    "every",
                    "any_value",
                ):
                    continue
                raise self.refuse(node, "not-offered", f"{word} is not offered in {str(node.name).lower()}.")
        for number in range(0, len(parts), 2):
            parts[number] = re.sub(r"[@^!](?!=)|(?<!\()~", lambda mark: marks[mark[0]], parts[number])
        return replace(found, sql="".join(parts), constant=None)

    def _listagg(self, node: exp.Expr, behind: str) -> Typed:
        if node.args.get("on_overflow") is not None and node.args["on_overflow"].name.upper() != "ERROR":
            raise self.refuse(node, "not-offered", "ON OVERFLOW TRUNCATE is not offered.")
        inner = node.this
        if not isinstance(inner, exp.Order):
            raise self.refuse(node, "syntax", "listagg takes WITHIN GROUP (ORDER BY ...).")
        distinct = isinstance(inner.this, exp.Distinct)
        value = self.write(inner.this.expressions[0] if distinct else inner.this)
        separator = node.args.get("separator")
        between = self.write(separator) if separator is not None else Typed("''", t.VARCHAR)
        order = ", ".join(self.ordered(each) for each in inner.expressions)
        text = self.as_type(node, value, t.VARCHAR)
        word = "DISTINCT " if distinct else ""
        return Typed(
            f"string_agg({word}{text}, {self.as_type(node, between, t.VARCHAR)} ORDER BY {order}){behind}", t.VARCHAR
        )

    _write_groupconcat = lambda self, node: self._listagg(node, "")  # noqa: E731


def name_of(node: exp.Expr) -> str:
    """Return the name of a call as it is written."""
    return str(node.this).lower() if isinstance(node, exp.Anonymous) else type(node).__name__.lower()


def _words(node: exp.Expr) -> str:
    name = {"SafeDivide": "/"}.get(type(node).__name__, type(node).__name__)
    return f"{name} ({node.sql('trino')[:40]})"


def offered() -> list[str]:
    """Return the names of all offered functions."""
    own = {"coalesce", "nullif", "if", "try", "cast", "try_cast", "extract", "position", "substring", "listagg"}
    return sorted({*SCALARS, *AGGREGATES, *WINDOWS, *Expressions.specials, *Expressions.aggregates, *own})


def _binds(wanted: str, kind: Type, bound: dict[str, Type]) -> bool:
    """Return whether a type may stand where a name of the table is wanted; bind its variables."""
    if wanted in ("T", "K", "V"):
        found = common(bound.get(wanted, t.UNKNOWN), kind)
        if found is None:
            return False
        bound[wanted] = found
        return True
    if wanted == "orderable":
        return True
    if wanted == "moment":
        return kind.name in (*t.MOMENTS, "unknown")
    if wanted in ("time", "instant"):
        return kind.name in (*t.MOMENTS[1:], "unknown") or (wanted == "instant" and kind.name == "date")
    if wanted == "path":
        return kind.name == "varchar"
    if wanted.startswith("array("):
        if kind.name == "unknown":
            return _binds(wanted[6:-1], t.UNKNOWN, bound)
        return kind.name == "array" and _binds(wanted[6:-1], kind.of[0], bound)
    if wanted.startswith("map("):
        key, value = wanted[4:-1].split(",", 1)
        return kind.name == "map" and _binds(key, kind.of[0], bound) and _binds(value, kind.of[1], bound)
    return t.becomes(kind, Type(wanted))
