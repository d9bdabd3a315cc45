"""Running a researcher's query on the deployment's open tables."""

import datetime as dt
from dataclasses import dataclass
from typing import Any

from exports.engine.check import Checked, Dialect
from exports.engine.engine import QueryResult
from exports.engine.results import columns_of, json_rows
from exports.lakes import query_engine
from exports.selectors import TablesAt, tables_at


@dataclass(frozen=True)
class Answered:
    """A query's rows, and the newest day they could see (none before the first release)."""

    result: QueryResult
    as_of: dt.date | None


def run_query(
    *, sql: str, dialect: Dialect = "athena", as_of: dt.date | None = None, at: TablesAt | None = None
) -> Answered:
    """Run one query on the tables as they are, as the release of the day `as_of` left them, or as `at` says.

    Raises `QueryError`, `QueryBusyError`, `LakeAwayError`, `UnknownReleaseError`.
    """
    at = at or tables_at(as_of)
    return Answered(query_engine(release=at.release).run(sql, dialect=dialect), at.as_of)


def check_query(*, sql: str, dialect: Dialect, at: TablesAt) -> Checked:
    """Look at a query without running it; raises `QueryError`."""
    return query_engine(release=at.release).check(sql, dialect=dialect)


def answer(answered: Answered) -> dict[str, Any]:
    """The JSON object of an answer."""
    return {
        "columns": columns_of(answered.result.table),
        "rows": json_rows(answered.result.table),
        "truncated": answered.result.truncated,
        "as_of": answered.as_of.isoformat() if answered.as_of else None,
        "elapsed_ms": answered.result.elapsed_ms,
    }
