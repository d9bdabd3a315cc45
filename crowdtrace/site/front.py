"""The front page, and what every page shares: language, installation, offline copy."""

import hashlib
import json
import ssl
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import check_for_language, gettext_lazy
from django.views.decorators.http import require_safe

from common.time import utc_now
from common.web.problems import NotFound
from crowdtrace.town.demonstration import event_tonight
from passes.assets import address, content
from passes.pages.views import manifest_response

OFFLINE_PAGES: Final = ("page-me", "page-pass", "page-visits", "page-offline")
NO_CONNECTION: Final = "page-offline"
"""The page that the offline copy shows in place of every other page of ours while there is no network."""
OFFLINE_FILES: Final = (
    "site/icon.svg",
    "site/built/pico.min.css",
    "site/built/site.css",
    "site/built/site.js",
    "site/built/vitals.js",
    "passes/built/passes.css",
    "passes/built/me.js",
    "passes/built/check_in.js",
    "passes/built/pass.js",
    "passes/built/visits.js",
    "passes/built/ahead.js",
)
# The files of a door are large and few devices need them: a kiosk caches them and its page when it requests them.
OFFLINE_LATER: Final = (
    "passes/built/kiosk.js",
    "passes/built/kiosk.css",
    "passes/built/reader.js",
    "passes/built/reader_script.js",
    "passes/built/ed25519_script.js",
    "passes/built/address_qr_script.js",
    "passes/built/x25519_script.js",
    "passes/built/zxing_reader.wasm",
)
SERVICE_WORKER: Final = "passes/built/service.js"
DISEASES: Final = {
    "sars-cov-2-ancestral": gettext_lazy("COVID-19 (first variant)"),
    "sars-cov-2-omicron": gettext_lazy("COVID-19 (Omicron)"),
    "influenza": gettext_lazy("flu"),
    "measles": gettext_lazy("measles"),
}
"""Common names of the diseases of the pathogen profiles."""
LANGUAGE_COOKIE_SECONDS: Final = 365 * 24 * 3600


@require_safe
def front(request: HttpRequest) -> HttpResponse:
    """Show what CrowdTrace is, in one screen."""
    disease = DISEASES.get(settings.PATHOGEN, settings.PATHOGEN)
    context: dict[str, Any] = {"demonstration": settings.EMBEDDED, "pathogen": disease}
    if settings.EMBEDDED:
        context["tonight"] = event_tonight(now=utc_now())
    return render(request, "site/front.html", context)


@require_safe
def offline(request: HttpRequest) -> HttpResponse:
    """Show the page for a missing connection; the service worker serves it at the URL that was requested."""
    return render(request, "site/offline.html")


@require_safe
def language(request: HttpRequest) -> HttpResponse:
    """Remember the language and redirect back. This is a link, since a form needs a token that offline pages lack."""
    chosen, back = request.GET.get("to", ""), request.GET.get("next", "/")
    safe = url_has_allowed_host_and_scheme(back, allowed_hosts=None) and back.startswith("/")
    response = HttpResponseRedirect(back if safe else "/")
    if check_for_language(chosen) and chosen in dict(settings.LANGUAGES):
        response.set_cookie(
            settings.LANGUAGE_COOKIE_NAME,
            chosen,
            max_age=LANGUAGE_COOKIE_SECONDS,
            secure=settings.SESSION_COOKIE_SECURE,
            httponly=True,
            samesite="Lax",
        )
    return response


@require_safe
def authority(_request: HttpRequest) -> HttpResponse:
    """Return the certificate of this copy's authority, as phones install it (DER); 404 if the server uses another."""
    if not settings.AUTHORITY_FILE:
        raise NotFound
    pem = Path(settings.AUTHORITY_FILE).read_text()
    return HttpResponse(ssl.PEM_cert_to_DER_cert(pem), content_type="application/x-x509-ca-cert")


@require_safe
def manifest(_request: HttpRequest) -> JsonResponse:
    """Return the web app manifest, which a phone needs to install the visitor's app."""
    return manifest_response(name="CrowdTrace", start=reverse("page-me"), display="standalone")


@require_safe
def service_worker(_request: HttpRequest) -> HttpResponse:
    """Return the service worker with its list of files; its URL at the root gives it the scope of every page."""
    response = HttpResponse(_worker_text(), content_type="text/javascript; charset=utf-8")
    response["Cache-Control"] = "no-cache"
    return response


@lru_cache(maxsize=1)
def _worker_text() -> str:
    """Return the text, built once per process: a new version of any file changes the worker and so renews the cache."""
    worker = content(SERVICE_WORKER)
    digest = hashlib.sha256(worker)
    for name in OFFLINE_FILES + OFFLINE_LATER:
        digest.update(content(name))
    offline = {
        "version": digest.hexdigest()[:16],
        "files": [address(name) for name in OFFLINE_FILES],
        "later": [address(name) for name in OFFLINE_LATER],
        "pages": [reverse(name) for name in OFFLINE_PAGES],
        "door": reverse("page-kiosk"),
        "fallback": reverse(NO_CONNECTION),
        "language": reverse("page-language"),
    }
    return f"self.OFFLINE = {json.dumps(offline)};\n{worker.decode()}"
