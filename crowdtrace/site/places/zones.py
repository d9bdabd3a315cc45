"""The zone in which times of a place are shown: its own, or the browser's for places of the demonstration's town.

A real place keeps its own time zone, since its doors do. The demonstration's town is nowhere, so its moments are shown
in the zone of the reader. The browser reports its zone in a cookie, only on copies with a demonstration.
"""

from typing import Final
from zoneinfo import ZoneInfo

from django.conf import settings
from django.http import HttpRequest

from crowdtrace.town.demonstration import USERNAME
from venues.models import Organisation, Venue

COOKIE: Final = "zone"
MOST_CHARACTERS: Final = 64


class Zones:
    """Zones for one request."""

    def __init__(self, request: HttpRequest) -> None:
        self._asked = request.COOKIES.get(COOKIE, "")
        self._simulated: frozenset[int] | None = None
        self.applies = False
        """Whether a requested place is of the demonstration."""

    def of(self, venue: Venue) -> ZoneInfo:
        """Return the zone in which to show times of a place."""
        if not settings.EMBEDDED or venue.organisation_id not in self._of_demonstration():
            return venue.zone
        self.applies = True
        return zone_called(self._asked) or venue.zone

    def _of_demonstration(self) -> frozenset[int]:
        if self._simulated is None:
            mine = Organisation.objects.filter(memberships__user__username=USERNAME)
            self._simulated = frozenset(mine.values_list("pk", flat=True))
        return self._simulated


def zone_called(name: str) -> ZoneInfo | None:
    """Return the zone of that name; `None` for an unknown one."""
    if not name or len(name) > MOST_CHARACTERS:
        return None
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, LookupError):
        return None
