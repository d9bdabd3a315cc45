"""Statistics of a venue for its own programs: the numbers that its pages show."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from common.time import utc_now
from common.web.serializers import UtcTime
from crowdtrace.site.owner.dashboard import inside
from crowdtrace.site.owner.statistics import OPEN_DAY, guarantee, past_of
from exports.policy.owner_figures import Figure
from exports.statistics.figures import DayFigures
from venues import selectors
from venues.api.base import OwnerView
from venues.fullness import Fullness, Level


class InsideOutput(serializers.Serializer[Any]):
    """How full the venue is, in bands of people."""

    at = UtcTime()
    heads = serializers.IntegerField(help_text="upper end of the band that the number of people inside is in")
    at_least = serializers.IntegerField(help_text="lower end of that band")
    limit = serializers.IntegerField(help_text="how many the doors let in")
    percent = serializers.IntegerField(
        help_text="`heads` in percent of the limit; may pass 100 where the limit was lowered meanwhile"
    )
    level = serializers.ChoiceField(
        choices=[level.value for level in Level], help_text="`fills` from the alert on, `full`: the doors are red"
    )


class RatedOutput(serializers.Serializer[Any]):
    """Means of ratings from 1 to 5, with noise."""

    count = serializers.IntegerField(help_text="about how many")
    masks = serializers.FloatField()
    distancing = serializers.FloatField()


class WithinOutput(serializers.Serializer[Any]):
    """Halves of the 95 % intervals of a day's figures, in people."""

    visits = serializers.IntegerField()
    declined = serializers.IntegerField()
    refused = serializers.IntegerField()


class DayOutput(serializers.Serializer[Any]):
    """One day at the venue, with noise; null until the day is closed, and for a day without figures."""

    date = serializers.DateField()
    visits = serializers.IntegerField(
        allow_null=True, help_text="good passes that came, also where the place was full or closed"
    )
    declined = serializers.IntegerField(
        allow_null=True, help_text="red at the doors for a reason of the pass or its holder"
    )
    refused = serializers.IntegerField(allow_null=True, help_text="check-ins whose answers got no pass")
    within = WithinOutput(allow_null=True)


class StatisticsGuaranteeOutput(serializers.Serializer[Any]):
    """What the numbers reveal of one person, in words."""

    closed_days = serializers.CharField()
    now = serializers.CharField()


class StatisticsOutput(serializers.Serializer[Any]):
    """Statistics of a venue's crowd."""

    now = InsideOutput()
    usual = serializers.ListField(
        child=serializers.ListField(child=serializers.FloatField(), min_length=24, max_length=24),
        min_length=7,
        max_length=7,
        allow_null=True,
        help_text="mean number inside by local hour, Monday first, with noise; null until it is known",
    )
    ratings = RatedOutput(allow_null=True, help_text="null while noise hides them")
    days = DayOutput(many=True, help_text="the last fortnight, newest first")
    guarantee = StatisticsGuaranteeOutput()


class StatisticsView(OwnerView):
    """Statistics of a venue."""

    @extend_schema(operation_id="statistics", responses=StatisticsOutput)
    def get(self, request: Request, venue: str) -> Response:  # noqa: ARG002
        """Return how full it is in bands; how full it usually is, ratings and the last fortnight with noise."""
        place, now = selectors.venue(self.user, venue), utc_now()
        (present,), past = inside([place], now), past_of(place, now)
        found = {
            "now": {"at": now} | _present(present),
            "usual": None if past.usual is None else past.usual.reshape(7, 24).round(1).tolist(),
            "ratings": past.ratings,
            "days": [_day(day) for day in past.days],
            "guarantee": {"closed_days": guarantee(), "now": OPEN_DAY},
        }
        return self.show(StatisticsOutput, found)


def _present(place: Fullness) -> dict[str, Any]:
    band = place.band
    return {
        "heads": band.high,
        "at_least": band.low,
        "limit": place.limit,
        "percent": place.percent,
        "level": place.level,
    }


def _day(day: DayFigures) -> dict[str, Any]:
    figures: dict[str, Figure | None] = {"visits": day.visits, "declined": day.declined, "refused": day.refused}
    known = {name: one for name, one in figures.items() if one is not None}
    return {
        "date": day.date,
        **{name: one.people if one is not None else None for name, one in figures.items()},
        "within": {name: one.within for name, one in known.items()} or None,
    }
