"""Conditional requests (RFC 9110 section 13): 304 for what the asker has already, no update over unseen changes."""

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
    """The strong ETag of a representation: a keyed hash of its JSON, so that a tag in a log tells nothing."""
    return _tag_of(JSONRenderer().render(data))


def _tag_of(content: bytes) -> str:
    return quote_etag(b64encode(keyed_hash("etag", hashlib.sha256(content).digest())[:15]))


def require_match(request: HttpRequest | Request, data: Any) -> None:
    """Let an update pass only when `If-Match` names the present representation `data`.

    Raises `PreconditionRequired` (428) without the header and `PreconditionFailed` (412) for another version; `*`
    stands for any version.
    """
    header = request.META.get("HTTP_IF_MATCH", "")
    if not header:
        raise PreconditionRequired
    tags = parse_etags(header)
    if tags != ["*"] and entity_tag(data) not in tags:
        raise PreconditionFailed


class ETagMixin(APIView):
    """Gives answers to GET and HEAD an ETag, and 304 to an asker whose `If-None-Match` has it.

    The tag is made from the answer itself, so it saves the network and not the work; a view that knows a cheaper
    version of its answer may set `ETag` itself. Answers may be stored but are asked for again each time, unless
    `cache_control` says else.
    """

    cache_control: ClassVar[str] = "private, no-cache"

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        """Add the tag, or answer 304."""
        final = super().finalize_response(request, response, *args, **kwargs)
        if request.method not in ("GET", "HEAD") or final.status_code != 200 or not isinstance(final, Response):
            return final
        final.render()  # now, so that the bytes the tag is made from are those that are sent
        final.headers.setdefault("ETag", _tag_of(final.content))
        final.headers.setdefault("Cache-Control", self.cache_control)
        found: HttpResponseBase | None = get_conditional_response(request._request, etag=final["ETag"], response=final)
        return final if found is None else found
