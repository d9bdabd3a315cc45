"""Accounts of people who run venues: sign-up, log-in, passwords, tokens for programs, deletion."""

import datetime as dt
from typing import Final

from django.contrib.auth import authenticate
from django.contrib.auth.models import User
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from common import audit, crypto
from common.web.problems import Invalid, from_validation_error
from venues.kinds import Role
from venues.models import Membership, OwnerToken
from venues.refusals import NotLoggedIn, conflict
from venues.services import mailed, second_factor
from venues.services.checks import clean

MOST_TOKENS: Final = 50
"""Largest number of tokens of an account, which bounds what one account can create."""
LONGEST_TOKEN_DAYS: Final = 366
DEMONSTRATION: Final = "demo"
"""The name of the account of the demonstration, which only copies in the embedded mode have."""


@transaction.atomic
def sign_up(*, username: str, password: str, now: dt.datetime, email: str = "") -> User:
    """Create an account.

    The e-mail address is optional and unconfirmed; without one, a lost password cannot be reset.
    """
    user = _new_user(username=username, password=password, email=email, now=now)
    _record(user, "account.created", now)
    return user


@transaction.atomic
def create_operator(*, username: str, password: str, now: dt.datetime) -> User:
    """Create an operator: an account that verifies organisations and reads the tables of this app."""
    user = _new_user(username=username, password=password, email="", now=now, is_staff=True, is_superuser=True)
    _record(user, "operator.created", now)
    return user


def check_log_in(*, username: str, password: str, now: dt.datetime, code: str = "") -> User:
    """Return the account with this name, password and second factor. Raise `NotLoggedIn` if there is none.

    An unknown name takes as much time as a wrong password (Django hashes either) and gives the same error. Only a
    client that knows the password learns that a second factor is required.
    """
    user = check_password(username=username, password=password)
    if second_factor.is_on(user):
        if not code:
            raise NotLoggedIn("second_factor_needed", _("Enter the code of your second factor, or a recovery code."))
        second_factor.check_code(user=user, code=code, now=now)
    return user


def check_password(*, username: str, password: str) -> User:
    """Return the account with this name and password, before its second factor.

    Raise `NotLoggedIn` if there is none.
    """
    user = authenticate(None, username=username, password=password)
    if not isinstance(user, User):
        raise NotLoggedIn("wrong_credentials", _("The name or the password is wrong."))
    return user


@transaction.atomic
def change_password(*, user: User, old: str, new: str, now: dt.datetime) -> User:
    """Set a new password. Other sessions end, because Django ties them to the password, and tokens are removed."""
    locked = User.objects.select_for_update().get(pk=user.pk)
    if not locked.check_password(old):
        raise Invalid.field("/old", _("Wrong password."), "wrong")
    _set_password(locked, new, pointer="/new")
    _record(locked, "password.changed", now)
    return locked


@transaction.atomic
def change_email(*, user: User, password: str, email: str, now: dt.datetime) -> User:
    """Set the e-mail address; empty for none. Requires the password. A new address is unconfirmed."""
    locked = User.objects.select_for_update().get(pk=user.pk)
    if not locked.check_password(password):
        raise Invalid.field("/password", _("Wrong password."), "wrong")
    given = User.objects.normalize_email(email)
    if given != locked.email:
        locked.email = given
        clean(locked)
        locked.save(update_fields=["email"])
        mailed.unconfirm(locked)
        _record(locked, "email.changed", now)
    return locked


@transaction.atomic
def reset_password(*, token: str, password: str, now: dt.datetime) -> User:
    """Set a new password with the token of a link. The second factor, if there is one, stays on.

    The link came by the mailbox of the account, so the address is confirmed too.
    """
    user = mailed.user_of(token, mailed.RESET)
    _set_password(user, password, pointer="/password")
    mailed.confirm(user, now)
    _record(user, "password.reset", now)
    return user


@transaction.atomic
def confirm_email(*, token: str, now: dt.datetime) -> User:
    """Record that the mailbox of an account is its user's own, with the token of a link."""
    user = mailed.user_of(token, mailed.CONFIRM)
    mailed.confirm(user, now)
    _record(user, "email.confirmed", now)
    return user


@transaction.atomic
def make_owner_token(*, user: User, name: str, days: int, now: dt.datetime) -> tuple[OwnerToken, str]:
    """Create a token with which a program acts as this account; return the row, and the token, shown only once."""
    if not 1 <= days <= LONGEST_TOKEN_DAYS:
        raise Invalid.field("/days", _("Between 1 and %(most)d days.") % {"most": LONGEST_TOKEN_DAYS}, "out_of_range")
    if user.owner_tokens.filter(expires_at__gt=now).count() >= MOST_TOKENS:
        raise conflict(
            "too_many", _("An account has at most %(most)d tokens; remove some first.") % {"most": MOST_TOKENS}
        )
    token = crypto.new_token()
    row = OwnerToken(
        user=user,
        name=name,
        token_hash=crypto.token_hash(token),
        created_at=now,
        expires_at=now + dt.timedelta(days=days),
    )
    clean(row)
    row.save(force_insert=True)
    _record(user, "token.created", now, token=row.public_id)
    return row, token


@transaction.atomic
def remove_owner_token(*, token: OwnerToken, now: dt.datetime) -> None:
    """Revoke a token; its next request is refused."""
    _record(token.user, "token.removed", now, token=token.public_id)
    token.delete()


@transaction.atomic
def close_account(*, user: User, password: str, now: dt.datetime) -> None:
    """Delete an account with its memberships, second factor and tokens; its sessions end with it.

    Raise `Conflict` while it is the last owner of an open organisation.
    """
    locked = User.objects.select_for_update().get(pk=user.pk)
    if not locked.check_password(password):
        raise Invalid.field("/password", _("Wrong password."), "wrong")
    owned = Membership.objects.filter(user=locked, role=Role.OWNER, organisation__closed_at=None)
    # Locked as in `remove_member`, so that two owners cannot leave at the same time.
    for membership in owned.select_related("organisation").select_for_update(of=("organisation",)).order_by("pk"):
        others = membership.organisation.memberships.filter(role=Role.OWNER, user__is_active=True)
        if not others.exclude(user=locked).exists():
            raise conflict(
                "last_owner", _("You are the last owner of an organisation. Close it, or make somebody else an owner.")
            )
    _record(locked, "account.closed", now)
    locked.delete()


def _new_user(
    *, username: str, password: str, email: str, now: dt.datetime, is_staff: bool = False, is_superuser: bool = False
) -> User:
    user = User(
        username=User.normalize_username(username),
        email=User.objects.normalize_email(email),
        date_joined=now,
        is_staff=is_staff,
        is_superuser=is_superuser,
    )
    _set_password(user, password, pointer="/password", save=False)
    clean(user)
    try:
        with transaction.atomic():
            user.save(force_insert=True)
    except IntegrityError:
        raise Invalid.field("/username", _("This name is taken."), "taken") from None
    return user


def _set_password(user: User, password: str, *, pointer: str, save: bool = True) -> None:
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise from_validation_error(error, at=pointer) from None
    user.set_password(password)
    if save:
        user.save(update_fields=["password"])
        user.owner_tokens.all().delete()


def _record(user: User, verb: str, now: dt.datetime, **details: str | int | bool | None) -> None:
    audit.record(actor=user.username, verb=verb, subject=user.username, organisation="", now=now, **details)
