"""Pages for researchers: the dataset, SQL, and the map. Open to anyone; they work without JavaScript."""

import datetime as dt
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.formats import number_format
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from common.web import throttles
from common.web.problems import NotFound
from crowdtrace.site.charts.series import series_chart
from crowdtrace.site.research import shown, us_map
from crowdtrace.site.research.days import day_of
from exports import conf
from exports.api.catalogue import Dataset
from exports.api.problems import RETRY_SECONDS
from exports.api.serializers import FORMATS
from exports.benchmark.leaderboard import OPEN, read_leaderboard
from exports.dataset import publication
from exports.dataset.tables import DAILY, OPEN_TABLES, SIGNAL_NAMES
from exports.engine.errors import QueryBusyError, QueryError
from exports.engine.limits import MAX_CHARACTERS
from exports.engine.run import run_query
from exports.lake.errors import LakeAwayError
from exports.selectors import TablesAt, UnknownReleaseError, seen_by, tables_at, tables_on
from venues.links import origin

LISTED_RELEASES: Final = 60


@require_safe
def data(request: HttpRequest) -> HttpResponse:
    """Show what the data is and is not, its guarantee, dictionary, releases, profile, downloads and licence."""
    at = tables_on(day_of(request, "as_of"))
    dataset = Dataset.of(request, conf.database())
    releases = list(seen_by(at.release).order_by("-day")[:LISTED_RELEASES]) if at.release else []
    signal = shown.signal_of(request.GET.get("signal", ""))
    newest = next((release for release in releases if release.day == at.as_of), None)
    context = {
        "whole": dataset.whole(at),
        "asked": request.GET.get("as_of", ""),
        "releases": releases,
        "newest": newest,
        "signal_counts": shown.signal_counts(newest) if newest else [],
        "series": series_chart(shown.series_of(at, signal)),
        "signal": signal,
        "as_of_query": _query(request, "as_of"),
        "series_query": _query(request, "as_of", signal=signal),
        "signals": SIGNAL_NAMES,
        "bars": shown.bars_of(newest) if newest else [],
        "boxes": shown.boxes_of(newest) if newest else [],
        "splits": newest.manifest.get("tables", []) if newest else [],
    }
    return _page(request, "site/data.html", context)


@require_safe
def sql(request: HttpRequest) -> HttpResponse:
    """Show a query and its result. The page's URL is the permalink."""
    text = request.GET.get("sql", "")
    examples = shown.examples()
    example = next((each for each in examples if each.slug == request.GET.get("example")), examples[0])
    context: dict[str, Any] = {
        "sql": text or example.sql,
        "as_of": request.GET.get("as_of", ""),
        "examples": examples,
        "tables": [*OPEN_TABLES, DAILY],
        "database": conf.database(),
        "most": MAX_CHARACTERS,
        "snippets": shown.snippets(base=origin(request), sql=text or example.sql),
        "formats": FORMATS,
        "names": shown.names_to_complete(),
    }
    if text:
        context |= _answer(request, text)
    response = _page(request, "site/sql.html", context, status=context.pop("status", 200))
    if response.status_code == HTTPStatus.TOO_MANY_REQUESTS:
        response["Retry-After"] = str(RETRY_SECONDS)
    return response


@require_safe
def benchmark(request: HttpRequest) -> HttpResponse:
    """Show the leaderboard of a contest, if this copy has one, and how to take part."""
    folder = conf.benchmark_folder()
    lines = read_leaderboard(Path(folder) / OPEN) if folder else None
    return _page(request, "site/benchmark.html", {"lines": lines})


def _query(request: HttpRequest, name: str, **more: str) -> str:
    """Return the query parameters of a table's file: the day of the page, and others."""
    day = day_of(request, name)
    return urlencode(({name: day.isoformat()} if day else {}) | more)


def _page(request: HttpRequest, template: str, context: dict[str, Any], status: int = 200) -> HttpResponse:
    """Render one of these pages; each says so if its data is entirely simulated."""
    demonstration = publication.demonstration_sentence() if publication.is_demonstration() else ""
    return render(request, template, context | {"demonstration": demonstration}, status=status)


def _answer(request: HttpRequest, text: str) -> dict[str, Any]:
    """Return the result, or the error of the query and its position."""
    throttles.check(request, "query")
    try:
        answered = run_query(sql=text, as_of=day_of(request, "as_of"))
    except QueryError as error:
        return {"wrong": error, "marked": _marked(text, error), "status": HTTPStatus.BAD_REQUEST}
    except QueryBusyError:
        busy = _("Too many queries are running. Try again in a moment.")
        return {"wrong": {"detail": busy}, "status": HTTPStatus.TOO_MANY_REQUESTS}
    except LakeAwayError:
        away = _("The data cannot be read at the moment. Try again in a minute.")
        return {"wrong": {"detail": away}, "status": HTTPStatus.SERVICE_UNAVAILABLE}
    except UnknownReleaseError:
        return {"wrong": {"detail": _("There is no release for that day.")}, "status": HTTPStatus.BAD_REQUEST}
    return {"shown": shown.shown(answered)}


def _marked(text: str, error: QueryError) -> str:
    """Return the line with the error, and a mark below the position."""
    lines = text.splitlines()
    if error.line is None or not 1 <= error.line <= len(lines):
        return ""
    column = min(error.column or 1, len(lines[error.line - 1]) + 1)
    return f"{lines[error.line - 1]}\n{' ' * (column - 1)}^"


@require_safe
def map_of_releases(request: HttpRequest) -> HttpResponse:
    """Show released rows by state and ZIP area, as a map and as a table of the same rows."""
    at = tables_at()
    days = list(seen_by(at.release).order_by("-day").values_list("day", flat=True)) if at.release else []
    day = day_of(request, "day")
    if day is not None and day not in days:
        raise NotFound(_("There is no release for that day."))
    measure = request.GET.get("measure", "total")
    measure = measure if measure in shown.MEASURES else "total"
    states = shown.states(at, day=day, names=us_map.state_names())
    areas, away = _areas(at, day)
    context = {
        "map": _map(states, areas, measure, shown.MEASURES[measure]),
        "states": shown.ordered(states, request.GET.get("sort", "")),
        "areas": shown.ordered(areas, request.GET.get("sort", "")),
        "away": away,
        "days": days,
        "day": day,
        "measure": measure,
        "measures": shown.MEASURES.items(),
        "sort": request.GET.get("sort", ""),
        "day_query": _query(request, "day"),
        "is_percent": measure.endswith("_percent"),
    }
    return _page(request, "site/map.html", context)


def _areas(at: TablesAt, day: dt.date | None) -> tuple[list[shown.Area], bool]:
    """Return the ZIP areas, and whether they cannot be read at present."""
    try:
        return shown.zip_areas(at, day=day), False
    except (QueryBusyError, LakeAwayError):
        return [], True


def _map(states: list[shown.Area], areas: list[shown.Area], measure: str, title: Promise) -> us_map.UsMap:
    known = [area for area in states if area.code]
    return us_map.draw(
        values={area.code: getattr(area, measure) for area in known},
        texts={area.code: f"{area.name}: {title} {_number(getattr(area, measure))}" for area in known},
        sizes={area.code: float(area.total) for area in areas},
        size_texts={
            area.code: _("ZIP %(zip)s: %(count)s check-ins") % {"zip": area.code, "count": _number(area.total)}
            for area in areas
        },
    )


def _number(value: float) -> str:
    return number_format(value, 0 if isinstance(value, int) else 1, use_l10n=True, force_grouping=True)
