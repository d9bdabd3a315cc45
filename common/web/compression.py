"""Compression of our files, and of pages for people who are not logged in.

API responses are never compressed: their sizes are guaranteed (the response to a check-in has 2,048 bytes whatever the
result). Pages of an account are not compressed either: they contain codes next to text that others may choose, and the
compressed length would reveal something about both (the BREACH attack).
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
"""Prefixes of the media types worth compressing; pictures and fonts are compressed already."""
SMALLEST_BYTES: Final = 512
"""Size in bytes below which a file fits one packet anyway."""
FILES_KEPT: Final = 256
"""Size of the cache, larger than the number of our files, so that each is compressed once in a process."""
_ACCEPTS_GZIP = re.compile(r"\bgzip\b")


@lru_cache(maxsize=FILES_KEPT)
def _gzipped(path: str, _modified: str) -> bytes:
    """Return a file compressed at the best level, without its name or time: the same bytes in every process."""
    return gzip.compress(Path(path).read_bytes(), 9, mtime=0)


class StaticFilesMiddleware(WhiteNoiseMiddleware):  # type: ignore[misc]  # comes without types
    """WhiteNoise's middleware, which also compresses files on the fly, so that `collectstatic` is not needed for it."""

    @staticmethod
    def serve(static_file: StaticFile, request: HttpRequest) -> HttpResponseBase:
        """Serve the file in the smallest encoding that the browser accepts. A byte range refers to the original."""
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
    """Django's GZip middleware, limited to pages without data of an account."""

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        is_page = response.headers.get("Content-Type", "").startswith("text/html")
        if not is_page or settings.SESSION_COOKIE_NAME in request.COOKIES or response.cookies:
            return response
        return super().process_response(request, response)
