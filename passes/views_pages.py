"""Pages of visitors and doors. They hold words and public facts; whatever is personal happens in the browser."""

from dataclasses import dataclass
from typing import Any, Final

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from crowdtrace.common import crypto
from crowdtrace.common.problems import NotFound
from crowdtrace.common.time import deployment_zone, utc_now
from passes.admission import Question
from passes.assets import address
from passes.epochs import Epoch, EpochCalendar
from passes.keys import root_public_key
from venues import selectors
from venues.models import Venue

LONGEST_SEARCH: Final = 80


@dataclass(frozen=True, slots=True)
class Asked:
    """One question as a page shows it."""

    key: str
    text: Promise
    help: Promise


QUESTIONS: Final = (
    Asked(
        Question.SYMPTOMS.value,
        gettext_lazy("Shortness of breath, fever, loss of taste or smell, or a new cough?"),
        gettext_lazy("You yourself, in the past 2 weeks."),
    ),
    Asked(
        Question.DIAGNOSED.value,
        gettext_lazy("Diagnosed, or waiting for a test result?"),
        gettext_lazy("You yourself, in the past 2 weeks."),
    ),
    Asked(
        Question.CONTACT.value,
        gettext_lazy("In contact with someone diagnosed, or waiting for a test result?"),
        gettext_lazy("In the past 2 weeks: for example at home, at work, or at a table."),
    ),
    Asked(
        Question.NEAR.value,
        gettext_lazy("Near someone with those symptoms?"),
        gettext_lazy("In the past 2 weeks: in the same room as someone with fever, a new cough or the like."),
    ),
)


@require_safe
def me(request: HttpRequest) -> HttpResponse:
    """First use, the personal code, bringing a key back."""
    return render(request, "passes/me.html")


@require_safe
def show_pass(request: HttpRequest) -> HttpResponse:
    """The boarding pass; its content lies on the device."""
    return render(request, "passes/pass.html")


@require_safe
def kiosk(request: HttpRequest) -> HttpResponse:
    """The door. The page carries the root key, which the device pins when it enrols."""
    return render(request, "passes/kiosk.html", {"root_key": crypto.b64encode(root_public_key())})


@require_safe
def venues(request: HttpRequest) -> HttpResponse:
    """Search for a place by name and ZIP."""
    q, zip_code = (request.GET.get(name, "").strip()[:LONGEST_SEARCH] for name in ("q", "zip"))
    found = selectors.find_venues(q=q, zip_code=zip_code if _is_zip(zip_code) else "")
    context = {"q": q, "zip": zip_code, "zip_wrong": bool(zip_code) and not _is_zip(zip_code), "found": found}
    return render(request, "passes/venues.html", context)


@require_safe
def venue(request: HttpRequest, venue: str) -> HttpResponse:
    """One place, before going there."""
    place = _open_venue(venue)
    return render(request, "passes/venue.html", {"venue": place, "epochs": _open_epochs()})


@require_safe
def check_in(request: HttpRequest, venue: str) -> HttpResponse:
    """Four questions, one a page, then a pass."""
    place = _open_venue(venue)
    epochs = _open_epochs()
    context = {
        "venue": {"id": place.public_id, "name": place.name},
        "epochs": [{"date": epoch.date.isoformat(), "start": epoch.start, "end": epoch.end} for epoch in epochs],
        "questions": QUESTIONS,
    }
    return render(request, "passes/check_in.html", context)


@require_safe
def kiosk_manifest(_request: HttpRequest) -> JsonResponse:
    """What a device needs to install the door as an app."""
    return manifest_response(name=_("CrowdTrace door"), start=reverse("page-kiosk"), display="fullscreen")


def manifest_response(*, name: str, start: str, display: str) -> JsonResponse:
    """A web app manifest (W3C Web Application Manifest)."""
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


def _open_venue(public_id: str) -> Venue:
    place = selectors.open_venue(public_id)
    if place is None:
        raise NotFound(_("There is no such place, or it has closed."))
    return place


def _open_epochs() -> tuple[Epoch, ...]:
    return EpochCalendar(deployment_zone()).open_epochs(utc_now().timestamp())


def _is_zip(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) in {3, 5}
