"""Type queries, their relations and names by Athena's rules, and write them for DuckDB."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from sqlglot import exp

from exports.engine.dialect import types as t
from exports.engine.dialect.casts import interval_as_text, json_as_text
from exports.engine.dialect.expressions import Expressions
from exports.engine.dialect.functions import (  # noqa: F401  each registers its functions
    aggregates,
    arrays,
    conditions,
    formats,
    json_texts,
    lambdas,
    maps,
    moment_texts,
    moments,
    numbers,
    regular_expressions,
    sequences,
    texts,
    zones,
)
from exports.engine.dialect.relations import Output, Relation
from exports.engine.dialect.scopes import Scope, Typed
from exports.engine.dialect.types import Type, common, named, quoted
from exports.engine.dialect.words import check_words

# Types of the tables' columns, as `exports.dataset.tables` names them.
KINDS: Final[Mapping[str, Type]] = {
    "string": t.VARCHAR,
    "bigint": t.BIGINT,
    "double": t.DOUBLE,
    "boolean": t.BOOLEAN,
    "date": t.DATE,
}
SELECT_PARTS: Final = frozenset({
    "expressions", "from_", "joins", "where", "group", "having", "distinct", "order", "limit", "offset", "with_",
    "windows", "kind", "hint", "sample",
})  # fmt: skip
SET_PARTS: Final = frozenset({"this", "expression", "distinct", "order", "limit", "offset", "with_", "side", "kind"})
NAMES: Final = {"Union": "UNION", "Intersect": "INTERSECT", "Except": "EXCEPT"}


@dataclass(frozen=True)
class Translation:
    """SQL for DuckDB, with the names and types of its columns."""

    sql: str
    names: tuple[str, ...]
    types: tuple[Type, ...]


def translate(
    statement: exp.Expr, sql: str, *, schema: str, tables: Mapping[str, Sequence[tuple[str, str]]]
) -> Translation:
    """Translate a statement of Athena's dialect to DuckDB's; raise `QueryError` if rows could differ."""
    check_words(sql)
    queries = _Queries(sql, schema, {name.lower(): (name, tuple(columns)) for name, columns in tables.items()})
    written, relation = queries.query(statement, Scope())
    names = tuple(column.name or f"_col{number}" for number, column in enumerate(relation.columns))
    outer = []
    for column in relation.columns:
        value = f'"answer".{named(column.written)}'
        outer.append(_sent(queries, value, column.type))
    plain = all(
        part == f'"answer".{named(column.written)}' for part, column in zip(outer, relation.columns, strict=True)
    )
    if not plain:
        listed = ", ".join(
            f"{part} AS {named(column.written)}" for part, column in zip(outer, relation.columns, strict=True)
        )
        given = ", ".join(named(column.written) for column in relation.columns)
        written = f'SELECT {listed} FROM ({written}) AS "answer"({given})'
    return Translation(written, names, tuple(column.type for column in relation.columns))


def _with_ties(limit: exp.Expr | None) -> bool:
    """Return whether a FETCH clause has WITH TIES."""
    options = limit.args.get("limit_options") if isinstance(limit, exp.Fetch) else None
    return options is not None and bool(options.args.get("with_ties"))


def _is_row(node: exp.Expr) -> bool:
    """Return whether a row of VALUES is in brackets, or in ROW(...)."""
    if isinstance(node, exp.Tuple) and len(node.expressions) == 1:
        inner = node.expressions[0]
        if isinstance(inner, exp.Anonymous) and str(inner.this).lower() == "row":
            node.set("expressions", inner.expressions)
    return isinstance(node, exp.Tuple)


def _inside(kind: Type) -> Iterator[Type]:
    """Yield the types inside an array, a map or a row."""
    for inner in kind.of:
        yield inner
        yield from _inside(inner)


def _sent(queries: _Queries, value: str, kind: Type) -> str:
    """Write a column of the result in a type that a response can represent."""
    if kind.name == "json":
        return json_as_text(value, queries.expressions.fail)
    if any(inner.zone not in ("", t.UTC) for inner in _inside(kind)):
        detail = "A time of another zone than UTC inside an array, map or row is not offered: use AT TIME ZONE 'UTC'."
        raise queries.expressions.refuse(None, "not-offered", detail)
    if kind.name.startswith("interval"):
        return interval_as_text(value, kind)
    if kind.name == "array" and kind.of[0].name == "unknown":
        return f"CAST({value} AS VARCHAR[])"
    return value


class _Queries:
    def __init__(self, sql: str, schema: str, tables: Mapping[str, tuple[str, Sequence[tuple[str, str]]]]) -> None:
        self.expressions = Expressions(sql)
        self.expressions.subquery = self.query
        self.schema = schema
        self.tables = tables
        self._named: list[dict[str, Relation]] = []

    # Queries ----------------------------------------------------------------------------------------------------------
    def query(self, node: exp.Expr, outer: Scope) -> tuple[str, Relation]:
        """Write a query within the scope `outer`; return it with its columns."""
        clause = node.args.get("with_")
        if clause is None:
            return self._body(node, outer)
        written = []
        self._named.append({})
        try:
            recursive = bool(clause.args.get("recursive"))
            written += [self._common_table(each, outer, recursive=recursive) for each in clause.expressions]
            body, relation = self._body(node, outer)
        finally:
            self._named.pop()
        word = "WITH RECURSIVE" if clause.args.get("recursive") else "WITH"
        return f"{word} {', '.join(written)} {body}", relation

    def _common_table(self, node: exp.Expr, outer: Scope, *, recursive: bool) -> str:
        name, query = node.alias, node.this
        if node.args.get("materialized") is not None:
            raise self.expressions.refuse(node, "syntax", "A WITH clause has no MATERIALIZED.")
        given = [each.name for each in node.args["alias"].columns]
        itself = (
            recursive
            and isinstance(query, exp.Union)
            and any(each.name.lower() == name.lower() and not each.db for each in query.find_all(exp.Table))
        )
        if itself:
            if not given:
                raise self.expressions.refuse(
                    node, "syntax", "A recursive query names its columns: WITH RECURSIVE t(n) AS ..."
                )
            first, relation = self.query(query.this, outer)
            columns = self._renamed(node, name, relation.columns, given)
            self._named[-1][name.lower()] = Relation(name, columns)
            second, other = self.query(query.expression, outer)
            for one, two in zip(columns, other.columns, strict=False):
                if common(one.type, two.type) != one.type:
                    raise self.expressions.refuse(
                        node,
                        "wrong-types",
                        f"The column {one.name} of the recursion has two types: {one.type}, {two.type}.",
                    )
            word = "UNION" if query.args.get("distinct") else "UNION ALL"
            body = f"{first} {word} {second}"
        else:
            body, relation = self.query(query, outer)
            columns = self._renamed(node, name, relation.columns, given)
        self._named[-1][name.lower()] = Relation(name, columns)
        listed = ", ".join(named(column.written) for column in columns)
        return f"{named(name)}({listed}) AS ({body})"

    def _renamed(
        self, node: exp.Expr, alias: str, columns: Sequence[Output], given: Sequence[str]
    ) -> tuple[Output, ...]:
        """Return columns renamed by an alias, each with a unique name in DuckDB."""
        if given and len(given) != len(columns):
            detail = f"The alias {alias} names {len(given)} columns of {len(columns)}."
            raise self.expressions.refuse(node, "wrong-types", detail)
        found: list[Output] = []
        taken: set[str] = set()
        for number, column in enumerate(columns):
            name = given[number] if given else column.name
            written = name or f"_col{number}"
            while written.lower() in taken:
                written = f"{written}_{number}"
            taken.add(written.lower())
            found.append(Output(name, written, column.type))
        return tuple(found)

    def _body(self, node: exp.Expr, outer: Scope) -> tuple[str, Relation]:
        match node:
            case exp.Select():
                return self._select(node, outer)
            case exp.SetOperation():
                return self._set(node, outer)
            case exp.Values():
                return self._values(node, outer)
            case exp.Subquery():
                return self._brackets(node, outer)
        raise self.expressions.refuse(node, "not-offered", "Only SELECT, VALUES and WITH are queries here.")

    def _brackets(self, node: exp.Expr, outer: Scope) -> tuple[str, Relation]:
        inner, relation = self.query(node.this, outer)
        if not any(node.args.get(name) for name in ("order", "limit", "offset")):
            return f"({inner})", relation
        tail = self._tail(node, relation, Scope(outer=outer))
        return f"SELECT * FROM ({inner}){tail}", relation

    def _set(self, node: exp.Expr, outer: Scope) -> tuple[str, Relation]:
        self._only(node, SET_PARTS)
        sides = [node.this]
        operations: list[exp.Expr] = []
        each: exp.Expr = node
        while isinstance(each, type(node)) and not (
            each is not node and (each.args.get("order") or each.args.get("limit"))
        ):
            operations.append(each)
            if not isinstance(each.this, type(node)):
                break
            each = each.this
        sides = [operations[-1].this, *(step.args["expression"] for step in reversed(operations))]
        written = [self.query(side, outer) for side in sides]
        first = written[0][1]
        kinds: list[Type] = [column.type for column in first.columns]
        for _, relation in written[1:]:
            if len(relation.columns) != len(kinds):
                detail = f"The sides have {len(kinds)} and {len(relation.columns)} columns."
                raise self.expressions.refuse(node, "wrong-types", detail)
            for number, column in enumerate(relation.columns):
                wider = common(kinds[number], column.type)
                if wider is None:
                    detail = f"Column {number + 1} is {kinds[number]} on one side and {column.type} on the other."
                    raise self.expressions.refuse(node, "wrong-types", detail)
                if wider.zone:
                    self.expressions.check_zones(node, [kinds[number], column.type])
                kinds[number] = wider
        parts = [self._as(query, relation, kinds) for query, relation in written]
        text = parts[0]
        for step, part in zip(reversed(operations), parts[1:], strict=True):
            word = NAMES[type(step).__name__] + ("" if step.args.get("distinct") else " ALL")
            text = f"{text} {word} {part}"
        columns = self._renamed(
            node, "", [replace(column, type=kind) for column, kind in zip(first.columns, kinds, strict=True)], ()
        )
        relation = Relation("", columns)
        return text + self._tail(node, relation, Scope(outer=outer)), relation

    def _as(self, query: str, relation: Relation, kinds: Sequence[Type]) -> str:
        """Write one side of a set operation with the types of the result."""
        if all(column.type == kind for column, kind in zip(relation.columns, kinds, strict=True)):
            return f"({query})"
        names = [f"c{number}" for number in range(len(kinds))]
        cast = ", ".join(
            f"{self._wider(Typed(named(name), column.type), kind)} AS {named(name)}"
            for name, column, kind in zip(names, relation.columns, kinds, strict=True)
        )
        return f'(SELECT {cast} FROM ({query}) AS "side"({", ".join(map(named, names))}))'

    def _wider(self, found: Typed, kind: Type) -> str:
        if found.type == t.UNKNOWN:
            return f"CAST({found.sql} AS {t.in_duckdb(kind)})"
        return self.expressions.as_type(None, found, kind)

    def _values(self, node: exp.Expr, outer: Scope) -> tuple[str, Relation]:
        own, before = self.expressions, self.expressions.scope
        own.scope = Scope(outer=outer)
        try:
            rows = [
                [own.write(each) for each in (row.expressions if _is_row(row) else [row])] for row in node.expressions
            ]
        finally:
            own.scope = before
        if len({len(row) for row in rows}) != 1:
            raise own.refuse(node, "wrong-types", "The rows of VALUES have different numbers of columns.")
        kinds = [own.common_type(node, [row[number] for row in rows], "VALUES") for number in range(len(rows[0]))]
        written = ", ".join(
            "(" + ", ".join(own.as_type(node, each, kind) for each, kind in zip(row, kinds, strict=True)) + ")"
            for row in rows
        )
        columns = tuple(Output(None, f"_col{number}", kind) for number, kind in enumerate(kinds))
        listed = ", ".join(named(column.written) for column in columns)
        relation = Relation("", columns)
        return f'SELECT * FROM (VALUES {written}) AS "rows"({listed})' + self._tail(
            node, relation, Scope(outer=outer)
        ), relation

    def _only(self, node: exp.Expr, known: frozenset[str]) -> None:
        for name, value in node.args.items():
            if name not in known and value:
                words = {
                    "qualify": "QUALIFY",
                    "match": "MATCH_RECOGNIZE",
                    "laterals": "LATERAL VIEW",
                    "pivots": "PIVOT",
                }
                raise self.expressions.refuse(
                    node,
                    "not-offered",
                    f"{words.get(name, name.upper().strip('_'))} is not offered in Athena's dialect here.",
                )

    def _select(self, node: exp.Expr, outer: Scope) -> tuple[str, Relation]:
        self._only(node, SELECT_PARTS)
        own, before = self.expressions, self.expressions.scope
        scope = Scope(outer=outer)
        own.scope = scope
        try:
            source = self._from(node, scope)
            where = f" WHERE {own.boolean(node.args['where'].this, 'WHERE')}" if node.args.get("where") else ""
            columns, items = self._items(node, scope)
            group = self._group(node.args["group"], len(items)) if node.args.get("group") else ""
            having = f" HAVING {own.boolean(node.args['having'].this, 'HAVING')}" if node.args.get("having") else ""
            windows = self._windows(node)
            relation = Relation("", self._renamed(node, "", columns, ()))
            listed = ", ".join(
                f"{item} AS {named(column.written)}" for item, column in zip(items, relation.columns, strict=True)
            )
            ties = self._ties(node, relation, scope, items)
            distinct = ""
            if node.args.get("distinct"):
                if node.args["distinct"].args.get("on") is not None:
                    raise own.refuse(node, "not-offered", "DISTINCT ON is not offered.")
                distinct = "DISTINCT "
            tail = self._tail(node, relation, scope, items)
            return f"SELECT {distinct}{listed}{source}{where}{group}{having}{windows}{ties}{tail}", relation
        finally:
            own.scope = before

    def _windows(self, node: exp.Expr) -> str:
        found = node.args.get("windows") or ()
        written = [f"{named(each.name)} AS {self.expressions.window(each)}" for each in found]
        return f" WINDOW {', '.join(written)}" if written else ""

    def _items(self, node: exp.Expr, scope: Scope) -> tuple[list[Output], list[str]]:
        columns: list[Output] = []
        items: list[str] = []
        for each in node.expressions:
            star = each.this if isinstance(each, exp.Column) else each
            if isinstance(star, exp.Star):
                if any(star.args.get(name) for name in ("except_", "replace", "rename")):
                    raise self.expressions.refuse(
                        each, "not-offered", "EXCEPT, REPLACE and RENAME of a star are not offered."
                    )
                table = (
                    each.args["table"].name.lower() if isinstance(each, exp.Column) and each.args.get("table") else ""
                )
                self._star(each, table, scope, columns, items)
                continue
            found = self.expressions.write(each)
            name = self._name_of(each)
            columns.append(Output(name, "", found.type))
            items.append(found.sql if found.type != t.UNKNOWN else f"CAST({found.sql} AS VARCHAR)")
        if not items:
            raise self.expressions.refuse(node, "syntax", "SELECT names columns.")
        return columns, items

    def _star(self, node: exp.Expr, table: str, scope: Scope, columns: list[Output], items: list[str]) -> None:
        found = [each for each in scope.relations if not table or each.alias.lower() == table]
        if not found:
            detail = f"There is no table {table} in this query." if table else "SELECT * needs a FROM clause."
            raise self.expressions.refuse(node, "unknown-name" if table else "syntax", detail)
        merged = scope.merged if not table else {}
        for name, typed in merged.items():
            columns.append(Output(name, "", typed.type))
            items.append(typed.sql)
        for relation in found:
            for column in relation.columns:
                name = (column.name or "").lower()
                if table and (relation.alias.lower(), name) in scope.hidden:
                    detail = f"The column {name} of USING belongs to no table: name the columns instead of {table}.*."
                    raise self.expressions.refuse(node, "not-offered", detail)
                if name in merged:
                    continue
                columns.append(Output(column.name, "", column.type))
                items.append(f"{named(relation.alias)}.{named(column.written)}")

    @staticmethod
    def _name_of(node: exp.Expr) -> str | None:
        """Return the heading of a column as written in the query."""
        if isinstance(node, exp.Alias):
            return str(node.alias)
        if isinstance(node, exp.Column):
            return str(node.name)
        if isinstance(node, exp.Dot):
            return str(node.expression.name)
        return None

    # Grouping and order -----------------------------------------------------------------------------------------------
    def _group(self, node: exp.Expr, count: int) -> str:
        if node.args.get("all") or node.args.get("totals"):
            raise self.expressions.refuse(
                node, "not-offered", "GROUP BY ALL is not offered: name the columns, or their numbers."
            )
        keys = [self._grouped(each, count) for each in node.expressions]
        for name in ("grouping_sets", "cube", "rollup"):
            keys += [self._grouped(each, count) for each in node.args.get(name) or ()]
        return f" GROUP BY {', '.join(keys)}"

    def _grouped(self, node: exp.Expr, count: int) -> str:
        match node:
            case exp.Cube() | exp.Rollup() | exp.GroupingSets():
                word = {"Cube": "CUBE", "Rollup": "ROLLUP", "GroupingSets": "GROUPING SETS"}[type(node).__name__]
                return f"{word} ({', '.join(self._grouped(each, count) for each in node.expressions)})"
            case exp.Tuple():
                return f"({', '.join(self._grouped(each, count) for each in node.expressions)})"
            case exp.Paren():
                return f"({self._grouped(node.this, count)})"
            case exp.Literal():
                return self._ordinal(node, count)
        return self.expressions.write(node).sql

    def _ordinal(self, node: exp.Expr, count: int) -> str:
        text = str(node.this)
        if node.args.get("is_string") or not text.isdigit() or not 1 <= int(text) <= count:
            raise self.expressions.refuse(
                node, "unknown-name", f"There is no column {text[:20]}: the query has {count}."
            )
        return text

    def _tail(self, node: exp.Expr, relation: Relation, scope: Scope, items: Sequence[str] = ()) -> str:
        """Write ORDER BY, OFFSET and LIMIT."""
        text = ""
        if node.args.get("order"):
            keys = [self._key(each, relation, scope, items) for each in node.args["order"].expressions]
            if node.args.get("distinct") and items:
                self._check_order(node, keys, items)
            text += f" ORDER BY {', '.join(keys)}"
        limit, offset = node.args.get("limit"), node.args.get("offset")
        if isinstance(limit, exp.Fetch):
            options = limit.args.get("limit_options")
            if options is not None and options.args.get("percent"):
                raise self.expressions.refuse(
                    limit, "not-offered", "FETCH FIRST takes a number of rows, no percentage."
                )
            count = limit.args.get("count")
            if count is not None and str(count.this) == "0":
                raise self.expressions.refuse(limit, "bad-value", "FETCH FIRST takes a number of rows above 0.")
            if not _with_ties(limit):
                text += f" LIMIT {self._count(limit.args.get('count') or exp.Literal.number(1))}"
            elif not items:
                detail = "Put what FETCH FIRST ... WITH TIES follows into a subquery of its own."
                raise self.expressions.refuse(limit, "not-offered", detail)
        elif limit is not None and not (
            isinstance(limit.expression, exp.Var) and limit.expression.name.upper() == "ALL"
        ):
            text += f" LIMIT {self._count(limit.expression)}"
        if offset is not None:
            text += f" OFFSET {self._count(offset.expression)}"
        return text

    def _ties(self, node: exp.Expr, relation: Relation, scope: Scope, items: Sequence[str]) -> str:
        """Write FETCH FIRST ... WITH TIES: the rows whose rank is among the first ones."""
        limit = node.args.get("limit")
        if not _with_ties(limit):
            return ""
        if not node.args.get("order") or node.args.get("distinct") or node.args.get("offset"):
            detail = "FETCH FIRST ... WITH TIES takes ORDER BY here, without DISTINCT and OFFSET."
            raise self.expressions.refuse(limit, "syntax", detail)
        keys = []
        for each in node.args["order"].expressions:
            key = self._key(each, relation, scope, items)
            number, space, direction = key.partition(" ")
            keys.append(f"{items[int(number) - 1]}{space}{direction}" if number.isdigit() else key)
        count = self._count(limit.args.get("count") or exp.Literal.number(1)) if limit is not None else ""
        return f" QUALIFY rank() OVER (ORDER BY {', '.join(keys)}) <= {count}"

    def _check_order(self, node: exp.Expr, keys: Sequence[str], items: Sequence[str]) -> None:
        for key in keys:
            plain = re.sub(r"( DESC)? NULLS (FIRST|LAST)$", "", key)
            if not plain.isdigit() and plain not in items:
                detail = "With SELECT DISTINCT, ORDER BY takes only expressions of the SELECT list."
                raise self.expressions.refuse(node.args["order"], "wrong-types", detail)

    def _count(self, node: exp.Expr) -> str:
        if not isinstance(node, exp.Literal) or not str(node.this).isdigit():
            raise self.expressions.refuse(node, "not-offered", "LIMIT and OFFSET take a whole number.")
        return str(node.this)

    def _key(self, node: exp.Expr, relation: Relation, scope: Scope, items: Sequence[str]) -> str:
        """Write one key of ORDER BY: a number, a column of the result, or an expression of both kinds of names."""
        own, key = self.expressions, node.this
        if isinstance(key, exp.Literal):
            return self._ordinal(key, len(relation.columns)) + own.direction(node)
        if isinstance(key, exp.Column) and not key.args.get("table"):
            found = [
                number
                for number, each in enumerate(relation.columns, 1)
                if (each.name or "").lower() == key.name.lower()
            ]
            if len(found) == 1:
                return str(found[0]) + own.direction(node)
            if found:
                raise own.refuse(key, "unknown-name", f"The column {key.name} is ambiguous: the query has it twice.")
        before, own.scope = own.scope, scope
        outputs = {
            each.name.lower(): Typed(f"({item})", each.type)
            for each, item in zip(relation.columns, items, strict=False)
            if each.name
        }
        if not items:
            outputs = {
                each.name.lower(): Typed(named(each.written), each.type) for each in relation.columns if each.name
            }
        scope.outputs, before_outputs = outputs, scope.outputs
        try:
            return own.ordered(node)
        finally:
            own.scope, scope.outputs = before, before_outputs

    # Relations --------------------------------------------------------------------------------------------------------
    def _from(self, node: exp.Expr, scope: Scope) -> str:
        start = node.args.get("from_")
        if start is None:
            return ""
        written, relation = self._relation(start.this, scope)
        scope.relations.append(relation)
        text = f" FROM {written}"
        if node.args.get("sample"):  # of the one relation
            if node.args.get("joins"):
                raise self.expressions.refuse(
                    node.args["sample"], "not-offered", "Put the TABLESAMPLE in a subquery of its own."
                )
            text += self._sample(node)
        for join in (*(start.this.args.get("joins") or ()), *(node.args.get("joins") or ())):
            text += self._join(join, scope)
        return text

    def _join(self, node: exp.Expr, scope: Scope) -> str:
        own = self.expressions
        method, side, kind = (str(node.args.get(name) or "").upper() for name in ("method", "side", "kind"))
        if method or kind not in ("", "CROSS", "INNER", "OUTER") or side not in ("", "LEFT", "RIGHT", "FULL"):
            raise own.refuse(
                node,
                "not-offered",
                f"A join of the kind {method or kind} is not offered: name the columns in ON or USING.",
            )
        written, relation = self._relation(node.this, scope)
        if any(each.alias.lower() == relation.alias.lower() for each in scope.relations):
            raise own.refuse(node, "unknown-name", f"Two tables are named {relation.alias}: give one an alias.")
        using, on = node.args.get("using"), node.args.get("on")
        if using:
            text = self._using(node, [each.name for each in using], relation, scope, side)
        scope.relations.append(relation)
        lateral = isinstance(node.this, (exp.Unnest, exp.Lateral)) or "LATERAL" in written[:9]
        if kind == "CROSS" or (not on and not using):
            if side or kind == "INNER" or (not kind and self._after_join(node)):
                raise own.refuse(node, "syntax", "A join needs ON or USING.")
            return f" CROSS JOIN {written}"
        word = {"": "INNER", "LEFT": "LEFT", "RIGHT": "RIGHT", "FULL": "FULL"}[side]
        if lateral and side not in ("", "LEFT"):
            raise own.refuse(node, "not-offered", "UNNEST follows CROSS JOIN or LEFT JOIN.")
        if using:
            return f" {word} JOIN {written} USING ({text})"
        return f" {word} JOIN {written} ON {own.boolean(on or exp.false(), 'ON')}"

    def _after_join(self, node: exp.Expr) -> bool:
        """Return whether a relation follows the word JOIN, not a comma."""
        starts = [start for each in node.walk() if isinstance(start := each.meta.get("start"), int)]
        before = self.expressions.sql[: min(starts)] if starts else ""
        return bool(re.search(r"\bJOIN[\s(]*((LATERAL|UNNEST|SELECT|VALUES)[\s(]*)*[\s(\"']*$", before, re.IGNORECASE))

    def _using(self, node: exp.Expr, names: Sequence[str], relation: Relation, scope: Scope, side: str) -> str:
        """Merge the columns of USING, so that the query sees each once."""
        for name in names:
            right = [column for column in relation.columns if (column.name or "").lower() == name.lower()]
            left = [
                Typed(f"{named(each.alias)}.{named(column.written)}", column.type)
                for each in scope.relations
                for column in each.columns
                if (column.name or "").lower() == name.lower()
            ]
            if name.lower() in scope.merged:
                left = [scope.merged[name.lower()]]
            if len(left) != 1 or len(right) != 1:
                raise self.expressions.refuse(
                    node, "unknown-name", f"USING takes columns that both sides have: {name}."
                )
            if left[0].type != right[0].type:
                raise self.expressions.refuse(
                    node, "wrong-types", f"The column {name} is {left[0].type} and {right[0].type}: use ON."
                )
            if right[0].type.name in ("real", "double"):
                raise self.expressions.refuse(
                    node, "not-the-same", f"USING takes no {right[0].type} here, because of NaN: use ON."
                )
            other = f"{named(relation.alias)}.{named(right[0].written)}"
            value = {"": left[0].sql, "LEFT": left[0].sql, "RIGHT": other}.get(
                side, f"coalesce({left[0].sql}, {other})"
            )
            scope.merged[name.lower()] = Typed(value, left[0].type)
            scope.hidden |= {(each.alias.lower(), name.lower()) for each in (*scope.relations, relation)}
        return ", ".join(named(name) for name in names)

    def _relation(self, node: exp.Expr, scope: Scope) -> tuple[str, Relation]:
        match node:
            case exp.Table():
                return self._table(node)
            case exp.Unnest():
                return self._unnest(node)
            case exp.Lateral():
                return self._lateral(node, scope)
            case exp.Subquery() | exp.Values():
                return self._derived(node, scope)
            case exp.Paren():
                return self._relation(node.this, scope)
            case exp.TableSample():
                return self._relation(node.this, scope)
        raise self.expressions.refuse(node, "not-offered", "FROM is followed by a table, a subquery or UNNEST.")

    def _lateral(self, node: exp.Expr, scope: Scope) -> tuple[str, Relation]:
        if not isinstance(node.this, exp.Subquery):
            raise self.expressions.refuse(node, "not-offered", "LATERAL takes a subquery.")
        query, relation = self.query(node.this.this, scope)
        return self._under(node, f"LATERAL ({query})", relation.columns)

    def _derived(self, node: exp.Expr, scope: Scope) -> tuple[str, Relation]:
        if node.args.get("pivots"):
            raise self.expressions.refuse(node, "not-offered", "PIVOT is not offered.")
        if isinstance(node, exp.Subquery):
            if isinstance(node.this, (exp.Table, exp.Unnest)) or not isinstance(node.this, (exp.Query, exp.Values)):
                raise self.expressions.refuse(
                    node, "not-offered", "Joins in brackets are not offered: write them in a row."
                )
            query, relation = self.query(node.this, scope.outer or Scope())
        else:
            query, relation = self._values(node, scope.outer or Scope())
        text, relation = self._under(node, f"({query})", relation.columns)
        return text + self._sample(node), relation

    def _under(self, node: exp.Expr, text: str, columns: Sequence[Output]) -> tuple[str, Relation]:
        alias = node.args.get("alias")
        name = alias.name if alias is not None and alias.this is not None else f"_q{id(node)}"
        given = [each.name for each in alias.columns] if alias is not None else []
        renamed = self._renamed(node, name, columns, given)
        listed = ", ".join(named(column.written) for column in renamed)
        return f"{text} AS {named(name)}({listed})", Relation(name, renamed)

    def _sample(self, node: exp.Expr) -> str:
        sample = node.args.get("sample")
        if sample is None:
            return ""
        method = sample.args["method"].name.upper() if sample.args.get("method") is not None else ""
        percent = sample.args.get("percent")
        if (
            method not in ("BERNOULLI", "SYSTEM")
            or not isinstance(percent, exp.Literal)
            or not 0 <= float(percent.this) <= 100
        ):
            raise self.expressions.refuse(
                node, "not-offered", "TABLESAMPLE takes BERNOULLI (10) or SYSTEM (10), a percentage."
            )
        return f" TABLESAMPLE {method.lower()}({percent.this} PERCENT)"

    def _table(self, node: exp.Table) -> tuple[str, Relation]:
        for name in ("version", "when", "pivots", "laterals", "only", "partition", "changes"):
            if node.args.get(name):
                detail = (
                    "Past versions are not read in SQL: as_of of the query reads them."
                    if name in ("version", "when")
                    else f"{name.upper()} is not offered."
                )
                raise self.expressions.refuse(node, "not-offered", detail)
        if isinstance(node.this, exp.Func):
            name = str(node.this.name or node.this.sql_name())
            detail = f"There is no table function {name} in Athena's dialect here: use UNNEST(sequence(1, n)) AS t(i)."
            raise self.expressions.refuse(node, "forbidden-function", detail)
        alias = node.args.get("alias")
        name = alias.name if alias is not None and alias.this is not None else node.name
        given = [each.name for each in alias.columns] if alias is not None else []
        found = (
            None
            if node.db or node.catalog
            else next((names[node.name.lower()] for names in reversed(self._named) if node.name.lower() in names), None)
        )
        if found is not None:
            written, columns = named(found.alias), found.columns
        else:
            own, kinds = self.tables[node.name.lower()]
            written = f"{named(self.schema)}.{named(own)}"
            columns = tuple(Output(column, column, KINDS[kind]) for column, kind in kinds)
        renamed = self._renamed(node, name, columns, given) if given else tuple(columns)
        listed = f"({', '.join(named(column.written) for column in renamed)})" if given else ""
        return f"{written} AS {named(name)}{listed}" + self._sample(node), Relation(name, renamed)

    def _unnest(self, node: exp.Expr) -> tuple[str, Relation]:
        """Write UNNEST as a lateral query; of several arrays, the shorter ones are padded with nulls."""
        own = self.expressions
        values = [own.write(each) for each in node.expressions]
        inner, outer, lengths = [], [], []
        columns: list[Output] = []
        for number, value in enumerate(values):
            place = f'"u{number}"'
            if value.type.name == "map":
                inner += [
                    f'unnest(map_keys({value.sql})) AS "u{number}k"',
                    f'unnest(map_values({value.sql})) AS "u{number}v"',
                ]
                outer += [f'"u{number}k"', f'"u{number}v"']
                columns += [Output(None, "", kind) for kind in value.type.of]
                lengths.append(f"len(map_keys({value.sql}))")
                continue
            if value.type.name != "array":
                raise own.refuse(node, "wrong-types", f"UNNEST takes arrays and maps, not {value.type}.")
            lengths.append(f"len({value.sql})")
            inner.append(f"unnest({value.sql}) AS {place}")
            element = value.type.of[0]
            if element.name == "row":
                outer += [f"struct_extract({place}, {quoted(name)})" for name in element.names]
                columns += [Output(name, "", kind) for name, kind in zip(element.names, element.of, strict=True)]
            else:
                outer.append(place)
                columns.append(Output(None, "", element))
        alias = node.args.get("alias")
        given = [each.name for each in alias.columns] if alias is not None else []
        if node.args.get("offset"):
            longest = f"greatest({', '.join(f'coalesce({each}, 0)' for each in lengths)})"
            inner.append(f'unnest(range(1, {longest} + 1)) AS "un"')
            outer.append('"un"')
            columns.append(Output(None, "", t.BIGINT))
            if isinstance(node.args["offset"], exp.Identifier):
                given.append(node.args["offset"].name)
        name = alias.name if alias is not None and alias.this is not None else f"_q{id(node)}"
        renamed = self._renamed(node, name, columns, given)
        listed = ", ".join(f"{value} AS {named(column.written)}" for value, column in zip(outer, renamed, strict=True))
        query = f'LATERAL (SELECT {listed} FROM (SELECT {", ".join(inner)}) AS "inner") AS {named(name)}'
        return query, Relation(name, renamed)
