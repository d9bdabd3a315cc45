"""Who may draw, and who may check in.

A visitor is a key that a phone derives from its secret; the server keeps a keyed hash of it and knows no name. A ticket
was drawn by some visitor, and says no more than that.
"""

from dataclasses import dataclass, field
from typing import ClassVar, cast

from django.utils.translation import gettext as _
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView

from common.crypto import b64decode
from common.web.authentication import SchemeAuthentication
from common.web.problems import Outdated, Unauthorized
from passes.codec.tickets import Ticket, read_ticket
from passes.hashes import visitor_hash

KEY_BYTES = 32


@dataclass(frozen=True, slots=True)
class VisitorKey:
    """Whoever holds this key: `request.auth` of a visitor. The key itself is kept nowhere."""

    key: bytes = field(repr=False)

    @property
    def key_hash(self) -> bytes:
        """What is kept of it."""
        return visitor_hash(self.key)


class VisitorAuthentication(SchemeAuthentication):
    """`Authorization: Visitor <base64url of K_auth>`. Whether the key is registered is for the service to find."""

    scheme = "Visitor"
    description: ClassVar[str] = "`K_auth` of the secret, 32 bytes in base64url (docs/protocol.md, section 1)."

    def identify(self, credential: str, request: Request) -> tuple[None, VisitorKey] | None:  # noqa: ARG002
        """The key; `None` for what is none."""
        try:
            key = b64decode(credential, length=KEY_BYTES)
        except ValueError:
            return None
        return None, VisitorKey(key)


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


class TicketAuthentication(SchemeAuthentication):
    """`Authorization: Ticket <base64url of nonce and signature>`. Whether a key signed it is for the service."""

    scheme = "Ticket"
    description: ClassVar[str] = "A ticket: nonce and signature, 288 bytes in base64url (docs/protocol.md, section 12)."

    def identify(self, credential: str, request: Request) -> tuple[None, Ticket] | None:  # noqa: ARG002
        """The ticket; `None` for what is none."""
        try:
            return None, read_ticket(credential)
        except ValueError:
            return None


class HasTicket(BasePermission):
    """Only who sends a ticket."""

    def has_permission(self, request: Request, view: APIView) -> bool:  # noqa: ARG002
        """Whether there is a ticket; raises `Unauthorized` else, `Outdated` for an app from before there were any."""
        if isinstance(request.auth, Ticket):
            return True
        if request.META.get("HTTP_AUTHORIZATION", "").partition(" ")[0].lower() == VisitorAuthentication.scheme.lower():
            raise Outdated(scheme=TicketAuthentication.scheme)
        raise no_ticket()


def ticket_of(request: Request) -> Ticket:
    """The ticket of a request that passed `HasTicket`."""
    return cast("Ticket", request.auth)


def no_ticket() -> Unauthorized:
    """The answer to what is no ticket of the day: malformed, of another day, or signed by no key of it."""
    return Unauthorized(
        _("This is no ticket of this day. Reload the page, then check in again."), scheme=TicketAuthentication.scheme
    )
