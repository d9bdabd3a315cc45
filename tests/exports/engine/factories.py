"""An engine over a small lake in memory or in files."""

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from exports.dataset.engines import arrow_schema
from exports.dataset.tables import CROWD_TRACING, DP_COUNTS, ZIP3, states_by_zip3
from exports.dataset.tables import TABLES as DESCRIBED
from exports.engine import worker
from exports.engine.check import check
from exports.engine.dialect.queries import Translation, translate
from exports.engine.engine import Engine, Source, job_of
from exports.engine.errors import QueryError
from exports.engine.explain import explained
from exports.engine.functions import INNER
from exports.engine.guard import reached
from exports.engine.limits import Limits
from exports.engine.parse import Dialect
from exports.lake.storage import Storage
from tests.exports.lake.factories import a_row

QUERIES = Path(__file__).parents[3] / "exports" / "queries"


def published(name: str) -> str:
    """Return a published query, byte for byte."""
    return (QUERIES / name).read_bytes().decode()


def some_rows() -> list[dict[str, Any]]:
    """Return rows of two days, two ZIPs and the empty one."""
    return [
        a_row(symptoms=True, risklevel="High", result="Declined"),
        a_row(),
        a_row(near=True, risklevel="Moderate", scannerdevice_zipcode="90200"),
        a_row(contact=True, scannerdevice_zipcode=""),
        a_row(diagnosed=True, scandate="2020-10-14T23:30:00.000Z", scan_date=None),
        a_row(scandate="2020-10-16T00:30:00.000Z"),
    ]


def write(folder: Path, rows: Sequence[dict[str, Any]]) -> str:
    """Write rows of the open table to one Parquet file; return its path."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "rows.parquet"
    pq.write_table(pa.Table.from_pylist(list(rows), schema=arrow_schema(CROWD_TRACING)), path)
    return str(path)


def an_engine(folder: Path, rows: Sequence[dict[str, Any]] | None = None, *, limits: Limits | None = None) -> Engine:
    """Return an engine over a file of rows, the lookup table and an empty table of counts."""
    file = write(folder / "lake", some_rows() if rows is None else rows)
    return Engine(
        schema="covid-19",
        sources=(
            Source(CROWD_TRACING, files=(file,)),
            Source(ZIP3, rows=sorted(states_by_zip3().items())),
            Source(DP_COUNTS),
        ),
        storage=Storage((folder / "lake").as_uri()),
        limits=limits or Limits(),
        slots=folder,
    )


TABLES = ("aspirevc_crowd_tracing", "aspirevc_crowd_tracing_zipcode_3digits", "live_crowd")


def accepted(sql: str, dialect: Dialect = "athena") -> dict[str, Any]:
    """Check a query as its process does; return its tables and whether its result is stable, or raise."""
    asked = {
        "sql": sql,
        "dialect": dialect,
        "schema": "covid-19",
        "tables": TABLES,
        "runs": True,
        "parse_seconds": 0,
        "memory_mb": 1024,
    }
    said = worker.accept(asked, duckdb.connect(":memory:"))
    if "refused" in said:
        raise QueryError(**said["refused"] | {"nearest": tuple(said["refused"]["nearest"])})
    if "error" in said:
        raise explained(sql, said["error"], ())
    return said


def locked(engine: Engine) -> duckdb.DuckDBPyConnection:
    """Return DuckDB as a query finds it after the checks: with the engine's tables, and locked."""
    connection = duckdb.connect(":memory:")
    given = {"schema": engine.schema, "memory_mb": engine.limits.memory_mb}
    worker.prepare(connection, given | dict(job_of(engine.sources, engine.storage, engine.limits)))
    return connection


@lru_cache(maxsize=1)
def _parser() -> duckdb.DuckDBPyConnection:
    return duckdb.connect(":memory:")


def translated(sql: str) -> Translation:
    """Return a query of Athena's dialect translated for DuckDB, checked as its process checks it."""
    columns = {table.name: [(each.name, each.kind) for each in table.columns] for table in DESCRIBED}
    statement = check(sql, dialect="athena", schema="covid-19", tables=list(columns))
    translation = translate(statement, sql, schema="covid-19", tables=columns)
    reached(_parser(), translation.sql, schema="covid-19", tables=list(columns), inner=INNER)
    return translation
