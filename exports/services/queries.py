"""Running a researcher's query on the deployment's open tables."""

import datetime as dt
from dataclasses import dataclass
from typing import Any

from exports.engine.check import Dialect
from exports.engine.engine import QueryResult
from exports.engine.results import columns_of, json_rows
from exports.lakes import deployment_lake, latest_release, query_engine
from exports.models import Release, Step


@dataclass(frozen=True)
class Answered:
    """A query's rows, and the newest day they could see (none before the first release)."""

    result: QueryResult
    as_of: dt.date | None


class UnknownReleaseError(LookupError):
    """No release of that day was announced."""


def run_query(*, sql: str, dialect: Dialect = "athena", as_of: dt.date | None = None) -> Answered:
    """Run one query on the tables as they are, or as the release of the day `as_of` left them.

    Raises `QueryError`, `QueryBusyError`, `UnknownReleaseError`.
    """
    release = latest_release()
    if as_of is not None:
        release = Release.objects.filter(day=as_of, step=Step.ANNOUNCED).first()
        if release is None:
            raise UnknownReleaseError(f"there is no release of {as_of}")
    with deployment_lake() as lake:
        engine = query_engine(lake, release=release)
    return Answered(engine.run(sql, dialect=dialect), release.day if release else None)


def answer(answered: Answered) -> dict[str, Any]:
    """The JSON object of an answer."""
    return {
        "columns": columns_of(answered.result.table),
        "rows": json_rows(answered.result.table),
        "truncated": answered.result.truncated,
        "as_of": answered.as_of.isoformat() if answered.as_of else None,
        "elapsed_ms": answered.result.elapsed_ms,
    }
