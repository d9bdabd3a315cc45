"""Authentication by the `Authorization` header, with one scheme for each kind of client (Visitor, Device, Owner)."""

from typing import Any, ClassVar

from django.http import HttpRequest
from rest_framework.authentication import BaseAuthentication
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView

from common.web.problems import Unauthorized

MAX_CREDENTIAL_CHARACTERS = 512


def parse_scheme(request: HttpRequest | Request, scheme: str) -> str | None:
    """Return the credential of `Authorization: <scheme> <credential>`; `None` if the header has another scheme.

    The scheme is compared case-insensitively (RFC 9110 section 11.1). Raise `Unauthorized` if the credential is
    missing, too long or not one word of visible ASCII.
    """
    header: str = request.META.get("HTTP_AUTHORIZATION", "")
    name, _, credential = header.partition(" ")
    if name.lower() != scheme.lower():
        return None
    credential = credential.strip(" ")
    if not credential or len(credential) > MAX_CREDENTIAL_CHARACTERS or not _is_visible_ascii(credential):
        raise Unauthorized(scheme=scheme)
    return credential


def _is_visible_ascii(text: str) -> bool:
    return text.isascii() and text.isprintable() and " " not in text


class SchemeAuthentication(BaseAuthentication):
    """Authentication by one scheme. A subclass names it and maps credentials to users in `identify`."""

    scheme: ClassVar[str]
    description: ClassVar[str] = ""

    def identify(self, credential: str, request: Request) -> tuple[Any, Any] | None:
        """Return `(user, auth)` of a credential; `None` if it is unknown."""
        raise NotImplementedError

    def authenticate(self, request: Request) -> tuple[Any, Any] | None:
        """Return the user of the request; `None` if it has no credential of this scheme."""
        credential = parse_scheme(request, self.scheme)
        if credential is None:
            return None
        found = self.identify(credential, request)
        if found is None:
            raise Unauthorized(scheme=self.scheme)
        return found

    def authenticate_header(self, request: Request) -> str:  # noqa: ARG002
        """Return the challenge of a 401 response."""
        return f'{self.scheme} realm="crowdtrace"'


class Authenticated(BasePermission):
    """Permission for every user that an authentication class of the view recognises."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        """Return whether the user is known. If not, raise `Unauthorized` with the view's challenge."""
        if request.auth is not None or getattr(request.user, "is_authenticated", False):
            return True
        challenge = view.get_authenticate_header(request)
        raise Unauthorized(headers={"WWW-Authenticate": challenge} if challenge else {})
