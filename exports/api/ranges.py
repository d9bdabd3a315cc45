"""Range requests (RFC 9110 section 14): resume a broken download, or read only some columns of a file."""

import re
from typing import Final

from django.http import HttpRequest

from exports.api.problems import RangeNotSatisfiable

_ONE_RANGE: Final = re.compile(r"bytes\s*=\s*(\d{0,18})\s*-\s*(\d{0,18})\s*", re.ASCII)


def asked_part(request: HttpRequest, *, size: int, tag: str) -> range | None:
    """Return the byte range that a GET requests, or `None` for the whole; `tag` is the file's strong ETag.

    Optional ranges are ignored (sections 14.2 and 13.1.5): another unit, an invalid range, several ranges, and a range
    of another version than that of `If-Range`. Raise `RangeNotSatisfiable` for one range past the end.
    """
    found = _ONE_RANGE.fullmatch(request.headers.get("Range", ""))
    if request.method != "GET" or found is None or request.headers.get("If-Range", tag) != tag:
        return None
    first, last = found.groups()
    if not first and not last:
        return None
    if not first:
        part = range(max(0, size - int(last)), size)
    elif last and int(last) < int(first):
        return None
    else:
        part = range(int(first), min(size, int(last) + 1) if last else size)
    if not part:
        raise RangeNotSatisfiable(size)
    return part
