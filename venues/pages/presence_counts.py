"""How many people are at a place for each check-in: counts by its people."""

import datetime as dt
from typing import Any
from zoneinfo import ZoneInfo

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from common.time import utc_now
from venues import selectors
from venues.kinds import Role
from venues.models import PresenceCount, Venue
from venues.pages.base import bound, done, form_page, owner_action, owner_page, user_of
from venues.pages.event_forms import day_field, size_field, time_field
from venues.pages.forms import OwnerForm
from venues.pages.zones import shown_zone
from venues.services.presence_counts import LATEST, add_presence_count, remove_presence_count
from venues.wall_clock import instants, moment_words, wall_time


class CountForm(OwnerForm):
    """People counted at one time, by the clock of the place."""

    people = size_field(
        gettext_lazy("How many people were there?"),
        help_text=gettext_lazy("Everybody inside, with a check-in or without, also staff."),
    )
    date = day_field(gettext_lazy("Day"))
    time = time_field(gettext_lazy("Time"), gettext_lazy("Enter the time like 19:30."))

    def __init__(self, *args: Any, zone: ZoneInfo, now: dt.datetime, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.zone, self.now = zone, now

    def clean(self) -> dict[str, Any]:
        """Require a day of the last week and a time of it; of two equal ones, take the last that has passed."""
        given = super().clean() or self.cleaned_data
        if "date" in given and "time" in given:
            found = instants(dt.datetime.combine(given["date"], given["time"]), self.zone)
            today = wall_time(self.now, self.zone).date()
            if not found:
                self.add_error("time", _("On this day the clock goes forward past this time. Choose another time."))
            elif not today - LATEST <= given["date"] <= today:
                self.add_error("date", _("At most 7 days back, and not in the future."))
            else:
                given["counted_at"] = max([one for one in found if one <= self.now] or found[:1])
        return given


@owner_page
def counts(request: HttpRequest, venue: str) -> HttpResponse:
    """Enter a count (managers), and see those of the last weeks."""
    place, now = selectors.venue(user_of(request), venue), utc_now()
    may_change = selectors.may(place, Role.MANAGER)
    if request.method == "POST" and not may_change:
        selectors.venue(user_of(request), venue, Role.MANAGER)  # refuses
    zone = shown_zone(request, place)
    local = wall_time(now, zone)
    initial = {"date": local.date(), "time": local.time().replace(second=0, microsecond=0)}
    form = bound(CountForm, request, zone=zone, now=now, initial=initial)
    return form_page(
        request,
        form,
        lambda **given: _add(request, place, given, now),
        lambda made: done(request, _saved(place, made), "owner-page-counts", venue=venue),
        title=_("People here, counted"),
        submit=_("Save the count"),
        lead=_(
            "Not everybody checks in. If you count the people inside now and then, shields and costs take the others "
            "into account. A count is used from the next day on, for two weeks. Of one day it is the count with the "
            "most people."
        ),
        fields={"/counted_at": "time"},
        template="venues/owner/counts.html",
        venue=place,
        may_change=may_change,
        counts=[(row, moment_words(row.counted_at, zone)) for row in _newest(place)],
        back_to=reverse("owner-page-settings", args=[venue]),
    )


@owner_action
def remove(request: HttpRequest, count: str) -> HttpResponse:
    """Remove a count."""
    row = selectors.presence_count(user_of(request), count, Role.MANAGER)
    remove_presence_count(count=row, actor=user_of(request).username, now=utc_now())
    return done(request, _("The count is removed."), "owner-page-counts", venue=row.venue.public_id)


def _saved(place: Venue, made: PresenceCount) -> str:
    """Return what is said of a new count; a venue can be fuller than its doors allow, and a digit too many happens."""
    capacity = place.requirements.capacity if place.requirements else None
    if capacity is None or made.people <= capacity:
        return _("Saved.")
    words = _("Saved. By its rules, the place has room for %(most)d people: remove the count if you mistyped it.")
    return words % {"most": capacity}


def _newest(place: Venue) -> list[PresenceCount]:
    return list(place.presence_counts.order_by("-counted_at")[:100])


def _add(request: HttpRequest, place: Venue, given: dict[str, Any], now: dt.datetime) -> PresenceCount:
    return add_presence_count(
        venue=place,
        people=given["people"],
        counted_at=given["counted_at"],
        actor=user_of(request).username,
        now=now,
    )
