"""The zone in which times of a place are shown: its own, or the browser's for places of the demonstration's town.

A real place keeps its own time zone, since its doors do. The demonstration's town is nowhere, so its moments are shown
in the zone of the reader. The browser reports its zone in a cookie, only on copies with a demonstration.
"""

from typing import Final
from zoneinfo import ZoneInfo

from django.conf import settings
from django.http import HttpRequest

from venues.models import Organisation, Venue
from venues.services.accounts import DEMONSTRATION

COOKIE: Final = "zone"
MOST_CHARACTERS: Final = 64
_OF_REQUEST: Final = "_zones"


class Zones:
    """Zones for one request."""

    def __init__(self, request: HttpRequest) -> None:
        self._asked = request.COOKIES.get(COOKIE, "")
        self._simulated: frozenset[int] | None = None
        self.applies = False
        """Whether a requested place is of the demonstration."""

    @classmethod
    def of_request(cls, request: HttpRequest) -> "Zones":
        """Return the zones of a request, the same ones for its view and its template."""
        zones: Zones | None = getattr(request, _OF_REQUEST, None)
        if zones is None:
            zones = cls(request)
            setattr(request, _OF_REQUEST, zones)
        return zones

    def of(self, venue: Venue) -> ZoneInfo:
        """Return the zone in which to show times of a place."""
        if not settings.EMBEDDED or venue.organisation_id not in self._of_demonstration():
            return venue.zone
        self.applies = True
        return zone_called(self._asked) or venue.zone

    def _of_demonstration(self) -> frozenset[int]:
        if self._simulated is None:
            mine = Organisation.objects.filter(memberships__user__username=DEMONSTRATION)
            self._simulated = frozenset(mine.values_list("pk", flat=True))
        return self._simulated


def shown_zone(request: HttpRequest, venue: Venue) -> ZoneInfo:
    """Return the zone in which a page shows and reads times of a place."""
    return Zones.of_request(request).of(venue)


def zone_called(name: str) -> ZoneInfo | None:
    """Return the zone of that name; `None` for an unknown one."""
    if not name or len(name) > MOST_CHARACTERS:
        return None
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, LookupError):
        return None
