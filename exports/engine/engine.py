"""Check and run one query in a separate process, within limits of time, memory, output and concurrency."""

from __future__ import annotations

import contextlib
import fcntl
import io
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

import pyarrow as pa

from exports.dataset.tables import Kind, Table
from exports.engine.errors import QueryBusyError, QueryError
from exports.engine.explain import explained
from exports.engine.introspection import plan_table
from exports.engine.limits import Limits
from exports.engine.macros import macros
from exports.engine.process import Conversation, IsCancelled, conversing
from exports.engine.results import PART_ROWS
from exports.lake.storage import Storage, local_path

if TYPE_CHECKING:
    from exports.engine.parse import Dialect

KINDS: Final[dict[Kind, str]] = {
    "string": "VARCHAR",
    "bigint": "BIGINT",
    "double": "DOUBLE",
    "boolean": "BOOLEAN",
    "date": "DATE",
}


def _never() -> bool:
    return False


@dataclass(frozen=True)
class Source:
    """The source of a table's rows: data files of the lake, or given rows (at most a few thousand)."""

    table: Table
    files: Sequence[str] = ()
    rows: Sequence[Sequence[Any]] = ()


@dataclass(frozen=True)
class QueryResult:
    """The rows of a query as Arrow; `truncated` if there were more than the limit."""

    table: pa.Table
    truncated: bool
    elapsed_ms: int


@dataclass(frozen=True)
class Accepted:
    """A checked query in its process, which waits for the tables; `close` it, or use it in a `with`.

    It reads `tables`; `steady`: equal tables give equal rows. It occupies one of the home's query slots.
    `explain`: its plan is requested instead of its rows, see `introspection.IntrospectionQuery`.
    """

    sql: str
    tables: frozenset[str]
    steady: bool
    conversation: Conversation
    place: contextlib.ExitStack
    limits: Limits
    explain: str = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the process and free the slot."""
        self.place.close()

    def run(
        self, sources: Sequence[Source], storage: Storage, *, start: int = 0, is_cancelled: IsCancelled = _never
    ) -> QueryResult:
        """Run the query on the tables, once; `is_cancelled` is called twice a second while it runs.

        The result begins with the row `start`, counted from 0.

        Raise `QueryError` for a query that fails or exceeds a limit, and `LakeAwayError` if the lake's files cannot be
        read.
        """
        job = {**job_of(sources, storage, self.limits), "explain": bool(self.explain), "start": start}
        answer = self.conversation.finish(json.dumps(job).encode(), is_cancelled)
        head, _, body = answer.partition(b"\n")
        outcome = json.loads(head)
        _check(self.sql, outcome, {column.name for source in sources for column in source.table.columns})
        table = pa.ipc.open_stream(io.BytesIO(body)).read_all()
        if self.explain:
            return QueryResult(
                plan_table(table, self.explain), truncated=False, elapsed_ms=self.conversation.elapsed_ms
            )
        _check_times(table)
        if not outcome["typed"]:
            table = _whole_numbers(table)
        return QueryResult(table, outcome["truncated"], self.conversation.elapsed_ms)


def accept(
    sql: str,
    *,
    dialect: Dialect,
    schema: str,
    tables: Collection[str],
    limits: Limits,
    places: Path,
    runs: bool = True,
) -> Accepted:
    """Take a query slot and check the text in a separate process, within a time limit.

    `places` is the folder of the home's slots. `runs`: false for a text that another engine will run, which is checked
    in its dialect only.

    Raise `QueryError` for a refused text, and `QueryBusyError` immediately if no slot is free.
    """
    with contextlib.ExitStack() as stack:
        _take_place(places, limits.parallel, stack)
        conversation = stack.enter_context(conversing(limits))
        asked = {
            "sql": sql,
            "dialect": dialect,
            "schema": schema,
            "tables": list(tables),
            "runs": runs,
            "parse_seconds": limits.parse_seconds,
            "memory_mb": limits.memory_mb,
        }
        said = json.loads(conversation.ask(json.dumps(asked).encode()))
        _check(sql, said, ())
        held = stack.pop_all()
    return Accepted(sql, frozenset(said["tables"]), said["steady"], conversation, held, limits)


def _check(sql: str, said: Mapping[str, Any], columns: Collection[str]) -> None:
    """Raise the error that the process reported, if any."""
    if "refused" in said:
        refused = said["refused"]
        raise QueryError(**refused | {"nearest": tuple(refused["nearest"])})
    if "error" in said:
        raise explained(sql, said["error"], columns)


@dataclass(frozen=True)
class Engine:
    """An engine for queries on the given sources, under the schema's name. `slots` is the folder of query slots."""

    schema: str
    sources: Sequence[Source]
    storage: Storage
    slots: Path
    limits: Limits = field(default_factory=Limits)

    def run(self, sql: str, *, dialect: Dialect = "athena", is_cancelled: IsCancelled = _never) -> QueryResult:
        """Check and run a query; raise the errors of `accept` and `Accepted.run`."""
        with accept(
            sql,
            dialect=dialect,
            schema=self.schema,
            tables=[source.table.name for source in self.sources],
            limits=self.limits,
            places=self.slots,
        ) as accepted:
            return accepted.run(self.sources, self.storage, is_cancelled=is_cancelled)


def job_of(sources: Sequence[Source], storage: Storage, limits: Limits) -> Mapping[str, Any]:
    """Return the message that makes the process run an accepted query."""
    return {
        "setup": macros(),
        "tables": {source.table.name: _described(source) for source in sources},
        "extensions": [str(_httpfs())] if storage.is_s3 else [],
        "secret": _secret(storage),
        "threads": limits.threads,
        "cpu_seconds": round(limits.seconds * limits.threads) + 5,
        "max_rows": limits.max_rows,
        "max_values": limits.max_values,
    }


def _described(source: Source) -> Mapping[str, Any]:
    listed = [file if file.startswith("s3://") else str(local_path(file)) for file in source.files]
    columns = [[column.name, KINDS[column.kind]] for column in source.table.columns]
    return {"files": listed, "columns": columns, "rows": [list(row) for row in source.rows]}


def _secret(storage: Storage) -> Mapping[str, str]:
    """Return the storage's keys as options of a DuckDB secret."""
    if not storage.is_s3:
        return {}
    scheme, _, host = storage.endpoint.partition("://")
    access_key, secret_key, session = storage.keys()
    given = {
        "KEY_ID": access_key,
        "SECRET": secret_key,
        "SESSION_TOKEN": session,
        "REGION": storage.region,
        "ENDPOINT": host,
        "URL_STYLE": "path" if host else "",
        "USE_SSL": "false" if scheme == "http" else "",
        "SCOPE": storage.url,
    }
    return {name: value for name, value in given.items() if value}


def _whole_numbers(table: pa.Table) -> pa.Table:
    """Cast the 128-bit integers of DuckDB's sums and counts to 64 bits where they fit, as Athena does."""
    for number, column in enumerate(table.schema):
        if pa.types.is_decimal(column.type) and column.type.scale == 0:
            with contextlib.suppress(pa.ArrowInvalid):
                table = table.set_column(number, column.name, table.column(number).cast(pa.int64()))
    return table


def _check_times(table: pa.Table) -> None:
    """Refuse times that most clients cannot represent; DuckDB's years range from -290,000 to 5,800,000."""
    for name, column in zip(table.column_names, table.columns, strict=True):
        if _holds_times(column.type):
            try:
                for chunk in column.chunks:  # chunk by chunk, because the values take much more memory than the column
                    for start in range(0, len(chunk), PART_ROWS):
                        chunk.slice(start, PART_ROWS).to_pylist()
            except (ValueError, OverflowError):
                detail = f'The column "{name}" holds a time outside the years 1 to 9999. Cast it to VARCHAR.'
                raise QueryError("bad-value", detail) from None


def _holds_times(kind: pa.DataType) -> bool:
    return bool(pa.types.is_temporal(kind)) or any(
        _holds_times(kind.field(place).type) for place in range(kind.num_fields)
    )


def _httpfs() -> Path:
    """Return the file of the pinned extension."""
    found = sorted(Path(str(files("duckdb_extension_httpfs"))).glob("extensions/*/httpfs.duckdb_extension"))
    return found[-1]


def _take_place(folder: Path, places: int, stack: contextlib.ExitStack) -> None:
    """Hold one of the home's query slots: a lock on a file, which a dying process releases."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not any(_locked(folder / f"query-{number}.lock", stack) for number in range(places)):
        raise QueryBusyError(f"{places} queries are running; try again in a moment")


def _locked(path: Path, stack: contextlib.ExitStack) -> bool:
    handle = path.open("ab")
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        handle.close()
        return False
    stack.callback(handle.close)
    return True
