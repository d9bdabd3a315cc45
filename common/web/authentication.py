"""Reading `Authorization`: one scheme for each kind of asker (Visitor, Device, Owner)."""

from typing import Any, ClassVar

from django.http import HttpRequest
from rest_framework.authentication import BaseAuthentication
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView

from common.web.problems import Unauthorized

MAX_CREDENTIAL_CHARACTERS = 512


def parse_scheme(request: HttpRequest | Request, scheme: str) -> str | None:
    """The credential of `Authorization: <scheme> <credential>`; `None` when there is none of this scheme.

    The scheme is compared without case (RFC 9110 section 11.1). Raises `Unauthorized` when the credential is missing,
    too long or not one word of visible ASCII.
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
    """Authenticates by one scheme. An app names it and says in `identify` whom a credential belongs to."""

    scheme: ClassVar[str]
    description: ClassVar[str] = ""

    def identify(self, credential: str, request: Request) -> tuple[Any, Any] | None:
        """`(user, auth)` of a credential; `None` when nobody has it."""
        raise NotImplementedError

    def authenticate(self, request: Request) -> tuple[Any, Any] | None:
        """Whom the request comes from; `None` when it carries no credential of this scheme."""
        credential = parse_scheme(request, self.scheme)
        if credential is None:
            return None
        found = self.identify(credential, request)
        if found is None:
            raise Unauthorized(scheme=self.scheme)
        return found

    def authenticate_header(self, request: Request) -> str:  # noqa: ARG002
        """The challenge of a 401."""
        return f'{self.scheme} realm="crowdtrace"'


class Authenticated(BasePermission):
    """Lets pass whoever an authentication class of the view knows."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        """Whether somebody is known; raises `Unauthorized` with the view's challenge else."""
        if request.auth is not None or getattr(request.user, "is_authenticated", False):
            return True
        challenge = view.get_authenticate_header(request)
        raise Unauthorized(headers={"WWW-Authenticate": challenge} if challenge else {})
