"""Public keys of the deployment."""

from typing import ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from common.crypto import b64encode
from common.time import utc_now
from common.web.etag import ETagMixin
from passes import keys
from passes.api import serializers
from passes.codec import key_id


class JwksView(ETagMixin):
    """Keys that passes and bundles are verified with."""

    cache_control: ClassVar[str] = "public, max-age=300"

    @extend_schema(
        operation_id="jwks",
        tags=["passes"],
        summary="Issuer keys and the root key",
        responses={200: serializers.JwksSerializer},
    )
    def get(self, request: Request) -> Response:  # noqa: ARG002
        """A JWK set (RFC 7517) of every epoch that has not ended; `root` signs bundles."""
        public = keys.root_public_key()
        root = {"kty": "OKP", "crv": "Ed25519", "kid": b64encode(key_id(public)), "x": b64encode(public)}
        return Response({"keys": keys.jwks(utc_now()), "root": root})
