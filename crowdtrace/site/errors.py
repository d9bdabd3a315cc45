"""Error pages for people, in the frame of the site, with a link back."""

from typing import Final

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from common.web.problems import Problem

OWNERS: Final = "venues/owner/frame.html"
VISITORS: Final = "base.html"
BACK: Final[tuple[tuple[str, str, Promise], ...]] = (
    ("/owner/operator", "owner-page-operator", _("Back to the status page")),
    ("/owner", "owner-page-home", _("Back to my places")),
    ("/docs", "page-docs", _("All documents")),
    ("/data", "page-data", _("Open data")),
    ("/radar", "page-radar", _("Radar")),
    ("/venues", "page-venues", _("Find a place")),
    ("/", "page-front", _("Front page")),
)
"""By URL prefix: where the link of an error page leads, and its text."""


def error_page(request: HttpRequest, problem: Problem) -> HttpResponse:
    """Return an error as a page of the site. Errors of ours use the plain page, which needs nothing that may fail."""
    path = request.path_info
    if path.startswith("/owner/operator") and not getattr(getattr(request, "user", None), "is_staff", False):
        path = "/owner"
    begins, name, words = next(one for one in BACK if path == one[0] or path.startswith(f"{one[0].rstrip('/')}/"))
    context = {
        "problem": problem,
        "frame": OWNERS if begins.startswith("/owner") else VISITORS,
        "back": (reverse(name), words),
    }
    return render(request, "site/error.html", context, status=problem.status)
