"""Finding a place and scouting it: pages that work without a script and show what the API answers."""

from typing import Final

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from common.time import utc_now
from common.web.problems import NotFound
from crowdtrace.site.places.card import BAND_NAMES, level_of, profiles, shown_card
from risk.api.serializers import STANDARD
from risk.model.shield import BUDGETS
from risk.scouting.cards import cards_of
from venues import selectors

LONGEST_SEARCH: Final = 80


@require_safe
def venues(request: HttpRequest) -> HttpResponse:
    """Search for a place by name and ZIP; each with how full it is and what an hour costs."""
    q, zip_code = (request.GET.get(name, "").strip()[:LONGEST_SEARCH] for name in ("q", "zip"))
    found = selectors.find_venues(q=q, zip_code=zip_code if _is_zip(zip_code) else "")
    profile = _profile(request)
    cards = cards_of(venues=[row.venue for row in found], profile=profile, now=utc_now())
    rows = [
        {
            "venue": row.venue,
            "distance_km": row.distance_km,
            "band": BAND_NAMES[card["occupancy"]["band"]],
            "level": level_of(card["occupancy"]["band"]),
            "cost": card["shield_cost"]["60"]["no_mask"],
            "fits": card["fits_profile"],
        }
        for row, card in zip(found, cards, strict=True)
    ]
    wrong = bool(zip_code) and not _is_zip(zip_code)
    context = {"q": q, "zip": zip_code, "zip_wrong": wrong, "found": rows, "profile": profile}
    return render(request, "site/venues.html", context)


@require_safe
def venue(request: HttpRequest, venue: str) -> HttpResponse:
    """One place, before going there."""
    place, now = selectors.open_venue(venue), utc_now()
    if place is None:
        raise NotFound(_("There is no such place, or it has closed."))
    profile = _profile(request)
    (card,) = cards_of(venues=[place], profile=profile, now=now, all_costs=True)
    context = {
        "venue": place,
        "shown": shown_card(card, zone=place.zone, profile=profile, now=now),
        "profiles": profiles(),
    }
    return render(request, "site/venue.html", context)


def _profile(request: HttpRequest) -> str:
    asked = request.GET.get("profile", "")
    return asked if asked in BUDGETS else STANDARD


def _is_zip(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) in {3, 5}
