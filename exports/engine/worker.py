"""The process that runs one query: reads a job from standard input, writes an answer to standard output, and ends.

It is started by path with an empty environment, so it imports nothing of the project. Before it sees the query,
DuckDB is limited to the files that it may read, and then its configuration is locked.

Job (JSON): `{sql, schema, setup, tables: {name: {files, columns: [[name, type]], rows}}, extensions, secret,
memory_mb, threads, max_rows}`. Answer: one line of JSON, `{ok, columns, rows, truncated}` or `{error: {...}}`; after an
`ok` an Arrow IPC stream follows.
"""

import json
import os
import resource
import sys
from itertools import chain
from typing import Any, BinaryIO

# DuckDB and Arrow import pandas if they can; that takes longer than the published queries do.
sys.modules["pandas"] = None  # type: ignore[assignment]

import duckdb  # noqa: E402
import pyarrow as pa  # noqa: E402

BATCH_ROWS = 8192
# Memory of Python, Arrow and DuckDB outside the buffers that `memory_limit` counts, in MiB.
BESIDE_MB = 4096
# Kind of error if the tables cannot be created, before the query is seen.
TABLES = "Tables"
# Doors on the same machine come first.
NICENESS = 10


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _named(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


def connect(job: dict[str, Any]) -> duckdb.DuckDBPyConnection:
    """Return a locked connection with the job's tables."""
    connection = duckdb.connect(":memory:", config={"allow_unsigned_extensions": "false"})
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
        f"SET memory_limit='{int(job['memory_mb'])}MB'",
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
    return connection


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


def run(job: dict[str, Any], out: BinaryIO) -> None:
    """Answer one job."""
    try:
        connection = connect(job)
    except duckdb.Error as error:
        _write(out, {"error": _explained(error) | {"exception_type": TABLES}})
        return
    try:
        asked = connection.execute(job["sql"])
        if refused := _refused(asked):
            _write(out, {"error": {"exception_type": "Kind", "exception_message": refused}})
            return
        reader = asked.to_arrow_reader(BATCH_ROWS)
        batches, rows, truncated = [], 0, False
        for batch in reader:
            left = job["max_rows"] - rows
            batches.append(batch.slice(0, left))
            rows += min(left, batch.num_rows)
            if batch.num_rows > left:
                truncated = True
                break
    except duckdb.Error as error:
        _write(out, {"error": _explained(error)})
        return
    except MemoryError:
        _write(out, {"error": {"exception_type": "Out of Memory", "exception_message": "out of memory"}})
        return
    _write(out, {"ok": True, "rows": rows, "truncated": truncated})
    with pa.ipc.new_stream(out, reader.schema) as writer:
        for batch in batches:
            writer.write_batch(batch)


# Types of DuckDB that Arrow, Parquet or JSON cannot represent, or not without loss.
FORMLESS = frozenset({"interval", "union", "uhugeint", "variant", "bignum", "bit"})
NESTED = frozenset({"struct", "map", "list", "array"})


def _refused(asked: duckdb.DuckDBPyConnection) -> str:
    """Return why a column of the answer has a type that cannot be sent; empty if all can."""
    for name, kind, *_ in asked.description or ():
        if _is_formless(kind):
            return f'The column "{name}" is of the kind {kind}, which an answer cannot hold. Cast it to VARCHAR.'
    return ""


def _is_formless(kind: Any) -> bool:
    if kind.id in FORMLESS:
        return True
    if kind.id not in NESTED:
        return False
    parts = kind.children[:1] if kind.id == "array" else kind.children  # an array's second child is its size
    unnamed = kind.id == "struct" and any(not name for name, _ in parts)
    return unnamed or any(_is_formless(part) for _, part in parts)


def _explained(error: duckdb.Error) -> dict[str, Any]:
    """Return DuckDB's own error, the JSON after the name of its kind."""
    text = str(error)
    try:
        found: dict[str, Any] = json.loads(text[text.index("{") :])
    except ValueError:
        found = {"exception_type": type(error).__name__, "exception_message": text.splitlines()[0]}
    return found


def _write(out: BinaryIO, answer: dict[str, Any]) -> None:
    out.write(json.dumps(answer).encode() + b"\n")


def main() -> None:
    """Read the job, bound this process, answer."""
    os.nice(NICENESS)
    asked = sys.stdin.buffer.read()
    if not asked:
        return  # the parent process is gone
    job = json.loads(asked)
    limit = (int(job["memory_mb"]) + BESIDE_MB) * 1024 * 1024
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    resource.setrlimit(resource.RLIMIT_CPU, (int(job["cpu_seconds"]), int(job["cpu_seconds"])))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    run(job, sys.stdout.buffer)
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
