"""The reference for an app's use of tickets: keys that it accepts once, sets that it draws, tickets that it spends."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from passes.codec.epochs import Epoch
from passes.codec.identity import decode_base64url, encode_base64url
from passes.codec.ticket_keys import TicketClass, TicketKey, read_key_list
from passes.codec.tickets import DrawnTicket, Ticket, derive_set, derive_ticket_key
from tests.passes.requests import send


@dataclass(frozen=True)
class HeldTicket:
    """A ticket with the class of its key."""

    ticket: Ticket
    ticket_class: TicketClass

    @property
    def header(self) -> dict[str, str]:
        """Return the header that pays for a check-in."""
        return {"Authorization": f"Ticket {self.ticket.text}"}


@dataclass(frozen=True)
class Shown:
    """Any header instead of a ticket's."""

    header: dict[str, str]


Derived = dict[TicketClass, list[DrawnTicket]]


@dataclass
class Wallet:
    """The tickets of one secret. `keys`: the first it saw of each day; `sets`: 16 tickets per day, by number."""

    secret: bytes
    visitor: dict[str, str]
    keys: dict[dt.date, dict[TicketClass, TicketKey]] = field(default_factory=dict)
    sets: dict[dt.date, list[HeldTicket]] = field(default_factory=dict)

    def fetch_keys(self, *, now: dt.datetime) -> None:
        """Store the keys of days without any. Raise `ValueError` for a second key of a known day."""
        listed = read_key_list(send("GET", "/.well-known/ticket-keys.json", now=now).json()["keys"])
        for date, pair in listed.items():
            if self.keys.setdefault(date, pair) != pair:
                raise ValueError("another key for a day that is known")

    def derive(self, epoch: Epoch) -> Derived:
        """Return the set of an epoch, before it is drawn."""
        return derive_set(derive_ticket_key(self.secret), epoch_start=epoch.start, keys=self.keys[epoch.date])

    def ask(self, draws: list[dict[str, Any]], *, now: dt.datetime, pad: str = "") -> Any:
        """Send a draw; return the response."""
        return send("POST", "/api/v1/tickets", {"draws": draws, "pad": pad}, now=now, headers=self.visitor)

    def draw(self, epochs: Iterable[Epoch], *, now: dt.datetime) -> None:
        """Draw and keep the sets of these epochs."""
        wanted = list(epochs)
        if any(epoch.date not in self.keys for epoch in wanted):
            self.fetch_keys(now=now)
        derived = [self.derive(epoch) for epoch in wanted]
        answer = self.ask([body_of(*pair) for pair in zip(wanted, derived, strict=True)], now=now)
        assert answer.status_code in (200, 201), answer.content
        for epoch, own, signed in zip(wanted, derived, answer.json()["draws"], strict=True):
            self.sets[epoch.date] = finish(own, signed)


def body_of(epoch: Epoch, derived: Derived) -> dict[str, Any]:
    """Return one set in the form of a draw request."""
    values = {each.value: [encode_base64url(one.blinded) for one in tickets] for each, tickets in derived.items()}
    return {"epoch": epoch.date.isoformat()} | values


def finish(derived: Derived, signed: dict[str, Any]) -> list[HeldTicket]:
    """Return the tickets from the response to one set."""
    return [
        HeldTicket(ticket.finish(decode_base64url(value)), each)
        for each, tickets in derived.items()
        for ticket, value in zip(tickets, signed[each.value], strict=True)
    ]
