"""Conditional requests (RFC 9110 section 13): 304 for unchanged responses, and no update over unseen changes."""

import hashlib
from typing import Any, ClassVar

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.cache import get_conditional_response
from django.utils.http import parse_etags, quote_etag
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from common.crypto import b64encode, keyed_hash
from common.web.problems import PreconditionFailed, PreconditionRequired
from common.web.renderers import JSONRenderer


def entity_tag(data: Any) -> str:
    """Return the strong ETag of a representation: a keyed hash of its JSON, so that a tag in a log reveals nothing."""
    return _tag_of(JSONRenderer().render(data))


def _tag_of(content: bytes) -> str:
    return quote_etag(b64encode(keyed_hash("etag", hashlib.sha256(content).digest())[:15]))


def require_match(request: HttpRequest | Request, data: Any) -> None:
    """Allow an update only if `If-Match` names the present representation `data`.

    Raise `PreconditionRequired` (428) without the header, and `PreconditionFailed` (412) for another version; `*`
    matches any version.
    """
    header = request.META.get("HTTP_IF_MATCH", "")
    if not header:
        raise PreconditionRequired
    tags = parse_etags(header)
    if tags != ["*"] and entity_tag(data) not in tags:
        raise PreconditionFailed


class ETagMixin(APIView):
    """Add an ETag to responses to GET and HEAD, and respond with 304 if `If-None-Match` has that tag.

    The tag is computed from the response itself, so it saves network traffic but not computation; a view with a cheaper
    version number may set `ETag` itself. Responses may be stored, but must be revalidated each time unless
    `cache_control` says otherwise.
    """

    cache_control: ClassVar[str] = "private, no-cache"

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        """Add the tag, or respond with 304."""
        final = super().finalize_response(request, response, *args, **kwargs)
        if request.method not in ("GET", "HEAD") or final.status_code != 200 or not isinstance(final, Response):
            return final
        final.render()  # now, so that the tag is computed from the bytes that are sent
        final.headers.setdefault("ETag", _tag_of(final.content))
        final.headers.setdefault("Cache-Control", self.cache_control)
        found: HttpResponseBase | None = get_conditional_response(request._request, etag=final["ETag"], response=final)
        return final if found is None else found
