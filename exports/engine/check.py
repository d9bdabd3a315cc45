"""Check a query in its dialect: one statement that only reads, from allowed tables.

The check runs in the query's own process, because some short texts take minutes to parse. A text in DuckDB's dialect
runs unchanged; one in Athena's is first translated by `dialect`. This check is never the only protection between a
query and a file: `guard`, which checks DuckDB's own parse of what runs, and DuckDB's locks apply as well.
"""

from collections.abc import Collection
from difflib import get_close_matches
from typing import Final

from sqlglot import exp
from sqlglot.errors import ParseError, TokenError

from exports.engine.errors import QueryError
from exports.engine.limits import MAX_CHARACTERS
from exports.engine.parse import Dialect, TooDeepError, parse

NO_VALUE: Final = (
    "A ? has no value: Athena's protocol takes one for each in ExecutionParameters, and elsewhere the value is written "
    "into the text."
)
PREPARED: Final = (
    "Prepared statements are not kept here: send the query itself. Athena's protocol takes values for its ? in "
    "ExecutionParameters."
)
INTERNAL: Final = "The text is not SQL in this dialect"
TOO_DEEP: Final = (
    "The query is nested too deeply: some 30 brackets or calls within each other are understood, 10 of ARRAY, ROW and "
    "MAP. Name the inner parts in a WITH clause."
)
# Athena's own name of the catalogue, in lower case.
CATALOGUE: Final = "awsdatacatalog"
# Allowed table functions.
TABLE_FUNCTIONS: Final = frozenset({"unnest", "generate_series", "range", "generate_date_array", "explode"})


def check(sql: str, *, dialect: Dialect, schema: str, tables: Collection[str]) -> exp.Expr:
    """Return the parsed text; raise `QueryError` unless it is one reading statement on tables of `schema`."""
    if len(sql) > MAX_CHARACTERS:
        raise QueryError("too-long", f"A query has at most {MAX_CHARACTERS:,} characters.")
    if "\x00" in sql:
        raise QueryError("syntax", "A query holds no null characters.", *_place_of(sql, "\x00"))
    statement = _parsed(sql, dialect)
    for node in statement.walk():
        if isinstance(node, exp.Table):
            _check_table(sql, node, schema, tables)
        elif isinstance(node, exp.With) and node.args.get("udfs"):
            detail = "A query defines no functions here: write the expression where it is needed."
            raise QueryError("not-offered", detail, *_place_of(sql, "FUNCTION"))
        elif isinstance(node, exp.With) and node.args.get("search"):
            word = node.args["search"].args["kind"].upper()
            detail = f"A WITH clause has no {word} here: number the rows in the clause and sort by that."
            raise QueryError("not-offered", detail, *_place_of(sql, word))
        elif isinstance(node, exp.Placeholder) and not node.this:
            raise QueryError("not-reading", NO_VALUE)
        elif isinstance(node, (exp.Into, exp.Lock, exp.Command, exp.Parameter, exp.Placeholder, exp.SessionParameter)):
            raise QueryError("not-reading", "A query only reads; it has no INTO, locks or parameters.")
    return statement


def _parsed(sql: str, dialect: Dialect) -> exp.Expr:
    try:
        statements = parse(sql, dialect)
    except ParseError as error:
        found = error.errors[0] if error.errors else {}
        highlight = str(found.get("highlight") or "")
        line, end = found.get("line"), found.get("col")
        # The parser reports the end of the word that it rejects.
        column = max(1, end - len(highlight) + 1) if isinstance(end, int) else None
        first = (sql.split(None, 1) or [""])[0][:20].upper()
        near = tuple(get_close_matches(first, ("SELECT", "WITH", "VALUES"), n=1))
        if near and near[0] != first:
            detail = f"A query begins with SELECT or WITH, not {first}."
            raise QueryError("syntax", detail, *_place_of(sql, first), nearest=near) from None
        detail = str(found.get("description") or INTERNAL)
        if "sqlglot" in detail:
            detail = INTERNAL
        detail = detail.partition(" but got <")[0]
        raise QueryError(
            "syntax", f"{detail} near {highlight!r}." if highlight else f"{detail}.", line, column
        ) from None
    except TokenError:
        raise QueryError("syntax", "A quote or a comment is not closed.") from None
    except TooDeepError:
        raise QueryError("too-deep", TOO_DEEP) from None
    if len(statements) != 1:
        raise QueryError("one-statement", f"Send one statement; this text has {len(statements)}.")
    statement = statements[0]
    if not isinstance(statement, (exp.Query, exp.Values)):
        word = sql.split(None, 1)[0].upper() if sql.split() else ""
        if word in ("PREPARE", "EXECUTE", "DEALLOCATE"):
            raise QueryError("not-reading", PREPARED, 1, 1)
        raise QueryError("not-reading", f"Only queries run here (SELECT or WITH), not {word[:20]}.", 1, 1)
    return statement


def _check_table(sql: str, node: exp.Table, schema: str, tables: Collection[str]) -> None:
    if isinstance(node.this, exp.Func):
        if _name(node.this) not in TABLE_FUNCTIONS:
            raise QueryError(
                "forbidden-function",
                f"The table function {_name(node.this)} is not available.",
                *_place(sql, node.this),
            )
        return
    name = node.name
    if not name:
        detail = "Joins in brackets are not offered here: write them one behind the other, or in a subquery."
        raise QueryError("not-offered", detail)
    if not node.db and not node.catalog and name.lower() in _common_tables(node):
        return
    if (
        node.catalog.lower() in (("", CATALOGUE) if node.db else ("",))
        and node.db.lower() in ("", schema.lower())
        and name.lower() in {each.lower() for each in tables}
    ):
        return
    nearest = tuple(get_close_matches(name, sorted(tables), n=3, cutoff=0.4))
    full = ".".join(part.name for part in node.parts)
    hint = f' Did you mean "{schema}"."{nearest[0]}"?' if nearest else ""
    raise QueryError("unknown-table", f"There is no table {full}.{hint}", *_place(sql, node.this), nearest=nearest)


def _common_tables(node: exp.Expr) -> set[str]:
    """Return the names of WITH clauses that a table sees.

    A clause is visible after its end, and within itself only in the second half of a recursive one.
    """
    names: set[str] = set()
    below: list[exp.Expr] = [node]
    while (above := below[-1].parent) is not None:
        if isinstance(above, exp.With):
            number = next(number for number, each in enumerate(above.expressions) if each is below[-1])
            names |= {each.alias.lower() for each in above.expressions[:number]}
            if above.args.get("recursive") and _is_recursive_half(below):
                names.add(above.expressions[number].alias.lower())
        elif not isinstance(below[-1], exp.With):
            clause = above.args.get("with_")
            names |= {each.alias.lower() for each in clause.expressions} if isinstance(clause, exp.With) else set()
        below.append(above)
    return names


def _is_recursive_half(below: list[exp.Expr]) -> bool:
    """Return whether a path up to a WITH clause leads through the second half of the UNION in it."""
    union = below[-1].this
    return isinstance(union, exp.Union) and any(each is union.expression for each in below)


def _name(node: exp.Func) -> str:
    """Return the function's name in lower case, as written if the parser does not know it."""
    name = node.name if isinstance(node, (exp.Anonymous, exp.AnonymousAggFunc)) else node.sql_name()
    return name.lower()


def _place(sql: str, node: exp.Expr) -> tuple[int | None, int | None]:
    """Return line and column of a node, or of the first name in it."""
    for each in node.walk():
        start, line = each.meta.get("start"), each.meta.get("line")
        if isinstance(start, int) and isinstance(line, int):
            return line, start - (sql.rfind("\n", 0, start) + 1) + 1
    return _place_of(sql, node.name) if node.name else (None, None)


def _place_of(sql: str, text: str) -> tuple[int | None, int | None]:
    offset = sql.lower().find(text.lower())
    if offset < 0:
        return None, None
    before = sql[:offset]
    return before.count("\n") + 1, offset - (before.rfind("\n") + 1) + 1
