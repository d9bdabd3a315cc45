"""The documents as pages, and the page on privacy."""

from typing import Final

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from common.time import utc_now
from common.web.problems import NotFound
from crowdtrace.site.documents import markdown
from crowdtrace.site.documents.claims import CLAIMS, LIMITS
from crowdtrace.site.documents.privacy_questions import POINTS
from crowdtrace.site.documents.search import find
from passes.ticket_keys import open_fingerprints

MOST_ASKED: Final = 100


@require_safe
def docs(request: HttpRequest) -> HttpResponse:
    """List all documents by audience, and show the results of a search in them."""
    asked = request.GET.get("q", "")[:MOST_ASKED].strip()
    context = {"shelves": markdown.shelves(), "q": asked, "found": find(asked) if asked else None}
    return render(request, "site/docs_list.html", context)


@require_safe
def doc(request: HttpRequest, name: str) -> HttpResponse:
    """Show one document with its table of contents; the name of its file leads to it."""
    if name.endswith(".md"):
        return redirect("page-doc", name.removesuffix(".md").lower(), permanent=True)
    try:
        found = markdown.document(name)
    except KeyError:
        raise NotFound from None
    return render(request, "site/document.html", {"document": found})


@require_safe
def doc_file(_request: HttpRequest, name: str) -> HttpResponse:
    """Return a picture that a document shows."""
    try:
        data, kind = markdown.file(name)
    except KeyError:
        raise NotFound from None
    return HttpResponse(data, content_type=kind, headers={"Cache-Control": "public, max-age=3600"})


@require_safe
def privacy_questions(request: HttpRequest) -> HttpResponse:
    """Show what is known about a visitor, in plain words."""
    return render(request, "site/privacy_questions.html", {"points": POINTS})


@require_safe
def privacy(request: HttpRequest) -> HttpResponse:
    """Show what is promised, what is kept, and what is not protected."""
    keys = [{"date": epoch.date, "fingerprint": text} for epoch, text in open_fingerprints(utc_now())]
    return render(request, "site/privacy.html", {"claims": CLAIMS, "limits": LIMITS, "ticket_keys": keys})
