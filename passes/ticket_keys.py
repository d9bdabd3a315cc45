"""Keys of tickets: two RSA keys for each epoch, made in advance in the order of epochs, deleted when check-in closes.

A key of an epoch is never replaced. Apps keep the first one that they saw, because a key of one visitor only would mark
that visitor's tickets. If a key is lost, its epoch therefore issues no more tickets.
"""

import datetime as dt
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_private_key,
    load_der_public_key,
)
from django.conf import settings
from django.db import transaction
from django.db.models import Max

from common import locks
from common.crypto import Unreadable, decrypt, encrypt
from passes.clock import calendar, epoch_of
from passes.codec import blind
from passes.codec.blind import BlindSigner
from passes.codec.epochs import Epoch
from passes.codec.fingerprint import ticket_fingerprint
from passes.codec.ticket_keys import TicketClass, TicketKey
from passes.codec.tickets import Ticket
from passes.models import TicketKey as KeyRow

PURPOSE: Final = "ticket-key"
_REMEMBERED: Final = 20
_LOCK: Final = 0x63740002  # number of an advisory lock, so that ticket keys are made by one process only

Pair = Mapping[TicketClass, RSAPrivateKey]


@dataclass(frozen=True, slots=True)
class EpochKeys:
    """The published keys of one epoch. `counts`: its passes may count in the release."""

    public: Mapping[TicketClass, TicketKey]
    counts: bool

    def class_of(self, ticket: Ticket, epoch: Epoch) -> TicketClass | None:
        """Return the class of the key that signed a ticket for the epoch; `None` if neither did."""
        for ticket_class, key in self.public.items():
            if ticket.holds(epoch_start=epoch.start, key=key):
                return ticket_class
        return None


_lock = threading.Lock()
# By database and epoch.
_public: dict[tuple[str, dt.date], EpochKeys] = {}
_signers: dict[tuple[str, dt.date], Mapping[TicketClass, BlindSigner]] = {}


def forget() -> None:
    """Clear this process's caches; for tests, which replace databases."""
    with _lock:
        _public.clear()
        _signers.clear()


# Making and dropping -------------------------------------------------------------------------------------------------
def make_ticket_keys(now: dt.datetime) -> None:
    """Make the keys that are public now, and those of the following epoch, if the epoch never had any.

    They are made in the order of epochs: a key that is missing before the last one was lost and is not made again.
    """
    wanted = list(calendar().ticket_epochs(now.timestamp()))
    wanted.append(calendar().following(wanted[-1]))
    last = _last_made()
    if last is not None and last >= wanted[-1].date:
        return
    with transaction.atomic():
        locks.hold(_LOCK)
        last = _last_made()
        new = [epoch for epoch in wanted if last is None or epoch.date > last]
        _write((epoch, {each: blind.new_key() for each in TicketClass}) for epoch in new)


def put_keys(epoch: Epoch, pair: Pair) -> None:
    """Give these keys to an epoch without any, for a simulated past. `drop_closed` removes them."""
    if not KeyRow.objects.filter(epoch=epoch.date).exists():
        _write([(epoch, pair)])


def drop_closed(now: dt.datetime) -> int:
    """Delete the keys of epochs whose check-in has closed, and return their number."""
    forget_closed(now)
    dates = KeyRow.objects.values_list("epoch", flat=True).distinct()
    return KeyRow.objects.filter(epoch__in=[date for date in dates if _is_closed(date, now)]).delete()[0]


def forget_closed(now: dt.datetime) -> None:
    """Remove keys of closed epochs from this process's cache, since another process deletes the rows."""
    with _lock:
        for remembered in (_public, _signers):
            for name in [name for name in remembered if _is_closed(name[1], now)]:
                del remembered[name]


def _is_closed(date: dt.date, now: dt.datetime) -> bool:
    epoch = epoch_of(date)
    return epoch is None or calendar().checkin_closes(epoch) <= now.timestamp()


@transaction.atomic
def note_restore(now: dt.datetime) -> int:
    """Record that a backup was restored: keys published before do not count, and missing keys stay lost.

    Return how many days are lost.

    The backup does not know which tickets were spent or which sets were drawn since it was made, so passes of these
    epochs are excluded from the release. Keys that were published after it are lost for good.
    """
    locks.hold(_LOCK)
    published = calendar().ticket_epochs(now.timestamp())
    dates = [epoch.date for epoch in published]
    KeyRow.objects.filter(epoch__in=dates).update(counts=False)
    there = set(KeyRow.objects.filter(epoch__in=dates).values_list("epoch", "ticket_class"))
    missing = [(date, each) for date in dates for each in TicketClass if (date, each) not in there]
    KeyRow.objects.bulk_create(KeyRow(epoch=date, ticket_class=each, counts=False) for date, each in missing)
    forget()
    return sum(signers(epoch) is None for epoch in published)


def _last_made() -> dt.date | None:
    last: dt.date | None = KeyRow.objects.aggregate(last=Max("epoch"))["last"]
    return last


def _write(pairs: Iterable[tuple[Epoch, Pair]]) -> None:
    KeyRow.objects.bulk_create(
        KeyRow(
            epoch=epoch.date,
            ticket_class=each,
            public=key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
            private=encrypt(PURPOSE, key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())),
        )
        for epoch, pair in pairs
        for each, key in pair.items()
    )


# Reading -------------------------------------------------------------------------------------------------------------
def published_keys(now: dt.datetime) -> list[tuple[Epoch, EpochKeys]]:
    """Return epochs whose tickets can be drawn or spent, with their keys, earliest first."""
    make_ticket_keys(now)
    forget_closed(now)
    epochs = calendar().ticket_epochs(now.timestamp())
    keys = _read_public([epoch.date for epoch in epochs])
    return [(epoch, keys[epoch.date]) for epoch in epochs if epoch.date in keys]


def epoch_keys(epoch: Epoch) -> EpochKeys | None:
    """Return the public keys of an epoch; `None` if one is lost, not made yet or deleted."""
    return _read_public([epoch.date]).get(epoch.date)


def days_without_keys(now: dt.datetime) -> list[dt.date]:
    """Return the days without ticket keys although these should be public by now, earliest first.

    This makes no keys: the caller checks that the task does.
    """
    return [epoch.date for epoch in calendar().ticket_epochs(now.timestamp()) if signers(epoch) is None]


def open_fingerprints(now: dt.datetime) -> list[tuple[Epoch, str]]:
    """Return days open for check-in, earliest first, with the fingerprint of their keys; omit days with lost keys."""
    found = []
    for epoch in calendar().open_epochs(now.timestamp()):
        pair = epoch_keys(epoch)
        if pair is not None:
            spkis = [pair.public[each].spki for each in (TicketClass.COUNTED, TicketClass.OTHER)]
            found.append((epoch, _fingerprint(epoch.start, *spkis)))
    return found


@lru_cache(maxsize=8)
def _fingerprint(start: int, counted: bytes, other: bytes) -> str:
    """Return the fingerprint, cached: computing it takes a tenth of a second, and it never changes."""
    return ticket_fingerprint(epoch_start=start, counted=counted, other=other)


def _read_public(dates: Sequence[dt.date]) -> dict[dt.date, EpochKeys]:
    """Return the existing keys of these days, in the order of classes, in one statement at most."""
    database = settings.DATABASES["default"]["NAME"]
    found = {date: keys for date in dates if (keys := _public.get((database, date))) is not None}
    missing = [date for date in dates if date not in found]
    if not missing:
        return found
    rows: dict[dt.date, dict[TicketClass, KeyRow]] = {}
    for row in KeyRow.objects.filter(epoch__in=missing).exclude(public=None).defer("private"):
        rows.setdefault(row.epoch, {})[TicketClass(row.ticket_class)] = row
    for date, pair in rows.items():
        if len(pair) == len(TicketClass):
            public = {each: _load_public(pair[each]) for each in TicketClass}
            found[date] = EpochKeys(public=public, counts=all(row.counts for row in pair.values()))
            _remember(_public, (database, date), found[date])
    return found


def signers(epoch: Epoch) -> Mapping[TicketClass, BlindSigner] | None:
    """Return the private keys of an epoch; `None` if one is lost."""
    name = (settings.DATABASES["default"]["NAME"], epoch.date)
    found = _signers.get(name)
    if found is not None:
        return found
    rows = KeyRow.objects.filter(epoch=epoch.date).exclude(private=None).only("ticket_class", "private")
    try:
        made = {TicketClass(row.ticket_class): _load_private(row) for row in rows}
    except Unreadable:
        return None
    if len(made) != len(TicketClass):
        return None
    _remember(_signers, name, made)
    return made


def _load_public(row: KeyRow) -> TicketKey:
    key = load_der_public_key(bytes(row.public or b""))
    if not isinstance(key, RSAPublicKey):
        raise TypeError("a ticket key must be an RSA key")
    return TicketKey.of(row.epoch, TicketClass(row.ticket_class), key)


def _load_private(row: KeyRow) -> BlindSigner:
    # Not validated, which takes longer than signing two sets: it was encrypted here, and every signature is verified.
    data = decrypt(PURPOSE, bytes(row.private or b""))
    key = load_der_private_key(data, None, unsafe_skip_rsa_key_validation=True)
    if not isinstance(key, RSAPrivateKey):
        raise TypeError("a ticket key must be an RSA key")
    return BlindSigner.of(key)


def _remember(remembered: dict[tuple[str, dt.date], Any], name: tuple[str, dt.date], value: object) -> None:
    with _lock:
        while len(remembered) >= _REMEMBERED:
            del remembered[next(iter(remembered))]
        remembered[name] = value
