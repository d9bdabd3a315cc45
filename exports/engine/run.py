"""Run a researcher's query on the deployment's open tables."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from common.time import utc_now
from exports.dataset.tables import LIVE_CROWD
from exports.engine.deployment import query_engine
from exports.engine.engine import QueryResult
from exports.engine.results import columns_of, json_rows
from exports.selectors import TablesAt, tables_at

if TYPE_CHECKING:
    from exports.engine.parse import Dialect


@dataclass(frozen=True)
class Answered:
    """A query's rows, and the newest day in the tables (`None` before the first release)."""

    result: QueryResult
    as_of: dt.date | None


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
    at = at or tables_at(as_of)
    engine = query_engine(release=at.release, ahead=ahead)
    if LIVE_CROWD.name in engine.check(sql, dialect=dialect).tables:
        from exports.engine.live import live_crowd  # loads the risk model, which few queries need

        engine = query_engine(release=at.release, live=live_crowd(now=now or utc_now()), ahead=ahead)
    return Answered(engine.run(sql, dialect=dialect, is_cancelled=is_cancelled), at.as_of)


def is_steady(*, sql: str, dialect: Dialect, at: TablesAt) -> bool:
    """Return whether a query gives the same rows until the next release; raises `QueryError` for a refused one."""
    checked = query_engine(release=at.release).check(sql, dialect=dialect)
    return checked.steady and LIVE_CROWD.name not in checked.tables


def answer(answered: Answered) -> dict[str, Any]:
    """Return the JSON object of an answer."""
    return {
        "columns": columns_of(answered.result.table),
        "rows": json_rows(answered.result.table),
        "truncated": answered.result.truncated,
        "as_of": answered.as_of.isoformat() if answered.as_of else None,
        "elapsed_ms": answered.result.elapsed_ms,
    }
