"""Limit guesses of one account's password, whatever number of IP addresses they come from.

Failed log-ins are counted by the account's name (`account` of `THROTTLES`). Over the limit, strangers are refused, even
with the right password, but not a browser that logged in to this account before: it has a cookie that makes it *known*,
and a separate limit. A stranger who guesses all day therefore locks out nobody with a known browser. A new browser
becomes known by the link for a new password; accounts without an e-mail address wait on a new browser until the
guessing ends.

The cookie is signed and holds the account's name and a random number. Browsers send it only to the URLs that log in, so
that it identifies no visit to any page. It authenticates nothing.
"""

import datetime as dt
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final, TypeVar

from django.conf import settings
from django.contrib.auth.models import User
from django.core import signing
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _
from rest_framework.request import Request
from rest_framework.views import APIView

from common.web import throttles
from common.web.problems import TooMany
from common.web.throttles import AddressThrottle
from venues.refusals import NotLoggedIn

Answer = TypeVar("Answer", bound=HttpResponseBase)

COOKIES: Final = {"known": "/owner/login", "known-api": "/api/v1/owner/log-in"}
"""Cookie paths by URL; a URL below one of them counts as well."""
LIVES: Final = dt.timedelta(days=180)
_SALT: Final = "known-browser"


@contextmanager
def counted(request: HttpRequest, username: str) -> Iterator[None]:
    """Count an attempt to log in unless it succeeds. Raise `TooMany` before an attempt over the limit is examined."""
    identity = _known(request, username) or f"name {User.normalize_username(username)}"
    # Not reported in headers, which would show how often others tried.
    verdict = throttles.hit("account", identity)
    if verdict is not None and not verdict.allowed:
        words = _("Too many wrong passwords were entered for this account. Wait, or reset the password by e-mail.")
        raise TooMany(words, retry_after=verdict.reset)
    try:
        yield
    except NotLoggedIn as refused:
        if any(error.code == "second_factor_needed" for error in refused.errors):
            throttles.hit("account", identity, cost=-1)
        raise
    throttles.hit("account", identity, cost=-1)


def inside(user: User) -> str:
    """Return the counter for attempts of a logged-in user: a session that was taken over does not know the password."""
    return f"inside {user.pk}"


class InsideThrottle(AddressThrottle):
    """Limit attempts at the password of the logged-in account, correct ones included."""

    scope = "account"

    def identity(self, request: Request, view: APIView) -> bytes | str:
        """Return the account; the IP address if there is none."""
        return inside(request.user) if isinstance(request.user, User) else super().identity(request, view)


def known(response: Answer, user: User) -> Answer:
    """Make the browser that gets this response known to the account."""
    value = signing.dumps([user.get_username(), secrets.token_hex(8)], salt=_SALT)
    for name, address in COOKIES.items():
        response.set_cookie(
            name,
            value,
            max_age=LIVES,
            path=address,
            secure=settings.SESSION_COOKIE_SECURE,
            httponly=True,
            samesite="Lax",
        )
    return response


def _known(request: HttpRequest, username: str) -> str | None:
    """Return the browser's identity for counting, if it is known to the account of this name."""
    for cookie in COOKIES:
        with suppress(signing.BadSignature):
            name, number = signing.loads(request.COOKIES.get(cookie, ""), salt=_SALT, max_age=LIVES)
            if name == User.normalize_username(username):
                return f"browser {number}"
    return None
