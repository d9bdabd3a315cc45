"""Run a researcher's query on the deployment's open tables."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from common.time import utc_now
from exports.dataset.tables import LIVE_CROWD
from exports.engine.cursor import Cursor, CursorError
from exports.engine.deployment import accept_query, query_limits, query_sources
from exports.engine.engine import Accepted, QueryResult
from exports.engine.limits import Limits
from exports.engine.results import columns_of, json_rows, table_parts
from exports.lake.deployment import storage
from exports.selectors import TablesAt, tables_at, tables_of

if TYPE_CHECKING:
    from exports.engine.parse import Dialect


@dataclass(frozen=True)
class Answered:
    """A query's rows, and the newest day in the tables (`None` before the first release).

    `steady`: the query returns the same rows until the next release. `next` is the cursor of the missing rows, empty if
    none are missing, or if rows differ in each run.
    """

    result: QueryResult
    as_of: dt.date | None
    steady: bool
    next: str = ""


def run_query(
    *,
    sql: str,
    dialect: Dialect = "athena",
    as_of: dt.date | None = None,
    at: TablesAt | None = None,
    now: dt.datetime | None = None,
    is_cancelled: Callable[[], bool] = lambda: False,
    limits: Limits | None = None,
    cursor: str = "",
) -> Answered:
    """Run one query on the current tables, on those as of the release of the day `as_of`, or on those of `at`.

    `cursor` is `next` of an earlier result of this query: continue after it, on the same release; with `as_of`, it must
    be that day's.

    Live rows are those of `now`, by default the current time. `is_cancelled` is called while the query runs.

    Raise `QueryError`, `QueryBusyError`, `LakeAwayError`, `UnknownReleaseError`, `CursorError`.
    """
    limits, now = limits or query_limits(), now or utc_now()
    begun = Cursor.read(cursor, sql=sql, dialect=dialect) if cursor else None
    read = tables_of(begun.release) if begun else at or tables_at(as_of)
    if begun and as_of and read.release and tables_at(as_of).release != read.release:
        day = read.release.day
        raise CursorError(f"This cursor belongs to the release of {day}: send it without as_of, or with that day.")

    def answered(start: int, threads: int) -> Answered:
        bound = replace(limits, threads=threads)
        with accept_query(sql, dialect=dialect, limits=bound) as accepted:
            return run_accepted(accepted, at=read, now=now, start=start, is_cancelled=is_cancelled)

    start = begun.start if begun else 0
    done = answered(start, 1 if begun else limits.threads)
    if not (done.result.truncated and done.steady and read.release):
        return done
    if not begun and limits.threads > 1:
        done = answered(start, 1)
    after = Cursor(start + done.result.table.num_rows, read.release.number or 0)
    return replace(done, next=after.text(sql=sql, dialect=dialect))


def run_accepted(
    accepted: Accepted,
    *,
    at: TablesAt,
    now: dt.datetime,
    start: int = 0,
    is_cancelled: Callable[[], bool] = lambda: False,
) -> Answered:
    """Run a checked query; raise `QueryError` and `LakeAwayError`."""
    live: Sequence[Sequence[Any]] = ()
    if LIVE_CROWD.name in accepted.tables:
        from exports.engine.live import live_crowd  # loads the risk model, which few queries need

        live = live_crowd(now=now)
    result = accepted.run(
        query_sources(release=at.release, live=live, tables=accepted.tables),
        storage(),
        start=start,
        is_cancelled=is_cancelled,
    )
    return Answered(result, at.as_of, accepted.steady and LIVE_CROWD.name not in accepted.tables)


def missing(answered: Answered) -> str:
    """Return a sentence on which rows a result lacks and how to get them; empty if it lacks none."""
    if not answered.result.truncated:
        return ""
    lacks = f"{answered.result.table.num_rows} rows are here and more follow"
    if answered.next:
        return f"{lacks}: go on with the cursor {answered.next}"
    return f"{lacks}; each run gives other rows: ask for fewer or for a fixed order and as_of"


def csv_of(answered: Answered) -> Iterator[bytes]:
    """Yield the rows as CSV; a last line says which are missing."""
    return table_parts(answered.result.table, missing=missing(answered))


def answer(answered: Answered) -> dict[str, Any]:
    """Return a result as a JSON object."""
    return {
        "columns": columns_of(answered.result.table),
        "rows": json_rows(answered.result.table),
        "truncated": answered.result.truncated,
        "next": answered.next or None,
        "as_of": answered.as_of.isoformat() if answered.as_of else None,
        "elapsed_ms": answered.result.elapsed_ms,
    }
