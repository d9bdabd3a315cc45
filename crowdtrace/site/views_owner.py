"""The owner's dashboard: what of a place's present and past belongs to the people who run it, from several rooms.

Numbers of people, never people: how many are inside, how many usually are, means of at least five ratings, totals of
ten and more refusals of days that are over. The one exception is what a visitor chose to show: a name, while inside.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from crowdtrace.common.time import utc_now
from passes import selectors as of_passes
from passes.models import RatingTotal
from risk.scouting import usual_of
from risk.words import FEWEST_SHOWN
from venues import plain, selectors
from venues.models import Device, Venue
from venues.pages.base import owner_page, user_of
from venues.requirements import RequirementValues

CHART_WIDTH, CHART_HEIGHT, CHART_FOOT = 480, 120, 18
"""Of the picture of a day's hours, in its own units."""
HOURS: Final = 24


@dataclass(frozen=True, slots=True)
class Now:
    """How full a place is, against what its doors let in."""

    venue: Venue
    heads: int
    limit: int

    @property
    def percent(self) -> int:
        """Of the limit; may pass 100 where the limit was lowered while people were inside."""
        return 100 * self.heads // self.limit if self.limit else 100

    @property
    def fills_up(self) -> bool:
        """Whether its people wanted to be told by now."""
        return self.percent >= self.venue.alert_percent

    @property
    def is_full(self) -> bool:
        """Whether the doors are red for everybody who comes."""
        return self.heads >= self.limit

    @property
    def bar(self) -> int:
        """For a bar that ends at the limit."""
        return min(100, self.percent)


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


def now_at(venues: Sequence[Venue]) -> list[Now]:
    """How full each place is; they come with their requirements. One statement."""
    heads = of_passes.heads_inside([venue.pk for venue in venues], utc_now())
    return [Now(venue, heads.get(venue.pk, 0), _limit(venue)) for venue in venues]


@owner_page
def home(request: HttpRequest) -> HttpResponse:
    """All places of the person, how full each is, and what is new."""
    user = user_of(request)
    venues = list(
        Venue.objects.filter(closed_at=None, organisation__closed_at=None, organisation__memberships__user=user)
        .select_related("organisation", "requirements")
        .order_by("name", "pk")
    )
    if not venues and not selectors.memberships(user).exists():
        return redirect("owner-page-start")
    return render(request, "site/owner/home.html", {"places": now_at(venues)})


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
        "ratings": _ratings(place),
        "days": of_passes.day_totals(place, now),
        "fewest": of_passes.FEWEST,
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
        "now": now_at([place])[0],
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
        "weekday": plain.WEEKDAYS[local.weekday()],
        "bars": [_bar(hour, heads, highest, hour == local.hour) for hour, heads in enumerate(week[local.weekday()])],
        "most": round(highest),
        "width": CHART_WIDTH,
        "height": CHART_HEIGHT + CHART_FOOT,
        "floor": CHART_HEIGHT,
        "days": plain.WEEKDAYS,
        "rows": [(hour, [round(week[day][hour]) for day in range(7)]) for hour in range(HOURS)],
    }


def _bar(hour: int, heads: float, highest: float, is_now: bool) -> Bar:
    step = CHART_WIDTH / HOURS
    height = round(heads / highest * (CHART_HEIGHT - 4), 1)
    return Bar(hour, round(heads), round(hour * step + 2, 1), round(CHART_HEIGHT - height, 1), step - 4, height, is_now)


def _ratings(place: Venue) -> dict[str, Any] | None:
    """Means of at least five ratings; fewer are not shown, nor how many."""
    total: RatingTotal | None = of_passes.rating_totals([place.pk]).get(place.pk)
    if total is None or total.count < FEWEST_SHOWN:
        return None
    return {
        "count": total.count,
        "masks": round(total.masks / total.count, 1),
        "distancing": round(total.distancing / total.count, 1),
    }


def _limit(place: Venue) -> int:
    return 0 if place.requirements is None else plain.people_limit(RequirementValues.of(place.requirements))
