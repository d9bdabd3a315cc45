"""The process that checks and runs one query: it reads from standard input, writes to standard output, and exits.

It is a copy of the fork server with an empty environment, and imports only modules that load no settings. A text is
parsed, checked and run here, because any of these can take minutes or gigabytes for a short text; the process limits
its resources before it sees the text. Before the query runs, DuckDB is limited to the files that it may read, and then
its configuration is locked.

Messages are lines of JSON:

1. asked: `{sql, dialect, schema, tables, runs, parse_seconds, memory_mb}`; `tables` are names, `runs` is false for a
   text that another engine will run, which is checked in its dialect only;
2. said: `{tables, steady}`, `{refused: {...}}` (a `QueryError`) or `{error: {...}}` (DuckDB's), which ends it;
3. the job: `{setup, tables: {name: {files, columns: [[name, type]], rows}}, extensions, secret, threads, cpu_seconds,
   max_rows, max_values, explain, start}`; `explain`: answer with the plan instead of the rows; `start`: the first row
   of the answer, from 0;
4. said: `{ok, rows, truncated, typed}` (`typed`: the columns have Athena's types) and then an Arrow IPC stream,
   `{refused: {...}}` or `{error: {...}}`.
"""

import json
import resource
import signal
import sys
from dataclasses import asdict
from itertools import chain
from typing import Any, BinaryIO

import duckdb
import pyarrow as pa
from sqlglot import exp

from exports.dataset import tables as described
from exports.engine.check import TOO_DEEP, check
from exports.engine.dialect.queries import translate
from exports.engine.errors import LateError, QueryError
from exports.engine.functions import INNER
from exports.engine.guard import EngineError, reached
from exports.engine.introspection import INFORMATION_TABLES

BATCH_ROWS = 8192
# The share of the memory for DuckDB's buffers; beyond it, DuckDB raises an error of its own. The rest is for Python,
# Arrow and what DuckDB does not count; beyond that, the kernel refuses memory, which may kill the process.
BUFFERS = 0.6
EXPLAIN = "EXPLAIN (FORMAT json) "
# Kind of error if the tables cannot be created, before the query is seen.
TABLES = "Tables"
# Maximum depth of nested lists, rows and maps, because readers of the result use recursion.
MOST_LEVELS = 16
# Characters of DuckDB's message that the web process reads; a message may quote a value of megabytes.
MOST_OF_A_MESSAGE = 1 << 14


OUT_OF_MEMORY = {"exception_type": "Out of Memory", "exception_message": "out of memory"}


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _named(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


def bind(asked: dict[str, Any]) -> None:
    """Limit the resources of this process, before it reads the text."""
    memory = int(asked["memory_mb"]) * 1024 * 1024
    resource.setrlimit(resource.RLIMIT_DATA, (memory, memory))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def accept(asked: dict[str, Any], connection: duckdb.DuckDBPyConnection) -> dict[str, Any]:
    """Check a text; at the time limit the kernel ends this process by SIGPROF, because nothing else could."""
    signal.setitimer(signal.ITIMER_PROF, asked["parse_seconds"])
    try:
        return _checked(asked, connection)
    except (QueryError, EngineError, duckdb.Error, RecursionError, MemoryError) as error:
        return _said(error)
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)


def _checked(asked: dict[str, Any], connection: duckdb.DuckDBPyConnection) -> dict[str, Any]:
    sql, schema, tables = asked["sql"], asked["schema"], asked["tables"]
    statement = check(sql, dialect=asked["dialect"], schema=schema, tables=tables)
    if not asked["runs"]:
        return {"tables": [], "steady": False}
    inner: frozenset[str] = frozenset()
    if asked["dialect"] == "athena":
        inner = INNER
        columns = {
            each.name: [(column.name, column.kind) for column in each.columns]
            for each in (*described.TABLES, *INFORMATION_TABLES)
            if each.name in tables
        }
        try:
            translation = translate(statement, sql, schema=schema, tables=columns)
        except LateError as error:
            asked["late"] = _said(error)
            named = {each.name.lower() for each in statement.find_all(exp.Table)}
            return {"tables": sorted(named & {each.lower() for each in tables}), "steady": False}
        sql = asked["runs_as"] = translation.sql
        asked["names"] = translation.names
        asked["zones"] = [kind.zone for kind in translation.types]
    try:
        found = reached(connection, sql, schema=schema, tables=tables, inner=inner)
    except EngineError as error:
        if inner:
            error.error.pop("position", None)  # of the translation, not of the text
        raise
    except QueryError as error:
        if inner:
            error.line = error.column = None
        raise
    return {"tables": sorted(found.tables), "steady": found.steady}


def _said(error: Exception) -> dict[str, Any]:
    """Return an error as a message."""
    match error:
        case QueryError():
            return {"refused": asdict(error)}
        case EngineError():
            return {"error": error.error}
        case RecursionError():
            return {"refused": asdict(QueryError("too-deep", TOO_DEEP))}
        case duckdb.OutOfMemoryException() | MemoryError():
            return {"error": OUT_OF_MEMORY}
    return {"error": _explained(error)}


def prepare(connection: duckdb.DuckDBPyConnection, job: dict[str, Any]) -> None:
    """Create the job's tables, and lock the connection."""
    for statement in (
        "SET autoinstall_known_extensions=false",
        "SET autoload_known_extensions=false",
        "SET allow_community_extensions=false",
        "SET allow_persistent_secrets=false",
        "SET python_enable_replacements=false",
        "SET temp_directory=''",
        "SET TimeZone='UTC'",
        "SET errors_as_json=true",
        f"SET threads={int(job['threads'])}",
        f"SET memory_limit='{int(job['memory_mb'] * BUFFERS)}MiB'",
    ):
        connection.execute(statement)
    for path in job["extensions"]:
        connection.execute(f"LOAD {_quoted(path)}")
    if job["secret"]:
        given = ", ".join(f"{name} {_quoted(value)}" for name, value in job["secret"].items())
        connection.execute(f"CREATE SECRET lake (TYPE s3, {given})")
    files = [file for table in job["tables"].values() for file in table["files"]]
    connection.execute(f"SET allowed_paths=[{', '.join(map(_quoted, files))}]")
    connection.execute("SET enable_external_access=false")
    connection.execute(f"CREATE SCHEMA {_named(job['schema'])}")
    connection.execute(f"SET schema={_quoted(job['schema'])}")
    for statement in job["setup"]:
        connection.execute(statement)
    for name, table in job["tables"].items():
        _make_table(connection, f"{_named(job['schema'])}.{_named(name)}", table)
    connection.execute("SET lock_configuration=true")


def _make_table(connection: duckdb.DuckDBPyConnection, name: str, table: dict[str, Any]) -> None:
    typed = ", ".join(f"{_named(column)} {kind}" for column, kind in table["columns"])
    if table["files"]:
        listed = ", ".join(map(_quoted, table["files"]))
        picked = ", ".join(f"CAST({_named(column)} AS {kind}) AS {_named(column)}" for column, kind in table["columns"])
        connection.execute(
            f"CREATE VIEW {name} AS SELECT {picked} FROM read_parquet([{listed}], hive_partitioning=false)"  # noqa: S608
        )
        return
    connection.execute(f"CREATE TABLE {name} ({typed})")
    if table["rows"]:
        row = "(" + ", ".join("?" * len(table["columns"])) + ")"
        rows = ", ".join([row] * len(table["rows"]))
        connection.execute(f"INSERT INTO {name} VALUES {rows}", list(chain(*table["rows"])))  # noqa: S608


def run(connection: duckdb.DuckDBPyConnection, job: dict[str, Any], out: BinaryIO) -> None:
    """Run one job and write its result."""
    if "late" in job:
        _write(out, job["late"])
        return
    try:
        prepare(connection, job)
    except duckdb.OutOfMemoryException:
        _write(out, {"error": OUT_OF_MEMORY})
        return
    except duckdb.Error as error:
        _write(out, {"error": _explained(error) | {"exception_type": TABLES}})
        return
    try:
        statement = job.get("runs_as", job["sql"])
        answer = connection.execute(EXPLAIN + statement if job.get("explain") else statement)
        if wrong := _refused(answer):
            _write(out, {"error": {"exception_type": "Kind", "exception_message": wrong}})
            return
        reader = answer.to_arrow_reader(BATCH_ROWS)
        schema = _plain_schema(reader.schema)
        schema = _as_asked(schema, job)
        batches, rows, values, truncated = [], 0, 0, False
        before = int(job.get("start", 0))
        for whole in reader:
            batch = whole.slice(before)
            before = max(0, before - whole.num_rows)
            left = job["max_rows"] - rows
            kept = pa.RecordBatch.from_arrays(
                [column.cast(field.type) for column, field in zip(batch.slice(0, left).columns, schema, strict=True)],
                schema=schema,
            )
            values += sum(_values(column) for column in kept.columns)
            if values > job["max_values"]:
                raise QueryError(
                    "too-large", f"The answer has more than {job['max_values']:,} values, those of lists included."
                )
            batches.append(kept)
            rows += kept.num_rows
            if batch.num_rows > left:
                truncated = True
                break
    except (QueryError, duckdb.Error, MemoryError) as error:
        said = _said(error)
        place = str(said.get("error", {}).get("position", ""))
        if "runs_as" in job:
            said.get("error", {}).pop("position", None)  # of the translation, not of the text
        elif job.get("explain") and place.isdigit():
            said["error"]["position"] = str(int(place) - len(EXPLAIN))
        _write(out, said)
        return
    _write(out, {"ok": True, "rows": rows, "truncated": truncated, "typed": "names" in job})
    with pa.ipc.new_stream(out, schema) as writer:
        for batch in batches:
            writer.write_batch(batch)


def _as_asked(schema: pa.Schema, job: dict[str, Any]) -> pa.Schema:
    """Return the schema with the column names of the text, and the time zones in which values are shown."""
    if "names" not in job or job.get("explain"):
        return schema
    fields = []
    for field, name, zone in zip(schema, job["names"], job["zones"], strict=True):
        kind = pa.timestamp(field.type.unit, zone) if zone and pa.types.is_timestamp(field.type) else field.type
        fields.append(pa.field(name, kind))
    return pa.schema(fields)


def _plain_schema(schema: pa.Schema) -> pa.Schema:
    """Return the schema with text instead of enumerations, which would take many times their size when read."""
    return pa.schema(
        [field.with_type(field.type.value_type) if pa.types.is_dictionary(field.type) else field for field in schema]
    )


def _values(column: pa.Array) -> int:
    """Return the number of values of a column, including those inside lists, maps and rows."""
    if pa.types.is_map(column.type):
        start, end = column.offsets[0].as_py(), column.offsets[-1].as_py()
        parts = (column.keys.slice(start, end - start), column.items.slice(start, end - start))
        return len(column) + sum(map(_values, parts))
    if pa.types.is_list(column.type) or pa.types.is_large_list(column.type) or pa.types.is_fixed_size_list(column.type):
        return len(column) + _values(column.flatten())
    if pa.types.is_struct(column.type):
        return len(column) + sum(map(_values, column.flatten()))
    return len(column)


# Types of DuckDB that Arrow, Parquet or JSON cannot represent, or not without loss.
UNSUPPORTED_TYPES = frozenset({"interval", "union", "uhugeint", "variant", "bignum", "bit"})
NESTED = frozenset({"struct", "map", "list", "array"})


def _refused(asked: duckdb.DuckDBPyConnection) -> str:
    """Return why a column of the result cannot be sent; empty if all can."""
    for name, kind, *_ in asked.description or ():
        if _is_unsupported(kind):
            words = str(kind)[:200]
            return f'The column "{name}" is of the kind {words}, which an answer cannot hold. Cast it to VARCHAR.'
    return ""


def _is_unsupported(kind: Any, levels: int = MOST_LEVELS) -> bool:
    if kind.id in UNSUPPORTED_TYPES or levels == 0 or (kind.id == "enum" and levels < MOST_LEVELS):
        return True
    if kind.id not in NESTED:
        return False
    parts = kind.children[:1] if kind.id == "array" else kind.children  # an array's second child is its size
    unnamed = kind.id == "struct" and any(not name for name, _ in parts)
    return unnamed or any(_is_unsupported(part, levels - 1) for _, part in parts)


def _explained(error: Exception) -> dict[str, Any]:
    """Return DuckDB's own error, the JSON after the name of its kind."""
    text = str(error)
    try:
        found: dict[str, Any] = json.loads(text[text.index("{") :])
    except ValueError:
        found = {"exception_type": type(error).__name__, "exception_message": text.splitlines()[0]}
    return {name: value[:MOST_OF_A_MESSAGE] if isinstance(value, str) else value for name, value in found.items()}


def _write(out: BinaryIO, answer: dict[str, Any]) -> None:
    out.write(json.dumps(answer).encode() + b"\n")


def main() -> None:
    """Read a text and report whether it may run; then read the job and write its result."""
    connection = duckdb.connect(":memory:", config={"allow_unsigned_extensions": "false", "threads": 1})
    out = sys.stdout.buffer
    asked = json.loads(sys.stdin.buffer.readline() or "null")
    if asked is None:
        return  # the parent process is gone
    bind(asked)
    said = accept(asked, connection)
    _write(out, said)
    out.flush()
    if "tables" not in said:
        return
    job = json.loads(sys.stdin.buffer.readline() or "null")
    if job is None:
        return  # only a check was requested
    seconds = int(job["cpu_seconds"])
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    run(connection, asked | job, out)
    out.flush()
