"""The radar page and its table as CSV. Open to anyone; both work without JavaScript."""

import datetime as dt
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from common.time import utc_now
from common.web.problems import NotFound
from crowdtrace.site.charts.fan import FanData, fan_chart
from crowdtrace.site.radar import rows
from crowdtrace.site.radar.words import UNITS, Asked, series_name
from crowdtrace.site.research import us_map
from exports.dataset import publication
from exports.radar import shown
from exports.radar.models import RadarForecast, RadarRun
from risk.radar.regions import NATION, asked_region

WIDE, NARROW = (760, 320), (340, 270)
"""Sizes of the chart for a screen and for a phone, in pixels."""


@require_safe
def radar(request: HttpRequest) -> HttpResponse:
    """Show map, table and fan chart."""
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
        "series": [(each.series, series_name(each.series)) for each in newest],
        "weeks": weeks,
        "week": len(weeks) - 1 - weeks.index(run.as_of),
        "last_week": len(weeks) - 1,
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
    """Return the table of a run, a line for each region and week; with `region` the lines of one region."""
    newest = shown.newest_runs()
    if not newest:
        raise NotFound(_("There is no forecast of that series for that day."))
    asked = Asked.of(request)
    run = _run(asked, newest)
    forecasts = list(run.forecasts.order_by("region"))
    if asked.region:
        _region, found = _found(asked, forecasts)
        if found is None:
            raise NotFound(_("There is no forecast for that region."))
        forecasts = [found.forecast]
    text = rows.table_csv(run, forecasts)
    headers = {"Content-Disposition": f'attachment; filename="radar-{run.series_id}-{run.as_of}.csv"'}
    return HttpResponse(text, content_type="text/csv; charset=utf-8", headers=headers)


# Parameters -----------------------------------------------------------------------------------------------------------
def _run(asked: Asked, newest: list[RadarRun]) -> RadarRun:
    """Return the run that the URL names. Raise `NotFound` if there is none."""
    chosen = next((run for run in newest if asked.series in {"", str(run.series_id)}), None)
    try:
        as_of = dt.date.fromisoformat(asked.as_of) if asked.as_of else None
    except ValueError:
        chosen = None
    run = shown.find_run(chosen.series, as_of) if chosen and as_of else chosen
    if run is None:
        raise NotFound(_("There is no forecast of that series for that day."))
    return run


def _week(request: HttpRequest, weeks: list[dt.date]) -> dt.date | None:
    """Return the slider's as-of date, in weeks from the oldest; `None` if it was not moved."""
    text = request.GET.get("week", "")
    if not text.isascii() or not text.isdigit() or len(text) > 4:
        return None
    return weeks[max(0, len(weeks) - 1 - int(text))]


def _found(asked: Asked, forecasts: list[RadarForecast]) -> tuple[str | None, shown.Found | None]:
    """Return the requested region and its forecast; by default the country, or where doubling is most likely."""
    if asked.region:
        region = asked_region(asked.region)
        return region, shown.find_forecast(forecasts, region) if region else None
    likely = sorted(forecasts, key=lambda one: (one.region != NATION, -(one.doubling or [0.0])[-1]))
    return None, shown.Found(likely[0], likely[0].region) if likely else None


# Display --------------------------------------------------------------------------------------------------------------
def _context(asked: Asked, run: RadarRun, forecasts: list[RadarForecast]) -> dict[str, Any]:
    """Return map and tables of a run."""
    table, skill = rows.rows_of(run, forecasts), shown.skill(run, shown.ALL)
    sorts = [(key, title, asked.link(sort=_next_sort(asked.sort, key))) for key, title in rows.MEASURES.items()]
    return {
        "asked": asked,
        "run": run,
        "unit": UNITS.get(run.series.unit, ""),
        "name": series_name(run.series),
        "flags": [shown.FLAGS[code] for code in run.flags if code in shown.FLAGS],
        "skill": skill,
        "covered": _covered(skill),
        "fewest": shown.FEWEST_SCORED,
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
    """Return the map: states by class of the measure, ZIP areas as dots by its value."""
    values = {row.region: value for row in table if (value := getattr(row, asked.show)) is not None}
    texts = {row.region: _map_text(row) for row in table}
    return us_map.draw(
        values={region: value for region, value in values.items() if region.isalpha() and region != NATION},
        texts={region: text for region, text in texts.items() if region.isalpha()},
        sizes={region: value for region, value in values.items() if region.isdigit()},
        size_texts={region: text for region, text in texts.items() if region.isdigit()},
    )


def _map_text(row: rows.Row) -> str:
    """Describe a row in a few words, for the map."""
    level = "–" if row.level is None else shown.number(row.level)
    if row.doubling is None:
        return f"{row.name}: {level}"
    return _("%(name)s: %(level)s, doubling %(chance)s %%") % {
        "name": row.name,
        "level": level,
        "chance": number_format(row.doubling, 0),
    }


def _one(run: RadarRun, found: shown.Found) -> dict[str, Any]:
    """Return what is shown of one region."""
    row = found.forecast
    past = shown.values_known(run, row.region)
    later = [point for point in shown.values_known(run, row.region, at=utc_now()) if point[0] > run.as_of]
    weeks = [(shown.target(run, step), row.quantiles[step]) for step in range(shown.LAST + 1)]
    data = FanData(
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
    skill = shown.skill(run, row.region)
    return {
        "found": found,
        "name": rows.name_of(row.region),
        "asked_name": rows.name_of(found.asked),
        "level": None if row.level is None else shown.number(row.level),
        "weeks": [
            {
                "day": day,
                "median": shown.number(quantiles[shown.MEDIAN]),
                "low": shown.number(quantiles[low]),
                "high": shown.number(quantiles[high]),
                "doubling": None if row.doubling is None else 100 * row.doubling[step],
                "came": next((shown.number(value) for when, value in later if when == day), ""),
            }
            for step, (day, quantiles) in enumerate(weeks)
        ],
        "skill": skill,
        "covered": _covered(skill),
        "flags": [shown.FLAGS[code] for code in row.flags if code in shown.FLAGS],
        "fans": [
            ("wide", fan_chart(data, width=WIDE[0], height=WIDE[1])),
            ("narrow", fan_chart(data, width=NARROW[0], height=NARROW[1])),
        ],
        "has_later": bool(later),
    }


def _covered(skill: shown.Skill) -> str:
    """Return how often the intervals covered the later values."""
    if skill.coverage_50 is None or skill.coverage_95 is None:
        return ""
    values = {"half": round(100 * skill.coverage_50), "most": round(100 * skill.coverage_95)}
    return (
        _("The 50 %% range contained what happened in %(half)d %% of the weeks, the 95 %% range in %(most)d %%.")
        % values
    )


def _demonstration() -> str:
    return publication.demonstration_sentence() if publication.is_demonstration() else ""
