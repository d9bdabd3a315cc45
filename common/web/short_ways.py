"""The short way of a URL: a function that responds to its POST without the processing that only pages need.

`SHORT_WAYS` names the function. It gets requests with a body within the limit, for an allowed host and without a query.
If it returns `None`, the request is processed as usual. Its exceptions are handled like those of an API view. Neither
Django's middleware nor its signal at the start of a request runs; the headers of every response are set all the same.
"""

from collections.abc import Callable
from io import BytesIO
from typing import Any

from django.conf import settings
from django.core.exceptions import DisallowedHost
from django.core.handlers.wsgi import WSGIRequest
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.middleware.security import SecurityMiddleware
from django.utils import translation
from django.utils.module_loading import import_string

from common.web.middleware import SecurityHeadersMiddleware, body_limit
from common.web.problems import answer_exception, from_exception

Way = Callable[[HttpRequest], HttpResponse | None]
Application = Callable[[dict[str, Any], Callable[..., Any]], HttpResponseBase]


class ShortWays:
    """A WSGI application that takes the short way of a URL, or leaves the request to Django's application."""

    def __init__(self, application: Application) -> None:
        self._application = application
        self._shortly = Shortly()

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> HttpResponseBase:
        """Return the response."""
        if environ["PATH_INFO"] in settings.SHORT_WAYS:
            request = WSGIRequest(environ)
            found = self._shortly.respond(request)
            if found is not None:
                return found
            if hasattr(request, "_body"):
                environ["wsgi.input"] = BytesIO(request.body)  # it was read
        return self._application(environ, start_response)


class Shortly:
    """Respond to requests that have a short way."""

    def __init__(self) -> None:
        self._security = SecurityMiddleware(_nothing)
        self._headers = SecurityHeadersMiddleware(_nothing)

    def respond(self, request: HttpRequest) -> HttpResponse | None:
        """Return the response; `None` if the request must be processed as usual."""
        name = settings.SHORT_WAYS.get(request.path_info)
        if name is None or not _is_plain(request) or self._security.process_request(request) is not None:
            return None
        response = _go(import_string(name), request)
        if response is None:
            return None
        self._security.process_response(request, response)
        self._headers.set_headers(request, response)
        return response


def _go(way: Way, request: HttpRequest) -> HttpResponse | None:
    language = translation.get_language_from_request(request)
    try:
        response = way(request)
    except Exception as exc:  # like the exception handler of views
        with translation.override(language):
            response = answer_exception(exc, from_exception(exc), request)
    if response is not None:
        headers = response.headers
        headers["Content-Length"] = str(len(response.content))
        headers["Allow"] = "POST, OPTIONS"
        headers["Vary"] = "Accept-Language"
        headers["Content-Language"] = language
    return response


def _is_plain(request: HttpRequest) -> bool:
    length = request.META.get("CONTENT_LENGTH") or ""
    if request.method != "POST" or request.META.get("QUERY_STRING") or not (length.isascii() and length.isdigit()):
        return False
    try:
        request.get_host()
    except DisallowedHost:
        return False
    return int(length[:20]) <= body_limit(request.path_info)


def _nothing(request: HttpRequest) -> HttpResponse:  # noqa: ARG001
    return HttpResponse()
