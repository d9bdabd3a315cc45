"""Visitors: a key that their phone derives from its secret. The server keeps a keyed hash of it and knows no name."""

from dataclasses import dataclass, field
from typing import ClassVar, cast

from django.utils.translation import gettext as _
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView

from common.crypto import b64decode
from common.web.authentication import SchemeAuthentication
from common.web.problems import Unauthorized
from passes.hashes import visitor_hash

KEY_BYTES = 32


@dataclass(frozen=True, slots=True)
class VisitorKey:
    """Whoever holds this key: `request.auth` of a visitor. The key itself is not kept."""

    key_hash: bytes = field(repr=False)


class VisitorAuthentication(SchemeAuthentication):
    """`Authorization: Visitor <base64url of K_auth>`. Whether the key is registered is for the service to find."""

    scheme = "Visitor"
    description: ClassVar[str] = "`K_auth` of the secret, 32 bytes in base64url (docs/protocol.md, section 1)."

    def identify(self, credential: str, request: Request) -> tuple[None, VisitorKey] | None:  # noqa: ARG002
        """The key's hash; `None` for what is no key."""
        try:
            key = b64decode(credential, length=KEY_BYTES)
        except ValueError:
            return None
        return None, VisitorKey(visitor_hash(key))


class IsVisitor(BasePermission):
    """Only who sends a visitor's key."""

    def has_permission(self, request: Request, view: APIView) -> bool:  # noqa: ARG002
        """Whether there is a key; raises `Unauthorized` else."""
        if not isinstance(request.auth, VisitorKey):
            raise Unauthorized(scheme=VisitorAuthentication.scheme)
        return True


def visitor_of(request: Request) -> VisitorKey:
    """The key of a request that passed `IsVisitor`."""
    return cast("VisitorKey", request.auth)


def not_registered() -> Unauthorized:
    """The answer to a key that nobody registered."""
    return Unauthorized(_("This key is not registered. Register it first."), scheme=VisitorAuthentication.scheme)
