"""What goes out compressed: our files, and pages of people who are not logged in.

Answers of the API never do: their sizes are part of what they promise (a check-in's answer has 2,048 bytes whatever was
answered). Nor do pages of an account: they hold codes beside words that others may choose, whose compressed length
would tell of both (the BREACH attack).
"""

import gzip
import re
from functools import lru_cache
from pathlib import Path
from typing import Final

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.middleware.gzip import GZipMiddleware
from django.utils.cache import patch_vary_headers
from whitenoise.middleware import WhiteNoiseMiddleware
from whitenoise.responders import StaticFile

COMPRESSES_WELL: Final = (
    "text/",
    "application/javascript",
    "application/json",
    "application/wasm",
    "image/svg+xml",
    "application/manifest+json",
)
"""Beginnings of the types of files that gain; pictures and fonts are compressed already."""
SMALLEST_BYTES: Final = 512
"""Less fits one packet anyway."""
FILES_KEPT: Final = 256
"""More than all our files: each is compressed once a process."""
_ACCEPTS_GZIP = re.compile(r"\bgzip\b")


@lru_cache(maxsize=FILES_KEPT)
def _gzipped(path: str, _modified: str) -> bytes:
    """A file at the best level, without its name or time: the same bytes in every process."""
    return gzip.compress(Path(path).read_bytes(), 9, mtime=0)


class StaticFilesMiddleware(WhiteNoiseMiddleware):  # type: ignore[misc]  # comes without types
    """WhiteNoise's own, which compresses what nobody compressed before: `collectstatic` is not needed for it."""

    @staticmethod
    def serve(static_file: StaticFile, request: HttpRequest) -> HttpResponseBase:
        """The file, as small as the browser takes it. A part of a file is a part of the original."""
        response: HttpResponseBase = WhiteNoiseMiddleware.serve(static_file, request)
        if not _gains(response):
            return response
        patch_vary_headers(response, ["Accept-Encoding"])
        if (
            request.method != "GET"
            or response.status_code != 200
            or not _ACCEPTS_GZIP.search(request.META.get("HTTP_ACCEPT_ENCODING", ""))
        ):
            return response
        path, _headers = static_file.get_path_and_headers({})
        small = HttpResponse(_gzipped(path, response.headers.get("Last-Modified", "")))
        response.close()
        for name, value in response.headers.items():
            small.headers[name] = value
        small.headers["Content-Encoding"] = "gzip"
        small.headers["Content-Length"] = str(len(small.content))
        return small


def _gains(response: HttpResponseBase) -> bool:
    return (
        "Content-Encoding" not in response.headers
        and response.headers.get("Content-Type", "").startswith(COMPRESSES_WELL)
        and int(response.headers.get("Content-Length", 0)) >= SMALLEST_BYTES
    )


class PageCompressionMiddleware(GZipMiddleware):
    """Django's own, for pages alone, and for those that hold nothing of an account."""

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        is_page = response.headers.get("Content-Type", "").startswith("text/html")
        if not is_page or settings.SESSION_COOKIE_NAME in request.COOKIES or response.cookies:
            return response
        return super().process_response(request, response)
