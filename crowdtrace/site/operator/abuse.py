"""The operator's page of abuse scores: which scans look like abuse, and what is done about it."""

import datetime as dt
from typing import Any, Final, cast

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from common.time import deployment_zone, utc_now
from crowdtrace.site.charts.bars import scores_chart
from exports.release import left_out
from passes import abuse_figures
from passes.limits import FASTEST_SURVEY_S
from passes.models import Exemption
from passes.services import abuse_settings
from venues.models import Device
from venues.pages.base import attempt, bound, done, form_page, operator_page, user_of
from venues.pages.forms import NoFields, OwnerForm
from venues.selectors import device_for_operator

PAGE: Final = "owner-page-abuse"


class ThresholdForm(OwnerForm):
    """The score from which a visit is excluded."""

    value = forms.DecimalField(
        label=gettext_lazy("Threshold"),
        min_value=abuse_settings.LOWEST_THRESHOLD,
        max_value=1,
        max_digits=3,
        decimal_places=2,
        help_text=gettext_lazy("From 0.1 to 1. Visits are kept out or let in again within an hour."),
        widget=forms.NumberInput(attrs={"step": "0.05", "inputmode": "decimal"}),
    )


class DaysForm(OwnerForm):
    """The open days of a device that are excluded."""

    days = forms.MultipleChoiceField(
        label=gettext_lazy("Days to leave out"), required=False, widget=forms.CheckboxSelectMultiple
    )

    def __init__(self, *args: Any, open_days: list[dt.date], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        chosen = cast("forms.MultipleChoiceField", self.fields["days"])
        chosen.choices = [(day.isoformat(), date_format(day, "SHORT_DATE_FORMAT")) for day in open_days]


class ExemptionForm(OwnerForm):
    """The duration of a device's exemption, and its reason."""

    until = forms.DateField(
        label=gettext_lazy("Last day"), widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )
    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        max_length=200,
        help_text=gettext_lazy("Everybody who reads the audit log sees it. Name no visitor."),
    )


@operator_page
def abuse(request: HttpRequest) -> HttpResponse:
    """Show histogram, threshold, days, conspicuous devices and exemptions."""
    now = utc_now()
    threshold = abuse_settings.threshold()
    form = bound(ThresholdForm, request, initial={"value": threshold})
    if form.is_valid():
        value, actor = float(form.cleaned_data["value"]), user_of(request).username
        if attempt(form, lambda: abuse_settings.set_threshold(value=value, actor=actor, now=now)):
            return done(request, _("Saved."), PAGE)
    days = abuse_figures.figures_of_days(now)
    bins = [sum(numbers) for numbers in zip(*(day.bins for day in days), strict=True)] or [0] * abuse_figures.BINS
    context = {
        "form": form,
        "threshold": threshold,
        "chart": scores_chart(bins, threshold=threshold),
        "bins": [(at / len(bins), (at + 1) / len(bins), scans) for at, scans in enumerate(bins)],
        "not_computed": sum(day.not_computed for day in days),
        "days": days,
        "left_out": _left_out(days, now),
        "odd": abuse_figures.odd_days(now),
        "exemptions": Exemption.objects.filter(until__gt=now).select_related("device__door__venue").order_by("until"),
        "fastest": FASTEST_SURVEY_S,
    }
    return render(request, "site/owner/abuse.html", context)


def _left_out(days: list[abuse_figures.DayFigures], now: dt.datetime) -> list[tuple[abuse_figures.DayFigures, int]]:
    passes = left_out.passes_left_out([epoch.date for epoch in abuse_figures.scored_epochs(now)])
    return [(day, passes.get(day.day, 0)) for day in days]


@operator_page
def leave_out(request: HttpRequest, device: str) -> HttpResponse:
    """Exclude open days of a device from the release, or include them again."""
    row, now = device_for_operator(device), utc_now()
    out = sorted(day.isoformat() for day in left_out.days_left_out(row))
    form = bound(DaysForm, request, open_days=left_out.open_days(now), initial={"days": out})

    def act(days: list[str]) -> None:
        chosen = [dt.date.fromisoformat(day) for day in days]
        left_out.leave_out(device=row, days=chosen, actor=user_of(request).username, now=now)

    return form_page(
        request,
        form,
        act,
        lambda _done: done(request, _("Saved."), PAGE),
        title=_("Leave days of %(device)s out of the release") % {"device": _named(row)},
        submit=_("Save"),
        lead=_(
            "Passes that this device was the first to scan on such a day are not published. That can be changed until "
            "the day closes, and every change is in the audit log. Lights and crowds stay as they are."
        ),
        back_to=reverse(PAGE),
    )


@operator_page
def exempt(request: HttpRequest, device: str) -> HttpResponse:
    """Exempt a device for a time, or end its exemption."""
    row, now, actor = device_for_operator(device), utc_now(), user_of(request).username
    if Exemption.objects.filter(device=row, until__gt=now).exists():
        return form_page(
            request,
            bound(NoFields, request),
            lambda: abuse_settings.end_exemption(device=row, actor=actor, now=now),
            lambda _done: done(request, _("Saved."), PAGE),
            title=_("End the exemption of %(device)s?") % {"device": _named(row)},
            submit=_("End"),
            back_to=reverse(PAGE),
            danger=True,
        )

    def act(until: dt.date, reason: str) -> None:
        end = dt.datetime.combine(until + dt.timedelta(days=1), dt.time(), tzinfo=deployment_zone())
        abuse_settings.exempt_device(device=row, until=end, reason=reason, actor=actor, now=now)

    return form_page(
        request,
        bound(ExemptionForm, request),
        act,
        lambda _done: done(request, _("Saved."), PAGE),
        title=_("Exempt %(device)s") % {"device": _named(row)},
        submit=_("Exempt"),
        lead=_(
            "Its scans are still scored, but keep nobody out of the crowd. It ends by itself, after 90 days at most."
        ),
        back_to=reverse(PAGE),
    )


def _named(device: Device) -> str:
    return f"{device.name} ({device.door.venue.name})"
