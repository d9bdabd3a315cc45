"""Authentication of visitors, who draw tickets, and of tickets, which check in.

A visitor is a key that a phone derives from its secret; the server stores a keyed hash of it and knows no name. A
ticket was drawn by some visitor, and shows no more than that.
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
    """The key of a visitor, which is `request.auth`. The key itself is never stored."""

    key: bytes = field(repr=False)

    @property
    def key_hash(self) -> bytes:
        """Return the stored form of the key."""
        return visitor_hash(self.key)


class VisitorAuthentication(SchemeAuthentication):
    """`Authorization: Visitor <base64url of K_auth>`. The service checks whether the key is registered."""

    scheme = "Visitor"
    description: ClassVar[str] = "`K_auth` of the secret, 32 bytes in base64url (docs/protocol.md, section 1)."

    def identify(self, credential: str, request: Request) -> tuple[None, VisitorKey] | None:  # noqa: ARG002
        """Return the key; `None` if the credential is not one."""
        try:
            key = b64decode(credential, length=KEY_BYTES)
        except ValueError:
            return None
        return None, VisitorKey(key)


class IsVisitor(BasePermission):
    """Permission for requests with a visitor's key."""

    def has_permission(self, request: Request, view: APIView) -> bool:  # noqa: ARG002
        """Return whether there is a key; raise `Unauthorized` if not."""
        if not isinstance(request.auth, VisitorKey):
            raise Unauthorized(scheme=VisitorAuthentication.scheme)
        return True


def visitor_of(request: Request) -> VisitorKey:
    """Return the key of a request that passed `IsVisitor`."""
    return cast("VisitorKey", request.auth)


def not_registered() -> Unauthorized:
    """Return the error for a key that nobody registered."""
    return Unauthorized(_("This key is not registered. Register it first."), scheme=VisitorAuthentication.scheme)


class TicketAuthentication(SchemeAuthentication):
    """`Authorization: Ticket <base64url of nonce and signature>`. The service checks whether a key signed it."""

    scheme = "Ticket"
    description: ClassVar[str] = "A ticket: nonce and signature, 288 bytes in base64url (docs/protocol.md, section 12)."

    def identify(self, credential: str, request: Request) -> tuple[None, Ticket] | None:  # noqa: ARG002
        """Return the ticket; `None` if the credential is not one."""
        try:
            return None, read_ticket(credential)
        except ValueError:
            return None


class HasTicket(BasePermission):
    """Permission for requests with a ticket."""

    def has_permission(self, request: Request, view: APIView) -> bool:  # noqa: ARG002
        """Return whether there is a ticket; if not, raise `Unauthorized`, or `Outdated` for an older app."""
        if isinstance(request.auth, Ticket):
            return True
        if request.META.get("HTTP_AUTHORIZATION", "").partition(" ")[0].lower() == VisitorAuthentication.scheme.lower():
            raise Outdated(scheme=TicketAuthentication.scheme)
        raise no_ticket()


def ticket_of(request: Request) -> Ticket:
    """Return the ticket of a request that passed `HasTicket`."""
    return cast("Ticket", request.auth)


def no_ticket() -> Unauthorized:
    """Return the error for an invalid ticket: malformed, of another day, or not signed by a key of the day."""
    return Unauthorized(
        _("This is not a ticket for this day. Reload the page, then check in again."),
        scheme=TicketAuthentication.scheme,
    )
