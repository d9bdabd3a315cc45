"""The owner's dashboard. `dashboard` (now) and `statistics` (the past) decide what it may show.

The only personal data here is what a visitor chose to show: a name, while inside.
"""

from collections.abc import Callable, Sequence
from typing import Any, Final
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from common.text import fold, words_of
from common.time import utc_now
from crowdtrace.site.charts.bars import days_chart, hours_chart, weeks_chart
from crowdtrace.site.owner.dashboard import inside
from crowdtrace.site.owner.statistics import CLOSES_AFTER, OPEN_DAY, Past, as_csv, guarantee, past_of
from passes import selectors as of_passes
from venues import selectors, wording
from venues.fullness import Fullness
from venues.models import Device, Venue
from venues.pages.base import owner_page, user_of
from venues.pages.zones import shown_zone

HOURS: Final = 24
MOST_ASKED: Final = 100
SORTS: Final[dict[str, Promise]] = {"name": _("Name"), "full": _("Fullest first"), "new": _("Newest first")}


@owner_page
def home(request: HttpRequest) -> HttpResponse:
    """Show all places of the account, how full each is, and what is new."""
    rows = _rows(request)
    if not rows and not selectors.memberships(user_of(request)).exists():
        return redirect("owner-page-start")
    asked = {"q": request.GET.get("q", "")[:MOST_ASKED], "sort": _sort(request)}
    context = {
        "places": _places(request, rows),
        "searchable": len(rows) > 1,
        "sorts": SORTS.items(),
        **asked,
        "query": urlencode(
            {name: value for name, value in asked.items() if value and (name, value) != ("sort", "name")}
        ),
    }
    return render(request, "site/owner/home.html", context)


@owner_page
def home_now(request: HttpRequest) -> HttpResponse:
    """Return the part of that page that changes by the minute, for its script."""
    context = {"places": _places(request, _rows(request)), "q": request.GET.get("q", "")[:MOST_ASKED]}
    return render(request, "site/owner/places.html", context)


def _rows(request: HttpRequest) -> list[Venue]:
    rows = selectors.open_venues(user_of(request)).select_related("organisation", "requirements")
    return list(rows.order_by("pk"))


def _places(request: HttpRequest, rows: Sequence[Venue]) -> list[Fullness]:
    """Return the requested places of the account, in the requested order."""
    words = words_of(request.GET.get("q", "")[:MOST_ASKED])
    found = [row for row in rows if _has(row, words)]
    return sorted(inside(found, utc_now()), key=ORDERS[_sort(request)])


def _has(place: Venue, words: Sequence[str]) -> bool:
    """Return whether every word begins a word of the place's name, kind, team or ZIP code."""
    parts = (place.name, place.get_kind_display(), place.organisation.name, place.zip)
    theirs = words_of(" ".join(map(str, parts)))
    return all(any(one.startswith(word) for one in theirs) for word in words)


def _sort(request: HttpRequest) -> str:
    asked = request.GET.get("sort", "")
    return asked if asked in ORDERS else "name"


def _by_name(one: Fullness) -> tuple[Any, ...]:
    return fold(one.venue.name), one.venue.pk


ORDERS: Final[dict[str, Callable[[Fullness], tuple[Any, ...]]]] = {
    "name": _by_name,
    "full": lambda one: (-one.percent, *_by_name(one)),
    "new": lambda one: (-one.venue.created_at.timestamp(), *_by_name(one)),
}
"""Sort keys of places, by the name of the order."""


@owner_page
def venue(request: HttpRequest, venue: str) -> HttpResponse:
    """Show one place: how full it is, its usual hours, its ratings."""
    place = selectors.venue(user_of(request), venue)
    past = past_of(place, utc_now())
    context = {
        "venue": place,
        "tab": "now",
        "present": _present(request, place),
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
    """Show the past of one place: a comparison of weeks, and the days of the last fortnight."""
    place = selectors.venue(user_of(request), venue)
    past = past_of(place, utc_now())
    chart = weeks_chart(past.weeks)
    context = {
        "venue": place,
        "tab": "statistics",
        "past": past,
        "chart": chart,
        # Until there is a whole week, there is a chart of its days.
        "days_chart": days_chart(past.days) if chart is None else None,
        "guarantee": guarantee(),
        "closes_after": CLOSES_AFTER,
    }
    return render(request, "site/owner/statistics.html", context)


@owner_page
def statistics_file(request: HttpRequest, venue: str) -> HttpResponse:
    """Return the days of the last thirteen weeks as CSV."""
    place = selectors.venue(user_of(request), venue)
    response = HttpResponse(as_csv(place, utc_now()), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="statistics-{place.public_id}.csv"'
    return response


@owner_page
def venue_now(request: HttpRequest, venue: str) -> HttpResponse:
    """Return the part of the page that changes by the minute, for its script."""
    place = selectors.venue(user_of(request), venue)
    return render(request, "site/owner/now.html", {"venue": place, "present": _present(request, place)})


def _present(request: HttpRequest, place: Venue) -> dict[str, Any]:
    now = utc_now()
    return {
        "now": inside([place], now)[0],
        "names": of_passes.names_present(place, now),
        "at": now,
        "zone": shown_zone(request, place),
    }


def _usual(past: Past, place: Venue) -> dict[str, Any] | None:
    """Return the usual crowd of today's weekday as bars, and of the week as a table; `None` if nothing is known."""
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
