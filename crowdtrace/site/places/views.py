"""Search and scouting cards of places: pages that work without JavaScript and show what the API returns."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from common.time import utc_now
from common.web.middleware import PERMISSIONS_POLICY
from common.web.problems import NotFound
from crowdtrace.site.places.asked import Asked
from crowdtrace.site.places.card import BAND_NAMES, level_of, profiles, shown_card, words_of_opening
from risk.scouting.cards import cards_of
from risk.scouting.search import MOST_WEIGHED, search
from venues import selectors
from venues.kinds import VenueKind
from venues.pages.zones import Zones, shown_zone
from venues.selectors import FoundVenue

PAGE: Final = 20


@dataclass(frozen=True, slots=True)
class Pager:
    """The range of places that a page shows, and the URLs of the pages around it."""

    first: int
    last: int
    total: int
    previous: str
    next: str


@require_safe
def venues(request: HttpRequest) -> HttpResponse:
    """Search for places by name, kind, distance, cost and hours, and show how full each is and what an hour costs."""
    asked, now = Asked.of(request), utc_now()
    offset = (asked.page - 1) * PAGE
    page = search(asked.question, offset=offset, count=PAGE, now=now, total=True)
    zones = Zones.of_request(request)
    context = {
        "asked": asked,
        "kinds": VenueKind.choices,
        "found": _rows(page.found, asked, zones, now),
        "most": MOST_WEIGHED if page.cut else 0,
        "pager": Pager(
            offset + 1,
            offset + len(page.found),
            page.total or 0,
            asked.address(page=asked.page - 1) if asked.page > 1 else "",
            asked.address(page=asked.page + 1) if page.more else "",
        ),
    }
    response = render(request, "site/venues.html", context)
    # Only this page has "Near me", so that no other page of ours may request a position.
    response["Permissions-Policy"] = PERMISSIONS_POLICY.replace("geolocation=()", "geolocation=(self)")
    return response


def _rows(found: Sequence[FoundVenue], asked: Asked, zones: Zones, now: dt.datetime) -> list[dict[str, Any]]:
    cards = cards_of(venues=[row.venue for row in found], profile=asked.profile, now=now)
    return [
        {
            "venue": row.venue,
            "distance_km": row.distance_km,
            "open": card["open"],
            "counted": card["counted"],
            "opening": words_of_opening(card, zones.of(row.venue), now),
            "band": BAND_NAMES[card["occupancy"]["band"]],
            "level": level_of(card["occupancy"]["band"]),
            "cost": card["shield_cost"]["60"]["no_mask"],
            "fits": card["fits_profile"],
        }
        for row, card in zip(found, cards, strict=True)
    ]


@require_safe
def venue(request: HttpRequest, venue: str) -> HttpResponse:
    """Show one place, before a visit."""
    place, now = selectors.open_venue(venue), utc_now()
    if place is None:
        raise NotFound(_("This place does not exist or has closed."))
    profile = Asked.of(request).profile
    (card,) = cards_of(venues=[place], profile=profile, now=now, all_costs=True)
    shown_in = shown_zone(request, place)
    context = {
        "venue": place,
        "place": {"id": place.public_id, "name": place.name, "verified": place.organisation.verified},
        "shown": shown_card(card, zone=place.zone, shown_in=shown_in, profile=profile, now=now),
        "shown_in": shown_in if shown_in != place.zone else None,
        "profiles": profiles(),
    }
    return render(request, "site/venue.html", context)
