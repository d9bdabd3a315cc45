"""The owner's dashboard, drawn. What it may say is decided in `crowdtrace.site.owner.dashboard`.

The one thing here that is no number is what a visitor chose to show: a name, while inside.
"""

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from common.time import utc_now
from crowdtrace.site.owner.dashboard import inside, ratings_of
from passes import selectors as of_passes
from risk.crowd.usual import usual_of
from venues import selectors, wording
from venues.fullness import Fullness
from venues.models import Device, Venue
from venues.pages.base import owner_page, user_of

CHART_WIDTH, CHART_HEIGHT, CHART_FOOT = 480, 120, 18
"""Of the picture of a day's hours, in its own units."""
HOURS = 24


@dataclass(frozen=True, slots=True)
class Bar:
    """One hour of a day in the picture."""

    hour: int
    heads: int
    x: float
    y: float
    width: float
    height: float
    is_now: bool


@owner_page
def home(request: HttpRequest) -> HttpResponse:
    """All places of the person, how full each is, and what is new."""
    places = _places(request)
    if not places and not selectors.memberships(user_of(request)).exists():
        return redirect("owner-page-start")
    return render(request, "site/owner/home.html", {"places": places})


@owner_page
def home_now(request: HttpRequest) -> HttpResponse:
    """The part of that page that changes by the minute, for its script."""
    return render(request, "site/owner/places.html", {"places": _places(request)})


def _places(request: HttpRequest) -> list[Fullness]:
    venues = selectors.open_venues(user_of(request)).select_related("organisation", "requirements")
    return inside(list(venues.order_by("name", "pk")), utc_now())


@owner_page
def venue(request: HttpRequest, venue: str) -> HttpResponse:
    """One place: now, usually, ratings, the last fortnight."""
    place = selectors.venue(user_of(request), venue)
    now = utc_now()
    context = {
        "venue": place,
        "tab": "now",
        "present": _present(place),
        "usual": _usual(place),
        "ratings": ratings_of(place),
        "days": of_passes.day_totals(place, now),
        "fewest": of_passes.FEWEST,
        "mails": selectors.alert_mail_wanted(user_of(request), place),
        "email_confirmed": selectors.email_confirmed(user_of(request)),
        "devices": Device.objects.filter(door__venue=place, revoked_at=None).count(),
    }
    return render(request, "site/owner/venue.html", context)


@owner_page
def venue_now(request: HttpRequest, venue: str) -> HttpResponse:
    """The part of the page that changes by the minute, for its script."""
    place = selectors.venue(user_of(request), venue)
    return render(request, "site/owner/now.html", {"venue": place, "present": _present(place)})


def _present(place: Venue) -> dict[str, Any]:
    now = utc_now()
    return {
        "now": inside([place], now)[0],
        "names": of_passes.names_present(place, now),
        "at": now.astimezone(place.zone),
    }


def _usual(place: Venue) -> dict[str, Any] | None:
    """The usual crowd of today's weekday as bars, and of the week as a table; `None` where nothing is known."""
    week = usual_of(place.pk)
    if week is None:
        return None
    local = utc_now().astimezone(place.zone)
    highest = max(1.0, *(heads for day in week for heads in day))
    return {
        "weekday": wording.WEEKDAYS[local.weekday()],
        "bars": [_bar(hour, heads, highest, hour == local.hour) for hour, heads in enumerate(week[local.weekday()])],
        "most": round(highest),
        "width": CHART_WIDTH,
        "height": CHART_HEIGHT + CHART_FOOT,
        "floor": CHART_HEIGHT,
        "days": wording.WEEKDAYS,
        "rows": [(hour, [round(day[hour]) for day in week]) for hour in range(HOURS)],
    }


def _bar(hour: int, heads: float, highest: float, is_now: bool) -> Bar:
    step = CHART_WIDTH / HOURS
    height = round(heads / highest * (CHART_HEIGHT - 4), 1)
    return Bar(hour, round(heads), round(hour * step + 2, 1), round(CHART_HEIGHT - height, 1), step - 4, height, is_now)
