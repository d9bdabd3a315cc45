"""Run a researcher's query on the deployment's open tables."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from common.time import utc_now
from exports.dataset.tables import LIVE_CROWD
from exports.engine.deployment import accept_query, query_sources
from exports.engine.engine import Accepted, QueryResult
from exports.engine.results import columns_of, json_rows
from exports.lake.deployment import storage
from exports.selectors import TablesAt, tables_at

if TYPE_CHECKING:
    from exports.engine.parse import Dialect


@dataclass(frozen=True)
class Answered:
    """A query's rows, and the newest day in the tables (`None` before the first release).

    `steady`: the query gives the same rows until the next release.
    """

    result: QueryResult
    as_of: dt.date | None
    steady: bool


def run_query(
    *,
    sql: str,
    dialect: Dialect = "athena",
    as_of: dt.date | None = None,
    at: TablesAt | None = None,
    now: dt.datetime | None = None,
    is_cancelled: Callable[[], bool] = lambda: False,
    ahead: bool = True,
) -> Answered:
    """Run one query on the tables as they are, as of the release of the day `as_of`, or as `at` says.

    Live rows are those of `now`, by default the present. `is_cancelled` is called while the query runs.
    `ahead`: false if no other query follows in this process.

    Raises `QueryError`, `QueryBusyError`, `LakeAwayError`, `UnknownReleaseError`.
    """
    with accept_query(sql, dialect=dialect, ahead=ahead) as accepted:
        return run_accepted(accepted, at=at or tables_at(as_of), now=now or utc_now(), is_cancelled=is_cancelled)


def run_accepted(
    accepted: Accepted, *, at: TablesAt, now: dt.datetime, is_cancelled: Callable[[], bool] = lambda: False
) -> Answered:
    """Run a query that was checked; raises `QueryError` and `LakeAwayError`."""
    live: Sequence[Sequence[Any]] = ()
    if LIVE_CROWD.name in accepted.tables:
        from exports.engine.live import live_crowd  # loads the risk model, which few queries need

        live = live_crowd(now=now)
    result = accepted.run(query_sources(release=at.release, live=live, tables=accepted.tables), storage(), is_cancelled=is_cancelled)
    return Answered(result, at.as_of, accepted.steady and LIVE_CROWD.name not in accepted.tables)


def answer(answered: Answered) -> dict[str, Any]:
    """Return the JSON object of an answer."""
    return {
        "columns": columns_of(answered.result.table),
        "rows": json_rows(answered.result.table),
        "truncated": answered.result.truncated,
        "as_of": answered.as_of.isoformat() if answered.as_of else None,
        "elapsed_ms": answered.result.elapsed_ms,
    }
