"""Introspection: SHOW, DESCRIBE, EXPLAIN, and the views of `information_schema`. Pure.

Each statement is first replaced by a query on descriptions of the tables, so that the check, the guard and the limits
of queries apply to it as well. Texts are only split into tokens, which takes linear time, and never parsed. Offsets are
preserved, so that the position of an error refers to the text that was sent.

This runs in the web process, before the check in a process of its own. So nothing here may take more than linear time:
patterns of names are matched by Arrow's regular expressions, which do not backtrack.
"""

import json
import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Final, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from exports.dataset.ddl import athena_ddl
from exports.dataset.tables import Column, Kind, Table, Zone
from exports.engine.errors import QueryError, place

CATALOGUE: Final = "awsdatacatalog"
INFORMATION: Final = "information_schema"
# First words of statements that return text, not rows of tables.
UTILITIES: Final = frozenset({"show", "describe", "desc", "explain"})
OFFERED: Final = (
    "SHOW DATABASES, SHOW TABLES, SHOW COLUMNS, SHOW CREATE TABLE, SHOW PARTITIONS, SHOW TBLPROPERTIES, SHOW VIEWS, "
    "DESCRIBE and EXPLAIN"
)
# Trino's type names, as in `information_schema`, where Hive's DDL has others.
TRINO: Final[dict[Kind, str]] = {"string": "varchar"}
_TOKEN: Final = re.compile(
    r"""(?P<space>\s+|--[^\n]*|/\*.*?(?:\*/|\Z))
    |(?P<text>'(?:[^']|'')*')
    |(?P<name>"(?:[^"]|"")*"|`(?:[^`]|``)*`)
    |(?P<word>[^\W\d]\w*)
    |(?P<number>\d[\w.]*)
    |(?P<other>.)""",
    re.VERBOSE | re.DOTALL,
)


class Token(NamedTuple):
    """One token, without white space and comments: `value` is a name or text without its quotes."""

    kind: str
    value: str
    start: int
    end: int

    def is_word(self, *words: str) -> bool:
        """Return whether it is one of these keywords; a quoted name never is."""
        return self.kind == "word" and self.value.lower() in words


def tokens(sql: str) -> list[Token]:
    """Split a text; an unclosed quote becomes a token of one character, and an unclosed comment hides the rest."""
    found = []
    for match in _TOKEN.finditer(sql):
        kind, value = str(match.lastgroup), match.group()
        if kind in ("text", "name"):
            value = value[1:-1].replace(value[0] * 2, value[0])
        if kind != "space":
            found.append(Token(kind, value, *match.span()))
    return found


def matching_names(pattern: str, names: Collection[str]) -> list[str]:
    """Return the names that a regular expression matches fully, in any case; raise `ValueError` if it is invalid."""
    found = pc.match_substring_regex(pa.array(names, pa.string()), pattern=f"^(?:{pattern})$", ignore_case=True)
    return [name for name, matches in zip(names, found.to_pylist(), strict=True) if matches]


def is_utility(sql: str) -> bool:
    """Return whether the text is one of these statements, by its first word."""
    first = next(iter(tokens(sql)), None)
    return first is not None and first.is_word(*UTILITIES)


# The views of information_schema --------------------------------------------------------------------------------------
def _view(name: str, *columns: tuple[str, Kind]) -> Table:
    described = tuple(Column(column, kind, "") for column, kind in columns)
    return Table(f"{INFORMATION}.{name}", Zone.LIVE, name, "", described)


_PLACED: Final[tuple[tuple[str, Kind], ...]] = (
    ("table_catalog", "string"), ("table_schema", "string"), ("table_name", "string"),
)  # fmt: skip
SCHEMATA: Final = _view("schemata", ("catalog_name", "string"), ("schema_name", "string"))
TABLES: Final = _view("tables", *_PLACED, ("table_type", "string"))
VIEWS: Final = _view("views", *_PLACED, ("view_definition", "string"))
COLUMNS: Final = _view(
    "columns",
    *_PLACED,
    ("column_name", "string"),
    ("ordinal_position", "bigint"),
    ("column_default", "string"),
    ("is_nullable", "string"),
    ("data_type", "string"),
    ("comment", "string"),
    ("extra_info", "string"),
)
INFORMATION_TABLES: Final = (SCHEMATA, TABLES, VIEWS, COLUMNS)
_SHORT: Final = {each.title: each for each in INFORMATION_TABLES}


def information_rows(view: Table, *, database: str, offered: Sequence[Table]) -> list[list[Any]]:
    """Return the rows of one of the views, as Athena has them."""
    placed = [*((database, each.name, each) for each in offered), *((INFORMATION, each.title, each) for each in _own())]
    if view is SCHEMATA:
        return [[CATALOGUE, database.lower()], [CATALOGUE, INFORMATION]]
    if view is TABLES:
        return [[CATALOGUE, schema.lower(), name, "BASE TABLE"] for schema, name, _ in placed]
    if view is COLUMNS:
        return [
            [
                CATALOGUE, schema.lower(), name, column.name, number, None, "YES", TRINO.get(column.kind, column.kind),
                column.meaning or None, None,
            ]
            for schema, name, table in placed
            for number, column in enumerate(table.columns, start=1)
        ]  # fmt: skip
    return []


def _own() -> tuple[Table, ...]:
    return INFORMATION_TABLES


def located(sql: str) -> str:
    """Return the text with its views of `information_schema` renamed to the engine's tables."""
    found, pieces, end = tokens(sql), [], 0
    for start, stop, view in _mentions(found):
        pieces += [sql[end : found[start].start], f'"{view.name}"']
        end = found[stop].end
    return "".join([*pieces, sql[end:]])


def _mentions(found: Sequence[Token]) -> Iterator[tuple[int, int, Table]]:
    """Yield the first and last token of each mention of a view, with the view."""
    aliases = {each.value.lower() for number, each in enumerate(found) if _may_be_alias(found, number)}
    mentions = any(token.value.lower() == INFORMATION for token in found)
    number = 0
    while number < len(found):
        parts = list(_dotted(found, number))
        names = [part.value.lower() for part in parts]
        at = next((place for place in (0, 1) if names[place : place + 1] == [INFORMATION]), None)
        if at is not None and len(names) > at + 1 and names[:at] in ([], [CATALOGUE]) and names[at + 1] in _SHORT:
            yield number, number + 2 * (at + 1), _SHORT[names[at + 1]]
        elif len(names) == 2 and names[0] in _SHORT.keys() - aliases and mentions:
            # A column qualified by its view, which is not an alias in the query.
            yield number, number, _SHORT[names[0]]
        number += max(1, 2 * len(parts) - 1)


def _may_be_alias(found: Sequence[Token], number: int) -> bool:
    """Return whether a token is a name by itself, not part of a dotted one."""
    if found[number].kind not in ("word", "name"):
        return False
    before = found[number - 1].value if number else ""
    after = found[number + 1].value if number + 1 < len(found) else ""
    return before != "." and after != "."


def _dotted(found: Sequence[Token], number: int) -> Iterator[Token]:
    """Yield the parts of a dotted name that begins here."""
    while number < len(found) and found[number].kind in ("word", "name"):
        yield found[number]
        if number + 1 >= len(found) or found[number + 1].value != ".":
            return
        number += 2


# Statements -----------------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class IntrospectionQuery:
    """The query for a statement. `explain`: return its plan (`plan`), or only whether it is valid (`valid`)."""

    sql: str
    explain: str = ""


@dataclass(frozen=True)
class Catalogue:
    """The objects that statements can inspect. `folder` is the URL of the lake's tables.

    `is_whole` is false if another engine will run the statement: it knows databases that must stay hidden.
    """

    database: str
    offered: Sequence[Table]
    folder: str
    is_whole: bool = True

    def asked(self, sql: str) -> IntrospectionQuery:
        """Return the query for a text, which is the text itself if it is a query; raise `QueryError`."""
        found = tokens(sql)
        if not found or not found[0].is_word(*UTILITIES):
            return IntrospectionQuery(located(sql) if self.is_whole else sql)
        if found[-1].value == ";":
            found.pop()
        reader = _Reader(sql, found, self)
        if found[0].is_word("explain"):
            return reader.explained()
        return IntrospectionQuery(reader.shown() if found[0].is_word("show") else reader.described())


@dataclass
class _Reader:
    """A reader of one statement's tokens."""

    sql: str
    found: list[Token]
    catalogue: Catalogue
    next: int = 1

    def refuse(self, detail: str, *, code: str = "syntax", nearest: Collection[str] = ()) -> QueryError:
        """Return the error at the current token."""
        offset = self.found[self.next].start if self.next < len(self.found) else len(self.sql.rstrip())
        return QueryError(code, detail, *place(self.sql, offset), nearest=tuple(nearest))

    def has(self, *words: str) -> bool:
        """Skip the next token if it is one of these keywords; return whether it was."""
        if self.next < len(self.found) and self.found[self.next].is_word(*words):
            self.next += 1
            return True
        return False

    def end(self) -> None:
        """Raise unless all tokens were read."""
        if self.next < len(self.found):
            raise self.refuse(f"{self.found[self.next].value[:40]!r} is not understood here.")

    # Names -----------------------------------------------------------------------------------------------------------
    def name(self) -> list[str]:
        """Read a dotted name."""
        parts = [each.value for each in _dotted(self.found, self.next)]
        if not parts:
            raise self.refuse("A name is missing here.")
        self.next += 2 * len(parts) - 1
        return parts

    def database(self, parts: Sequence[str]) -> str:
        """Return the named database: the dataset's, or `information_schema`; raise `QueryError` for another."""
        *before, last = [part.lower() for part in parts]
        if before not in ([], [CATALOGUE]) or last not in (self.catalogue.database.lower(), INFORMATION):
            self.next -= 1
            raise self.refuse(
                f'There is no database {".".join(parts)[:100]}. There is "{self.catalogue.database}".',
                code="unknown-table",
                nearest=[self.catalogue.database],
            )
        return last

    def table(self) -> Table:
        """Read the name of a table; raise `QueryError`."""
        return self.found_table(self.name())

    def found_table(self, parts: Sequence[str]) -> Table:
        """Return the table of that name; raise `QueryError`."""
        *before, last = parts
        schema = self.database(before) if before else self.catalogue.database.lower()
        known = _SHORT if schema == INFORMATION else {each.name: each for each in self.catalogue.offered}
        found = {name.lower(): each for name, each in known.items()}.get(last.lower())
        if found is None or (schema == INFORMATION and not self.catalogue.is_whole):
            self.next -= 1
            nearest = get_close_matches(last, sorted(known), n=3, cutoff=0.4)
            hint = f' Did you mean "{schema}"."{nearest[0]}"?' if nearest else ""
            raise self.refuse(
                f"There is no table {'.'.join(parts)[:100]}.{hint}", code="unknown-table", nearest=nearest
            )
        return found

    def matching(self, names: Collection[str]) -> list[str]:
        """Read an optional pattern (`*` for any letters, `|` for alternatives); return the matching names."""
        said = self.has("like")
        if self.next < len(self.found) and self.found[self.next].kind == "text":
            pattern = self.found[self.next].value
            self.next += 1
            meaning = {"*": ".*", ".": ".", "|": "|"}
            return matching_names("".join(meaning.get(letter, f"\\x{{{ord(letter):x}}}") for letter in pattern), names)
        if said:
            raise self.refuse("A pattern in quotes is missing here.")
        return list(names)

    # Statements ------------------------------------------------------------------------------------------------------
    def shown(self) -> str:
        """Return the query for a SHOW."""
        ways = {
            "databases": self.databases,
            "schemas": self.databases,
            "tables": lambda: self.listed("tab_name", [each.name for each in self.catalogue.offered]),
            "views": lambda: self.listed("views", []),
            "columns": self.columns,
            "create": self.definition,
            "partitions": self.partitions,
            "tblproperties": self.properties,
        }
        for word, way in ways.items():
            if self.has(word):
                return way()
        raise self.refuse(f"This SHOW is not offered. There are {OFFERED}.", code="not-reading")

    def databases(self) -> str:
        """SHOW DATABASES."""
        if not self.catalogue.is_whole:
            raise self.refuse("Databases are listed by ListDatabases here, not by SHOW.", code="not-reading")
        if self.has("in", "from") and [part.lower() for part in self.name()] != [CATALOGUE]:
            raise self.refuse("There is one catalogue, AwsDataCatalog.", code="unknown-table")
        names = self.matching([self.catalogue.database])
        self.end()
        return _rows(["database_name"], [[name] for name in names])

    def listed(self, title: str, names: Collection[str]) -> str:
        """Return the query for SHOW TABLES and SHOW VIEWS."""
        if self.has("in", "from") and self.database(self.name()) == INFORMATION:
            names = [each.title for each in INFORMATION_TABLES] if title == "tab_name" else []
        kept = self.matching(sorted(names))
        self.end()
        return _rows([title], [[name] for name in kept])

    def columns(self) -> str:
        """SHOW COLUMNS."""
        if not self.has("in", "from"):
            raise self.refuse("SHOW COLUMNS is followed by IN and a table.")
        parts = self.name()
        if self.has("in", "from"):
            parts = [*self.name(), *parts]
        table = self.found_table(parts)
        self.end()
        return _rows(["field"], [[name] for name in table.names])

    def definition(self) -> str:
        """Return the query for SHOW CREATE TABLE."""
        if not self.has("table"):
            raise self.refuse("SHOW CREATE is followed by TABLE and its name; there are no views.")
        table = self.stored()
        self.end()
        ddl = athena_ddl(table, database=self.catalogue.database, location=self.location(table))
        return _rows(["createtab_stmt"], [[line] for line in ddl.replace(" IF NOT EXISTS", "").splitlines()])

    def partitions(self) -> str:
        """SHOW PARTITIONS."""
        table = self.stored()
        self.end()
        if not table.partition:
            self.next = len(self.found) - 1
            raise self.refuse(f"The table {table.name} has no partitions.", code="failed")
        column = _quoted_name(table.partition)
        schema, name = _quoted_name(self.catalogue.database), _quoted_name(table.name)
        # The names come from our description of the table.
        return (
            f"SELECT DISTINCT '{table.partition}=' || CAST({column} AS VARCHAR) AS partition FROM {schema}.{name} "  # noqa: S608
            "ORDER BY 1"
        )

    def properties(self) -> str:
        """SHOW TBLPROPERTIES."""
        table = self.stored()
        held = {"table_type": "ICEBERG", "format": "parquet", "write_compression": "zstd"}
        if table.partition:
            held["partitioning"] = table.partition
        if self.next < len(self.found):
            bracket, *rest = self.found[self.next :]
            if bracket.value != "(" or len(rest) != 2 or rest[0].kind != "text" or rest[1].value != ")":
                raise self.refuse("The name of one property goes in brackets and quotes.")
            held = {name: value for name, value in held.items() if name == rest[0].value}
        return _rows(["prpt_name", "prpt_value"], [[name, value] for name, value in held.items()])

    def stored(self) -> Table:
        """Read the name of a table of the lake; raise `QueryError` for one that is computed on request."""
        table = self.table()
        if table.zone is not Zone.OPEN:
            self.next -= 1
            raise self.refuse(f"{table.name} has no files: it is computed on request.", code="failed")
        return table

    def location(self, table: Table) -> str:
        """Return the folder of a table."""
        return f"{self.catalogue.folder.rstrip('/')}/{table.zone.value}/{table.name}"

    def described(self) -> str:
        """Return the query for a DESCRIBE."""
        is_formatted = self.has("extended", "formatted")
        table = self.table()
        columns = list(table.columns)
        if self.next < len(self.found):
            *_, wanted = self.name()
            columns = [column for column in columns if column.name.lower() == wanted.lower()]
            if not columns:
                self.next -= 1
                nearest = get_close_matches(wanted.lower(), table.names, n=3)
                raise self.refuse(
                    f"The table {table.name} has no column {wanted[:100]}.", code="unknown-name", nearest=nearest
                )
        self.end()
        rows = [[column.name, column.kind, column.meaning] for column in columns]
        if is_formatted:
            rows += [["", "", ""], ["# Detailed Table Information", "", ""], ["Database:", self.catalogue.database, ""]]
            if table.zone is Zone.OPEN:
                rows += [["Location:", self.location(table), ""], ["Table Type:", "ICEBERG", ""]]
        return _rows(["col_name", "data_type", "comment"], rows)

    def explained(self) -> IntrospectionQuery:
        """Return the query to explain, at its position in the text."""
        if self.has("analyze"):
            self.next -= 1
            raise self.refuse("EXPLAIN ANALYZE is not offered: EXPLAIN shows the plan.", code="not-reading")
        kind = "plan"
        if self.next < len(self.found) and self.found[self.next].value == "(":
            options = self.options()
            kind = "valid" if ["type", "validate"] in options else "plan"
        if self.next >= len(self.found):
            raise self.refuse("EXPLAIN is followed by a query.")
        if self.found[self.next].is_word(*UTILITIES):
            raise self.refuse("EXPLAIN is followed by a query, SELECT or WITH.")
        before, after = self.sql[: self.found[self.next].start], self.sql[self.found[self.next].start :]
        blank = "".join("\n" if letter == "\n" else " " for letter in before)
        sql = blank + after
        return IntrospectionQuery(located(sql) if self.catalogue.is_whole else sql, explain=kind)

    def options(self) -> list[list[str]]:
        """Read `(TYPE x, FORMAT y)`; raise `QueryError`."""
        self.next += 1
        read: list[list[str]] = [[]]
        known = {"type": ("logical", "distributed", "validate", "io"), "format": ("text", "json", "graphviz")}
        while self.next < len(self.found) and self.found[self.next].value != ")":
            token = self.found[self.next]
            if token.value == ",":
                read.append([])
            else:
                read[-1].append(token.value.lower())
            self.next += 1
        wrong = [each for each in read if len(each) != 2 or each[1] not in known.get(each[0], ())]
        if self.next >= len(self.found) or wrong:
            self.next = min(self.next, len(self.found) - 1)
            raise self.refuse("Options of EXPLAIN are (TYPE LOGICAL), (TYPE DISTRIBUTED) and (TYPE VALIDATE).")
        self.next += 1
        if any(each in (["type", "io"], ["format", "json"], ["format", "graphviz"]) for each in read):
            raise self.refuse("EXPLAIN gives text here: leave the option out, or use (TYPE VALIDATE).")
        return read


def _rows(names: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a query that returns these rows of texts, in this order."""
    named = ", ".join(_quoted_name(name) for name in names)
    if not rows:
        return f"SELECT {', '.join(f'CAST(NULL AS VARCHAR) AS {_quoted_name(name)}' for name in names)} WHERE false"
    values = ", ".join(f"({number}, {', '.join(_quoted(value) for value in row)})" for number, row in enumerate(rows))
    # The texts come from our description of the tables.
    return f'SELECT {named} FROM (VALUES {values}) AS t("place", {named}) ORDER BY "place"'  # noqa: S608


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _quoted_name(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


# Plans ----------------------------------------------------------------------------------------------------------------
# Entries of a step that a line of a plan shows. Other entries name files of the server.
_SAID: Final = (
    "Text", "Table", "Projections", "Filters", "Expression", "Groups", "Aggregates", "Join Type", "Conditions",
    "Order By", "Top", "CTE Name",
)  # fmt: skip


def plan_lines(node: Any, *, depth: int = 0) -> list[str]:
    """Return DuckDB's plan as lines, one per step, with only those entries that come from the query."""
    lines = []
    for each in node if isinstance(node, list) else [node]:
        said = each.get("extra_info", {})
        parts = [f"{name.lower()}: {_flat(said[name])}" for name in _SAID if said.get(name)] if said else []
        name = str(each.get("name", "")).strip().replace("_", " ").capitalize()
        details = f"[{'; '.join(parts)}]" if parts else ""
        lines.append(f"{'    ' * depth}- {name}{details}")
        lines += plan_lines(each.get("children", []), depth=depth + 1)
    return lines


def plan_table(table: pa.Table, kind: str) -> pa.Table:
    """Return the result of EXPLAIN from DuckDB's own; `kind` as in `IntrospectionQuery`."""
    if kind == "valid":
        return pa.table({"Valid": [True]})
    lines = plan_lines(json.loads(table.column("explain_value")[0].as_py()))
    return pa.table({"Query Plan": pa.array(lines, pa.string())})


def _flat(said: Any) -> str:
    return ", ".join(map(str, said)) if isinstance(said, list) else " ".join(str(said).split())
