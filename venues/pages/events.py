"""The first event or place, events, their invitations, posters and codes."""

import datetime as dt
from functools import partial
from typing import Any, Final
from zoneinfo import ZoneInfo

from django import forms
from django.conf import settings
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from common.time import deployment_zone, utc_now
from venues import links, selectors
from venues.kinds import OrganisationKind, Role, VenueKind
from venues.models import Event, Invitation, Venue, zone_names
from venues.pages.base import bound, done, form_page, owner_action, owner_page, show_form, user_of
from venues.pages.forms import NoFields, OwnerForm, name_field
from venues.services import events as event_services
from venues.services.codes import qr_svg
from venues.services.events import (
    PRIVATE_HOST,
    QuickEvent,
    create_event,
    create_quick_event,
    invitation_code,
    make_invitation,
    update_event,
)

FREE_KINDS: Final = [choice for choice in OrganisationKind.choices if choice[0] != OrganisationKind.COMMERCIAL]
PLACE_OF: Final[dict[str, str]] = {
    OrganisationKind.PERSONAL: VenueKind.HOME,
    OrganisationKind.NON_PROFIT: VenueKind.OTHER,
    OrganisationKind.FAITH: VenueKind.WORSHIP,
    OrganisationKind.EDUCATIONAL: VenueKind.SCHOOL,
    OrganisationKind.AMATEUR_SPORT: VenueKind.SPORT,
}
"""The usual kind of place for an event of each free class, where the risk engine starts."""
USUAL_LENGTH: Final = dt.timedelta(hours=3)
TIMES: Final = {"/starts_at": "starts", "/ends_at": "ends"}
"""The field of an event's form for each time that its services may refuse."""


# Forms ---------------------------------------------------------------------------------------------------------------
def zone_field() -> forms.CharField:
    """Return a field for a time zone; the browser suggests its own."""
    zone = settings.DEPLOYMENT_TIME_ZONE
    widget = forms.TextInput(attrs={"autocomplete": "off", "list": "zones", "data-zone": zone, "spellcheck": "false"})
    return forms.CharField(
        label=gettext_lazy("Time zone"),
        initial=zone,
        max_length=64,
        widget=widget,
        help_text=gettext_lazy("Times are those of the place. An example: America/New_York."),
    )


def zip_field() -> forms.CharField:
    """Return a field for an optional ZIP code."""
    widget = forms.TextInput(attrs={"autocomplete": "postal-code", "inputmode": "numeric", "size": "6"})
    return forms.CharField(
        label=gettext_lazy("ZIP code (optional)"),
        required=False,
        max_length=5,
        widget=widget,
        help_text=gettext_lazy("Three or five digits. With it, the risk of the area counts."),
    )


def size_field(label: Any, **options: Any) -> forms.IntegerField:
    """Return a field for a number of people."""
    widget = forms.NumberInput(attrs={"inputmode": "numeric", "autocomplete": "off"})
    return forms.IntegerField(
        label=label,
        min_value=1,
        max_value=1_000_000,
        widget=widget,
        error_messages={
            "min_value": gettext_lazy("At least 1."),
            "max_value": gettext_lazy("At most 1,000,000."),
            "invalid": gettext_lazy("Write a whole number, such as 20."),
        },
        **options,
    )


class TimesForm(OwnerForm):
    """When an event is: a day, a beginning and an end in the place's local time."""

    date = forms.DateField(
        label=gettext_lazy("Day"),
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        error_messages={"invalid": gettext_lazy("Write the day like 2026-05-31.")},
    )
    starts = forms.TimeField(
        label=gettext_lazy("Starts"),
        widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"),
        error_messages={"invalid": gettext_lazy("Write the time like 19:30.")},
    )
    ends = forms.TimeField(
        label=gettext_lazy("Ends"),
        widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"),
        error_messages={"invalid": gettext_lazy("Write the time like 22:30.")},
    )

    def zone(self) -> ZoneInfo:
        """Return the time zone of the times; the deployment's if no better one is known."""
        return deployment_zone()

    def span(self) -> tuple[dt.datetime, dt.datetime]:
        """Return beginning and end in UTC; an end that is not after the beginning is on the next day."""
        given, zone = self.cleaned_data, self.zone()
        start = dt.datetime.combine(given["date"], given["starts"], tzinfo=zone)
        end = dt.datetime.combine(given["date"], given["ends"], tzinfo=zone)
        if given["ends"] <= given["starts"]:
            end = dt.datetime.combine(given["date"] + dt.timedelta(days=1), given["ends"], tzinfo=zone)
        return start.astimezone(dt.UTC), end.astimezone(dt.UTC)


class QuickEventForm(TimesForm):
    """A free event with everything it needs."""

    field_order = ("name", "place", "date", "starts", "ends", "size", "host", "zip", "time_zone")
    name = name_field(gettext_lazy("What is it?"), help_text=gettext_lazy("Your guests see it: “Anna's birthday”."))
    place = name_field(gettext_lazy("Where?"), help_text=gettext_lazy("A name for the place: “Our garden”."))
    size = size_field(gettext_lazy("How many people at most?"))
    host = forms.ChoiceField(
        label=gettext_lazy("What kind of event?"),
        choices=FREE_KINDS,
        initial=OrganisationKind.PERSONAL,
        widget=forms.RadioSelect,
    )
    zip = zip_field()
    time_zone = zone_field()

    def clean_time_zone(self) -> str:
        """Return a time zone that exists."""
        return _known_zone(self.cleaned_data["time_zone"])

    def zone(self) -> ZoneInfo:
        """Return the zone that was entered."""
        return ZoneInfo(self.cleaned_data.get("time_zone", settings.DEPLOYMENT_TIME_ZONE))


class EventForm(TimesForm):
    """An event at an existing place."""

    field_order = ("name", "date", "starts", "ends", "size", "invitation_needed")
    name = name_field(gettext_lazy("What is it?"))
    size = size_field(gettext_lazy("How many people at most?"))
    invitation_needed = forms.BooleanField(
        label=gettext_lazy("By invitation"),
        required=False,
        initial=True,
        help_text=gettext_lazy("Everybody who checks in that day needs the link or code of an invitation."),
    )

    def __init__(self, *args: Any, place: Venue, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.place = place

    def zone(self) -> ZoneInfo:
        """Return the place's time zone."""
        return self.place.zone


class UsesForm(OwnerForm):
    """A new invitation."""

    uses = size_field(gettext_lazy("For how many people?"))


def _known_zone(name: str) -> str:
    if name not in zone_names():
        raise forms.ValidationError(_("No such time zone; an example is America/New_York."))
    return name


def usual_times(now: dt.datetime, zone: ZoneInfo) -> dict[str, Any]:
    """Return the defaults of a new event's form: from the next full hour on."""
    start = now.astimezone(zone).replace(minute=0, second=0, microsecond=0) + dt.timedelta(hours=1)
    return {"date": start.date(), "starts": start.time(), "ends": (start + USUAL_LENGTH).time()}


# Pages ---------------------------------------------------------------------------------------------------------------
@owner_page
def start(request: HttpRequest) -> HttpResponse:
    """Show what a user without a place may begin with."""
    return render(request, "venues/owner/start.html")


@owner_page
def quick_event(request: HttpRequest) -> HttpResponse:
    """Create a free event in one form."""
    form = bound(QuickEventForm, request, initial=usual_times(utc_now(), deployment_zone()))

    def make(**given: Any) -> QuickEvent:
        starts_at, ends_at = form.span()
        return create_quick_event(
            user=user_of(request),
            name=given["name"],
            place=given["place"],
            starts_at=starts_at,
            ends_at=ends_at,
            size=given["size"],
            zip_code=given["zip"],
            time_zone=given["time_zone"],
            kind=PLACE_OF[given["host"]],
            host_kind=given["host"],
            host_name=PRIVATE_HOST if given["host"] == OrganisationKind.PERSONAL else given["name"],
            now=utc_now(),
        )

    return form_page(
        request,
        form,
        make,
        lambda made: done(request, _("Your event is ready."), "owner-page-event", event=made.event.public_id),
        fields=TIMES,
        title=_("Your event"),
        submit=_("Create event"),
        template="venues/owner/quick_event.html",
        zones=sorted(zone_names()),
        back="owner-page-start",
    )


@owner_page
def events(request: HttpRequest, venue: str) -> HttpResponse:
    """Show the events of a place."""
    place = selectors.venue(user_of(request), venue)
    rows = place.events.order_by("-starts_at")[:100]
    return render(
        request, "venues/owner/events.html", {"venue": place, "events": rows, "now": utc_now(), "tab": "events"}
    )


@owner_page
def new_event(request: HttpRequest, venue: str) -> HttpResponse:
    """Create an event at an existing place."""
    place = selectors.venue(user_of(request), venue, Role.MANAGER)
    form = bound(EventForm, request, place=place, initial=usual_times(utc_now(), place.zone))
    return form_page(
        request,
        form,
        lambda **_given: _make(request, form, place),
        lambda made: done(request, _("Your event is ready."), "owner-page-event", event=made.public_id),
        fields=TIMES,
        title=_("A new event"),
        submit=_("Create event"),
        template="venues/owner/event_form.html",
        lead=_("At %(place)s. Its doors open an hour before.") % {"place": place.name},
        back_to=reverse("owner-page-events", args=[venue]),
    )


@transaction.atomic
def _make(request: HttpRequest, form: EventForm, place: Venue) -> Event:
    starts_at, ends_at = form.span()
    given, actor, now = form.cleaned_data, user_of(request).username, utc_now()
    event = create_event(
        venue=place,
        name=given["name"],
        starts_at=starts_at,
        ends_at=ends_at,
        size=given["size"],
        invitation_needed=given["invitation_needed"],
        actor=actor,
        now=now,
    )
    if event.invitation_needed:
        make_invitation(event=event, actor=actor, now=now)
    return event


@owner_page
def event(request: HttpRequest, event: str) -> HttpResponse:
    """Show an event: its link, its code, its poster, what to do on the day."""
    row = selectors.event(user_of(request), event)
    address = event_address(request, row)
    context = {
        "event": row,
        "venue": row.venue,
        "address": address,
        "qr": qr_svg(address),
        "invitations": row.invitations.filter(revoked_at=None).order_by("pk"),
        "over": row.ends_at <= utc_now(),
        "uses_form": UsesForm(initial={"uses": row.size}),
        "zone": row.venue.time_zone,
    }
    return render(request, "venues/owner/event.html", context)


@owner_page
def change_event(request: HttpRequest, event: str) -> HttpResponse:
    """Change an event that is not over."""
    row = selectors.event(user_of(request), event, Role.MANAGER)
    starts, ends = (moment.astimezone(row.venue.zone) for moment in (row.starts_at, row.ends_at))
    initial = {
        "name": row.name,
        "date": starts.date(),
        "starts": starts.time(),
        "ends": ends.time(),
        "size": row.size,
        "invitation_needed": row.invitation_needed,
    }
    form = bound(EventForm, request, place=row.venue, initial=initial)

    def change(**given: Any) -> Event:
        starts_at, ends_at = form.span()
        return update_event(
            event=row,
            **{name: given[name] for name in ("name", "size", "invitation_needed")},
            starts_at=starts_at,
            ends_at=ends_at,
            actor=user_of(request).username,
            now=utc_now(),
        )

    return form_page(
        request,
        form,
        change,
        lambda _changed: done(request, _("The event is changed."), "owner-page-event", event=event),
        fields=TIMES,
        title=_("Change the event"),
        submit=_("Change it"),
        template="venues/owner/event_form.html",
        back_to=reverse("owner-page-event", args=[event]),
    )


@owner_page
def cancel_event(request: HttpRequest, event: str) -> HttpResponse:
    """Cancel an event; ask first."""
    row = selectors.event(user_of(request), event, Role.MANAGER)
    if request.method == "POST":
        event_services.cancel_event(event=row, actor=user_of(request).username, now=utc_now())
        return done(request, _("The event is called off."), "owner-page-event", event=event)
    return show_form(
        request,
        NoFields(),
        _("Call off %(name)s?") % {"name": row.name},
        _("Call it off"),
        lead=_("Its invitations open nothing any more. This cannot be taken back."),
        back_to=reverse("owner-page-event", args=[event]),
        danger=True,
    )


@owner_page
def new_invitation(request: HttpRequest, event: str) -> HttpResponse:
    """Create another invitation, with a separate number of uses."""
    row = selectors.event(user_of(request), event, Role.MANAGER)
    return form_page(
        request,
        bound(UsesForm, request, initial={"uses": row.size}),
        partial(make_invitation, event=row, actor=user_of(request).username, now=utc_now()),
        lambda _made: done(request, _("The invitation is ready."), "owner-page-event", event=event),
        title=_("One more invitation"),
        submit=_("Make the invitation"),
        lead=_("Each invitation has a link of its own, which you can end by itself."),
        back_to=reverse("owner-page-event", args=[event]),
    )


@owner_page
def invitation(request: HttpRequest, invitation: str) -> HttpResponse:
    """Show one invitation's link and code."""
    row = selectors.invitation(user_of(request), invitation)
    address = links.event(links.origin(request), row.event.public_id, invitation_code(row))
    context = {"row": row, "event": row.event, "address": address, "qr": qr_svg(address)}
    return render(request, "venues/owner/invitation.html", context)


@owner_action
def revoke_invitation(request: HttpRequest, invitation: str) -> HttpResponse:
    """Revoke an invitation."""
    row = selectors.invitation(user_of(request), invitation, Role.MANAGER)
    event_services.revoke_invitation(invitation=row, actor=user_of(request).username, now=utc_now())
    return done(request, _("The invitation has ended."), "owner-page-event", event=row.event.public_id)


def event_address(request: HttpRequest, event: Event) -> str:
    """Return the URL where guests check in: with the first invitation's code if required; else the place's page."""
    found = first_invitation(event)
    if found is None:
        return links.venue(links.origin(request), event.venue.public_id)
    return links.event(links.origin(request), event.public_id, invitation_code(found))


def first_invitation(event: Event) -> Invitation | None:
    """Return the oldest valid invitation, if the event requires one."""
    if not event.invitation_needed:
        return None
    return event.invitations.filter(revoked_at=None).order_by("pk").first()
