"""The tables of these pages as CSV, each at a separate URL: the file has what the page shows."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import pyarrow as pa
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from common.web.problems import NotFound, Unavailable
from crowdtrace.site.research import shown, us_map
from crowdtrace.site.research.days import day_of
from exports.dataset.descriptors import dictionary
from exports.dataset.tables import TABLES
from exports.engine.errors import QueryBusyError
from exports.engine.results import to_csv
from exports.lake.errors import LakeAwayError
from exports.models import Release
from exports.selectors import TablesAt, seen_by, tables_on

Rows = Sequence[Sequence[Any]]
_AREA: Final = (
    "code",
    "name",
    "checkins",
    "margin",
    "symptoms_percent",
    "symptoms_margin",
    "declined_percent",
    "high_percent",
)


@dataclass(frozen=True)
class TableRequest:
    """The source of a table: the tables as of a release, the release of their newest day, and the request."""

    at: TablesAt
    newest: Release | None
    request: HttpRequest


def _areas(found: Sequence[shown.Area]) -> tuple[Sequence[str], Rows]:
    rows = [
        (
            area.code,
            area.name,
            area.total,
            area.margins[0],
            area.symptoms_percent,
            area.symptoms_margin,
            area.declined_percent,
            area.high_percent,
        )
        for area in found
    ]
    return _AREA, rows


def _states(asked: TableRequest) -> tuple[Sequence[str], Rows]:
    day = day_of(asked.request, "day")
    return _areas(shown.states(asked.at, day=day, names=us_map.state_names()))


def _zips(asked: TableRequest) -> tuple[Sequence[str], Rows]:
    try:
        return _areas(shown.zip_areas(asked.at, day=day_of(asked.request, "day")))
    except (QueryBusyError, LakeAwayError) as error:
        raise Unavailable from error


def _spending(asked: TableRequest) -> tuple[Sequence[str], Rows]:
    splits = asked.newest.manifest.get("tables", []) if asked.newest else []
    names = ("name", "cells", "noise_scale", "share_of_budget")
    return names, [tuple(split.get(name) for name in names) for split in splits]


def _signals(asked: TableRequest) -> tuple[Sequence[str], Rows]:
    found = shown.signal_counts(asked.newest) if asked.newest else []
    return ("signal", "value", "low", "high"), [(each.name, each.value, each.low, each.high) for each in found]


def _series(asked: TableRequest) -> tuple[Sequence[str], Rows]:
    found = shown.series_of(asked.at, shown.signal_of(asked.request.GET.get("signal", "")))
    return ("day", "value", "low", "high"), [(point.day, point.value, point.low, point.high) for point in found]


def _dictionary(asked: TableRequest) -> tuple[Sequence[str], Rows]:  # noqa: ARG001
    names = ("table", "column", "type", "unit", "required", "values", "minimum", "maximum", "meaning")
    rows = [
        (
            table.name, each["name"], each["type"], each["unit"], each["required"], "|".join(each["values"]),
            each["minimum"], each["maximum"], each["meaning"],
        )
        for table in TABLES
        for each in dictionary(table)
    ]  # fmt: skip
    return names, rows


def _releases(asked: TableRequest) -> tuple[Sequence[str], Rows]:
    found = seen_by(asked.at.release).order_by("-day") if asked.at.release else []
    rows = [(each.day, each.manifest["rows"], each.epsilon, each.announced_at) for each in found]
    return ("day", "rows", "epsilon", "announced_at"), rows


_MADE: Final[dict[str, Callable[[TableRequest], tuple[Sequence[str], Rows]]]] = {
    "states": _states,
    "zip-areas": _zips,
    "spending": _spending,
    "signals": _signals,
    "series": _series,
    "dictionary": _dictionary,
    "releases": _releases,
}


@require_safe
def table_csv(request: HttpRequest, name: str) -> HttpResponse:
    """Return one table as CSV; `as_of`, `day` and `signal` have the same meaning as on the page."""
    if name not in _MADE:
        raise NotFound
    at = tables_on(day_of(request, "as_of"))
    newest = seen_by(at.release).filter(day=at.as_of).first() if at.release and at.as_of else None
    names, rows = _MADE[name](TableRequest(at, newest, request))
    columns = list(zip(*rows, strict=True)) if rows else [()] * len(names)
    table = pa.table({title: pa.array(column) for title, column in zip(names, columns, strict=True)})
    headers = {"Content-Disposition": f'attachment; filename="{name}.csv"', "Cache-Control": "public, no-cache"}
    return HttpResponse(to_csv(table), content_type="text/csv; charset=utf-8", headers=headers)
