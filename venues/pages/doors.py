"""Doors of a place, and the phones and tablets that scan at them."""

from dataclasses import dataclass
from functools import partial

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from common.time import utc_now
from venues import links, selectors
from venues.kinds import Access, OrganisationKind, Role
from venues.models import Device, Door
from venues.pages.base import bound, done, form_page, owner_action, owner_page, show_form, user_of
from venues.pages.forms import NoFields, OwnerForm, name_field
from venues.pages.zones import shown_zone
from venues.services import venues as venue_services
from venues.services.codes import NewCode, qr_svg
from venues.services.devices import make_enrolment_code, revoke_device
from venues.services.venues import add_door, update_door


class DoorForm(OwnerForm):
    """A door."""

    keeps_unnamed = True

    name = name_field(gettext_lazy("Name of the door"), most=80)
    access = forms.ChoiceField(
        label=gettext_lazy("Who uses it?"),
        choices=[
            (Access.PUBLIC, gettext_lazy("Everyone (public)")),
            (Access.PRIVATE, gettext_lazy("Staff or members (private)")),
        ],
        initial=Access.PUBLIC,
        widget=forms.RadioSelect,
    )


@dataclass(frozen=True, slots=True)
class DoorRow:
    """A door with the devices that scan at it."""

    door: Door
    devices: list[Device]


@owner_page
def doors(request: HttpRequest, venue: str) -> HttpResponse:
    """Show doors with their devices, when each was last seen, and how to enrol and revoke them."""
    place = selectors.venue(user_of(request), venue)
    rows = place.doors.filter(closed_at=None).prefetch_related("devices").order_by("pk")
    live = [DoorRow(door, [one for one in door.devices.all() if one.revoked_at is None]) for door in rows]
    revoked = Device.objects.filter(door__venue=place, revoked_at__isnull=False).select_related("door")
    context = {
        "venue": place,
        "zone": shown_zone(request, place),
        "doors": live,
        "revoked": revoked.order_by("-revoked_at")[:20],
        "tab": "doors",
        "commercial": place.organisation.kind == OrganisationKind.COMMERCIAL,
    }
    return render(request, "venues/owner/doors.html", context)


@owner_page
def new_door(request: HttpRequest, venue: str) -> HttpResponse:
    """Add a door."""
    place = selectors.venue(user_of(request), venue, Role.MANAGER)
    return form_page(
        request,
        bound(DoorForm, request),
        partial(add_door, venue=place, actor=user_of(request).username, now=utc_now()),
        lambda _made: done(request, _("Door added."), "owner-page-doors", venue=venue),
        title=_("Add a door"),
        submit=_("Add door"),
        back_to=reverse("owner-page-doors", args=[venue]),
    )


@owner_page
def change_door(request: HttpRequest, door: str) -> HttpResponse:
    """Rename a door, or make it public or private."""
    row = selectors.door(user_of(request), door, Role.MANAGER)
    place = row.venue.public_id
    return form_page(
        request,
        bound(DoorForm, request, initial={"name": row.name, "access": row.access}),
        partial(update_door, door=row, actor=user_of(request).username, now=utc_now()),
        lambda _changed: done(request, _("Saved."), "owner-page-doors", venue=place),
        title=_("Change the door"),
        submit=_("Save"),
        back_to=reverse("owner-page-doors", args=[place]),
    )


@owner_page
def close_door(request: HttpRequest, door: str) -> HttpResponse:
    """Close a door permanently; ask first."""
    row = selectors.door(user_of(request), door, Role.MANAGER)
    place = row.venue.public_id
    if request.method == "POST":
        venue_services.close_door(door=row, actor=user_of(request).username, now=utc_now())
        return done(request, _("The door is closed."), "owner-page-doors", venue=place)
    return show_form(
        request,
        NoFields(),
        _("Close the door %(name)s?") % {"name": row.name},
        _("Close permanently"),
        lead=_("Its devices stop working at once."),
        back_to=reverse("owner-page-doors", args=[place]),
        danger=True,
    )


@owner_page
def enrol(request: HttpRequest, door: str) -> HttpResponse:
    """Create a code that enrols one phone or tablet at this door. It is shown once, and valid for ten minutes."""
    row = selectors.door(user_of(request), door, Role.MANAGER)
    back = reverse("owner-page-doors", args=[row.venue.public_id])

    def show(made: NewCode) -> HttpResponse:
        address = links.kiosk(links.origin(request), made.code)
        context = {
            "door": row,
            "code": made.code,
            "address": address,
            "qr": qr_svg(address),
            "until": made.expires_at,
            "zone": shown_zone(request, row.venue),
            "back": back,
        }
        return render(request, "venues/owner/enrol.html", context)

    return form_page(
        request,
        bound(NoFields, request),
        partial(make_enrolment_code, door=row, actor=user_of(request).username, now=utc_now()),
        show,
        title=_("A device for %(door)s") % {"door": row.name},
        submit=_("Show the code"),
        lead=_("Have the phone or tablet for the door ready. The code works once, for ten minutes."),
        back_to=back,
    )


@owner_action
def revoke(request: HttpRequest, device: str) -> HttpResponse:
    """Revoke a device's token at once."""
    row = selectors.device(user_of(request), device, Role.MANAGER)
    revoke_device(device=row, actor=user_of(request).username, now=utc_now())
    words = _("%(name)s is revoked: its next request is refused.") % {"name": row.name}
    return done(request, words, "owner-page-doors", venue=row.door.venue.public_id)
