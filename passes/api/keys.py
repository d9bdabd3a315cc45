"""Public keys of the deployment."""

from typing import ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from common.crypto import b64encode
from common.time import utc_now
from common.web.etag import ETagMixin
from passes import keys, ticket_keys
from passes.api import serializers
from passes.codec import key_id


class JwksView(ETagMixin):
    """Keys for verifying passes and bundles."""

    cache_control: ClassVar[str] = "public, max-age=300"

    @extend_schema(
        operation_id="jwks",
        tags=["passes"],
        summary="Issuer keys and the root key",
        responses={200: serializers.JwksSerializer},
    )
    def get(self, request: Request) -> Response:  # noqa: ARG002
        """Return a JWK set (RFC 7517) of every epoch that has not ended; `root` signs bundles."""
        public = keys.root_public_key()
        root = {"kty": "OKP", "crv": "Ed25519", "kid": b64encode(key_id(public)), "x": b64encode(public)}
        return Response({"keys": keys.jwks(utc_now()), "root": root})


class TicketKeysView(APIView):
    """Keys that sign tickets."""

    @extend_schema(
        operation_id="ticket_keys",
        tags=["passes"],
        summary="Keys of tickets",
        responses={200: serializers.TicketKeysSerializer},
    )
    def get(self, request: Request) -> Response:  # noqa: ARG002
        """Return two keys for every epoch, from 15 days before it until its check-in closes.

        The response is never cached and has no ETag, because an ETag could be unique to one visitor.
        """
        published = ticket_keys.published_keys(utc_now())
        body = {
            "keys": [key.jwk() for _epoch, each in published for key in each.public.values()],
            "epochs": [{"date": epoch.date, "start": epoch.start, "end": epoch.end} for epoch, _each in published],
        }
        return Response(body, headers={"Cache-Control": "no-store"})
