"""Who asks: a device by its token, or a person who runs venues by session or token.

Devices are not users. `request.auth` of a device is its `DeviceContext`, and `request.user` is `None`; of a person
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
"""What a device's token opens, by kind: method and name of the address. What is not listed is closed."""


class DeviceAuthentication(SchemeAuthentication):
    """`Authorization: Device <token>`: one look-up, then the list of what this kind of device may call."""

    scheme = "Device"
    description = "The token a kiosk or phone got when it was enrolled."

    def identify(self, credential: str, request: Request) -> tuple[None, DeviceContext]:
        """The device's context."""
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
    """The answer to a token that no device has."""
    detail = _("This device is unknown or revoked. Enrol it again.")
    return Unauthorized(detail, scheme=DeviceAuthentication.scheme)


class OwnerTokenAuthentication(SchemeAuthentication):
    """`Authorization: Owner <token>`: a program that acts as an account."""

    scheme = "Owner"
    description = "For programs: `Owner <token>`; tokens are made at `/api/v1/owner/tokens`."

    def identify(self, credential: str, request: Request) -> tuple[User, OwnerToken]:  # noqa: ARG002
        """The account and the token."""
        row = (
            OwnerToken.objects.select_related("user")
            .filter(token_hash=crypto.token_hash(credential), expires_at__gt=utc_now(), user__is_active=True)
            .first()
        )
        if row is None:
            raise Unauthorized(_("This token is unknown or has expired."), scheme=self.scheme)
        return row.user, row


class OwnerSessionAuthentication(SessionAuthentication):
    """The session of a log-in, with its CSRF token for anything that changes something."""

    def authenticate_header(self, request: Request) -> str:  # noqa: ARG002
        """The challenge of a 401; without it, it would be a 403."""
        return 'Session realm="crowdtrace"'

    def enforce_csrf(self, request: Request) -> None:
        """The token comes in a header, never in a form: the body stays unread for whoever needs all its bytes."""
        request._request.POST = QueryDict()
        super().enforce_csrf(request._request)  # type: ignore[arg-type]  # what it reads, Django's has


OWNER_AUTHENTICATION: Final = (OwnerTokenAuthentication, OwnerSessionAuthentication)
"""For views of people who run venues; those that concern the account itself take the session alone."""


class _Known(BasePermission):
    """Asks an unknown caller to authenticate, and refuses a known one of the wrong sort."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        """Whether the caller is of the right sort; raises `Unauthorized` where nobody is known."""
        if request.auth is None and request.user is None:
            raise Unauthorized(headers={"WWW-Authenticate": view.get_authenticate_header(request) or "Session"})
        return self.fits(request)

    def fits(self, request: Request) -> bool:
        raise NotImplementedError


class IsDevice(_Known):
    """Only devices."""

    def fits(self, request: Request) -> bool:
        """Whether a device's token came with the request."""
        return isinstance(request.auth, DeviceContext)


class IsOwner(_Known):
    """Only accounts of people who run venues."""

    def fits(self, request: Request) -> bool:
        """Whether a person is logged in or a person's token came with the request."""
        return isinstance(request.user, User)


class IsOperator(IsOwner):
    """Only operators of the deployment."""

    def fits(self, request: Request) -> bool:
        """Whether the person is an operator."""
        return isinstance(request.user, User) and request.user.is_staff


def device_of(request: Request) -> DeviceContext:
    """The device of a request that passed `IsDevice`."""
    return cast("DeviceContext", request.auth)


def user_of(request: Request) -> User:
    """The account of a request that passed `IsOwner`."""
    return cast("User", cast("Any", request.user))
