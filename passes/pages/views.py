"""Pages of visitors and doors. They contain words and public facts; personal data is processed in the browser."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from common import crypto
from common.time import utc_now
from common.web.problems import NotFound
from passes import selectors
from passes.admission import Question
from passes.assets import address
from passes.codec.epochs import Epoch
from passes.keys import root_public_key
from passes.rules import epoch_day
from passes.wallet import wallet_configured
from venues import links
from venues.calendar_file import calendar_answer
from venues.models import Venue
from venues.pages.zones import shown_zone
from venues.selectors import invitation_needed, open_event, open_venue, requirements_at
from venues.wall_clock import days_and_times

REMINDERS_H: Final = (1, 2, 4)
"""Hours after which a device can remind its holder to leave."""


@dataclass(frozen=True, slots=True)
class QuestionText:
    """One question as displayed on a page."""

    key: str
    text: Promise
    help: Promise


QUESTIONS: Final = (
    QuestionText(
        Question.SYMPTOMS.value,
        gettext_lazy("Shortness of breath, fever, loss of taste or smell, or a new cough?"),
        gettext_lazy("You yourself, in the past 2 weeks."),
    ),
    QuestionText(
        Question.DIAGNOSED.value,
        gettext_lazy("Diagnosed, or waiting for a test result?"),
        gettext_lazy("You yourself, in the past 2 weeks."),
    ),
    QuestionText(
        Question.CONTACT.value,
        gettext_lazy("In contact with someone diagnosed, or waiting for a test result?"),
        gettext_lazy("In the past 2 weeks: for example at home, at work, or at a table."),
    ),
    QuestionText(
        Question.NEAR.value,
        gettext_lazy("Near someone with those symptoms?"),
        gettext_lazy("In the past 2 weeks: in the same room as someone with fever, a new cough or the like."),
    ),
)


@require_safe
def me(request: HttpRequest) -> HttpResponse:
    """Show the first use, the personal code, and the recovery of a key."""
    return render(request, "passes/me.html", {"asked_share": settings.ASKED_SHARE})


@require_safe
def show_pass(request: HttpRequest) -> HttpResponse:
    """Show the boarding pass; its content is on the device."""
    context = {"wallet": wallet_configured(), "reminders": REMINDERS_H}
    return render(request, "passes/pass.html", context)


@require_safe
def visits(request: HttpRequest) -> HttpResponse:
    """Show passes, visits and favourite places as stored on the device."""
    return render(request, "passes/visits.html")


@require_safe
def event(request: HttpRequest, event: str) -> HttpResponse:
    """Show an event to visitors with its link; the page's script reads the invitation after the `#`."""
    row, now = open_event(event), utc_now()
    if row is None:
        raise NotFound(_("This event does not exist, or its place has closed."))
    context = {
        "event": row,
        "when": days_and_times(row.starts_at, row.ends_at, shown_zone(request, row.venue)),
        "over": row.ends_at <= now,
    }
    return render(request, "passes/event.html", context)


@require_safe
def event_calendar(request: HttpRequest, event: str) -> HttpResponse:
    """Return an event as a calendar file, without an invitation."""
    row = open_event(event)
    if row is None:
        raise NotFound(_("This event does not exist, or its place has closed."))
    return calendar_answer(row, links.event(links.origin(request), row.public_id), utc_now())


@require_safe
def rate(request: HttpRequest) -> HttpResponse:
    """Rate visits, in two taps each."""
    return render(request, "passes/rate.html", {"scale": range(1, 6)})


@require_safe
def test(request: HttpRequest) -> HttpResponse:
    """Report a test result, and show what to do after it."""
    context = {"epochs": known_epochs(), "guidance": guidance()}
    return render(request, "passes/test.html", context)


@require_safe
def kiosk(request: HttpRequest) -> HttpResponse:
    """Show the door. The page contains the root key, which the device pins when it enrols."""
    context = {"root_key": crypto.b64encode(root_public_key()), "has_authority": bool(settings.AUTHORITY_FILE)}
    context |= {"temperature_unit": settings.TEMPERATURE_UNIT, "readings_kept": settings.PUBLISH_READINGS}
    return render(request, "passes/kiosk.html", context)


@require_safe
def check_in(request: HttpRequest, venue: str) -> HttpResponse:
    """Ask four questions, one per page, then show a pass."""
    return render(request, "passes/check_in.html", _check_in_context(_open_venue(venue)))


@require_safe
def paper(request: HttpRequest, venue: str) -> HttpResponse:
    """Ask the same four questions for a visitor without a phone, then show a sheet to print."""
    place = _open_venue(venue)
    asked = requirements_at(place, utc_now())
    rotating = asked is None or asked.rotating_code
    return render(request, "passes/check_in.html", _check_in_context(place) | {"paper": True, "rotating": rotating})


def _check_in_context(place: Venue) -> dict[str, Any]:
    epochs = selectors.open_epochs(utc_now())
    return {
        "venue": {"id": place.public_id, "name": place.name, "verified": place.organisation.verified},
        "epochs": epochs_as_data(epochs),
        "by_invitation": [epoch.date.isoformat() for epoch in epochs if invitation_needed(place, *epoch_day(epoch))],
        "questions": QUESTIONS,
        "guidance": guidance(),
    }


@require_safe
def kiosk_manifest(_request: HttpRequest) -> JsonResponse:
    """Return what a device needs to install the door as an app."""
    return manifest_response(name=_("CrowdTrace scanner"), start=reverse("page-kiosk"), display="fullscreen")


def manifest_response(*, name: str, start: str, display: str) -> JsonResponse:
    """Return a web app manifest (W3C Web Application Manifest)."""
    body: dict[str, Any] = {
        "name": name,
        "short_name": name,
        "id": start,
        "start_url": start,
        "scope": "/",
        "display": display,
        "background_color": "#f6f4ee",
        "theme_color": "#0a6466",
        "icons": [{"src": address("site/icon.svg"), "sizes": "any", "type": "image/svg+xml", "purpose": "any"}],
    }
    return JsonResponse(body, content_type="application/manifest+json")


def epochs_as_data(epochs: Iterable[Epoch]) -> list[dict[str, str | int]]:
    """Return epochs in the form that scripts read from a page."""
    return [{"date": epoch.date.isoformat(), "start": epoch.start, "end": epoch.end} for epoch in epochs]


def known_epochs() -> list[dict[str, str | int]]:
    """Return the days of which the server may hold passes, for a page that requests them."""
    return epochs_as_data(selectors.known_epochs(utc_now()))


def guidance() -> dict[str, str]:
    """Return what the deployment's health authority advises."""
    return {"text": settings.HEALTH_GUIDANCE, "url": settings.HEALTH_GUIDANCE_URL}


def _open_venue(public_id: str) -> Venue:
    place = open_venue(public_id)
    if place is None:
        raise NotFound(_("This place does not exist or has closed."))
    return place
