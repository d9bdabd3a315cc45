"""Check what a query reaches in DuckDB's own parse: tables, functions and kinds of clauses, all by allow-list.

The parser that accepts a text is not the one that runs it, and two parsers differ. So the engine's own tree is checked
as well, with the engine's rules for names: a name of a WITH clause is visible after the end of its definition, and
within it only in the second half of a recursive one.
"""

import json
import sys
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, Final

from exports.engine.errors import QueryError, place
from exports.engine.functions import (
    BARE_REFUSED,
    BARE_UNSTEADY,
    MACROS,
    OFFERED,
    OPERATOR,
    TABLE_FUNCTIONS,
    UNSTEADY,
)

if TYPE_CHECKING:
    import duckdb

QUERIES: Final = frozenset({"SELECT_NODE", "SET_OPERATION_NODE", "RECURSIVE_CTE_NODE", "CTE_NODE"})
RELATIONS: Final = frozenset({"BASE_TABLE", "SUBQUERY", "JOIN", "TABLE_FUNCTION", "EXPRESSION_LIST", "EMPTY", "PIVOT"})
# DuckDB allows a thousand levels of expressions; each takes two or three levels of its tree's JSON.
RECURSION: Final = 6000

Node = Mapping[str, Any]


class EngineError(Exception):
    """DuckDB cannot parse the text; `error` is its own description."""

    def __init__(self, error: dict[str, Any]) -> None:
        super().__init__("DuckDB cannot parse the text")
        self.error = error


@dataclass(frozen=True)
class Reached:
    """The tables that a query reads, and whether equal tables give equal rows."""

    tables: frozenset[str]
    steady: bool


def reached(
    connection: "duckdb.DuckDBPyConnection",
    sql: str,
    *,
    schema: str,
    tables: Collection[str],
    inner: frozenset[str] = frozenset(),
) -> Reached:
    """Return what the query reads; raise `QueryError` for anything but tables of `schema` and allowed functions.

    `inner`: functions that this text may also call because it is a translation.
    """
    guard = _Guard(connection, sql, schema.lower(), {name.lower(): name for name in tables}, inner)
    for statement in _statements(connection, sql):
        guard.query(statement["node"], frozenset())
    return Reached(frozenset(guard.read), guard.steady)


def _statements(connection: "duckdb.DuckDBPyConnection", sql: str) -> list[Any]:
    found = connection.execute("SELECT CAST(json_serialize_sql(?) AS VARCHAR)", [sql]).fetchone()
    usual = sys.getrecursionlimit()
    sys.setrecursionlimit(RECURSION)
    try:
        tree: dict[str, Any] = json.loads(found[0]) if found else {"error": True}
    finally:
        sys.setrecursionlimit(usual)
    if tree["error"]:
        if tree.get("error_type") == "not implemented":
            raise QueryError("not-reading", "Only queries run here (SELECT or WITH).", 1, 1)
        raise EngineError(
            {
                "exception_type": str(tree.get("error_type", "")).title(),
                "exception_message": tree.get("error_message", ""),
                "position": tree.get("position", ""),
            }
        )
    if len(tree["statements"]) != 1:
        raise QueryError("one-statement", f"Send one statement; this text has {len(tree['statements'])}.")
    statements: list[Any] = tree["statements"]
    return statements


@dataclass
class _Guard:
    """A walk of the tree without recursion, because it may be deep: a list of nodes, each with its visible names."""

    connection: "duckdb.DuckDBPyConnection"
    sql: str
    schema: str
    tables: dict[str, str]
    inner: frozenset[str]

    def __post_init__(self) -> None:
        self.read: set[str] = set()
        self.steady = True

        self._own_names: frozenset[str] | None = None

    def query(self, node: Node, names: frozenset[str]) -> None:
        """Check a query and everything in it; `names` are those of the WITH clauses around it."""
        waiting: list[tuple[Any, frozenset[str]]] = [(node, names)]
        while waiting:
            each, seen = waiting.pop()
            if isinstance(each, list):
                waiting += [(part, seen) for part in each]
            elif isinstance(each, dict):
                waiting += self._parts(each, seen)

    def _parts(self, node: Node, seen: frozenset[str]) -> Iterator[tuple[Any, frozenset[str]]]:
        """Check one node; yield its children with the names visible to each."""
        if "cte_map" in node:
            for pair in node["cte_map"]["map"]:
                self._check_name(pair["key"])
                yield from ((value, seen) for value in pair["value"].values())
                seen |= {pair["key"].lower()}
        kind = node.get("type")
        if node.get("class") == "CONSTANT":
            return
        if "class" in node:
            self._check_expression(node)
        elif isinstance(kind, str):
            self._check_relation(node, kind, seen)
        for key, part in node.items():
            if key == "cte_map":
                continue
            if (kind == "RECURSIVE_CTE_NODE" and key == "right") or (kind == "CTE_NODE" and key == "child"):
                yield part, seen | {node["cte_name"].lower()}
            elif key == "function" and kind == "TABLE_FUNCTION":
                yield from self._of_table_function(part, seen)
            elif isinstance(part, (dict, list)):
                yield part, seen

    def _check_name(self, name: str) -> None:
        """Refuse a WITH clause named like a view of the engine: some references would ignore the clause."""
        if self._own_names is None:
            asked = "SELECT lower(view_name) FROM duckdb_views() WHERE internal AND schema_name <> 'information_schema'"
            self._own_names = frozenset(row[0] for row in self.connection.execute(asked).fetchall())
        if name.lower() in self._own_names:
            raise QueryError("unknown-table", f"The name {name} is the engine's own: give the WITH clause another one.")

    def _of_table_function(self, call: Node, seen: frozenset[str]) -> Iterator[tuple[Any, frozenset[str]]]:
        name = str(call.get("function_name", "")).lower()
        if call.get("class") != "FUNCTION" or name not in TABLE_FUNCTIONS:
            raise QueryError("forbidden-function", f"The table function {name} is not available.", *self._at(call))
        yield call["children"], seen

    def _check_relation(self, node: Node, kind: str, seen: frozenset[str]) -> None:
        if kind.endswith("_NODE"):
            if kind not in QUERIES:
                raise QueryError("not-reading", "Only queries run here (SELECT or WITH).", *self._at(node))
        elif kind == "BASE_TABLE":
            self._check_table(node, seen)
        elif kind.endswith("_REF") or ("alias" in node and "sample" in node and kind not in RELATIONS):
            raise QueryError(
                "not-reading", "A query reads tables only (no SHOW, DESCRIBE, SUMMARIZE).", *self._at(node)
            )
        if node.get("sample"):
            self.steady = False

    def _check_table(self, node: Node, seen: frozenset[str]) -> None:
        catalogue, schema, name = (str(node.get(key, "")) for key in ("catalog_name", "schema_name", "table_name"))
        if not catalogue and not schema and name.lower() in seen:
            return
        if not catalogue and schema.lower() in ("", self.schema) and name.lower() in self.tables:
            self.read.add(self.tables[name.lower()])
            return
        nearest = tuple(get_close_matches(name, sorted(self.tables.values()), n=3, cutoff=0.4))
        full = ".".join(part for part in (catalogue, schema, name) if part)
        hint = f' Did you mean "{self.schema}"."{nearest[0]}"?' if nearest else ""
        raise QueryError("unknown-table", f"There is no table {full}.{hint}", *self._at(node), nearest=nearest)

    def _check_expression(self, node: Node) -> None:
        if node["class"] == "PARAMETER":
            raise QueryError("not-reading", "A query has no parameters: write the values into the text.")
        if "function_name" in node:
            self._check_function(node, str(node["function_name"]).lower())
        elif node["class"] == "COLUMN_REF" and len(node["column_names"]) == 1:
            name = str(node["column_names"][0]).lower()
            if name in BARE_REFUSED:
                raise QueryError("forbidden-function", f"The function {name} is not available.", *self._at(node))
            self.steady = self.steady and name not in BARE_UNSTEADY

    def _check_function(self, node: Node, name: str) -> None:
        if UNSTEADY.fullmatch(name):
            self.steady = False
        if name in OFFERED or name in self.inner or OPERATOR.fullmatch(name):
            return
        if self._is_known(name):
            raise QueryError("forbidden-function", f"The function {name} is not available.", *self._at(node))
        nearest = tuple(get_close_matches(name[:100], sorted(OFFERED), n=3))
        hint = f" Did you mean {nearest[0]}?" if nearest else ""
        raise QueryError("unknown-name", f"There is no function {name}.{hint}", *self._at(node), nearest=nearest)

    def _is_known(self, name: str) -> bool:
        asked = "SELECT count(*) FROM duckdb_functions() WHERE function_name = ?"
        found = self.connection.execute(asked, [name]).fetchone()
        return bool(found and found[0]) or name in MACROS

    def _at(self, node: Node) -> tuple[int | None, int | None]:
        """Return line and column; DuckDB counts bytes, and gives its largest number for an unknown position."""
        offset = node.get("query_location")
        raw = self.sql.encode()
        if not isinstance(offset, int) or not 0 <= offset <= len(raw):
            return None, None
        return place(self.sql, len(raw[:offset].decode(errors="ignore")))
