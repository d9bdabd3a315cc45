"""Keys of the deployment: issuer keys by epoch, sealing keys by week, the root key.

Every process caches what it read. A cached keyring belongs to one set of unfinished epochs and holds a key for each of
them, so it is always complete and is read again when the next epoch opens. Private halves are encrypted at rest and
erased when their epoch ends (until then, a lost response to a check-in can be requested again).
"""

import datetime as dt
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from django.conf import settings
from django.db import connection, transaction

from common.crypto import b64encode, decrypt, derived_key, encrypt
from passes import codec
from passes.clock import calendar, epoch_of
from passes.codec.epochs import Epoch, EpochCalendar
from passes.limits import EPOCH_SECONDS
from passes.models import IssuerKey, SealingKey

PURPOSE: Final = "issuer-key"
SEALING_PURPOSE: Final = "sealing-key"
EPOCHS_AHEAD: Final = 2
"""Epochs after the last open one whose keys are made in advance, so that they are public before check-in opens."""
KEPT_FOR_LATE_SCANS: Final = dt.timedelta(days=10)
"""Scans may arrive up to 7 days late, and an epoch of the first of these days began the day before."""

_KEY_LOCK: Final = 0x63740001  # number of an advisory lock, so that keys are made by one process only


@dataclass(frozen=True, slots=True)
class _SealingKeys:
    public: bytes
    private: tuple[X25519PrivateKey, ...]  # newest first


_lock = threading.Lock()
_keyrings: dict[tuple[object, ...], codec.Keyring] = {}
_signers: dict[tuple[object, ...], Ed25519PrivateKey] = {}
_sealing: dict[tuple[object, ...], _SealingKeys] = {}


def forget() -> None:
    """Clear this process's caches; for tests, which replace databases."""
    with _lock:
        _keyrings.clear()
        _signers.clear()
        _sealing.clear()


# Issuer keys ---------------------------------------------------------------------------------------------------------
def make_keys(now: dt.datetime) -> None:
    """Make the keys of all unfinished epochs and of the next two, and this week's sealing key, if they are missing."""
    epochs = list(calendar().unfinished_epochs(now.timestamp()))
    for _ in range(EPOCHS_AHEAD):
        epochs.append(calendar().following(epochs[-1]))
    _make_issuer_keys(epochs, now)
    _sealing_keys(now)


def blank_ended(now: dt.datetime) -> int:
    """Erase the private halves of ended epochs, and return their number."""
    ended = [
        row.pk
        for row in IssuerKey.objects.exclude(private=None).only("pk", "epoch")
        if (epoch := epoch_of(row.epoch)) is None or epoch.end <= now.timestamp()
    ]
    return IssuerKey.objects.filter(pk__in=ended).update(private=None)


def signer(epoch: Epoch, now: dt.datetime) -> Ed25519PrivateKey | None:
    """Return the key that signs passes of an unfinished epoch, making it if missing; `None` once it is erased."""
    name = (settings.DATABASES["default"]["NAME"], epoch.date)
    found = _signers.get(name)
    if found is not None:
        return found
    _make_issuer_keys([epoch], now)
    row = IssuerKey.objects.get(epoch=epoch.date)
    if row.private is None:
        return None
    key = Ed25519PrivateKey.from_private_bytes(decrypt(PURPOSE, bytes(row.private)))
    with _lock:
        _trim(_signers, 8)
        _signers[name] = key
    return key


def keyring(now: dt.datetime) -> codec.Keyring:
    """Return all keys whose passes a scan that arrives now may contain."""
    unfinished = _unfinished(calendar(), int(now.timestamp()) // 60)
    name = (settings.DATABASES["default"]["NAME"], unfinished)
    found = _keyrings.get(name)
    if found is None:
        _make_issuer_keys(unfinished, now)
        found = codec.Keyring.of(published_keys(now, since=now - KEPT_FOR_LATE_SCANS))
        with _lock:
            _trim(_keyrings, 4)
            _keyrings[name] = found
    return found


@lru_cache(maxsize=64)
def _unfinished(days: EpochCalendar, minute: int) -> tuple[Epoch, ...]:
    """Return epochs that are open or not yet ended in a minute; they open and end on whole minutes."""
    return days.unfinished_epochs(minute * 60)


def published_keys(now: dt.datetime, *, since: dt.datetime | None = None) -> list[codec.IssuerKey]:
    """Return public keys of epochs that have not ended at `since` (default: now), including those made in advance."""
    oldest = (since or now).timestamp()
    if since is None:
        _make_issuer_keys(calendar().unfinished_epochs(now.timestamp()), now)
    from_day = calendar().current(oldest).date - dt.timedelta(days=2)
    keys = []
    for row in IssuerKey.objects.filter(epoch__gte=from_day).order_by("epoch").only("epoch", "public"):
        epoch = epoch_of(row.epoch)
        if epoch is not None and epoch.end > oldest:
            keys.append(codec.IssuerKey(bytes(row.public), frozenset({epoch.start})))
    return keys


def jwks(now: dt.datetime) -> list[dict[str, Any]]:
    """Return published keys as a JWK set (RFC 7517, RFC 8037); `nbf` and `exp` give the epoch that a key signs."""
    return [
        {
            "kty": "OKP",
            "crv": "Ed25519",
            "alg": "EdDSA",
            "use": "sig",
            "kid": b64encode(key.kid),
            "x": b64encode(key.public),
            "nbf": min(key.epochs),
            "exp": max(key.epochs) + EPOCH_SECONDS,
        }
        for key in published_keys(now)
    ]


def _make_issuer_keys(epochs: Iterable[Epoch], now: dt.datetime) -> None:
    wanted = {epoch.date for epoch in epochs}
    if not wanted - _dates(wanted):
        return
    with transaction.atomic():
        _take_turns()
        for date in sorted(wanted - _dates(wanted)):
            key = Ed25519PrivateKey.generate()
            public = key.public_key().public_bytes_raw()
            IssuerKey.objects.create(
                epoch=date,
                kid=codec.key_id(public),
                public=public,
                private=encrypt(PURPOSE, key.private_bytes_raw()),
                created_at=now,
            )


def _dates(wanted: set[dt.date]) -> set[dt.date]:
    return set(IssuerKey.objects.filter(epoch__in=wanted).values_list("epoch", flat=True))


# Sealing keys --------------------------------------------------------------------------------------------------------
def sealing_key(now: dt.datetime) -> bytes:
    """Return this week's public key, for which kiosks seal scans."""
    return _sealing_keys(now).public


def opening_keys(now: dt.datetime) -> tuple[X25519PrivateKey, ...]:
    """Return all keys for which a scan that arrives now may be sealed, newest first."""
    return _sealing_keys(now).private


def _sealing_keys(now: dt.datetime) -> _SealingKeys:
    today = calendar().current(now.timestamp()).date
    monday = today - dt.timedelta(days=today.weekday())
    name = (settings.DATABASES["default"]["NAME"], monday)
    found = _sealing.get(name)
    if found is None:
        found = _read_sealing_keys(monday)
        with _lock:
            _trim(_sealing, 2)
            _sealing[name] = found
    return found


def _read_sealing_keys(monday: dt.date) -> _SealingKeys:
    if not SealingKey.objects.filter(epoch=monday).exists():
        with transaction.atomic():
            _take_turns()
            key = X25519PrivateKey.generate()
            SealingKey.objects.get_or_create(
                epoch=monday,
                defaults={
                    "public": key.public_key().public_bytes_raw(),
                    "private": encrypt(SEALING_PURPOSE, key.private_bytes_raw()),
                },
            )
    rows = list(SealingKey.objects.filter(epoch__lte=monday).order_by("-epoch"))
    private = tuple(X25519PrivateKey.from_private_bytes(decrypt(SEALING_PURPOSE, bytes(row.private))) for row in rows)
    return _SealingKeys(bytes(rows[0].public), private)


# Root key ------------------------------------------------------------------------------------------------------------
def root_key() -> Ed25519PrivateKey:
    """Return the key that signs bundles, derived from the master key; kiosks pin its public half when they enrol."""
    return _root_key(derived_key("root"))


def root_public_key() -> bytes:
    """Return the raw public half of the root key, 32 bytes."""
    return root_key().public_key().public_bytes_raw()


@lru_cache(maxsize=2)
def _root_key(seed: bytes) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(seed)


def _take_turns() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_KEY_LOCK])


def _trim(remembered: dict[tuple[object, ...], Any], most: int) -> None:
    while len(remembered) >= most:
        del remembered[next(iter(remembered))]
