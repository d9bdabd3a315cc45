"""The engine: run one query in a process of its own, within limits of time, memory, rows, output and number."""

from __future__ import annotations

import contextlib
import fcntl
import io
import json
import os
import selectors
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa

from exports.dataset.tables import Kind, Table
from exports.engine.errors import QueryBusyError, QueryError
from exports.engine.explain import explained
from exports.engine.limits import Limits
from exports.engine.macros import macros
from exports.engine.process import AHEAD, Process, end, start
from exports.lake.storage import Storage, local_path

if TYPE_CHECKING:
    from exports.engine.check import Checked
    from exports.engine.parse import Dialect

KINDS: Final[dict[Kind, str]] = {
    "string": "VARCHAR",
    "bigint": "BIGINT",
    "double": "DOUBLE",
    "boolean": "BOOLEAN",
    "date": "DATE",
}
TOO_SLOW: Final = "The query took more than %g seconds and was ended. Read fewer days (by scan_date), or join less."
TOO_LARGE: Final = "The answer is larger than %d MB. Ask for fewer columns or rows, or fetch the release's files."
READ_BYTES: Final = 1 << 16
ASK_SECONDS: Final = 0.5

Asked = Callable[[], bool]


def _never() -> bool:
    return False


@dataclass(frozen=True)
class Source:
    """The source of a table's rows: data files of the lake, or rows given here (at most a few thousand)."""

    table: Table
    files: Sequence[str] = ()
    rows: Sequence[Sequence[Any]] = ()


@dataclass(frozen=True)
class QueryResult:
    """The rows of a query as Arrow, `truncated` where there were more than the limit."""

    table: pa.Table
    truncated: bool
    elapsed_ms: int


@dataclass(frozen=True)
class Engine:
    """Runs queries on the given sources, under the schema's name. `slots` is the folder of query locks.

    `ahead`: keep a process ready for the next query, as a server does.
    """

    schema: str
    sources: Sequence[Source]
    storage: Storage
    limits: Limits = field(default_factory=Limits)
    slots: Path = Path(tempfile.gettempdir())
    ahead: bool = False

    def check(self, sql: str, *, dialect: Dialect = "athena") -> Checked:
        """Check a query without running it; raises `QueryError` for a refused one."""
        from exports.engine.check import check

        return check(sql, dialect=dialect, schema=self.schema, tables=[source.table.name for source in self.sources])

    def run(self, sql: str, *, dialect: Dialect = "athena", is_cancelled: Asked = _never) -> QueryResult:
        """Check and run a query; `is_cancelled` is called twice a second while it runs.

        Raises `QueryError` for a query that is refused, fails or exceeds a limit, `QueryBusyError` if too many run, and
        `LakeAwayError` if the lake's files cannot be read.
        """
        self.check(sql, dialect=dialect)
        started = time.monotonic()
        with _slot(self.slots, self.limits):
            answer = _in_process(json.dumps(self._job(sql)).encode(), self.limits, is_cancelled, self.ahead)
        head, _, body = answer.partition(b"\n")
        outcome = json.loads(head)
        if "error" in outcome:
            names = {column.name for source in self.sources for column in source.table.columns}
            raise explained(sql, outcome["error"], names)
        table = pa.ipc.open_stream(io.BytesIO(body)).read_all()
        _check_times(table)
        return QueryResult(_whole_numbers(table), outcome["truncated"], round((time.monotonic() - started) * 1000))

    def _job(self, sql: str) -> Mapping[str, Any]:
        return {
            "sql": sql,
            "schema": self.schema,
            "setup": macros(),
            "tables": {source.table.name: self._described(source) for source in self.sources},
            "extensions": [str(_httpfs())] if self.storage.is_s3 else [],
            "secret": self._secret(),
            "memory_mb": self.limits.memory_mb,
            "threads": self.limits.threads,
            "cpu_seconds": round(self.limits.seconds * self.limits.threads) + 5,
            "max_rows": self.limits.max_rows,
        }

    def _described(self, source: Source) -> Mapping[str, Any]:
        listed = [file if file.startswith("s3://") else str(local_path(file)) for file in source.files]
        columns = [[column.name, KINDS[column.kind]] for column in source.table.columns]
        return {"files": listed, "columns": columns, "rows": [list(row) for row in source.rows]}

    def _secret(self) -> Mapping[str, str]:
        """Return the storage's keys in DuckDB's form."""
        if not self.storage.is_s3:
            return {}
        scheme, _, host = self.storage.endpoint.partition("://")
        access_key, secret_key, session = self.storage.keys()
        given = {
            "KEY_ID": access_key,
            "SECRET": secret_key,
            "SESSION_TOKEN": session,
            "REGION": self.storage.region,
            "ENDPOINT": host,
            "URL_STYLE": "path" if host else "",
            "USE_SSL": "false" if scheme == "http" else "",
            "SCOPE": self.storage.url,
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
    """Refuse times that most clients cannot represent; DuckDB's years reach from -290,000 to 5,800,000."""
    for name, column in zip(table.column_names, table.columns, strict=True):
        if _holds_times(column.type):
            try:
                column.to_pylist()
            except (ValueError, OverflowError):
                detail = f'The column "{name}" holds a time outside of the years 1 to 9999. Cast it to VARCHAR.'
                raise QueryError("bad-value", detail) from None


def _holds_times(kind: pa.DataType) -> bool:
    return bool(pa.types.is_temporal(kind)) or any(
        _holds_times(kind.field(place).type) for place in range(kind.num_fields)
    )


def _httpfs() -> Path:
    """Return the file of the pinned extension."""
    found = sorted(Path(str(files("duckdb_extension_httpfs"))).glob("extensions/*/httpfs.duckdb_extension"))
    return found[-1]


@contextmanager
def _slot(folder: Path, limits: Limits) -> Iterator[None]:
    """Hold one of the machine's slots for queries, a lock on a file: a dying process releases its slot."""
    end = time.monotonic() + limits.wait_seconds
    with contextlib.ExitStack() as stack:
        while not any(_locked(folder / f"crowdtrace-query-{number}.lock", stack) for number in range(limits.parallel)):
            if time.monotonic() >= end:
                raise QueryBusyError(f"{limits.parallel} queries are running; try again in a moment")
            time.sleep(0.05)
        yield


def _locked(path: Path, stack: contextlib.ExitStack) -> bool:
    handle = path.open("ab")
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        handle.close()
        return False
    stack.callback(handle.close)
    return True


def _in_process(job: bytes, limits: Limits, is_cancelled: Asked, ahead: bool) -> bytes:
    """Return the whole answer of a process for this query alone; it is killed at the limits of time and output."""
    process = (AHEAD.take() if ahead else None) or start()
    try:
        answer = _converse(process, job, limits, is_cancelled)
    finally:
        end(process)
        if ahead:
            AHEAD.prepare()
    if not answer.startswith(b"{") or b"\n" not in answer:
        detail = (
            f"The query was ended without an answer: it needed more than {limits.memory_mb} MB, or what DuckDB lacks."
        )
        raise QueryError("out-of-memory", detail)
    return answer


def _converse(process: Process, job: bytes, limits: Limits, is_cancelled: Asked) -> bytes:
    if process.stdin is None or process.stdout is None:
        raise AssertionError("the worker has no pipes")
    with contextlib.suppress(BrokenPipeError):
        process.stdin.write(job)
        process.stdin.close()
    end = time.monotonic() + limits.seconds
    answer = bytearray()
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        while True:
            if not selector.select(max(0.0, min(ASK_SECONDS, end - time.monotonic()))):
                if time.monotonic() >= end:
                    raise QueryError("too-slow", TOO_SLOW % limits.seconds)
                if is_cancelled():
                    raise QueryError("cancelled", "The query was cancelled.")
                continue
            part = os.read(process.stdout.fileno(), READ_BYTES)
            if not part:
                return bytes(answer)
            answer += part
            if len(answer) > limits.max_output_bytes:
                raise QueryError("too-large", TOO_LARGE % (limits.max_output_bytes // 1024**2))
