"""Some visitors of a simulated town use the whole protocol: a secret, signed passes, rotating codes, scans at doors."""

import datetime as dt
import heapq
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

import base45
import numpy as np
import numpy.typing as npt

from common.crypto import new_token
from crowdtrace.town.venues import Place
from crowdtrace.town.world.streams import stream
from passes import ticket_keys
from passes.admission import Answers, ScanType
from passes.clock import moment
from passes.codec import PREFIX, rotating_text
from passes.codec.epochs import Epoch
from passes.codec.identity import (
    SECRET_BYTES,
    PassSecrets,
    VisitorKeys,
    derive_keys,
    derive_pass,
    derive_seed,
    hash_erase_key,
)
from passes.codec.ticket_keys import TicketClass
from passes.codec.tickets import DrawnTicket, Ticket, derive_set, derive_ticket_key
from passes.hashes import visitor_hash
from passes.limits import PASSES_PER_EPOCH
from passes.services.checkins import CheckinRequest, check_in
from passes.services.draws import TicketSet, draw_for_simulation
from passes.services.holders import rate_visit
from passes.services.scans import ScanRequest, record_scan
from passes.services.visitors import register_visitor
from venues.selectors import device_context

CHECKIN_LEAD_S = 90
"""Time between check-in and arrival: people check in on the way to the door."""
_SCAN_ID_BYTES = 16
NO_SECRETS: Final[Mapping[int, bytes]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Outing:
    """A future visit or refusal, in Unix seconds; `leaves` is `None` for people who do not check out (yet)."""

    person: int
    place: Place
    arrives: int
    leaves: int | None
    answers: npt.NDArray[np.bool_]
    survey_seconds: int
    masks: int
    distancing: int
    stay: int  # row of the day's stays, -1 for a refusal


@dataclass(frozen=True, slots=True)
class _Keys:
    """Keys derived from one person's secret."""

    visitor: VisitorKeys = field(repr=False)
    tickets: bytes = field(repr=False)

    @classmethod
    def of(cls, secret: bytes) -> "_Keys":
        return cls(derive_keys(secret), derive_ticket_key(secret))


@dataclass(slots=True)
class _Book:
    """A person's passes and tickets of one day, used in order."""

    seed: bytes = field(repr=False)
    drawn: list[DrawnTicket] = field(repr=False)
    signed: list[bytes] = field(repr=False)
    used: int = 0

    def take(self, epoch: Epoch) -> tuple[PassSecrets, Ticket]:
        """Return the next pass and the ticket with its number."""
        at, self.used = self.used, self.used + 1
        return derive_pass(self.seed, epoch.start, at), self.drawn[at].finish(self.signed[at])


@dataclass(slots=True)
class _Going:
    outing: Outing
    secrets: PassSecrets
    text: str = field(repr=False)


class FullChain:
    """The visitors of one seed who use the ordinary services, and the owners of their passes."""

    def __init__(self, *, seed: int, people: set[int], secrets: Mapping[int, bytes] = NO_SECRETS) -> None:
        """Set the seed; ``secrets`` are those of people whose secret is not derived from it, by person."""
        self.people = people | secrets.keys()
        self._keys = {
            person: _Keys.of(secrets[person]) if person in secrets else self._key_of(seed, person)
            for person in sorted(self.people)
        }
        self._registered: set[int] = set()

    def live_day(self, *, epoch: Epoch, outings: list[Outing]) -> dict[int, bytes]:
        """Process one day in order of time; return the owner of each outing's pass, by its index in `outings`."""
        books: dict[int, _Book] = {}
        owners: dict[int, bytes] = {}
        waiting: list[tuple[int, int, _Going]] = []
        for number, outing in sorted(enumerate(outings), key=lambda one: (one[1].arrives, one[0])):
            self._let_out(waiting, until=outing.arrives)
            before = moment(max(epoch.start, outing.arrives - CHECKIN_LEAD_S))
            if outing.person not in books:
                books[outing.person] = self._open(epoch, outing.person, before)
            book = books[outing.person]
            if book.used >= PASSES_PER_EPOCH:
                continue
            secrets, ticket = book.take(epoch)
            owners[number] = secrets.owner
            going = self._arrive(epoch, outing, secrets, ticket, before)
            if going is not None and outing.leaves is not None:
                heapq.heappush(waiting, (outing.leaves, number, going))
        self._let_out(waiting, until=epoch.end)
        return owners

    def _open(self, epoch: Epoch, person: int, now: dt.datetime) -> _Book:
        """Draw the day's tickets."""
        keys, public = self._keys[person], ticket_keys.epoch_keys(epoch)
        if public is None:
            raise LookupError("the keys of a simulated day are gone")
        self._register(person, keys.visitor, now)
        drawn = derive_set(keys.tickets, epoch_start=epoch.start, keys=public.public)
        blinded = {each: [one.blinded for one in tickets] for each, tickets in drawn.items()}
        asked = TicketSet(epoch.date, blinded)
        [signed] = draw_for_simulation(auth_key=keys.visitor.auth, sets=[asked], now=now).sets
        tickets = [one for each in TicketClass for one in drawn[each]]
        return _Book(derive_seed(keys.visitor.passes, epoch.start), tickets, signed.in_order())

    @staticmethod
    def _arrive(
        epoch: Epoch, outing: Outing, secrets: PassSecrets, ticket: Ticket, before: dt.datetime
    ) -> _Going | None:
        symptoms, diagnosed, contact, near = (bool(answer) for answer in outing.answers)
        request = CheckinRequest(
            venue=outing.place.public_id,
            epoch=epoch.date,
            anchor=secrets.anchor,
            owner_hash=secrets.owner_hash,
            answers=Answers(symptoms=symptoms, diagnosed=diagnosed, contact=contact, near=near),
            survey_seconds=outing.survey_seconds,
        )
        answer = check_in(ticket=ticket, request=request, now=before)
        if answer.credential is None or outing.stay < 0:
            return None
        going = _Going(outing, secrets, answer.credential)
        _scan(going, ScanType.CHECKIN, outing.arrives)
        if outing.masks:
            rate_visit(
                owner_hash=secrets.owner_hash,
                masks=outing.masks,
                distancing=outing.distancing,
                now=moment(outing.arrives),
            )
        return going

    def _let_out(self, waiting: list[tuple[int, int, _Going]], *, until: int) -> None:
        while waiting and waiting[0][0] <= until:
            leaves, _number, going = heapq.heappop(waiting)
            _scan(going, ScanType.CHECKOUT, leaves)

    def _register(self, person: int, keys: VisitorKeys, now: dt.datetime) -> None:
        if person not in self._registered:
            register_visitor(key_hash=visitor_hash(keys.auth), hash_of_erase_key=hash_erase_key(keys.erase), now=now)
            self._registered.add(person)

    @staticmethod
    def _key_of(seed: int, person: int) -> _Keys:
        return _Keys.of(stream(seed, "secret", person).bytes(SECRET_BYTES))


def _scan(going: _Going, scan_type: ScanType, at: int) -> None:
    """Show the present code at the venue's kiosk."""
    now = moment(at)
    device = device_context(going.outing.place.token, now)
    if device is None:
        raise LookupError("the kiosk of a simulated venue is gone")
    slot, code = going.secrets.code_at(at)
    text = rotating_text(base45.b45decode(going.text.removeprefix(PREFIX)), slot, code)
    request = ScanRequest(scan_id=new_token(_SCAN_ID_BYTES), credential=text, type=scan_type, scanned_at=now)
    record_scan(device=device, request=request, now=now)
