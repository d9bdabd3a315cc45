"""Requirements of a place and its opening hours: forms, and all past versions."""

from typing import Any, Final

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from common.time import utc_now
from common.web.problems import NotFound
from venues import selectors, wording
from venues.kinds import Role
from venues.models import Requirements, Venue
from venues.pages.base import attempt, bound, done, form_page, owner_page, show_form, user_of
from venues.pages.event_forms import size_field
from venues.pages.forms import OwnerForm
from venues.pages.zones import shown_zone
from venues.readings import (
    HIGHEST_LIMIT_F,
    HIGHEST_OXYGEN,
    LOWEST_LIMIT_F,
    LOWEST_OXYGEN,
    from_fahrenheit,
    to_fahrenheit,
)
from venues.requirements import RequirementValues
from venues.services.venues import set_requirements
from venues.wall_clock import moment_words

CONFIRM: Final = "confirm"
"""Value of the button that puts rules in force; any other only shows them in words."""


class RulesForm(OwnerForm):
    """The requirements of a place."""

    keeps_unnamed = True

    capacity = size_field(gettext_lazy("How many people fit?"))
    enforced_limit_percent = forms.IntegerField(
        label=gettext_lazy("How many of them do you allow? (percent)"),
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
        label=gettext_lazy("Require the code of this minute"),
        required=False,
        help_text=gettext_lazy("Off: paper passes work, and so does a photo of somebody's pass."),
    )
    max_temperature_f = forms.FloatField(
        label=gettext_lazy("Highest temperature in °F (optional)"),
        required=False,
        help_text=gettext_lazy("Only with a thermometer at the door. 100.4 is usual. Your statistics show no reading."),
    )
    min_o2 = forms.IntegerField(
        label=gettext_lazy("Lowest blood oxygen in percent (optional)"),
        required=False,
        min_value=LOWEST_OXYGEN,
        max_value=HIGHEST_OXYGEN,
        help_text=gettext_lazy("Only with an oximeter at the door."),
    )
    version = forms.IntegerField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, initial: dict[str, Any], **kwargs: Any) -> None:
        limit = initial.get("max_temperature_f")
        if limit is not None:
            initial = initial | {"max_temperature_f": from_fahrenheit(limit, settings.TEMPERATURE_UNIT)}
        super().__init__(*args, initial=initial, **kwargs)
        if settings.TEMPERATURE_UNIT == "C":
            field = self.fields["max_temperature_f"]
            field.label = gettext_lazy("Highest temperature in °C (optional)")
            field.help_text = gettext_lazy(
                "Only with a thermometer at the door. 38 is usual. Your statistics show no reading."
            )

    def clean_max_temperature_f(self) -> float | None:
        """Return the limit in degrees Fahrenheit. Refuse one that no door could use."""
        unit = settings.TEMPERATURE_UNIT
        typed = self.cleaned_data["max_temperature_f"]
        if typed is None:
            return None
        limit = to_fahrenheit(typed, unit)
        if not LOWEST_LIMIT_F <= limit <= HIGHEST_LIMIT_F:
            ends = [round(from_fahrenheit(end, unit), 1) for end in (LOWEST_LIMIT_F, HIGHEST_LIMIT_F)]
            message = _("Enter a temperature from %(low)s to %(high)s °%(unit)s.")
            raise ValidationError(message % {"low": ends[0], "high": ends[1], "unit": unit})
        return limit


@owner_page
def rules(request: HttpRequest, venue: str) -> HttpResponse:
    """Change a place's requirements: first show what they mean in words, then put them in force."""
    place = selectors.venue(user_of(request), venue, Role.MANAGER)
    asked = rules_of(place)
    present = RequirementValues.of(asked)
    initial = present.as_dict() | {"version": asked.version}
    form = bound(RulesForm, request, initial=initial)
    told = None
    if form.is_valid():
        version = form.cleaned_data["version"]
        # What is shown rounded and sent back as it was, such as degrees Celsius, stays as it is.
        wanted = present.changed({name: form.cleaned_data[name] for name in form.changed_data if name != "version"})
        if request.POST.get("do") == CONFIRM:
            changed = attempt(form, lambda: _put_in_force(request, place, wanted, version))
            if changed is not None:
                return done(
                    request,
                    _("Version %(version)d applies now.") % {"version": changed.version},
                    "owner-page-settings",
                    venue=venue,
                )
        else:
            told = wording.tell(wanted)
    return show_form(
        request,
        form,
        _("Rules at the door"),
        _("Apply"),
        template="venues/owner/rules.html",
        venue=place,
        told=told,
        back_to=reverse("owner-page-settings", args=[venue]),
    )


@owner_page
def versions(request: HttpRequest, venue: str) -> HttpResponse:
    """Show all versions of a place's requirements, newest first, in words."""
    place = selectors.venue(user_of(request), venue)
    zone = shown_zone(request, place)
    rows = place.requirement_versions.order_by("-version")[:100]
    told = [
        (row, moment_words(row.created_at, zone), wording.tell(RequirementValues.of(row)),
         wording.tell_hours(row.hours))
        for row in rows
    ]  # fmt: skip
    return render(request, "venues/owner/versions.html", {"venue": place, "versions": told})


class HoursForm(OwnerForm):
    """The hours of a week, one line per day."""

    version = forms.IntegerField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        widget = {"autocomplete": "off", "spellcheck": "false"}
        for day, name in enumerate(wording.WEEKDAYS):
            self.fields[f"day_{day}"] = forms.CharField(
                label=name, required=False, max_length=200, widget=forms.TextInput(attrs=widget)
            )
        if self.is_bound:
            self.fill_unnamed()

    def clean(self) -> dict[str, Any]:
        """Check that every line can be parsed."""
        given = super().clean() or self.cleaned_data
        for day in range(7):
            try:
                given[f"day_{day}"] = wording.read_day(given.get(f"day_{day}", ""))
            except wording.BadLine:
                self.add_error(f"day_{day}", _("Enter hours like 09:00-12:00, 14:00-18:00, or leave the field empty."))
        return given


@owner_page
def hours(request: HttpRequest, venue: str) -> HttpResponse:
    """Change when a place is open."""
    place = selectors.venue(user_of(request), venue, Role.MANAGER)
    asked = rules_of(place)
    present = RequirementValues.of(asked)
    week = [[list(one) for one in day] for day in present.hours] if present.hours else [[] for _day in range(7)]
    initial: dict[str, Any] = {f"day_{day}": wording.write_day(week[day]) for day in range(7)}

    def change(version: int, **days: list[list[int]]) -> Requirements:
        wanted = present.changed({"hours": [days[f"day_{day}"] for day in range(7)]})
        return _put_in_force(request, place, wanted, version)

    return form_page(
        request,
        bound(HoursForm, request, initial=initial | {"version": asked.version}),
        change,
        lambda _changed: done(request, _("The new opening hours apply now."), "owner-page-settings", venue=venue),
        fields={f"/hours/{day}": f"day_{day}" for day in range(7)},
        title=_("Opening hours"),
        submit=_("Apply"),
        template="venues/owner/hours.html",
        back_to=reverse("owner-page-settings", args=[venue]),
    )  # fmt: skip


def rules_of(place: Venue) -> Requirements:
    """Return the version in force; every venue has one from the start."""
    if place.requirements is None:
        raise NotFound
    return place.requirements


def _put_in_force(request: HttpRequest, place: Venue, values: RequirementValues, version: int) -> Requirements:
    return set_requirements(
        venue=place, values=values, actor=user_of(request).username, now=utc_now(), expected_version=version
    )
