"""Statistics of a venue for its own programs: what the dashboard shows, as numbers."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from common.time import utc_now
from common.web.serializers import UtcTime
from crowdtrace.site.owner.dashboard import inside, ratings_of
from passes import selectors as of_passes
from risk.crowd.usual import usual_of
from venues import selectors
from venues.api.base import OwnerView
from venues.fullness import Level


class InsideOutput(serializers.Serializer[Any]):
    """How full it is."""

    at = UtcTime()
    heads = serializers.IntegerField(help_text="people inside")
    limit = serializers.IntegerField(help_text="how many the doors let in")
    percent = serializers.IntegerField(help_text="of the limit; may pass 100 where the limit was lowered meanwhile")
    level = serializers.ChoiceField(
        choices=[level.value for level in Level], help_text="`fills` from the alert on, `full`: the doors are red"
    )


class RatedOutput(serializers.Serializer[Any]):
    """Means of ratings from 1 to 5."""

    count = serializers.IntegerField()
    masks = serializers.FloatField()
    distancing = serializers.FloatField()


class DayOutput(serializers.Serializer[Any]):
    """One day at the venue; totals below ten, and those of a day that is not over, are null."""

    date = serializers.DateField()
    visits = serializers.IntegerField()
    declined = serializers.IntegerField(allow_null=True, help_text="red at the doors")
    refused = serializers.IntegerField(allow_null=True, help_text="check-ins without a pass")


class StatisticsOutput(serializers.Serializer[Any]):
    """What a venue knows of its crowd."""

    now = InsideOutput()
    usual = serializers.ListField(
        child=serializers.ListField(child=serializers.FloatField(), min_length=24, max_length=24),
        min_length=7,
        max_length=7,
        allow_null=True,
        help_text="mean number inside by local hour, Monday first; null until it is known",
    )
    ratings = RatedOutput(allow_null=True, help_text="null below five ratings")
    days = DayOutput(many=True, help_text="the last fortnight, newest first")


class StatisticsView(OwnerView):
    """Statistics of a venue."""

    @extend_schema(operation_id="statistics", responses=StatisticsOutput)
    def get(self, request: Request, venue: str) -> Response:  # noqa: ARG002
        """How full it is, how full it usually is, ratings, and the last fortnight. Numbers of people, never people."""
        place, now = selectors.venue(self.user, venue), utc_now()
        (present,), usual = inside([place], now), usual_of(place.pk)
        found = {
            "now": {"at": now} | {name: getattr(present, name) for name in ("heads", "limit", "percent", "level")},
            "usual": None if usual is None else [[round(heads, 1) for heads in day] for day in usual],
            "ratings": ratings_of(place),
            "days": of_passes.day_totals(place, now),
        }
        return self.show(StatisticsOutput, found)
