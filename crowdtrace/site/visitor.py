"""Pages of visitors that span apps. They contain texts and public facts; personal data stays in the browser."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from common.crypto import b64encode
from common.web.problems import NotFound
from crowdtrace.site.places.card import STAYS, profiles
from crowdtrace.town.example_key import SECRET
from passes.pages.views import guidance, known_epochs


@require_safe
def shield(request: HttpRequest) -> HttpResponse:
    """Show the shield page; the device requests the shield with values that only it can derive."""
    return render(request, "site/shield.html", _of_shield())


@require_safe
def example(request: HttpRequest) -> HttpResponse:
    """Show the shield of a demonstration's example visitor, whose secret is public; the page stores nothing of it."""
    if not settings.EMBEDDED:
        raise NotFound
    return render(request, "site/shield.html", _of_shield() | {"example": {"secret": b64encode(SECRET)}})


def _of_shield() -> dict[str, Any]:
    return {"epochs": known_epochs(), "guidance": guidance(), "profiles": profiles(), "stays": STAYS.items()}


@require_safe
def my_data(request: HttpRequest) -> HttpResponse:
    """Show the page of export, erasure with a receipt, change of the secret, and wiping this device."""
    return render(request, "site/my_data.html", {"epochs": known_epochs()})
