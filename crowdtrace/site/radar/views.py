"""The radar page and its table as CSV. Open to anyone; both work without a script."""

import datetime as dt
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.formats import number_format
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from common.time import utc_now
from common.web.problems import NotFound
from crowdtrace.site.radar import fan, rows
from crowdtrace.site.research import us_map
from exports.dataset import publication
from exports.radar import shown
from exports.radar.models import RadarForecast, RadarRun
from risk.models import Series
from risk.radar.regions import NATION, asked_region

WIDE, NARROW = (760, 320), (340, 270)
"""The chart for a screen and for a phone, in pixels."""
NAMES: Final[dict[str, Promise]] = {
    "check-ins": gettext_lazy("Check-ins"),
    "symptoms": gettext_lazy("Check-ins with symptoms"),
    "diagnosed": gettext_lazy("Check-ins with a diagnosis"),
    "contact": gettext_lazy("Check-ins after a contact"),
    "near": gettext_lazy("Check-ins near a case"),
    "hospital admissions": gettext_lazy("Hospital admissions"),
}
UNITS: Final[dict[str, Promise]] = {
    Series.Unit.COUNT: gettext_lazy("a week"),
    Series.Unit.PERCENT: gettext_lazy("% in the week"),
}


@dataclass(frozen=True)
class Asked:
    """What a request asks for, each part empty where it does not say."""

    series: str
    as_of: str
    region: str
    show: str
    sort: str

    @classmethod
    def of(cls, request: HttpRequest) -> "Asked":
        """The parameters of the address; a measure that is unknown is the first."""
        found = {name: request.GET.get(name, "") for name in ("series", "as_of", "region", "show", "sort")}
        return cls(**found | {"show": found["show"] if found["show"] in rows.SHOWN else rows.SHOWN[0]})

    def link(self, **changed: str) -> str:
        """The page's address with some of it changed."""
        values = {name: getattr(self, name) for name in ("series", "as_of", "region", "show", "sort")} | changed
        return "?" + urlencode({name: value for name, value in values.items() if value})


@require_safe
def radar(request: HttpRequest) -> HttpResponse:
    """Map, table and fan chart."""
    asked = Asked.of(request)
    newest = shown.newest_runs()
    if not newest:
        return render(request, "site/radar.html", {"demonstration": _demonstration(), "run": None})
    run = _run(asked, newest)
    weeks = shown.weeks_of(run.series)
    if (chosen := _week(request, weeks)) is not None:
        return redirect(reverse("page-radar") + asked.link(as_of=chosen.isoformat()))
    forecasts = list(run.forecasts.order_by("region"))
    region, found = _found(asked, forecasts)
    context = _context(asked, run, forecasts) | {
        "series": [(each.series, name_of(each.series)) for each in newest],
        "weeks": weeks,
        "back": weeks.index(run.as_of),
        "first": weeks[-1],
        "newest": weeks[0],
        "is_newest": run.as_of == weeks[0],
        "one": _one(run, found) if found else None,
        "unknown": bool(asked.region) and region is None,
        "feed": f"{reverse('radar-feed')}?{urlencode({'series': run.series_id, 'region': region or NATION})}",
        "csv": f"{reverse('page-radar-csv')}?{urlencode({'series': run.series_id, 'as_of': run.as_of})}",
        "demonstration": _demonstration(),
    }
    return render(request, "site/radar.html", context, status=400 if context["unknown"] else 200)


@require_safe
def radar_csv(request: HttpRequest) -> HttpResponse:
    """The table of a run, a line for each region and week."""
    newest = shown.newest_runs()
    if not newest:
        raise NotFound(_("There is no forecast of that series and day."))
    run = _run(Asked.of(request), newest)
    text = rows.table_csv(run, run.forecasts.order_by("region"))
    headers = {"Content-Disposition": f'attachment; filename="radar-{run.series_id}-{run.as_of}.csv"'}
    return HttpResponse(text, content_type="text/csv; charset=utf-8", headers=headers)


# What is asked --------------------------------------------------------------------------------------------------------
def _run(asked: Asked, newest: list[RadarRun]) -> RadarRun:
    """The run of an address; raises `NotFound`."""
    chosen = next((run for run in newest if asked.series in {"", str(run.series_id)}), None)
    try:
        as_of = dt.date.fromisoformat(asked.as_of) if asked.as_of else None
    except ValueError:
        chosen = None
    run = shown.find_run(chosen.series, as_of) if chosen and as_of else chosen
    if run is None:
        raise NotFound(_("There is no forecast of that series and day."))
    return run


def _week(request: HttpRequest, weeks: list[dt.date]) -> dt.date | None:
    """The as-of date that the slider asks for, in weeks from the oldest; None where it was not moved."""
    text = request.GET.get("week", "")
    if not text.isascii() or not text.isdigit() or len(text) > 4:
        return None
    return weeks[max(0, len(weeks) - 1 - int(text))]


def _found(asked: Asked, forecasts: list[RadarForecast]) -> tuple[str | None, shown.Found | None]:
    """The region that is asked about, and its forecast; by itself the country, else where doubling is likeliest."""
    if asked.region:
        region = asked_region(asked.region)
        return region, shown.find_forecast(forecasts, region) if region else None
    likely = sorted(forecasts, key=lambda one: (one.region != NATION, -(one.doubling or [0.0])[-1]))
    return None, shown.Found(likely[0], likely[0].region) if likely else None


# What is shown --------------------------------------------------------------------------------------------------------
def name_of(series: Series) -> str:
    """A series in words: what it counts, and who says so."""
    return f"{NAMES.get(series.signal, series.signal)} · {series.source}"


def _context(asked: Asked, run: RadarRun, forecasts: list[RadarForecast]) -> dict[str, Any]:
    """Map and tables of a run."""
    table = rows.rows_of(run, forecasts)
    sorts = [(key, title, asked.link(sort=_next_sort(asked.sort, key))) for key, title in rows.MEASURES.items()]
    return {
        "asked": asked,
        "run": run,
        "unit": UNITS.get(run.series.unit, ""),
        "name": name_of(run.series),
        "flags": [shown.FLAGS[code] for code in run.flags if code in shown.FLAGS],
        "skill": shown.skill(run, shown.ALL),
        "map": _map(asked, table),
        "measures": [(key, rows.MEASURES[key]) for key in rows.SHOWN],
        "measure": rows.MEASURES[asked.show],
        "tables": [
            (anchor, title, rows.ordered([row for row in table if row.kind in kinds], asked.sort))
            for anchor, title, kinds in (
                ("states", _("States"), {"nation", "state"}),
                ("areas", _("ZIP areas"), {"zip3"}),
            )
        ],
        "by_name": asked.link(sort="-name" if asked.sort == "name" else "name"),
        "sorts": sorts,
    }


def _next_sort(sort: str, key: str) -> str:
    return key if sort == f"-{key}" else f"-{key}"


def _map(asked: Asked, table: list[rows.Row]) -> us_map.UsMap:
    """States by class of the measure, ZIP areas as dots by it."""
    values = {row.region: value for row in table if (value := getattr(row, asked.show)) is not None}
    texts = {row.region: _told(row) for row in table}
    return us_map.draw(
        values={region: value for region, value in values.items() if region.isalpha() and region != NATION},
        texts={region: text for region, text in texts.items() if region.isalpha()},
        sizes={region: value for region, value in values.items() if region.isdigit()},
        size_texts={region: text for region, text in texts.items() if region.isdigit()},
    )


def _told(row: rows.Row) -> str:
    """A row in a few words, for the map."""
    level = "–" if row.level is None else number(row.level)
    if row.doubling is None:
        return f"{row.name}: {level}"
    return _("%(name)s: %(level)s, doubling %(chance)s %%") % {
        "name": row.name,
        "level": level,
        "chance": number_format(row.doubling, 0),
    }


def number(value: float) -> str:
    """A value as the page writes it: whole from ten on."""
    return number_format(value, 0 if value >= 10 or value == 0 else 1, use_l10n=True, force_grouping=True)


def _one(run: RadarRun, found: shown.Found) -> dict[str, Any]:
    """What is shown of one region."""
    row = found.forecast
    past = shown.values_known(run, row.region)
    later = [point for point in shown.values_known(run, row.region, at=utc_now()) if point[0] > run.as_of]
    weeks = [(shown.target(run, step), row.quantiles[step]) for step in range(shown.LAST + 1)]
    wanted = fan.Wanted(
        as_of=run.as_of,
        past=past,
        medians=[(day, quantiles[shown.MEDIAN]) for day, quantiles in weeks],
        intervals=[
            (share, [(day, quantiles[low], quantiles[high]) for day, quantiles in weeks])
            for share, (low, high) in sorted(shown.INTERVALS.items(), reverse=True)
        ],
        later=later,
    )
    low, high = shown.INTERVALS[95]
    return {
        "found": found,
        "name": rows.name_of(row.region),
        "asked_name": rows.name_of(found.asked),
        "level": None if row.level is None else number(row.level),
        "weeks": [
            {
                "day": day,
                "median": number(quantiles[shown.MEDIAN]),
                "low": number(quantiles[low]),
                "high": number(quantiles[high]),
                "doubling": None if row.doubling is None else 100 * row.doubling[step],
                "came": next((number(value) for when, value in later if when == day), ""),
            }
            for step, (day, quantiles) in enumerate(weeks)
        ],
        "skill": shown.skill(run, row.region),
        "flags": [shown.FLAGS[code] for code in row.flags if code in shown.FLAGS],
        "fans": [
            ("wide", fan.draw(wanted, width=WIDE[0], height=WIDE[1])),
            ("narrow", fan.draw(wanted, width=NARROW[0], height=NARROW[1])),
        ],
        "has_later": bool(later),
    }


def _demonstration() -> str:
    return publication.demonstration_sentence() if publication.is_demonstration() else ""
