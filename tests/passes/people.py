"""Phones and doors of tests: they send requests to the real URLs with Django's test client, at a given time."""

import datetime as dt
import hashlib
import itertools
from dataclasses import dataclass, field
from typing import Any, Final

from passes.clock import calendar
from passes.codec import UncheckedPass, rotating_text, static_text
from passes.codec.epochs import Epoch
from passes.codec.gopass import read_pass
from passes.codec.identity import (
    PassSecrets,
    VisitorKeys,
    derive_keys,
    derive_pass,
    derive_seed,
    encode_base64url,
    hash_erase_key,
)
from tests.factories import NOW, EnrolledDevice
from tests.passes.requests import send, send_bytes
from tests.passes.wallet import HeldTicket, Shown, Wallet
from venues.models import Venue

__all__ = ["HEALTHY", "HeldPass", "Phone", "result", "scan", "send", "send_bytes"]

HEALTHY: Final = {"symptoms": False, "diagnosed": False, "contact": False, "near": False}
_numbers = itertools.count(1)


@dataclass
class Phone:
    """A visitor's phone. `number` selects its secret."""

    number: int = field(default_factory=lambda: next(_numbers))
    drawn: int = 0
    wallet: Wallet = field(init=False)

    def __post_init__(self) -> None:
        self.wallet = Wallet(self.secret, self.header)

    @property
    def secret(self) -> bytes:
        """Return the secret, determined by the number."""
        return hashlib.sha256(b"secret of a test phone %d" % self.number).digest()

    @property
    def keys(self) -> VisitorKeys:
        """Return its keys."""
        return derive_keys(self.secret)

    @property
    def header(self) -> dict[str, str]:
        """Return the header that authenticates it."""
        return {"Authorization": f"Visitor {encode_base64url(self.keys.auth)}"}

    def register(self, now: dt.datetime = NOW) -> Any:
        """Register its key."""
        body = {"erase_hash": encode_base64url(hash_erase_key(self.keys.erase))}
        return send("POST", "/api/v1/visitors", body, now=now, headers=self.header)

    def next_pass(self, epoch: Epoch) -> PassSecrets:
        """Return the next pass of its pass book."""
        made = derive_pass(derive_seed(self.keys.passes, epoch.start), epoch.start, self.drawn)
        self.drawn += 1
        return made

    def ask(
        self,
        venue: Venue | str,
        holder: PassSecrets,
        /,
        *,
        now: dt.datetime = NOW,
        day: Epoch | None = None,
        ticket: HeldTicket | Shown | None = None,
        **changes: Any,
    ) -> Any:
        """Spend the ticket with the pass's number, by default of today; return the response.

        Register and draw if needed. `ticket`: spend this one. `changes` replaces fields of the body.
        """
        asked = day or calendar().current(now.timestamp())
        paid = ticket or self.ticket(holder.index, asked, now=now)
        body = {
            "venue": venue if isinstance(venue, str) else venue.public_id,
            "epoch": asked.date.isoformat(),
            "anchor": encode_base64url(holder.anchor),
            "owner_hash": encode_base64url(holder.owner_hash),
            "answers": HEALTHY,
            "survey_seconds": 20,
        } | changes
        return send("POST", "/api/v1/passes", body, now=now, headers=paid.header)

    def ticket(self, index: int, epoch: Epoch, *, now: dt.datetime = NOW) -> HeldTicket:
        """Return one of its tickets of an epoch; draw the set the first time."""
        if epoch.date not in self.wallet.sets:
            self.register(now)
            self.wallet.draw([epoch], now=now)
        return self.wallet.sets[epoch.date][index]

    def check_in(self, venue: Venue, *, now: dt.datetime = NOW, day: Epoch | None = None, **changes: Any) -> "HeldPass":
        """Check in with the next pass and ticket, and store the pass."""
        holder = self.next_pass(day or calendar().current(now.timestamp()))
        answer = self.ask(venue, holder, now=now, day=day, **changes)
        assert answer.status_code == 201, answer.content
        return HeldPass(holder, answer.json()["credential"])


@dataclass
class HeldPass:
    """A pass on a phone, or a refusal, whose credential is `None`."""

    secrets: PassSecrets
    credential: str | None

    @property
    def owner(self) -> str:
        """Return the proof of ownership."""
        return encode_base64url(self.secrets.owner)

    @property
    def pass_bytes(self) -> bytes:
        """Return its 112 bytes."""
        read = read_pass(self.credential or "")
        assert isinstance(read, UncheckedPass)
        return read.pass_bytes

    def on_screen(self, now: dt.datetime) -> str:
        """Return what the screen shows."""
        return rotating_text(self.pass_bytes, *self.secrets.code_at(now.timestamp()))

    def on_paper(self) -> str:
        """Return what was printed."""
        return static_text(self.pass_bytes)


_scan_ids = itertools.count(1)


def scan(
    device: EnrolledDevice,
    credential: str,
    *,
    now: dt.datetime,
    at: dt.datetime | None = None,
    type: str = "Checkin",  # noqa: A002
    scan_id: str = "",
    **more: Any,
) -> Any:
    """Send one scan; return the response."""
    body = {
        "scan_id": scan_id or f"scan-of-a-test-{next(_scan_ids):06}",
        "credential": credential,
        "type": type,
        "scanned_at": (at or now).isoformat(),
    } | more
    return send("POST", "/api/v1/scans", body, now=now, headers=device.header)


def result(answer: Any) -> str:
    """Return the one bit of a scan."""
    assert answer.status_code == 200, answer.content
    return str(answer.json()["result"])
