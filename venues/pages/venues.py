"""Places: what they are, what they ask, when they are open, their doors and devices."""

from dataclasses import dataclass
from typing import Any, Final, cast

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from common.time import utc_now
from common.web.problems import NotFound
from venues import links, plain, selectors
from venues.kinds import Access, OrganisationKind, Role, VenueKind
from venues.models import Device, Door, Organisation, Requirements, Venue, zone_names
from venues.pages.base import attempt, bound, done, owner_action, owner_page, show_form, user_of
from venues.pages.events import size_field, zip_field, zone_field
from venues.pages.forms import NoFields, OwnerForm, name_field
from venues.requirements import RequirementValues
from venues.services import venues
from venues.services.codes import qr_svg
from venues.services.devices import make_enrolment_code, revoke_device
from venues.services.venues import (
    VenueFacts,
    add_door,
    create_first_venue,
    create_venue,
    set_requirements,
    update_door,
    update_venue,
)

NEW_ORGANISATION: Final = "new"
CONFIRM: Final = "confirm"


# A new place ---------------------------------------------------------------------------------------------------------
class VenueForm(OwnerForm):
    """A place and who runs it."""

    name = name_field(gettext_lazy("Name of the place"))
    kind = forms.ChoiceField(label=gettext_lazy("What is it?"), choices=VenueKind.choices, initial=VenueKind.RESTAURANT)
    capacity = size_field(gettext_lazy("How many people at most?"), initial=100)
    organisation = forms.ChoiceField(label=gettext_lazy("Who runs it?"), widget=forms.RadioSelect)
    zip = zip_field()
    time_zone = zone_field()

    def __init__(self, *args: Any, organisations: list[Organisation], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [(one.public_id, one.name) for one in organisations]
        choices += [(f"{NEW_ORGANISATION}:{kind}", str(label)) for kind, label in OrganisationKind.choices]
        self.organisations = {one.public_id: one for one in organisations}
        field = cast("forms.ChoiceField", self.fields["organisation"])
        field.choices = choices
        field.initial = choices[0][0] if organisations else f"{NEW_ORGANISATION}:{OrganisationKind.COMMERCIAL}"
        if organisations:
            field.help_text = _("One of your teams, or a new one of this kind.")
        else:
            field.help_text = _("Five kinds are free. Commercial places may also have doors without staff.")


@owner_page
def new_venue(request: HttpRequest) -> HttpResponse:
    """A place in one form."""
    managed = selectors.memberships(user_of(request)).filter(role__in=(Role.OWNER, Role.MANAGER))
    form = bound(VenueForm, request, organisations=[one.organisation for one in managed.order_by("organisation__name")])
    if form.is_valid():
        made = attempt(form, lambda: _make(request, form))
        if made is not None:
            return done(request, _("Your place is ready."), "owner-page-wall", venue=made.public_id)
    return show_form(
        request,
        form,
        _("Your place"),
        _("Make the place"),
        lead=_("Open around the clock at first; hours and rules can follow."),
        template="venues/owner/new_venue.html",
        zones=sorted(zone_names()),
        back="owner-page-start",
    )


def _make(request: HttpRequest, form: VenueForm) -> Venue:
    given, user = form.cleaned_data, user_of(request)
    facts = VenueFacts(name=given["name"], kind=given["kind"], zip=given["zip"], time_zone=given["time_zone"])
    requirements = RequirementValues(capacity=given["capacity"])
    chosen, _colon, host_kind = given["organisation"].partition(":")
    if chosen == NEW_ORGANISATION:
        return create_first_venue(user=user, host_kind=host_kind, facts=facts, requirements=requirements, now=utc_now())
    return create_venue(
        organisation=form.organisations[chosen],
        facts=facts,
        requirements=requirements,
        actor=user.username,
        now=utc_now(),
    )


# What it is ----------------------------------------------------------------------------------------------------------
class FactsForm(OwnerForm):
    """What a place is."""

    name = name_field(gettext_lazy("Name"))
    kind = forms.ChoiceField(label=gettext_lazy("Kind"), choices=VenueKind.choices)
    zip = zip_field()
    time_zone = zone_field()
    usual_dwell_min = forms.IntegerField(
        label=gettext_lazy("Minutes people usually stay (not needed)"),
        required=False,
        help_text=gettext_lazy("Who does not check out counts as gone after it. Empty: what is usual for the kind."),
    )
    volume_m3 = forms.FloatField(
        label=gettext_lazy("Volume of the room in m³ (not needed)"),
        required=False,
        help_text=gettext_lazy("Length x width x height. A known volume makes every estimate narrower."),
    )
    air_changes_per_h = forms.FloatField(
        label=gettext_lazy("Air changes an hour (not needed)"),
        required=False,
        help_text=gettext_lazy("From whoever looks after your ventilation. About 1 with closed windows."),
    )
    listed = forms.BooleanField(
        label=gettext_lazy("Found by search"),
        required=False,
        help_text=gettext_lazy("An unlisted place needs its link or poster."),
    )
    unmanned = forms.BooleanField(
        label=gettext_lazy("Doors without staff"),
        required=False,
        help_text=gettext_lazy("Commercial: a door opens on green by itself, and stays shut when it cannot check."),
    )

    def __init__(self, *args: Any, place: Venue, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if place.organisation.kind != OrganisationKind.COMMERCIAL:
            del self.fields["unmanned"]


@owner_page
def facts(request: HttpRequest, venue: str) -> HttpResponse:
    """Change what a place is."""
    place = selectors.venue(user_of(request), venue, Role.MANAGER)
    initial = {name: getattr(place, name) for name in FactsForm.base_fields}
    form = bound(FactsForm, request, place=place, initial=initial)
    if form.is_valid():
        changes = {name: value for name, value in form.cleaned_data.items() if value != initial[name]}
        changed = attempt(
            form,
            lambda: update_venue(venue=place, changes=changes, actor=user_of(request).username, now=utc_now()),
        )
        if changed is not None:
            return done(request, _("Saved."), "owner-page-settings", venue=venue)
    back = reverse("owner-page-settings", args=[venue])
    return show_form(
        request,
        form,
        _("What it is"),
        _("Save"),
        template="venues/owner/zoned.html",
        zones=sorted(zone_names()),
        back_to=back,
    )


@owner_page
def settings_of_venue(request: HttpRequest, venue: str) -> HttpResponse:
    """Everything that can be set, in words, with the way to each."""
    place = selectors.venue(user_of(request), venue)
    asked = _asked(place)
    values = RequirementValues.of(asked)
    context = {
        "venue": place,
        "told": plain.tell(values),
        "hours": plain.tell_hours(values.hours),
        "version": asked.version,
        "since": asked.created_at,
        "tab": "settings",
    }
    return render(request, "venues/owner/settings.html", context)


@owner_page
def close_venue(request: HttpRequest, venue: str) -> HttpResponse:
    """Close a place for good; asks first."""
    place = selectors.venue(user_of(request), venue, Role.MANAGER)
    if request.method == "POST":
        venues.close_venue(venue=place, actor=user_of(request).username, now=utc_now())
        return done(request, _("%(name)s is closed.") % {"name": place.name}, "owner-page-home")
    return show_form(
        request,
        NoFields(),
        _("Close %(name)s for good?") % {"name": place.name},
        _("Close it for good"),
        lead=_("Its doors stop at once, its events are off. This cannot be taken back; export first what you need."),
        back_to=reverse("owner-page-settings", args=[venue]),
        danger=True,
    )


# What it asks --------------------------------------------------------------------------------------------------------
class RulesForm(OwnerForm):
    """What a place asks of people who come."""

    capacity = size_field(gettext_lazy("How many people fit in?"))
    enforced_limit_percent = forms.IntegerField(
        label=gettext_lazy("How much of that do you allow? (percent)"),
        min_value=1,
        max_value=100,
        widget=forms.NumberInput(attrs={"inputmode": "numeric"}),
        help_text=gettext_lazy("The doors turn red at this share: 50 lets half as many in."),
    )
    refuse_symptoms = forms.BooleanField(label=gettext_lazy("Symptoms"), required=False)
    refuse_diagnosed = forms.BooleanField(label=gettext_lazy("Diagnosed, or waiting for a test result"), required=False)
    refuse_contact = forms.BooleanField(label=gettext_lazy("In contact with someone diagnosed"), required=False)
    refuse_near = forms.BooleanField(label=gettext_lazy("Near someone with symptoms"), required=False)
    rotating_code = forms.BooleanField(
        label=gettext_lazy("The code must be this minute's"),
        required=False,
        help_text=gettext_lazy("Off: paper passes work, and so does a photo of somebody's pass."),
    )
    max_temperature_f = forms.FloatField(
        label=gettext_lazy("Highest temperature in °F (not needed)"),
        required=False,
        help_text=gettext_lazy("Only with a thermometer at the door. 100.4 is usual. Nobody sees a reading."),
    )
    min_o2 = forms.IntegerField(
        label=gettext_lazy("Lowest blood oxygen in percent (not needed)"),
        required=False,
        help_text=gettext_lazy("Only with an oximeter at the door."),
    )
    version = forms.IntegerField(widget=forms.HiddenInput)


@owner_page
def rules(request: HttpRequest, venue: str) -> HttpResponse:
    """Change what a place asks: what it means is shown in words first, then put in force."""
    place = selectors.venue(user_of(request), venue, Role.MANAGER)
    asked = _asked(place)
    present = RequirementValues.of(asked)
    initial = present.as_dict() | {"version": asked.version}
    form = bound(RulesForm, request, initial=initial)
    told = None
    if form.is_valid():
        given = dict(form.cleaned_data)
        version = given.pop("version")
        wanted = present.changed(given)
        if request.POST.get("do") == CONFIRM:
            changed = attempt(form, lambda: _put_in_force(request, place, wanted, version))
            if changed is not None:
                return done(
                    request,
                    _("Version %(version)d is in force.") % {"version": changed.version},
                    "owner-page-settings",
                    venue=venue,
                )
        else:
            told = plain.tell(wanted)
    return show_form(
        request,
        form,
        _("Rules at the door"),
        _("Put in force"),
        template="venues/owner/rules.html",
        venue=place,
        told=told,
        back_to=reverse("owner-page-settings", args=[venue]),
    )


def _asked(place: Venue) -> Requirements:
    """The version in force; every venue has one from its beginning."""
    if place.requirements is None:
        raise NotFound
    return place.requirements


def _put_in_force(request: HttpRequest, place: Venue, values: RequirementValues, version: int) -> Requirements:
    return set_requirements(
        venue=place, values=values, actor=user_of(request).username, now=utc_now(), expected_version=version
    )


@owner_page
def versions(request: HttpRequest, venue: str) -> HttpResponse:
    """Everything a place ever asked, newest first, in words."""
    place = selectors.venue(user_of(request), venue)
    rows = place.requirement_versions.order_by("-version")[:100]
    told = [(row, plain.tell(RequirementValues.of(row)), plain.tell_hours(row.hours)) for row in rows]
    return render(request, "venues/owner/versions.html", {"venue": place, "versions": told})


class HoursForm(OwnerForm):
    """A week's hours, one line a day."""

    version = forms.IntegerField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        widget = {"autocomplete": "off", "spellcheck": "false"}
        for day, name in enumerate(plain.WEEKDAYS):
            self.fields[f"day_{day}"] = forms.CharField(
                label=name, required=False, max_length=200, widget=forms.TextInput(attrs=widget)
            )

    def clean(self) -> dict[str, Any]:
        """Every line must be readable."""
        given = super().clean() or self.cleaned_data
        for day in range(7):
            try:
                given[f"day_{day}"] = plain.read_day(given.get(f"day_{day}", ""))
            except plain.BadLine:
                self.add_error(f"day_{day}", _("Write it like 09:00-12:00, 14:00-18:00, or leave it empty."))
        return given


@owner_page
def hours(request: HttpRequest, venue: str) -> HttpResponse:
    """Change when a place is open."""
    place = selectors.venue(user_of(request), venue, Role.MANAGER)
    asked = _asked(place)
    present = RequirementValues.of(asked)
    week = present.hours or [[] for _day in range(7)]
    initial: dict[str, Any] = {f"day_{day}": plain.write_day([list(one) for one in week[day]]) for day in range(7)}
    form = bound(HoursForm, request, initial=initial | {"version": asked.version})
    if form.is_valid():
        wanted = present.changed({"hours": [form.cleaned_data[f"day_{day}"] for day in range(7)]})
        changed = attempt(
            form,
            lambda: _put_in_force(request, place, wanted, form.cleaned_data["version"]),
            fields={f"/hours/{day}": f"day_{day}" for day in range(7)},
        )
        if changed is not None:
            return done(request, _("The new hours are in force."), "owner-page-settings", venue=venue)
    return show_form(
        request,
        form,
        _("When it is open"),
        _("Put in force"),
        lead=_("One line a day, such as 09:00-12:00, 14:00-18:00. Empty is closed, 00:00-24:00 is all day, "
               "17:00-01:00 ends on the next day."),
        back_to=reverse("owner-page-settings", args=[venue]),
    )  # fmt: skip


# Doors and devices ---------------------------------------------------------------------------------------------------
class DoorForm(OwnerForm):
    """A door."""

    name = name_field(gettext_lazy("Name of the door"), most=80)
    access = forms.ChoiceField(
        label=gettext_lazy("Who uses it?"),
        choices=[
            (Access.PUBLIC, gettext_lazy("Everybody (public)")),
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
    """Doors with their devices, when each was last seen, and the ways to enrol and to revoke."""
    place = selectors.venue(user_of(request), venue)
    rows = place.doors.filter(closed_at=None).prefetch_related("devices").order_by("pk")
    live = [DoorRow(door, [one for one in door.devices.all() if one.revoked_at is None]) for door in rows]
    revoked = Device.objects.filter(door__venue=place, revoked_at__isnull=False).select_related("door")
    context = {
        "venue": place,
        "doors": live,
        "revoked": revoked.order_by("-revoked_at")[:20],
        "tab": "doors",
        "commercial": place.organisation.kind == OrganisationKind.COMMERCIAL,
    }
    return render(request, "venues/owner/doors.html", context)


@owner_page
def new_door(request: HttpRequest, venue: str) -> HttpResponse:
    """One more door."""
    place = selectors.venue(user_of(request), venue, Role.MANAGER)
    form = bound(DoorForm, request)
    if form.is_valid() and attempt(
        form,
        lambda: add_door(venue=place, **form.cleaned_data, actor=user_of(request).username, now=utc_now()),
    ):
        return done(request, _("The door is there."), "owner-page-doors", venue=venue)
    return show_form(
        request, form, _("One more door"), _("Make the door"), back_to=reverse("owner-page-doors", args=[venue])
    )


@owner_page
def change_door(request: HttpRequest, door: str) -> HttpResponse:
    """Rename a door, or make it public or private."""
    row = selectors.door(user_of(request), door, Role.MANAGER)
    form = bound(DoorForm, request, initial={"name": row.name, "access": row.access})
    place = row.venue.public_id
    if form.is_valid() and attempt(
        form,
        lambda: update_door(door=row, **form.cleaned_data, actor=user_of(request).username, now=utc_now()),
    ):
        return done(request, _("Saved."), "owner-page-doors", venue=place)
    return show_form(request, form, _("Change the door"), _("Save"), back_to=reverse("owner-page-doors", args=[place]))


@owner_page
def close_door(request: HttpRequest, door: str) -> HttpResponse:
    """Close a door for good; asks first."""
    row = selectors.door(user_of(request), door, Role.MANAGER)
    place = row.venue.public_id
    if request.method == "POST":
        venues.close_door(door=row, actor=user_of(request).username, now=utc_now())
        return done(request, _("The door is closed."), "owner-page-doors", venue=place)
    return show_form(
        request,
        NoFields(),
        _("Close the door %(name)s?") % {"name": row.name},
        _("Close it for good"),
        lead=_("Its devices stop at once."),
        back_to=reverse("owner-page-doors", args=[place]),
        danger=True,
    )


@owner_page
def enrol(request: HttpRequest, door: str) -> HttpResponse:
    """Make a code that turns one phone or tablet into this door. It is shown once, and good for ten minutes."""
    row = selectors.door(user_of(request), door, Role.MANAGER)
    form = bound(NoFields, request)
    back = reverse("owner-page-doors", args=[row.venue.public_id])
    if request.method == "POST" and form.is_valid():
        made = attempt(
            form,
            lambda: make_enrolment_code(door=row, actor=user_of(request).username, now=utc_now()),
        )
        if made is not None:
            address = links.kiosk(links.origin(request), made.code)
            context = {
                "door": row,
                "code": made.code,
                "address": address,
                "qr": qr_svg(address),
                "until": made.expires_at.astimezone(row.venue.zone),
                "back": back,
            }
            return render(request, "venues/owner/enrol.html", context)
    return show_form(
        request,
        form,
        _("A device for %(door)s") % {"door": row.name},
        _("Show the code"),
        lead=_("Take the phone or tablet that will stand at the door. The code works once, for ten minutes."),
        back_to=back,
    )


@owner_action
def revoke(request: HttpRequest, device: str) -> HttpResponse:
    """Take a device's token away, at once."""
    row = selectors.device(user_of(request), device, Role.MANAGER)
    revoke_device(device=row, actor=user_of(request).username, now=utc_now())
    words = _("%(name)s is revoked: its next request is refused.") % {"name": row.name}
    return done(request, words, "owner-page-doors", venue=row.door.venue.public_id)
