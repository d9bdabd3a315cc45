"""The owner's dashboard, drawn. What it may say is decided in `dashboard` (now) and `statistics` (the past).

The one thing here that is no number is what a visitor chose to show: a name, while inside.
"""

from typing import Any, Final

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from common.time import utc_now
from crowdtrace.site.owner.charts import hours_chart, weeks_chart
from crowdtrace.site.owner.dashboard import inside
from crowdtrace.site.owner.statistics import CLOSES_AFTER, OPEN_DAY, Past, as_csv, guarantee, past_of
from passes import selectors as of_passes
from venues import selectors, wording
from venues.fullness import Fullness
from venues.models import Device, Venue
from venues.pages.base import owner_page, user_of

HOURS: Final = 24


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
    """One place: how full it is, its usual hours, its ratings."""
    place = selectors.venue(user_of(request), venue)
    past = past_of(place, utc_now())
    context = {
        "venue": place,
        "tab": "now",
        "present": _present(place),
        "usual": _usual(past, place),
        "ratings": past.ratings,
        "open_day": OPEN_DAY,
        "mails": selectors.alert_mail_wanted(user_of(request), place),
        "email_confirmed": selectors.email_confirmed(user_of(request)),
        "devices": Device.objects.filter(door__venue=place, revoked_at=None).count(),
    }
    return render(request, "site/owner/venue.html", context)


@owner_page
def statistics(request: HttpRequest, venue: str) -> HttpResponse:
    """The past of one place: weeks compared, and the days of the last fortnight."""
    place = selectors.venue(user_of(request), venue)
    past = past_of(place, utc_now())
    context = {
        "venue": place,
        "tab": "statistics",
        "past": past,
        "chart": weeks_chart(past.weeks),
        "guarantee": guarantee(),
        "closes_after": CLOSES_AFTER,
    }
    return render(request, "site/owner/statistics.html", context)


@owner_page
def statistics_file(request: HttpRequest, venue: str) -> HttpResponse:
    """The days of the last thirteen weeks as CSV."""
    place = selectors.venue(user_of(request), venue)
    response = HttpResponse(as_csv(place, utc_now()), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="statistics-{place.public_id}.csv"'
    return response


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


def _usual(past: Past, place: Venue) -> dict[str, Any] | None:
    """The usual crowd of today's weekday as bars, and of the week as a table; `None` where nothing is known."""
    if past.usual is None:
        return None
    week = past.usual.reshape(7, HOURS)
    local = utc_now().astimezone(place.zone)
    most = float(week.max())
    return {
        "weekday": wording.WEEKDAYS[local.weekday()],
        "chart": hours_chart(week[local.weekday()].tolist(), most=most, now=local.hour),
        "most": round(most),
        "days": wording.WEEKDAYS,
        "rows": [(hour, [round(float(day[hour])) for day in week]) for hour in range(HOURS)],
    }
