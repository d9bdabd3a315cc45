"""Middleware for every request and response: headers, body limits, problems raised outside the API."""

from collections.abc import Callable
from io import BytesIO
from typing import Any, Final
from urllib.parse import unquote_plus

from django.conf import settings
from django.contrib.auth import middleware as auth
from django.contrib.messages import middleware as messages
from django.contrib.sessions import middleware as sessions
from django.core.handlers.wsgi import WSGIRequest
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.middleware import csrf
from django.utils import translation
from django.utils.deprecation import MiddlewareMixin
from django.utils.translation import gettext as _

from common.web import throttles
from common.web.problems import (
    BadRequest,
    FieldError,
    TooLarge,
    answer,
    from_exception,
    is_for_programs,
    mark_as_logged,
    note_fault,
)

GetResponse = Callable[[HttpRequest], HttpResponseBase]

# Kiosks and phones read passes with the camera, and a kiosk keeps its screen on; everything else is disabled. NFC,
# which reads and writes tags, is not listed: few browsers know the name, the others warn, and by default only we may
# use it.
PERMISSIONS_POLICY: Final = ", ".join(
    [f"{feature}=(self)" for feature in ("camera", "fullscreen", "screen-wake-lock")]
    + [
        f"{feature}=()"
        for feature in (
            "accelerometer",
            "browsing-topics",
            "display-capture",
            "geolocation",
            "gyroscope",
            "magnetometer",
            "microphone",
            "midi",
            "payment",
            "usb",
        )
    ]
)


DEVICE_PREFIXES: Final = ("/api/v1/scans", "/api/v1/device/")
"""URLs that only devices use."""


class SecurityHeadersMiddleware:
    """Set the headers of every response, including refusals by other middleware."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response
        self.always = {
            "Content-Security-Policy": settings.CONTENT_SECURITY_POLICY,
            "Permissions-Policy": PERMISSIONS_POLICY,
            "Referrer-Policy": settings.SECURE_REFERRER_POLICY,
            "Cross-Origin-Opener-Policy": "same-origin",
            "Cross-Origin-Resource-Policy": "same-origin",
            "X-Content-Type-Options": "nosniff",
            "X-Frame-Options": settings.X_FRAME_OPTIONS,
        }

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        self.set_headers(request, response)
        return response

    def set_headers(self, request: HttpRequest, response: HttpResponseBase) -> None:
        """Set the headers of one response."""
        for name, value in self.always.items():
            response.headers.setdefault(name, value)
        if is_for_programs(request):
            response.headers.setdefault("Cache-Control", "no-store")
        throttles.write_headers(request, response)


class _ForPeople(MiddlewareMixin):
    """Part of the request processing that requests of devices skip: they have no session, cookie or form."""

    def __call__(self, request: HttpRequest) -> Any:
        if request.path_info.startswith(DEVICE_PREFIXES):
            return self.get_response(request)
        return super().__call__(request)


class SessionMiddleware(_ForPeople, sessions.SessionMiddleware):
    """Django's session middleware, skipped for devices."""


class CsrfMiddleware(_ForPeople, csrf.CsrfViewMiddleware):
    """Django's CSRF middleware, skipped for devices. API views are exempt from its check of forms anyway."""


class AuthenticationMiddleware(_ForPeople, auth.AuthenticationMiddleware):
    """Django's authentication middleware, skipped for devices."""


class MessageMiddleware(_ForPeople, messages.MessageMiddleware):
    """Django's message middleware, skipped for devices."""


class DoorsFirstMiddleware:
    """Resolve the URLs of `DOORS_URLS` from a separate list.

    The full list loads the views of every app. After a restart during the day, the first scan and the first check-in
    would wait for them.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.path_info in settings.DOORS_URLS:
            request.urlconf = settings.DOORS_URLCONF
        return self.get_response(request)


class ProblemMiddleware:
    """Turn a `Problem` raised by a plain view into a response; API views have a separate handler."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """Return the response, or `None` if the exception is an internal error that Django reports."""
        problem = from_exception(exception)
        if problem is None:
            return None
        response = answer(request, problem)
        note_fault(exception, problem, request, response)
        return response


class BodyLimitMiddleware:
    """Refuse a body over the limit before anything reads it, and NUL in the URL.

    A body without `Content-Length` (chunked) is read here, up to the limit; Django would treat it as empty.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        try:
            _check_address(request)
            _check_body(request)
        except (BadRequest, TooLarge) as problem:
            # The language of this thread is still that of an earlier request.
            with translation.override(translation.get_language_from_request(request)):
                response = answer(request, problem)
            mark_as_logged(response)
            return response
        return self.get_response(request)


def body_limit(path: str) -> int:
    """Return the largest number of bytes of a body sent to `path`."""
    return settings.BODY_LIMIT_BYTES_BY_PATH.get(path, settings.BODY_LIMIT_BYTES)


def _check_address(request: HttpRequest) -> None:
    # PostgreSQL cannot store NUL, so such a request matches nothing.
    asked = request.META.get("QUERY_STRING", "")
    if "\0" in request.path_info or "%00" in asked:
        names = [unquote_plus(each.partition("=")[0]).replace("\0", "") for each in asked.split("&") if "%00" in each]
        detail = _("The character NUL is not allowed.")
        raise BadRequest(errors=[FieldError(f"?{name}", detail, "nul") for name in names])


def _check_body(request: HttpRequest) -> None:
    limit = body_limit(request.path_info)
    length = request.META.get("CONTENT_LENGTH") or ""
    if length:
        if not (length.isascii() and length.isdigit()):
            raise BadRequest
        if int(length[:20]) > limit:
            raise TooLarge
    elif "chunked" in request.META.get("HTTP_TRANSFER_ENCODING", "").lower() and isinstance(request, WSGIRequest):
        _read_chunked(request, limit)


def _read_chunked(request: WSGIRequest, limit: int) -> None:
    stream = request.environ["wsgi.input"]
    data = bytearray()
    while len(data) <= limit and (part := stream.read(limit + 1 - len(data))):
        data += part
    if len(data) > limit:
        raise TooLarge
    request._stream = BytesIO(data)
    request.META["CONTENT_LENGTH"] = str(len(data))
