"""Links that are sent to accounts by e-mail: for a new password, and to confirm an address.

Both prove that the user who opens it reads the mailbox. A link names its account and carries a token of Django's
generator: signed, valid for three days (`PASSWORD_RESET_TIMEOUT`), and invalid once what it was made for has changed.
A link for a password therefore ends with its first use and with a log-in; one that confirms an address ends with its
first use and with a new address.
"""

import datetime as dt
from typing import Any, Final

from django.contrib.auth.models import User
from django.contrib.auth.tokens import PasswordResetTokenGenerator, default_token_generator
from django.core.mail import send_mail
from django.template.loader import render_to_string
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_decode, urlsafe_base64_encode
from django.utils.translation import gettext as _

from common.crypto import b64decode, b64encode, decrypt, encrypt
from common.web.problems import Invalid
from venues import links, selectors
from venues.models import ConfirmedEmail


class _Confirmation(PasswordResetTokenGenerator):
    """Tokens that end with their first use and with a new address, but not with a log-in or a new password."""

    key_salt = "venues.services.mailed.confirmation"

    def _make_hash_value(self, user: Any, timestamp: int) -> str:
        confirmed = ConfirmedEmail.objects.filter(user=user).values_list("confirmed_at", flat=True).first()
        return f"{user.pk} {user.email} {confirmed} {timestamp}"


RESET: Final = default_token_generator
CONFIRM: Final = _Confirmation()
_PURPOSE: Final = "address of a mail"
_LONGEST: Final = 254  # RFC 5321, section 4.5.3.1.3


def seal_address(address: str) -> str:
    """Return an address as the broker may store it; all have one length."""
    return b64encode(encrypt(_PURPOSE, address.encode().ljust(_LONGEST)))


def open_address(sealed: str) -> str:
    """Return the address; the inverse of `seal_address`."""
    return decrypt(_PURPOSE, b64decode(sealed)).decode().rstrip()


def mail_password_reset(*, email: str, origin: str) -> None:
    """Send a link to every account with this address; do nothing if there is none.

    Runs in the worker: the request does the same work and gets the same response in both cases.
    """
    for user in User.objects.filter(email__iexact=email, is_active=True).order_by("pk") if email else ():
        context = {"link": links.password_reset(origin, token_for(user, RESET)), "username": user.username}
        text = render_to_string("venues/mail/password_reset.txt", context)
        send_mail(_("Your password for CrowdTrace"), text, None, [user.email])


def mail_confirmation(*, user_id: int, origin: str) -> None:
    """Send a link that confirms the present address of an account; do nothing if it is confirmed or empty."""
    user = User.objects.filter(pk=user_id, is_active=True).exclude(email="").first()
    if user is None or selectors.email_confirmed(user):
        return
    context = {"link": links.confirm_email(origin, token_for(user, CONFIRM)), "username": user.username}
    text = render_to_string("venues/mail/confirmation.txt", context)
    send_mail(_("Confirm your e-mail address for CrowdTrace"), text, None, [user.email])


def token_for(user: User, generator: PasswordResetTokenGenerator) -> str:
    """Return the content of a link: the account and Django's token for it."""
    return f"{urlsafe_base64_encode(force_bytes(user.pk))}.{generator.make_token(user)}"


def user_of(token: str, generator: PasswordResetTokenGenerator) -> User:
    """Return the account of a link, locked. Raise `Invalid` if the link is wrong, used or expired."""
    uid, _dot, secret = token.partition(".")
    try:
        key = int(urlsafe_base64_decode(uid))
    except (ValueError, OverflowError):
        key = 0
    user = User.objects.select_for_update().filter(pk=key, is_active=True).first() if 0 < key < 2**31 else None
    if user is None or not generator.check_token(user, secret):
        raise Invalid.field("/token", _("This link is wrong, used or too old. Ask for a new one."), "unknown")
    return user


def confirm(user: User, now: dt.datetime) -> None:
    """Record that the address of a locked account is its user's own."""
    if user.email:
        ConfirmedEmail.objects.update_or_create(user=user, defaults={"email": user.email, "confirmed_at": now})


def unconfirm(user: User) -> None:
    """Delete the confirmation of an address, because the account has another."""
    ConfirmedEmail.objects.filter(user=user).update(email="")
