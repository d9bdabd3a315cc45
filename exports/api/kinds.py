"""Media types of responses other than JSON: a specific one, and a general one that every generated client can read."""

from typing import Any, Final

from django.http import HttpRequest
from drf_spectacular.types import OpenApiTypes

from exports.api.feed import MEDIA_TYPE as ATOM
from exports.engine.results import MEDIA_TYPES
from exports.lake.files import PARQUET

BYTES: Final = "application/octet-stream"
XML: Final = "text/xml"
ARROW: Final = MEDIA_TYPES["arrow"]
GENERAL: Final = {PARQUET: BYTES, ARROW: BYTES, ATOM: XML}


def documented(*own: str, status: int = 200) -> dict[Any, Any]:
    """Return the responses of an operation for the schema: each of these types, and its general one."""
    kinds = dict.fromkeys(own) | dict.fromkeys(GENERAL[each] for each in own)
    return {(status, kind): OpenApiTypes.STR if kind in (ATOM, XML) else OpenApiTypes.BINARY for kind in kinds}


def kind_for(request: HttpRequest, own: str) -> str:
    """Return the media type of the response: the specific one, unless the request accepts only the general one."""
    return request.get_preferred_type([own, GENERAL[own]]) or own
