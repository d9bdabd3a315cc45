"""The second factor: time-based codes (RFC 6238, 30 seconds, six digits, SHA-1) and recovery codes."""

import datetime as dt
import hmac
from typing import Final

import pyotp
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext as _

from common import audit, crypto
from common.web.problems import Invalid
from venues.models import SecondFactor
from venues.refusals import NotLoggedIn, conflict
from venues.services.codes import new_code, tidy

PURPOSE: Final = "second-factor"
RECOVERY_CODES: Final = 10
ISSUER: Final = "CrowdTrace"
STEPS_OF_GRACE: Final = (0, -1, 1)
"""Time steps accepted around the present one, for clocks that differ (RFC 6238 section 5.2)."""
MOST_MISSES: Final = 10
"""Wrong codes in a row after which only a recovery code works: a guesser of six digits has then hit 1 in 33,000."""


def is_on(user: User) -> bool:
    """Return whether log-in asks this account for a second factor."""
    return SecondFactor.objects.filter(user=user, confirmed_at__isnull=False).exists()


@transaction.atomic
def begin(*, user: User, now: dt.datetime) -> str:
    """Create a new secret and return its `otpauth://` URI; log-in does not require it until `confirm`."""
    if is_on(user):
        raise conflict("already_on", _("The second factor is on. Turn it off first."))
    secret = pyotp.random_base32()
    SecondFactor.objects.update_or_create(
        user=user,
        defaults={
            "secret": crypto.encrypt(PURPOSE, secret.encode()),
            "confirmed_at": None,
            "last_step": 0,
            "misses": 0,
            "recovery_hashes": [],
        },
    )
    audit.record(actor=user.username, verb="second_factor.begun", subject=user.username, now=now)
    return pyotp.TOTP(secret).provisioning_uri(name=user.username, issuer_name=ISSUER)


def begun(*, user: User) -> str | None:
    """Return the URI that `begin` created and nothing has confirmed yet; `None` if there is none."""
    factor = SecondFactor.objects.filter(user=user, confirmed_at=None).first()
    if factor is None:
        return None
    secret = crypto.decrypt(PURPOSE, bytes(factor.secret)).decode()
    return pyotp.TOTP(secret).provisioning_uri(name=user.username, issuer_name=ISSUER)


def secret_of(uri: str) -> str:
    """Return the secret of an `otpauth://` URI, for apps without a camera."""
    return pyotp.parse_uri(uri).secret


@transaction.atomic
def confirm(*, user: User, code: str, now: dt.datetime) -> list[str]:
    """Turn the second factor on with its first code; return ten recovery codes, shown only once."""
    factor = SecondFactor.objects.select_for_update().filter(user=user, confirmed_at=None).first()
    if factor is None:
        raise conflict("not_begun", _("Begin first, then confirm."))
    step = _step_of(factor, code, now)
    if step is None:
        raise Invalid.field("/code", _("This code is wrong. Is the clock on your phone right?"), "wrong")
    codes = [new_code() for _ in range(RECOVERY_CODES)]
    factor.confirmed_at = now
    factor.last_step = step
    factor.recovery_hashes = [crypto.token_hash(one).hex() for one in codes]
    factor.save(update_fields=["confirmed_at", "last_step", "recovery_hashes"])
    audit.record(actor=user.username, verb="second_factor.on", subject=user.username, now=now)
    return codes


def check_code(*, user: User, code: str, now: dt.datetime) -> None:
    """Spend a code, which works once even for concurrent requests. Raise `NotLoggedIn` if it is wrong."""
    if not _spend(user, code, now):
        raise NotLoggedIn("wrong_code", _("This code is wrong or has already been used."))


def turn_off(*, user: User, password: str, code: str, now: dt.datetime) -> None:
    """Turn the second factor off; requires the password and a code."""
    if not user.check_password(password):
        raise Invalid.field("/password", _("Wrong password."), "wrong")
    if not is_on(user):
        raise conflict("not_on", _("The second factor is not on."))
    if not _spend(user, code, now):
        raise Invalid.field("/code", _("This code is wrong or has already been used."), "wrong")
    with transaction.atomic():  # separate from the code, whose misses must stay counted
        SecondFactor.objects.filter(user=user).delete()
        audit.record(actor=user.username, verb="second_factor.off", subject=user.username, now=now)


def _spend(user: User, code: str, now: dt.datetime) -> bool:
    """Return whether the code is valid. A miss is counted, and stays counted when the caller then refuses."""
    with transaction.atomic():
        factor = SecondFactor.objects.select_for_update().filter(user=user, confirmed_at__isnull=False).first()
        if factor is None:
            return False
        if _spend_recovery_code(factor, code):
            return True
        step = _step_of(factor, code, now) if factor.misses < MOST_MISSES else None
        if step is None or step <= factor.last_step:
            SecondFactor.objects.filter(pk=factor.pk).update(misses=F("misses") + 1)
            return False
        factor.last_step, factor.misses = step, 0
        factor.save(update_fields=["last_step", "misses"])
        return True


def _spend_recovery_code(factor: SecondFactor, code: str) -> bool:
    hashed = crypto.token_hash(tidy(code)).hex()
    if hashed not in factor.recovery_hashes:
        return False
    factor.recovery_hashes.remove(hashed)
    factor.misses = 0
    factor.save(update_fields=["recovery_hashes", "misses"])
    return True


def _step_of(factor: SecondFactor, code: str, now: dt.datetime) -> int | None:
    """Return the time step of this code, near the present one."""
    totp = pyotp.TOTP(crypto.decrypt(PURPOSE, bytes(factor.secret)).decode())
    typed = tidy(code).encode()
    present = totp.timecode(now)
    for shift in STEPS_OF_GRACE:
        if hmac.compare_digest(totp.generate_otp(present + shift).encode(), typed):
            return present + shift
    return None
