"""The base of all writers of expressions: errors and coercions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from sqlglot import exp

from exports.engine.dialect import types as t
from exports.engine.dialect.casts import coerced
from exports.engine.dialect.relations import Relation
from exports.engine.dialect.scopes import Scope, Typed
from exports.engine.dialect.types import Type, common, quoted
from exports.engine.errors import LateError, QueryError, place

# The longest SQL for DuckDB: conditions on a part of a text repeat its SQL.
MOST_WRITTEN: Final = 400_000
# Errors that Athena finds after it has accepted a text.
LATE: Final = frozenset({"wrong-types", "bad-value", "unknown-name"})
# Nodes that turn a null into another value: the null of a failure must reach the enclosing `try`.
OF_NULLS: Final = (exp.Case, exp.If, exp.Is, exp.NullSafeEQ, exp.NullSafeNEQ, exp.Query)
COMPARISONS: Final[dict[type[exp.Expr], str]] = {
    exp.EQ: "=", exp.NEQ: "<>", exp.LT: "<", exp.LTE: "<=", exp.GT: ">", exp.GTE: ">=",
    exp.NullSafeEQ: "IS NOT DISTINCT FROM", exp.NullSafeNEQ: "IS DISTINCT FROM",
}  # fmt: skip
# Nodes that depend only on instants, not on their time zone.
OF_INSTANTS: Final = frozenset({*COMPARISONS.values(), "IN", "date_diff"})


class Writer:
    """The base writer of a text's expressions: `_write_...` is named after the node that it writes."""

    def __init__(self, sql: str) -> None:
        self.sql = sql
        self.scope = Scope()
        self._variables: list[dict[str, Typed]] = []
        self._trying = 0
        self._failures = 0
        self._written = 0
        self.subquery: Callable[[exp.Expr, Scope], tuple[str, Relation]] | None = None

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
        """Write an expression that fails the query at run time; in `try`, write a null."""
        self._failures += 1
        return "NULL" if self._trying else f"athena_error({quoted(words)})"

    def write(self, node: exp.Expr) -> Typed:
        """Type and write one expression."""
        failures = self._failures
        found = self._write(node)
        if self._trying and self._failures > failures and self.keeps_parts(node, found):
            # The null of a failure would become a part of the value.
            raise self.refuse(node, "not-the-same", "In try, a part that may fail is not offered: put try into it.")
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
        raise self.refuse(node, "not-offered", f"{_words(node)} is not offered in Athena's dialect here.")

    def keeps_parts(self, node: exp.Expr, found: Typed) -> bool:
        """Return whether a null among the parts of a node does not make its value null."""
        if isinstance(node, exp.Anonymous):
            name = name_of(node)
            return name in ("repeat", "row") or (name == "concat" and found.type.name == "array")
        return isinstance(node, (exp.Array, exp.Tuple)) or (isinstance(node, exp.DPipe) and found.type.name == "array")

    def boolean(self, node: exp.Expr, where: str) -> str:
        """Write a condition."""
        found = self.write(node)
        if found.type.name not in ("boolean", "unknown"):
            raise self.refuse(node, "wrong-types", f"{where} takes a boolean, not {found.type}.")
        return f"CAST({found.sql} AS BOOLEAN)" if found.type.name == "unknown" else found.sql

    def as_type(self, node: exp.Expr | None, found: Typed, target: Type) -> str:
        """Write a value coerced to a type."""
        if found.type.name == "unknown":
            return f"CAST(NULL AS {t.in_duckdb(target)})"
        if not t.becomes(found.type, target):
            raise self.refuse(node, "wrong-types", f"A value of type {found.type} is no {target}: cast it.")
        return coerced(found.sql, found.type, target)

    def common_type(self, node: exp.Expr, given: Sequence[Typed], sign: str) -> Type:
        """Return the common type of values; raise `QueryError` if there is none."""
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
        """Refuse values of several time zones in one column: Athena keeps the zone of each, DuckDB has one."""
        zones = {kind.zone or t.UTC for kind in kinds if kind != t.UNKNOWN}
        if len(zones) > 1:
            detail = (
                f"Values of the time zones {', '.join(sorted(zones))} meet here: use AT TIME ZONE to make them one."
            )
            raise self.refuse(node, "not-the-same", detail)


def name_of(node: exp.Expr) -> str:
    """Return the name of a call as written."""
    return str(node.this).lower() if isinstance(node, exp.Anonymous) else type(node).__name__.lower()


def _words(node: exp.Expr) -> str:
    name = {"SafeDivide": "/"}.get(type(node).__name__, type(node).__name__)
    return f"{name} ({node.sql('trino')[:40]})"
