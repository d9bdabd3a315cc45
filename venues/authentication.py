"""Authentication of devices, by token, and of people who run venues, by session or token.

Devices are not users. For a device, `request.auth` is its `DeviceContext` and `request.user` is `None`; for a person,
`request.user` is the account and `request.auth` the `OwnerToken`, or `None` in a session.
"""

from typing import Any, Final, cast

from django.contrib.auth.models import User
from django.http import QueryDict
from django.utils.translation import gettext as _
from rest_framework.authentication import SessionAuthentication
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView

from common import crypto
from common.time import utc_now
from common.web.authentication import SchemeAuthentication
from common.web.problems import Forbidden, Unauthorized
from venues import presence
from venues.kinds import DeviceKind
from venues.models import OwnerToken
from venues.selectors import DeviceContext, device_context

_SCANNING: Final = frozenset({("GET", "device-bundle"), ("POST", "scans"), ("POST", "scans-batch")})
ALLOWED: Final[dict[DeviceKind, frozenset[tuple[str, str]]]] = {
    DeviceKind.GATE: _SCANNING | {("POST", "air")},
    DeviceKind.PERSONAL: _SCANNING,
}
"""What a device's token may call, by kind: method and URL name. Everything else is refused."""


class DeviceAuthentication(SchemeAuthentication):
    """`Authorization: Device <token>`: one look-up, then the list of what this kind of device may call."""

    scheme = "Device"
    description = "The token that a kiosk or phone received when it was enrolled."

    def identify(self, credential: str, request: Request) -> tuple[None, DeviceContext]:
        """Return the device's context."""
        now = utc_now()
        context = device_context(credential, now)
        if context is None:
            raise unknown_device()
        match = request._request.resolver_match
        if match is None or (request.method, match.view_name) not in ALLOWED[context.kind]:
            raise Forbidden(_("A device's token cannot do this."))
        presence.note(device_id=context.device_id, last_seen=context.last_seen, now=now)
        return None, context


def unknown_device() -> Unauthorized:
    """Return the error for an unknown token."""
    detail = _("This device is unknown or revoked. Enrol it again.")
    return Unauthorized(detail, scheme=DeviceAuthentication.scheme)


class OwnerTokenAuthentication(SchemeAuthentication):
    """`Authorization: Owner <token>`: a program that acts as an account."""

    scheme = "Owner"
    description = "For programs: `Owner <token>`; create tokens at `/api/v1/owner/tokens`."

    def identify(self, credential: str, request: Request) -> tuple[User, OwnerToken]:  # noqa: ARG002
        """Return the account and the token."""
        row = (
            OwnerToken.objects.select_related("user")
            .filter(token_hash=crypto.token_hash(credential), expires_at__gt=utc_now(), user__is_active=True)
            .first()
        )
        if row is None:
            raise Unauthorized(_("This token is unknown or has expired."), scheme=self.scheme)
        return row.user, row


class OwnerSessionAuthentication(SessionAuthentication):
    """The session of a log-in, with its CSRF token for every request that changes something."""

    def authenticate_header(self, request: Request) -> str:  # noqa: ARG002
        """Return the challenge of a 401; without it, the status would be 403."""
        return 'Session realm="crowdtrace"'

    def enforce_csrf(self, request: Request) -> None:
        """Read the token from a header, never from a form, so that the body stays unread for the view."""
        request._request.POST = QueryDict()
        super().enforce_csrf(request._request)  # type: ignore[arg-type]  # Django's request has everything it reads


OWNER_AUTHENTICATION: Final = (OwnerTokenAuthentication, OwnerSessionAuthentication)
"""For views for people who run venues; views of the account itself accept only the session."""


class _Known(BasePermission):
    """Ask an unknown client to authenticate, and refuse a known one of the wrong type."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        """Return whether the client is of the right type. Raise `Unauthorized` if it is unknown."""
        if request.auth is None and request.user is None:
            raise Unauthorized(headers={"WWW-Authenticate": view.get_authenticate_header(request) or "Session"})
        return self.fits(request)

    def fits(self, request: Request) -> bool:
        raise NotImplementedError


class IsDevice(_Known):
    """Permission for devices."""

    def fits(self, request: Request) -> bool:
        """Return whether the request has a device's token."""
        return isinstance(request.auth, DeviceContext)


class IsOwner(_Known):
    """Permission for accounts of people who run venues."""

    def fits(self, request: Request) -> bool:
        """Return whether a person is logged in, or the request has a person's token."""
        return isinstance(request.user, User)


class IsOperator(IsOwner):
    """Permission for operators of the deployment."""

    def fits(self, request: Request) -> bool:
        """Return whether the person is an operator."""
        return isinstance(request.user, User) and request.user.is_staff


def device_of(request: Request) -> DeviceContext:
    """Return the device of a request that passed `IsDevice`."""
    return cast("DeviceContext", request.auth)


def user_of(request: Request) -> User:
    """Return the account of a request that passed `IsOwner`."""
    return cast("User", cast("Any", request.user))
