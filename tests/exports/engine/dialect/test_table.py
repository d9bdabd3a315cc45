"""Every row of the dialect's table gives the stated result."""

import re
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from docs.dialect_table import PAGE, UNDOCUMENTED, rows, written
from exports.athena import wire
from exports.engine import worker
from exports.engine.dialect.calling import offered
from exports.engine.dialect.calls import REFUSED
from exports.engine.dialect.queries import Translation
from exports.engine.errors import QueryError
from exports.engine.explain import explained
from tests.exports.engine.factories import an_engine, locked, translated

QUERIES = ("SELECT", "VALUES", "WITH")
TABLE = rows()


@pytest.fixture(scope="module")
def connection(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    folder: Path = tmp_path_factory.mktemp("dialect")
    with locked(an_engine(folder)) as opened:
        yield opened


def answer(connection: duckdb.DuckDBPyConnection, expression: str) -> str:
    """Return the rows of an expression or a query as Athena prints them, or the code of the error."""
    sql = expression if expression.startswith(QUERIES) else f"SELECT {expression}"
    try:
        return printed(connection, translated(sql))
    except QueryError as error:
        return f"refused: {error.code}"
    except duckdb.Error as error:
        found = explained(sql, worker._explained(error), ())
        assert isinstance(found, QueryError)
        return f"refused: {found.code}"


def printed(connection: duckdb.DuckDBPyConnection, translation: Translation) -> str:
    asked = connection.execute(translation.sql)
    if worker._refused(asked):
        return "refused: bad-value"
    job = {"names": translation.names, "zones": [kind.zone for kind in translation.types]}
    reader = asked.to_arrow_reader(100)
    schema = worker._as_asked(worker._plain_schema(reader.schema), job)
    lines = []
    for batch in reader:
        columns = [wire.texts(column.cast(kept.type)) for column, kept in zip(batch.columns, schema, strict=True)]
        lines += [", ".join("null" if value is None else value for value in row) for row in zip(*columns, strict=True)]
    return "; ".join(lines)


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row["expression"][:60])
def test_each_row_of_the_table_holds(connection: duckdb.DuckDBPyConnection, row: dict[str, str]) -> None:
    assert answer(connection, row["expression"]) == row["ours"]


def test_the_table_is_large_and_names_its_sources() -> None:
    assert len(TABLE) >= 400
    assert all(row["documentation"] for row in TABLE)
    for row in TABLE:
        assert row["documentation"].startswith("not documented") == (row["page"] == UNDOCUMENTED)


def test_every_function_is_in_the_table() -> None:
    every = " ".join(row["expression"].lower() for row in TABLE)
    missing = [name for name in (*offered(), *REFUSED) if not re.search(rf"\b{name}\b", every)]
    assert missing == []


def test_the_page_is_the_table() -> None:
    assert PAGE.read_text(encoding="utf-8") == written()
