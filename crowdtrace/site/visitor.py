"""Pages of visitors that span apps. They hold words and public facts; whatever is personal happens in the browser."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from crowdtrace.site.places.card import STAYS, profiles
from passes.pages.views import guidance, known_epochs


@require_safe
def shield(request: HttpRequest) -> HttpResponse:
    """My shield; the device asks for it with what only it can derive."""
    context = {"epochs": known_epochs(), "guidance": guidance(), "profiles": profiles(), "stays": STAYS.items()}
    return render(request, "site/shield.html", context)


@require_safe
def my_data(request: HttpRequest) -> HttpResponse:
    """Export, erasure with receipt, another secret, wiping this device."""
    return render(request, "site/my_data.html", {"epochs": known_epochs()})
