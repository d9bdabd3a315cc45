"""Draws of tickets: a visitor's key gets one set per epoch, signed without seeing what is signed.

A draw leaves a record that a key has drawn, never what it drew: no value of it appears at a check-in.
"""

import datetime as dt
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from django.db import connection, transaction
from django.utils.translation import gettext as _

from common.web import throttles
from common.web.problems import Busy, Conflict, FieldError, Gone, Invalid, TooMany
from passes import ticket_keys
from passes.clock import calendar, epoch_of
from passes.codec.blind import BlindSigner, read_blinded
from passes.codec.epochs import Epoch
from passes.codec.ticket_keys import TicketClass
from passes.hashes import drawn_hash, set_hash, visitor_hash
from passes.models import DrawnSet, SpentTicket
from passes.services import visitors

_FIRST_GUESS_MS: Final = 20.0
_WEIGHT: Final = 0.1

# Sorted, so that two draws with common sets never wait for each other, and their order reveals nothing.
_KEEP: Final = """
    INSERT INTO passes_drawnset (drawn_hash, set_hash, epoch)
    SELECT * FROM unnest(%(drawn)s::bytea[], %(sets)s::bytea[], %(epochs)s::date[])
    ON CONFLICT DO NOTHING
"""


@dataclass(frozen=True, slots=True)
class TicketSet:
    """The values of one epoch (its date) by class, 256 bytes each: blinded in a request, signed in a response."""

    epoch: dt.date
    values: Mapping[TicketClass, Sequence[bytes]] = field(repr=False)

    def in_order(self) -> list[bytes]:
        """Return all values, counted ones first."""
        return [value for each in TicketClass for value in self.values[each]]


@dataclass(frozen=True, slots=True)
class DrawAnswer:
    """The signed sets in the order requested. `new`: one of them was not drawn before."""

    sets: list[TicketSet]
    new: bool


@dataclass(frozen=True, slots=True)
class _Asked:
    """A set that can be signed: what is stored of it, and the keys."""

    asked: TicketSet
    drawn: bytes
    hash: bytes
    signers: Mapping[TicketClass, BlindSigner]

    def sign(self) -> TicketSet:
        signed = {each: [self.signers[each].sign(value) for value in self.asked.values[each]] for each in TicketClass}
        return TicketSet(self.asked.epoch, signed)


def draw_tickets(*, auth_key: bytes, sets: Sequence[TicketSet], now: dt.datetime) -> DrawAnswer:
    """Sign the sets of a registered key, all or none; the same sets get the same signatures again.

    Raise `Unauthorized` for a key that is not registered, `Invalid` for a value or an epoch that cannot be signed,
    `Gone` if an epoch's keys are lost, `Conflict` if the key has drawn an epoch with other values, and `TooMany` and
    `Busy` over the limits. Nothing is signed or stored then.
    """
    asked, known = _look_up(auth_key, sets, now)
    if known:
        _limit_repeats(auth_key)
    _limit_signing(len(asked))
    return _keep_and_sign(asked, known)


def draw_for_simulation(*, auth_key: bytes, sets: Sequence[TicketSet], now: dt.datetime) -> DrawAnswer:
    """Sign the sets without limits, for a simulation on this machine."""
    return _keep_and_sign(*_look_up(auth_key, sets, now))


def forget_ended_day(day: dt.date) -> None:
    """Delete what is stored of the tickets of an ended epoch, as the purge would."""
    DrawnSet.objects.filter(epoch=day).delete()
    SpentTicket.objects.filter(epoch=day).delete()


def _look_up(auth_key: bytes, sets: Sequence[TicketSet], now: dt.datetime) -> tuple[list[_Asked], dict[bytes, bytes]]:
    """Return the parsed sets, and what is stored of those that were drawn before."""
    visitors.note_use(key_hash=visitor_hash(auth_key), now=now)
    ticket_keys.forget_closed(now)
    asked = [_read(auth_key, each, at, now) for at, each in enumerate(sets)]
    known = _known(asked)
    _refuse_others(asked, known)
    return asked, known


def _keep_and_sign(asked: Sequence[_Asked], known: Mapping[bytes, bytes]) -> DrawAnswer:
    new = len(known) < len(asked) and _keep(asked)
    return DrawAnswer(_timed(asked), new)


def _read(auth_key: bytes, asked: TicketSet, at: int, now: dt.datetime) -> _Asked:
    epoch = epoch_of(asked.epoch)
    if epoch is None or not _is_published(epoch, now):
        detail = _("No tickets are issued for this day. The list of ticket keys names the days.")
        raise Invalid.field(f"/draws/{at}/epoch", detail, "unknown")
    public, signers = ticket_keys.epoch_keys(epoch), ticket_keys.signers(epoch)
    if public is None or signers is None:
        raise Gone(_("The keys for this day are lost, so no more tickets are issued for it."))
    errors = [
        FieldError(
            f"/draws/{at}/{each.value}/{place}", _("Not a value that can be signed. Derive the set again."), "range"
        )
        for each in TicketClass
        for place, value in enumerate(asked.values[each])
        if not _can_be_signed(value, public.public[each].n)
    ]
    if errors:
        raise Invalid(errors=errors)
    return _Asked(asked, drawn_hash(auth_key, epoch.start), set_hash(asked.in_order()), signers)


def _is_published(epoch: Epoch, now: dt.datetime) -> bool:
    return epoch.tickets_open <= now.timestamp() < calendar().checkin_closes(epoch)


def _can_be_signed(value: bytes, n: int) -> bool:
    try:
        read_blinded(value, n)
    except ValueError:
        return False
    return True


def _known(asked: Sequence[_Asked]) -> dict[bytes, bytes]:
    rows = DrawnSet.objects.filter(pk__in=[each.drawn for each in asked]).values_list("pk", "set_hash")
    return {bytes(drawn): bytes(kept) for drawn, kept in rows}


def _refuse_others(asked: Sequence[_Asked], known: Mapping[bytes, bytes]) -> None:
    if any(known.get(each.drawn, each.hash) != each.hash for each in asked):
        raise Conflict(_("Tickets of one of these days were drawn with other values. There is no second set."))


@transaction.atomic
def _keep(asked: Sequence[_Asked]) -> bool:
    """Record that the sets are drawn; return whether one of them is new. A concurrent draw waits here."""
    rows = sorted((each.drawn, each.hash, each.asked.epoch) for each in asked)
    drawn, sets, epochs = (list(column) for column in zip(*rows, strict=True))
    with connection.cursor() as cursor:
        cursor.execute(_KEEP, {"drawn": drawn, "sets": sets, "epochs": epochs})
        new = bool(cursor.rowcount > 0)
    _refuse_others(asked, _known(asked))
    return new


# Limits --------------------------------------------------------------------------------------------------------------
_set_ms = _FIRST_GUESS_MS


def _limit_repeats(auth_key: bytes) -> None:
    verdict = throttles.hit("repeat", visitor_hash(auth_key))
    if verdict is not None and not verdict.allowed:
        raise TooMany(retry_after=verdict.reset)


def _limit_signing(sets: int) -> None:
    """Count the expected time of signing, in milliseconds of a core, against the limit for all draws together.

    On a slow machine, a draw of many days takes more than that: it counts as the whole limit, since it would never pass
    otherwise.
    """
    cost = min(max(1, round(sets * _set_ms)), throttles.quota("signing"))
    verdict = throttles.hit("signing", "", cost=cost)
    if verdict is not None and not verdict.allowed:
        raise Busy(retry_after=verdict.reset)


def _timed(asked: Sequence[_Asked]) -> list[TicketSet]:
    """Sign, and measure how long it takes on this machine."""
    global _set_ms  # noqa: PLW0603 - an estimate: a lost update does no harm
    began = time.thread_time()
    signed = [each.sign() for each in asked]
    _set_ms += _WEIGHT * (1000 * (time.thread_time() - began) / len(signed) - _set_ms)
    return signed
