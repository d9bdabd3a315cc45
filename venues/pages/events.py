"""The first event or place, events, their invitations, posters and codes."""

from typing import Any, Final

from django.core.paginator import Paginator
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from common.time import deployment_zone, utc_now
from venues import links, selectors
from venues.calendar_file import calendar_answer
from venues.kinds import OrganisationKind, Role, VenueKind
from venues.models import Event, Invitation, Venue, zone_names
from venues.pages.base import bound, done, form_page, owner_action, owner_page, show_form, user_of
from venues.pages.event_forms import (
    ChangeEventForm,
    EventForm,
    QuickEventForm,
    RepeatForm,
    UsesForm,
    lasts_days,
    usual_times,
)
from venues.pages.forms import NoFields
from venues.pages.zones import shown_zone
from venues.posters import cannot_draw, other_paper, usual_paper
from venues.services import events as event_services
from venues.services.codes import qr_svg
from venues.services.events import (
    PRIVATE_HOST,
    QuickEvent,
    create_event,
    create_quick_event,
    invitation_code,
    make_invitation,
    make_invitations,
    repeat_event,
    update_event,
)
from venues.wall_clock import days_and_times, wall_time

PLACE_OF: Final[dict[str, str]] = {
    OrganisationKind.PERSONAL: VenueKind.HOME,
    OrganisationKind.NON_PROFIT: VenueKind.OTHER,
    OrganisationKind.FAITH: VenueKind.WORSHIP,
    OrganisationKind.EDUCATIONAL: VenueKind.SCHOOL,
    OrganisationKind.AMATEUR_SPORT: VenueKind.SPORT,
}
"""The kind of place where an event of each free class usually is; the risk engine begins from it."""
TIMES: Final = {"/starts_at": "starts", "/ends_at": "ends"}
"""The field of an event's form for each time that its services may refuse."""
MOST_LISTED: Final = 100
MOST_SHOWN: Final = 10
INVITATIONS_A_PAGE: Final = 60


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
    """Events of a place: those to come, the next one first, then those that are over."""
    place = selectors.venue(user_of(request), venue)
    context = {"venue": place, "tab": "events", **_shelves(request, place.events.select_related("venue"))}
    return render(request, "venues/owner/events.html", context)


@owner_page
def all_events(request: HttpRequest) -> HttpResponse:
    """Events of all places of the person."""
    rows = Event.objects.filter(venue__in=selectors.open_venues(user_of(request))).select_related("venue")
    return render(request, "venues/owner/all_events.html", _shelves(request, rows))


def _shelves(request: HttpRequest, rows: Any) -> dict[str, Any]:
    now = utc_now()
    ahead = rows.filter(ends_at__gt=now, cancelled_at=None).order_by("starts_at", "pk")[:MOST_LISTED]
    past = rows.exclude(ends_at__gt=now, cancelled_at=None).order_by("-starts_at", "-pk")[:MOST_LISTED]
    shelves = {"ahead": ahead, "past": past}
    return {name: [(one, when(request, one)) for one in found] for name, found in shelves.items()}


@owner_page
def new_event(request: HttpRequest, venue: str) -> HttpResponse:
    """Create an event at an existing place."""
    place = selectors.venue(user_of(request), venue, Role.MANAGER)
    zone = shown_zone(request, place)
    form = bound(EventForm, request, zone=zone, initial=usual_times(utc_now(), zone))
    return form_page(
        request,
        form,
        lambda **_given: _make(request, form, place),
        lambda made: done(request, _("Your event is ready."), "owner-page-event", event=made.public_id),
        fields=TIMES,
        title=_("New event"),
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
    address, zone = event_address(request, row), shown_zone(request, row.venue)
    context = {
        "event": row,
        "venue": row.venue,
        "address": address,
        "qr": qr_svg(address),
        "when": when(request, row),
        "several_days": lasts_days(*(wall_time(at, zone) for at in (row.starts_at, row.ends_at))),
        "invitations": row.invitations.filter(revoked_at=None).order_by("pk")[:MOST_SHOWN],
        "count": row.invitations.filter(revoked_at=None).count(),
        "usable": usable_invitation(row),
        "missing": " ".join(cannot_draw(row.name + row.venue.name)),
        "other_paper": other_paper(usual_paper(row.venue.zip)),
        "over": row.ends_at <= utc_now(),
    }
    return render(request, "venues/owner/event.html", context)


@owner_page
def change_event(request: HttpRequest, event: str) -> HttpResponse:
    """Change an event that is not over."""
    row = selectors.event(user_of(request), event, Role.MANAGER)
    form = bound(ChangeEventForm, request, event=row, zone=shown_zone(request, row.venue))

    def change(**_given: Any) -> Event:
        return update_event(event=row, **form.changes(), actor=user_of(request).username, now=utc_now())

    return form_page(
        request,
        form,
        change,
        lambda _changed: done(request, _("Saved."), "owner-page-event", event=event),
        fields=TIMES,
        title=_("Change the event"),
        submit=_("Save"),
        template="venues/owner/event_form.html",
        back_to=reverse("owner-page-event", args=[event]),
    )


@owner_page
def cancel_event(request: HttpRequest, event: str) -> HttpResponse:
    """Cancel an event; asks first."""
    row = selectors.event(user_of(request), event, Role.MANAGER)
    if request.method == "POST":
        event_services.cancel_event(event=row, actor=user_of(request).username, now=utc_now())
        return done(request, _("The event is cancelled."), "owner-page-event", event=event)
    return show_form(
        request,
        NoFields(),
        _("Cancel %(name)s?") % {"name": row.name},
        _("Cancel the event"),
        lead=_("Its invitations stop working. This cannot be undone."),
        back_to=reverse("owner-page-event", args=[event]),
        danger=True,
    )


@owner_page
def repeat(request: HttpRequest, event: str) -> HttpResponse:
    """Make more events like one."""
    row = selectors.event(user_of(request), event, Role.MANAGER)

    def again(every: str, times: int) -> list[Event]:
        return repeat_event(
            event=row, every_days=int(every), times=times, actor=user_of(request).username, now=utc_now()
        )

    def then(made: list[Event]) -> HttpResponse:
        words = ngettext("%(n)d event is ready.", "%(n)d events are ready.", len(made))
        return done(request, words % {"n": len(made)}, "owner-page-events", venue=row.venue.public_id)

    return form_page(
        request,
        bound(RepeatForm, request),
        again,
        then,
        fields={"/starts_at": "times", "/ends_at": "times"},
        title=_("Repeat %(name)s") % {"name": row.name},
        submit=_("Create events"),
        lead=_("Each new event has the same times, size and place as this one (%(when)s), and invitations of its own.")
        % {"when": when(request, row)},
        back_to=reverse("owner-page-event", args=[event]),
    )


@owner_page
def event_calendar(request: HttpRequest, event: str) -> HttpResponse:
    """Return an event as a calendar file, with the link that lets its guests in, to send to them."""
    row = selectors.event(user_of(request), event)
    return calendar_answer(row, event_address(request, row), utc_now())


@owner_page
def new_invitation(request: HttpRequest, event: str) -> HttpResponse:
    """More invitations: one for everybody, or one for each guest."""
    row = selectors.event(user_of(request), event, Role.MANAGER)

    def make(count: int | None, uses: int) -> list[Invitation]:
        return make_invitations(event=row, count=count or 1, uses=uses, actor=user_of(request).username, now=utc_now())

    def then(made: list[Invitation]) -> HttpResponse:
        words = ngettext("%(n)d invitation is ready.", "%(n)d invitations are ready.", len(made))
        to = "owner-page-event" if len(made) == 1 else "owner-page-invitations"
        return done(request, words % {"n": len(made)}, to, event=event)

    return form_page(
        request,
        bound(UsesForm, request, initial={"uses": row.size}),
        make,
        then,
        title=_("New invitations"),
        submit=_("Create invitations"),
        lead=_("For an invitation to each guest, enter how many, and 1 person each."),
        back_to=reverse("owner-page-event", args=[event]),
    )


@owner_page
def invitations(request: HttpRequest, event: str) -> HttpResponse:
    """All invitations that hold, to print and cut out, a page at a time."""
    row = selectors.event(user_of(request), event)
    found = Paginator(row.invitations.filter(revoked_at=None).order_by("pk"), INVITATIONS_A_PAGE)
    here = found.get_page(request.GET.get("page"))
    cards = [(at, one, _invitation_address(request, one)) for at, one in enumerate(here, here.start_index())]
    context = {
        "event": row,
        "venue": row.venue,
        "when": when(request, row),
        "cards": [(at, one, address, qr_svg(address)) for at, one, address in cards],
        "pages": here,
    }
    return render(request, "venues/owner/invitations.html", context)


@owner_page
def invitation(request: HttpRequest, invitation: str) -> HttpResponse:
    """Show one invitation's link and code."""
    row = selectors.invitation(user_of(request), invitation)
    address = _invitation_address(request, row)
    words = when(request, row.event)
    context = {"row": row, "event": row.event, "address": address, "qr": qr_svg(address), "when": words}
    return render(request, "venues/owner/invitation.html", context)


@owner_page
def invitation_calendar(request: HttpRequest, invitation: str) -> HttpResponse:
    """Return a calendar file that brings one invitation."""
    row = selectors.invitation(user_of(request), invitation)
    return calendar_answer(row.event, _invitation_address(request, row), utc_now())


def _invitation_address(request: HttpRequest, invitation: Invitation) -> str:
    return links.event(links.origin(request), invitation.event.public_id, invitation_code(invitation))


@owner_action
def revoke_invitation(request: HttpRequest, invitation: str) -> HttpResponse:
    """Revoke an invitation."""
    row = selectors.invitation(user_of(request), invitation, Role.MANAGER)
    event_services.revoke_invitation(invitation=row, actor=user_of(request).username, now=utc_now())
    return done(request, _("Invitation revoked."), "owner-page-event", event=row.event.public_id)


def when(request: HttpRequest, event: Event) -> str:
    """Days and times of an event by the clock of its place; by the reader's in a demonstration."""
    return days_and_times(event.starts_at, event.ends_at, shown_zone(request, event.venue))


def event_address(request: HttpRequest, event: Event) -> str:
    """Where guests check in: with an invitation that lets many in where one is needed, else the page of the event."""
    found = usable_invitation(event)
    code = "" if found is None else invitation_code(found)
    return links.event(links.origin(request), event.public_id, code)


def usable_invitation(event: Event) -> Invitation | None:
    """Return an invitation for many guests, where the event needs one: of those for most guests the newest.

    Uses left play no part: a host who makes and revokes invitations would read from the choice how many guests
    answered.
    """
    if not event.invitation_needed:
        return None
    return event.invitations.filter(revoked_at=None).order_by("-uses", "-pk").first()
