"""Places: a new one, its facts, everything that can be configured, its closing."""

from typing import Any, Final, cast

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from common.time import utc_now
from venues import selectors, wording
from venues.kinds import OrganisationKind, Role, VenueKind
from venues.models import Organisation, Venue, zone_names
from venues.pages.base import bound, done, form_page, owner_page, show_form, user_of
from venues.pages.event_forms import size_field, zip_field, zone_field
from venues.pages.forms import NoFields, OwnerForm, name_field
from venues.pages.rules import rules_of
from venues.pages.zones import shown_zone
from venues.requirements import RequirementValues
from venues.services import venues
from venues.services.venues import VenueFacts, create_first_venue, create_venue, update_venue
from venues.wall_clock import moment_words

NEW_ORGANISATION: Final = "new"


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
    """Create a place in one form."""
    managed = selectors.memberships(user_of(request)).filter(role__in=(Role.OWNER, Role.MANAGER))
    form = bound(VenueForm, request, organisations=[one.organisation for one in managed.order_by("organisation__name")])
    return form_page(
        request,
        form,
        lambda **_given: _make(request, form),
        lambda made: done(request, _("Your place is ready."), "owner-page-wall", venue=made.public_id),
        title=_("Your place"),
        submit=_("Create place"),
        lead=_("Open around the clock at first. You can set hours and rules later."),
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
    """The facts of a place."""

    keeps_unnamed = True

    name = name_field(gettext_lazy("Name"))
    kind = forms.ChoiceField(label=gettext_lazy("Kind"), choices=VenueKind.choices)
    zip = zip_field()
    time_zone = zone_field(new=False)
    usual_dwell_min = forms.IntegerField(
        label=gettext_lazy("Minutes people usually stay (optional)"),
        required=False,
        help_text=gettext_lazy(
            "Visitors who do not check out count as gone after this "
            "time. If empty, the usual time for this kind of place."
        ),
    )
    volume_m3 = forms.FloatField(
        label=gettext_lazy("Volume of the room in m³ (optional)"),
        required=False,
        help_text=gettext_lazy("Length x width x height. A known volume makes every estimate narrower."),
    )
    air_changes_per_h = forms.FloatField(
        label=gettext_lazy("Air changes an hour (optional)"),
        required=False,
        help_text=gettext_lazy("Ask the people who maintain your ventilation. About 1 with closed windows."),
    )
    check_in_percent = forms.IntegerField(
        label=gettext_lazy("Of 100 people here, about how many check in? (optional)"),
        min_value=1,
        max_value=100,
        required=False,
        widget=forms.NumberInput(attrs={"inputmode": "numeric"}),
        help_text=gettext_lazy(
            "Shields and costs count the others too. If you do not know, leave it empty, or count people now and then."
        ),
    )
    listed = forms.BooleanField(
        label=gettext_lazy("Found by search"),
        required=False,
        help_text=gettext_lazy("An unlisted place can be reached only by its link or poster."),
    )
    unmanned = forms.BooleanField(
        label=gettext_lazy("Doors without staff"),
        required=False,
        help_text=gettext_lazy("Commercial: a door opens on green by itself, and stays closed when it cannot check."),
    )

    def __init__(self, *args: Any, place: Venue, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if place.organisation.kind != OrganisationKind.COMMERCIAL:
            del self.fields["unmanned"]


@owner_page
def facts(request: HttpRequest, venue: str) -> HttpResponse:
    """Change the facts of a place."""
    place = selectors.venue(user_of(request), venue, Role.MANAGER)
    share = place.check_in_share
    initial = {name: getattr(place, name) for name in FactsForm.base_fields if name != "check_in_percent"}
    initial["check_in_percent"] = None if share is None else max(1, round(share * 100))

    def change(**given: Any) -> Venue:
        changes = {name: value for name, value in given.items() if value != initial[name]}
        if "check_in_percent" in changes:
            percent = changes.pop("check_in_percent")
            changes["check_in_share"] = None if percent is None else percent / 100
        return update_venue(venue=place, changes=changes, actor=user_of(request).username, now=utc_now())

    return form_page(
        request,
        bound(FactsForm, request, place=place, initial=initial),
        change,
        lambda _changed: done(request, _("Saved."), "owner-page-settings", venue=venue),
        title=_("What it is"),
        submit=_("Save"),
        template="venues/owner/zoned.html",
        zones=sorted(zone_names()),
        back_to=reverse("owner-page-settings", args=[venue]),
    )


@owner_page
def settings_of_venue(request: HttpRequest, venue: str) -> HttpResponse:
    """Show everything that can be configured, in words, with a link to each."""
    place = selectors.venue(user_of(request), venue)
    asked = rules_of(place)
    values = RequirementValues.of(asked)
    context = {
        "venue": place,
        "told": wording.tell(values),
        "hours": wording.tell_hours(values.hours),
        "always_open": wording.never_closes(values.hours),
        "version": asked.version,
        "since": asked.created_at,
        "since_words": moment_words(asked.created_at, shown_zone(request, place)),
        "said": None if place.check_in_share is None else max(1, round(place.check_in_share * 100)),
        "tab": "settings",
    }
    return render(request, "venues/owner/settings.html", context)


@owner_page
def close_venue(request: HttpRequest, venue: str) -> HttpResponse:
    """Close a place permanently; ask first."""
    place = selectors.venue(user_of(request), venue, Role.MANAGER)
    if request.method == "POST":
        venues.close_venue(venue=place, actor=user_of(request).username, now=utc_now())
        return done(request, _("%(name)s is closed.") % {"name": place.name}, "owner-page-home")
    return show_form(
        request,
        NoFields(),
        _("Close %(name)s permanently?") % {"name": place.name},
        _("Close permanently"),
        lead=_(
            "Its doors stop working at once and its events are "
            "cancelled. This cannot be undone. Export what you need first."
        ),
        back_to=reverse("owner-page-settings", args=[venue]),
        danger=True,
    )
