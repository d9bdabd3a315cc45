"""The forms of events: times by the clock of the place, over midnight, over days, over a change of the clock."""

import datetime as dt
from collections.abc import Mapping
from typing import Any, Final, cast
from zoneinfo import ZoneInfo

from django import forms
from django.conf import settings
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from common.time import deployment_zone
from venues.kinds import OrganisationKind
from venues.models import Event, zone_names
from venues.pages.forms import OwnerForm, name_field
from venues.services.events import MOST_REPEATS
from venues.wall_clock import coming, instants, skipped, wall_time

FREE_KINDS: Final = [choice for choice in OrganisationKind.choices if choice[0] != OrganisationKind.COMMERCIAL]
USUAL_LENGTH: Final = dt.timedelta(hours=3)
DAY: Final = dt.timedelta(days=1)
MOST_INVITATIONS_AT_ONCE: Final = 200


def zone_field(*, new: bool = True) -> forms.CharField:
    """Return a time zone. Of what is `new` the browser offers its own; what is there keeps its zone."""
    zone = settings.DEPLOYMENT_TIME_ZONE
    widget = forms.TextInput(attrs={"autocomplete": "off", "list": "zones", "spellcheck": "false"})
    if new:
        widget.attrs["data-zone"] = zone
    return forms.CharField(
        label=gettext_lazy("Time zone"),
        initial=zone,
        max_length=64,
        widget=widget,
        help_text=gettext_lazy("Times are those of the place. An example: America/New_York."),
    )


def zip_field() -> forms.CharField:
    """Return a ZIP code or none."""
    widget = forms.TextInput(attrs={"autocomplete": "postal-code", "inputmode": "numeric", "size": "6"})
    return forms.CharField(
        label=gettext_lazy("ZIP code (optional)"),
        required=False,
        max_length=5,
        widget=widget,
        help_text=gettext_lazy("Three or five digits. With it, the risk of the area counts."),
    )


def size_field(label: Any, *, most: int = 1_000_000, **options: Any) -> forms.IntegerField:
    """Return a number of people or things."""
    widget = forms.NumberInput(attrs={"inputmode": "numeric", "autocomplete": "off"})
    return forms.IntegerField(
        label=label,
        min_value=1,
        max_value=most,
        widget=widget,
        error_messages={
            "min_value": gettext_lazy("At least 1."),
            "max_value": gettext_lazy("At most %(limit_value)s."),
            "invalid": gettext_lazy("Enter a whole number, such as 20."),
        },
        **options,
    )


def day_field(label: Any, **options: Any) -> forms.DateField:
    """Return a day."""
    return forms.DateField(
        label=label,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        error_messages={"invalid": gettext_lazy("Enter the day like 2026-05-31.")},
        **options,
    )


def time_field(label: Any, invalid: Any) -> forms.TimeField:
    """Return a time of the clock; `invalid` says how to write one."""
    widget = forms.TimeInput(attrs={"type": "time"}, format="%H:%M")
    return forms.TimeField(label=label, widget=widget, error_messages={"invalid": invalid})


def _coming_field() -> forms.ChoiceField:
    """Which of two equal times of the clock is meant; the choices get their words once such a time is known."""
    return forms.ChoiceField(required=False, widget=forms.RadioSelect, choices=[("0", "1"), ("1", "2")])


class TimesForm(OwnerForm):
    """When an event is: days, a beginning and an end by the clock of the place.

    Without a last day, an end that is not after the beginning is on the next day. A time that the clock skips is
    refused; for one that comes twice the form asks which is meant (`starts_fold`, `ends_fold`).
    """

    date = day_field(gettext_lazy("Day"))
    starts = time_field(gettext_lazy("Starts"), gettext_lazy("Enter the time like 19:30."))
    starts_fold = _coming_field()
    ends_on = day_field(
        gettext_lazy("Last day (optional)"),
        required=False,
        help_text=gettext_lazy("Only for an event of several days. Leave it empty if it ends after midnight."),
    )
    ends = time_field(gettext_lazy("Ends"), gettext_lazy("Enter the time like 22:30."))
    ends_fold = _coming_field()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.times: dict[str, dt.datetime] = {}
        self.doubtful: set[str] = set()
        """Fields whose time comes twice, so that the form asks which is meant."""

    def zone(self) -> ZoneInfo:
        """Whose clock it is; the deployment's, while nothing better is known."""
        return deployment_zone()

    def full_clean(self) -> None:
        """Begin each time without what was found before: the zone is known only once fields are read."""
        if self.is_bound:
            self.times, self.doubtful = {}, set()
        super().full_clean()

    def clean(self) -> dict[str, Any]:
        """Both times must be ones that the clock shows, and one each."""
        given = super().clean() or self.cleaned_data
        if "time_zone" in self.errors or "date" not in given or "ends_on" in self.errors:
            return given
        walls = {"starts": self._wall("starts", given["date"])} if "starts" in given else {}
        if "ends" in given and "starts" in given:
            walls["ends"] = self._wall("ends", self.last_day())
        for field, wall in walls.items():
            found = self._instant(field, wall)
            if found is not None:
                self.times[field] = found
        return given

    def last_day(self) -> dt.date:
        """Return the day on which it ends: the one that was given, else the first one that fits."""
        given = self.cleaned_data
        if given.get("ends_on"):
            day: dt.date = given["ends_on"]
            return day
        first: dt.date = given["date"]
        return first if given["ends"] > given["starts"] else first + DAY

    def span(self) -> tuple[dt.datetime, dt.datetime]:
        """Beginning and end of a valid form, in UTC."""
        return self.times["starts"], self.times["ends"]

    def _wall(self, field: str, day: dt.date) -> dt.datetime:
        return dt.datetime.combine(day, self.cleaned_data[field])

    def _instant(self, field: str, wall: dt.datetime) -> dt.datetime | None:
        found = instants(wall, self.zone())
        if not found:
            before, after = skipped(wall, self.zone())
            words = _(
                "On %(day)s the clock goes forward from %(before)s to %(after)s, so there is no %(time)s. Choose "
                "another time."
            )
            self.add_error(field, words % {
                "day": date_format(wall, "DATE_FORMAT"), "before": f"{before:%H:%M}", "after": f"{after:%H:%M}",
                "time": f"{wall:%H:%M}",
            })  # fmt: skip
            return None
        if len(found) == 1:
            return found[0]
        self.offer(field, found)
        chosen = self.cleaned_data.get(f"{field}_fold")
        if chosen:
            return found[int(chosen)]
        words = _("On %(day)s the clock goes back, so %(time)s comes twice. Choose which you mean.")
        values = {"day": date_format(wall, "DATE_FORMAT"), "time": f"{wall:%H:%M}"}
        self.add_error(f"{field}_fold", words % values)
        return None

    def offer(self, field: str, both: list[dt.datetime]) -> None:
        """Ask which of two equal times of the clock is meant."""
        first, second = (moment.astimezone(self.zone()) for moment in both)
        choice = self.fields[f"{field}_fold"]
        choice.label = _("Which %(time)s?") % {"time": f"{first:%H:%M}"}
        names = {"time": f"{first:%H:%M}", "first": f"{first:%Z}", "second": f"{second:%Z}"}
        choice.choices = [  # type: ignore[attr-defined]
            ("0", _("The first %(time)s (%(first)s), before the clock goes back") % names),
            ("1", _("The second %(time)s (%(second)s), after the clock has gone back") % names),
        ]
        self.doubtful.add(field)


class QuickEventForm(TimesForm):
    """A free event with everything it needs."""

    field_order = (
        "name", "place", "date", "starts", "starts_fold", "ends_on", "ends", "ends_fold", "size", "host", "zip",
        "time_zone",
    )  # fmt: skip
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

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not self.is_bound and "starts" in self.initial:
            # For the browser, which offers the same moment by its own clock as long as nobody typed another.
            walls = [dt.datetime.combine(self.initial["date"], self.initial[name]) for name in ("starts", "ends")]
            offered = f"{walls[0]:%Y-%m-%d %H:%M} {walls[1]:%H:%M}"
            self.fields["date"].widget.attrs.update({"data-offered": offered, "data-begins": self.initial["begins"]})

    def clean_time_zone(self) -> str:
        """Return a zone that exists."""
        name: str = self.cleaned_data["time_zone"]
        if name not in zone_names():
            raise forms.ValidationError(_("No such time zone; an example is America/New_York."))
        return name

    def zone(self) -> ZoneInfo:
        """Return the zone that was typed."""
        return ZoneInfo(self.cleaned_data.get("time_zone", settings.DEPLOYMENT_TIME_ZONE))


class EventForm(TimesForm):
    """An event at a place that is there."""

    field_order = ("name", "date", "starts", "starts_fold", "ends_on", "ends", "ends_fold", "size", "invitation_needed")
    name = name_field(gettext_lazy("What is it?"))
    size = size_field(gettext_lazy("How many people at most?"))
    invitation_needed = forms.BooleanField(
        label=gettext_lazy("By invitation"),
        required=False,
        initial=True,
        help_text=gettext_lazy("Everyone who checks in on that day needs the link or code of an invitation."),
    )

    def __init__(self, *args: Any, zone: ZoneInfo, **kwargs: Any) -> None:
        self._zone = zone
        super().__init__(*args, **kwargs)

    def zone(self) -> ZoneInfo:
        """Return the zone in which the page shows times of the place."""
        return self._zone


class ChangeEventForm(EventForm):
    """An event that is there: what is not named, or named as it is, stays as it is."""

    keeps_unnamed = True

    def __init__(self, data: Any = None, *, event: Event, zone: ZoneInfo, **kwargs: Any) -> None:
        self.event = event
        self.present = {"starts": event.starts_at, "ends": event.ends_at}
        walls = {field: wall_time(moment, zone).replace(second=0, microsecond=0)
                 for field, moment in self.present.items()}  # fmt: skip
        initial = {
            "name": event.name,
            "date": walls["starts"].date(),
            "starts": walls["starts"].time(),
            "starts_fold": str(coming(event.starts_at, zone)),
            "ends_on": walls["ends"].date() if lasts_days(walls["starts"], walls["ends"]) else None,
            "ends": walls["ends"].time(),
            "ends_fold": str(coming(event.ends_at, zone)),
            "size": event.size,
            "invitation_needed": event.invitation_needed,
        }
        self.walls = walls
        super().__init__(data, zone=zone, initial=initial, **kwargs)
        if data is None:
            for field, wall in walls.items():
                both = instants(wall, zone)
                if len(both) == 2:
                    self.offer(field, both)

    def changes(self) -> dict[str, Any]:
        """Return what a valid form changes, as `update_event` takes it."""
        given = self.cleaned_data
        changes = {
            name: given[name]
            for name in ("name", "size", "invitation_needed")
            if given[name] != getattr(self.event, name)
        }
        zone = self.zone()
        for field, found in self.times.items():
            present = self.present[field].replace(second=0, microsecond=0)
            # Times that programs set may have seconds, which no form shows: they stay with the rest.
            if wall_time(found, zone) != self.walls[field] or found != present:
                changes[f"{field}_at"] = found
        return changes

    def fill_unnamed(self) -> None:
        """Keep the number of days of an event that moves to another day."""
        sent = self.data
        super().fill_unnamed()
        filled: Any = cast("Any", self.data).copy()
        for field, wall in self.walls.items():
            name = f"{field}_fold"
            if name not in sent and len(instants(wall, self.zone())) > 1:
                filled[name] = self.initial[name]
        if "ends_on" not in sent and self.initial["ends_on"]:
            filled["ends_on"] = self._moved(str(filled["date"]), self.initial)
        self.data = filled

    @staticmethod
    def _moved(day: str, initial: Mapping[str, Any]) -> str:
        try:
            first = dt.date.fromisoformat(day)
        except ValueError:
            return str(initial["ends_on"])  # the form says what is wrong with the day
        return str(first + (initial["ends_on"] - initial["date"]))


def lasts_days(start: dt.datetime, end: dt.datetime) -> bool:
    """Whether times alone would be read as another end: the first one after the beginning."""
    usual = start.date() if end.time() > start.time() else start.date() + DAY
    return end.date() != usual


class UsesForm(OwnerForm):
    """New invitations."""

    count = size_field(
        gettext_lazy("How many invitations?"),
        most=MOST_INVITATIONS_AT_ONCE,
        initial=1,
        required=False,
        help_text=gettext_lazy("One for each guest or family: each has its own link and can be revoked by itself."),
    )
    uses = size_field(gettext_lazy("For how many people each?"))


class RepeatForm(OwnerForm):
    """How often an event comes again."""

    EVERY: Final = {
        "1": gettext_lazy("Every day"),
        "7": gettext_lazy("Every week"),
        "14": gettext_lazy("Every two weeks"),
        "28": gettext_lazy("Every four weeks"),
    }
    every = forms.ChoiceField(
        label=gettext_lazy("How often?"), choices=list(EVERY.items()), initial="7", widget=forms.RadioSelect
    )
    times = size_field(gettext_lazy("How many more times?"), most=MOST_REPEATS, initial=1)


def usual_times(now: dt.datetime, zone: ZoneInfo) -> dict[str, Any]:
    """Return what a new event's form offers: from the next full hour on."""
    start = (now + dt.timedelta(hours=1)).astimezone(zone).replace(minute=0, second=0, microsecond=0)
    end = start.astimezone(dt.UTC) + USUAL_LENGTH
    wall = wall_time(end, zone)
    return {"date": start.date(), "starts": start.time(), "ends": wall.time(), "begins": int(start.timestamp())}
