"""Views of the radar: forecasts of weekly series by region with the measured skill of earlier ones, and feeds."""

import datetime as dt
import hashlib
from collections.abc import Sequence
from typing import Any, Final

from django.http import HttpRequest, HttpResponse
from django.utils.feedgenerator import Atom1Feed
from django.utils.http import parse_etags, quote_etag
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from common.web import problems
from common.web.etag import ETagMixin
from common.web.problems import FieldError, Invalid, NotFound
from common.web.serializers import Day, QuerySerializer, Text, UtcTime, read_query
from exports import conf
from exports.api.feed import MEDIA_TYPE
from exports.api.kinds import documented, kind_for
from exports.api.queries import FormatIsAsked
from exports.radar import shown
from exports.radar.models import RadarForecast, RadarRun
from risk.models import Series
from risk.radar.regions import NATION, asked_region, geo_type, state_of
from venues.links import origin

PUBLIC: Final = "public, no-cache"
FEED_ENTRIES: Final = 26


# Requests and responses -----------------------------------------------------------------------------------------------
def _series_field() -> serializers.RegexField:
    return serializers.RegexField(
        r"\A[1-9][0-9]{0,8}\Z", required=False, help_text="number of a series; default: the best tested one"
    )


class RadarQuery(QuerySerializer):
    """Query parameters."""

    as_of = Day(required=False, help_text="the forecast of this day or the last before; default: the newest")
    region = Text(
        required=False,
        max_length=10,
        help_text="state code, three or five digits of a ZIP code, or US; default: every region",
    )
    series = _series_field()


class FeedQuery(QuerySerializer):
    """Query parameters of the feed of one region."""

    region = Text(max_length=10, help_text="state code, three or five digits of a ZIP code, or US")
    series = _series_field()


class RadarSeries(serializers.Serializer[Any]):
    """A weekly series."""

    id = serializers.IntegerField()
    source = serializers.CharField(help_text="publisher of the series")  # type: ignore[assignment]  # a field of that name
    signal = serializers.CharField(help_text="what it counts")
    unit = serializers.ChoiceField(Series.Unit.choices, help_text="of its values, also of quantiles")
    simulated = serializers.BooleanField(help_text="whether its values are simulated")


class RadarSkill(serializers.Serializer[Any]):
    """The skill of earlier forecasts, as known when this one was made; scores are compared on the same weeks."""

    tasks = serializers.IntegerField(help_text="forecast weeks whose values are known")
    relative_wis = serializers.FloatField(
        allow_null=True, help_text="weighted interval score over that of `same as last week`; below 1 is better"
    )
    coverage_50 = serializers.FloatField(allow_null=True, help_text="share of weeks inside the central 50 %")
    coverage_95 = serializers.FloatField(allow_null=True, help_text="share of weeks inside the central 95 %")
    beats_last_week = serializers.BooleanField(
        allow_null=True, help_text=f"null with fewer than {shown.FEWEST_SCORED} scored weeks"
    )


class RadarWeek(serializers.Serializer[Any]):
    """The forecast of one week."""

    horizon = serializers.IntegerField(min_value=0, max_value=shown.LAST)
    target_end_date = serializers.DateField(help_text="last day of the week, a Saturday")
    quantiles = serializers.ListField(child=serializers.FloatField(), help_text="at the levels of `quantile_levels`")
    chance_of_doubling = serializers.FloatField(
        allow_null=True, help_text="of twice the level or more, between 0.01 and 0.99; null where the level is 0"
    )


class RadarRegion(serializers.Serializer[Any]):
    """The forecast of one region."""

    region = serializers.CharField(help_text="the requested region")
    geo_type = serializers.ChoiceField(["nation", "state", "zip3"])
    forecast_of = serializers.CharField(help_text="region of the forecast: the requested one, or a larger one")
    is_fallback = serializers.BooleanField(help_text="whether the forecast is that of a larger region")
    level = serializers.FloatField(allow_null=True, help_text="newest value; null if the last weeks have none")
    sample_size = serializers.FloatField(allow_null=True, help_text="sample size of that value, if known")
    weeks = RadarWeek(many=True)
    flags = serializers.ListField(child=serializers.ChoiceField(list(shown.FLAGS)))
    skill = RadarSkill()


class RadarOutput(serializers.Serializer[Any]):
    """Forecasts of one series."""

    series = RadarSeries()
    as_of = serializers.DateField(help_text="last day of the newest known week")
    made_at = UtcTime(help_text="the forecast uses what was recorded until then")
    quantile_levels = serializers.ListField(child=serializers.FloatField())
    flags = serializers.ListField(child=serializers.ChoiceField(list(shown.FLAGS)), help_text="of all regions")
    skill = RadarSkill(help_text="over all regions but the country")
    regions = RadarRegion(many=True)
    other_series = RadarSeries(many=True)


# Data -----------------------------------------------------------------------------------------------------------------
def region_asked(text: str) -> str:
    """Return the region of a request; raise `Invalid` for an unknown one."""
    region = asked_region(text)
    if region is None:
        detail = _("Neither a state, nor three or five digits of a ZIP code that is in use, nor US.")
        raise Invalid(errors=[FieldError("?region", detail, "unknown")])
    return region


def run_asked(*, series: str | None, as_of: dt.date | None) -> tuple[RadarRun, list[RadarRun]]:
    """Return the run of a request and the newest of every series; raise `NotFound`."""
    newest = shown.newest_runs()
    chosen = next((run for run in newest if series is None or run.series_id == int(series)), None)
    run = shown.find_run(chosen.series, as_of) if chosen and as_of else chosen
    if run is None:
        raise NotFound(_("There is no forecast of that series for that day."))
    return run, newest


def skill_data(skill: shown.Skill) -> dict[str, Any]:
    """Serialise skill for the response."""
    return {
        "tasks": skill.tasks,
        "relative_wis": skill.relative_wis,
        "coverage_50": skill.coverage_50,
        "coverage_95": skill.coverage_95,
        "beats_last_week": skill.beats_last_week,
    }


def region_data(run: RadarRun, found: shown.Found) -> dict[str, Any]:
    """Serialise one region for the response."""
    row = found.forecast
    return {
        "region": found.asked,
        "geo_type": geo_type(found.asked),
        "forecast_of": row.region,
        "is_fallback": found.is_fallback,
        "level": row.level,
        "sample_size": row.sample_size,
        "weeks": [
            {
                "horizon": horizon,
                "target_end_date": shown.target(run, horizon),
                "quantiles": row.quantiles[horizon],
                "chance_of_doubling": row.doubling[horizon] if row.doubling else None,
            }
            for horizon in range(shown.LAST + 1)
        ],
        "flags": row.flags,
        "skill": skill_data(shown.skill(run, row.region)),
    }


def _series_data(series: Series) -> dict[str, Any]:
    names = ("source", "signal", "unit", "simulated")
    return {"id": series.pk} | {name: getattr(series, name) for name in names}


def _regions(forecasts: Sequence[RadarForecast], region: str | None) -> list[shown.Found]:
    if region is None:
        return [shown.Found(row, row.region) for row in forecasts]
    found = shown.find_forecast(forecasts, region)
    if found is None:
        raise NotFound(_("Neither this region nor a larger one around it has a forecast."))
    return [found]


# Views ----------------------------------------------------------------------------------------------------------------
class RadarView(ETagMixin, APIView):
    """Forecasts."""

    cache_control = PUBLIC
    problems: Any = (problems.Invalid, problems.NotFound)

    @extend_schema(
        operation_id="radar",
        tags=["dataset"],
        summary="Forecasts of weekly series by region",
        parameters=[RadarQuery],
        responses=RadarOutput,
    )
    def get(self, request: Request) -> Response:
        """Return quantiles of the next four weeks, the chance of doubling, and the skill of earlier forecasts.

        A region without a forecast gets that of its state, or of the country, and the response says so. The
        forecast made on a day never changes.
        """
        query = read_query(request, RadarQuery)
        region = region_asked(query["region"]) if "region" in query else None
        run, newest = run_asked(series=query.get("series"), as_of=query.get("as_of"))
        found = _regions(list(run.forecasts.order_by("region")), region)
        data = {
            "series": _series_data(run.series),
            "as_of": run.as_of,
            "made_at": run.made_at,
            "quantile_levels": list(shown.LEVELS),
            "flags": run.flags,
            "skill": skill_data(shown.skill(run, shown.ALL)),
            "regions": [region_data(run, one) for one in found],
            "other_series": [_series_data(one.series) for one in newest if one.series_id != run.series_id],
        }
        return Response(RadarOutput(data).data)


class RadarFeedView(APIView):
    """News of one region."""

    content_negotiation_class = FormatIsAsked
    problems: Any = (problems.Invalid, problems.NotFound)

    @extend_schema(
        operation_id="radar_feed",
        tags=["dataset"],
        summary="Atom feed of a region's forecasts",
        parameters=[FeedQuery],
        responses=documented(MEDIA_TYPE),
    )
    def get(self, request: Request) -> HttpResponse:
        """Return the forecasts of the last half year, newest first, each with a link to its page."""
        query = read_query(request, FeedQuery)
        region = region_asked(query["region"])
        run, _newest = run_asked(series=query.get("series"), as_of=None)
        runs = RadarRun.objects.filter(series=run.series).order_by("-as_of")[:FEED_ENTRIES]
        data = feed(base=origin(request._request), series=run.series, region=region, runs=list(runs)).encode()
        tag = quote_etag(hashlib.sha256(data).hexdigest())
        return _answer(request._request, data, tag)


def _answer(request: HttpRequest, data: bytes, tag: str) -> HttpResponse:
    headers = {"ETag": tag, "Cache-Control": PUBLIC, "Vary": "Accept"}
    if tag in parse_etags(request.META.get("HTTP_IF_NONE_MATCH", "")):
        return HttpResponse(status=304, headers=headers)
    return HttpResponse(data, content_type=f"{kind_for(request, MEDIA_TYPE)}; charset=utf-8", headers=headers)


def feed(*, base: str, series: Series, region: str, runs: Sequence[RadarRun]) -> str:
    """Return the feed of a region; a run without a forecast for it, or for a larger region, is left out."""
    page = f"{base}/radar?series={series.pk}&region={region}"
    made = Atom1Feed(
        title=_("Radar of %(region)s: %(signal)s") % {"region": region, "signal": series.signal},
        link=page,
        description="",
        subtitle=_simulated(series),  # the description is no element of Atom
        feed_url=f"{base}/api/v1/radar/feed.atom?series={series.pk}&region={region}",
        author_name=conf.publisher(),
    )
    regions = [region, state_of(region) or "", NATION]
    rows = RadarForecast.objects.filter(run__in=[run.pk for run in runs], region__in=regions)
    by_run: dict[int, list[RadarForecast]] = {}
    for row in rows:
        by_run.setdefault(row.run_id, []).append(row)
    for run in runs:
        found = shown.find_forecast(by_run.get(run.pk, []), region)
        if found is not None:
            link = f"{page}&as_of={run.as_of.isoformat()}"
            made.add_item(
                title=_("%(region)s, week ending %(day)s")
                % {"region": found.forecast.region, "day": run.as_of.isoformat()},
                link=link,
                unique_id=link,
                description=f"{_simulated(series)} {_sentence(run, found)}".strip(),
                pubdate=run.made_at,
                updateddate=run.made_at,
            )
    return made.writeString("utf-8")


def _simulated(series: Series) -> str:
    """Return what readers of a simulated series have to know; feed readers show it with every entry."""
    return _("Simulated: nothing in it happened.") if series.simulated else ""


def _sentence(run: RadarRun, found: shown.Found) -> str:
    """Return a forecast in words."""
    low, high = shown.INTERVALS[95]
    last = found.forecast.quantiles[shown.LAST]
    ends = {"median": last[shown.MEDIAN], "low": last[low], "high": last[high]}
    values = {name: shown.number(value) for name, value in ends.items()}
    text = _("In four weeks: %(median)s (95 %% range %(low)s to %(high)s).") % values
    if found.is_fallback:
        text += " " + _("This is for a larger region: there is no forecast for yours.")
    if found.forecast.doubling:
        chance = 100 * found.forecast.doubling[shown.LAST]
        text += " " + _("Chance that it doubles: %(chance).0f %%.") % {"chance": chance}
    beats = shown.skill(run, found.forecast.region).beats_last_week
    if beats is False:
        text += " " + _("Earlier forecasts here were no better than assuming the same as last week.")
    return text
