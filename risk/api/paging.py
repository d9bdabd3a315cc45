"""Paginate a search. Its order is computed again for each page, so a cursor is a signed number of places to skip."""

from typing import Any

from django.core import signing
from django.utils.translation import gettext as _
from rest_framework.request import Request
from rest_framework.utils.urls import remove_query_param, replace_query_param

from common.web.problems import Invalid

CURSOR = "cursor"


def offset_of(request: Request) -> int:
    """Return how many places the request's cursor skips. Raise `Invalid` for a cursor of another search."""
    token = request.query_params.get(CURSOR)
    if token is None:
        return 0
    try:
        return int(signing.loads(token, salt=_salt(request)))
    except signing.BadSignature:
        raise Invalid.field("?cursor", _("This cursor is not from this list."), "cursor") from None


def links(request: Request, offset: int, count: int, *, more: bool) -> dict[str, Any]:
    """Return the number of results, and the URLs of the next and previous pages."""
    return {
        "next": _link(request, offset + count) if more else None,
        "previous": _link(request, max(0, offset - count)) if offset else None,
    }


def _link(request: Request, offset: int) -> str:
    address = request.build_absolute_uri()
    if offset == 0:
        return remove_query_param(address, CURSOR)
    return replace_query_param(address, CURSOR, signing.dumps(offset, salt=_salt(request)))


def _salt(request: Request) -> str:
    """Return what identifies this search: every parameter but the cursor."""
    asked = sorted((name, value) for name, value in request.query_params.items() if name != CURSOR)
    return f"{request.path} {asked}"
