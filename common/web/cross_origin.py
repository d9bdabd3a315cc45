"""Open data is for pages of any origin, such as notebooks in a browser (Fetch standard, "CORS protocol").

Addresses of `OPEN_TO_OTHER_ORIGINS` need no cookie and no key, so that any page may read them as anyone may. Nothing
else is: what a cookie, a pass or a device opens never leaves for another origin.
"""

from collections.abc import Callable
from typing import Final

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

# Headers that a page of another site may read and send, besides those that browsers always allow.
EXPOSED: Final = (
    "Accept-Ranges, Content-Disposition, Content-Length, Content-Range, Dataset-As-Of, Dataset-Next, "
    "Dataset-Truncated, ETag, Link, Retry-After"
)
"""Limits of an address are not among them: they count its other requests too, such as those of a check-in."""
ALLOWED: Final = "Accept-Language, Content-Type, If-Match, If-None-Match, If-Modified-Since, If-Range, Range"
METHODS: Final = "GET, HEAD, POST, OPTIONS"
REMEMBERED_SECONDS: Final = 24 * 3600


def is_open(path: str) -> bool:
    """Return whether pages of other origins may read this address."""
    return any(path == each or path.startswith(f"{each}/") for each in settings.OPEN_TO_OTHER_ORIGINS)


class CrossOriginMiddleware:
    """Lets pages of any origin read open addresses, without their cookies, and answers their preflights."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if not is_open(request.path_info):
            return self.get_response(request)
        if request.method == "OPTIONS" and "Access-Control-Request-Method" in request.headers:
            response: HttpResponseBase = HttpResponse(status=204)
            response.headers["Access-Control-Allow-Methods"] = METHODS
            response.headers["Access-Control-Allow-Headers"] = ALLOWED
            response.headers["Access-Control-Max-Age"] = str(REMEMBERED_SECONDS)
        else:
            response = self.get_response(request)
            response.headers["Access-Control-Expose-Headers"] = EXPOSED
        response.headers["Access-Control-Allow-Origin"] = "*"
        # Pages that are isolated, as those of DuckDB's WebAssembly may be, load nothing without it.
        response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
        return response
