"""Lists by cursor: `{results, next, previous}`."""

from typing import Any, Final

from django.core import signing
from django.utils.translation import gettext as _
from rest_framework import pagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import replace_query_param
from rest_framework.views import APIView

from common.web.problems import Invalid

PAGE_SIZE: Final = 50
MAX_PAGE_SIZE: Final = 200


class CursorPagination(pagination.CursorPagination):
    """Pages in a fixed order, newest first unless the view sets `ordering`. Rows added in the meantime shift nothing.

    A cursor is signed and valid only for the list it came from, so a forged position never reaches the database.
    """

    page_size = PAGE_SIZE
    page_size_query_param = "limit"
    page_size_query_description = "Number of results per page, from 1 to 200."
    cursor_query_description = "Position in the results, as in `next` and `previous`."
    max_page_size = MAX_PAGE_SIZE
    ordering = "-pk"
    offset_cutoff = 1000

    def paginate_queryset(self, queryset: Any, request: Request, view: APIView | None = None) -> list[Any]:
        """Return one page of the queryset. Raise `Invalid` for a wrong `limit` or `cursor`."""
        self._salt = f"cursor:{request.path}"
        if view is not None and (ordering := getattr(view, "ordering", None)):
            self.ordering = ordering
        return list(super().paginate_queryset(queryset, request, view) or [])

    def get_page_size(self, request: Request) -> int:
        """Return `?limit=`, from 1 to 200."""
        text = request.query_params.get("limit")
        if text is None:
            return self.page_size
        if not (text.isascii() and text.isdigit() and len(text) <= 4 and 1 <= int(text) <= MAX_PAGE_SIZE):
            raise Invalid.field("?limit", _("A whole number from 1 to %(most)d.") % {"most": MAX_PAGE_SIZE}, "range")
        return int(text)

    def encode_cursor(self, cursor: pagination.Cursor) -> str:
        """Return the URL of a page."""
        token = signing.dumps([cursor.offset, cursor.reverse, cursor.position], salt=self._salt)
        return replace_query_param(self.base_url or "", self.cursor_query_param, token)

    def decode_cursor(self, request: Request) -> pagination.Cursor | None:
        """Return the cursor of the request. Raise `Invalid` if we did not sign it for this list."""
        token = request.query_params.get(self.cursor_query_param)
        if token is None:
            return None
        try:
            offset, reverse, position = signing.loads(token, salt=self._salt)
        except signing.BadSignature:
            raise Invalid.field("?cursor", _("This cursor is not from this list."), "cursor") from None
        return pagination.Cursor(offset=offset, reverse=reverse, position=position)

    def get_paginated_response(self, data: Any) -> Response:
        """Return the page as a response."""
        return Response({"results": data, "next": self.get_next_link(), "previous": self.get_previous_link()})

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        """Return the schema of a page."""
        link = {"type": ["string", "null"], "format": "uri"}
        return {
            "type": "object",
            "required": ["results", "next", "previous"],
            "properties": {"results": schema, "next": link, "previous": link},
        }
