"""Tickets: drawn by a holder under a blind signature, and spent at one check-in (docs/protocol.md, section 12).

A ticket is derived entirely from the secret and the key that signs it. The same secret and key give the same ticket on
another phone; with another key nothing is shared, so that a server which changes keys learns nothing about the blinds.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import gcd
from typing import Final

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF, HKDFExpand

from passes.codec.blind import NUMBER_BYTES, SALT_BYTES, blind_message, unblind_signature, verify_signature
from passes.codec.identity import SECRET_BYTES, decode_base64url, encode_base64url, epoch_bytes
from passes.codec.ticket_keys import TicketClass, TicketKey

NONCE_BYTES: Final = 32
TICKET_BYTES: Final = NONCE_BYTES + NUMBER_BYTES
_BLIND_BYTES: Final = NUMBER_BYTES + 16  # 128 bits more than n, so that the remainder is practically uniform


@dataclass(frozen=True, slots=True)
class Ticket:
    """A ticket as presented at check-in: the header `Authorization: Ticket <text>`."""

    nonce: bytes = field(repr=False)
    signature: bytes = field(repr=False)

    @property
    def text(self) -> str:
        """Return base64url of nonce and signature."""
        return encode_base64url(self.nonce + self.signature)

    def holds(self, *, epoch_start: int, key: TicketKey) -> bool:
        """Return whether this key signed it for this epoch."""
        return verify_signature(self.signature, message=ticket_message(epoch_start, self.nonce), key=key.public)


def read_ticket(text: str) -> Ticket:
    """Parse a ticket. Raise `ValueError` for anything but 288 bytes of base64url."""
    data = decode_base64url(text)
    if len(data) != TICKET_BYTES:
        raise ValueError("a ticket has 288 bytes")
    return Ticket(data[:NONCE_BYTES], data[NONCE_BYTES:])


def ticket_message(epoch_start: int, nonce: bytes) -> bytes:
    """Return the message that is signed."""
    return b"crowdtrace/v1/ticket" + epoch_bytes(epoch_start) + nonce


@dataclass(frozen=True, slots=True)
class DrawnTicket:
    """A ticket as its holder derives it, before the server has signed it. `blind` is r."""

    index: int
    key: TicketKey
    message: bytes = field(repr=False)
    nonce: bytes = field(repr=False)
    salt: bytes = field(repr=False)
    blind: int = field(repr=False)

    @property
    def blinded(self) -> bytes:
        """Return z, the value sent to the server."""
        return blind_message(self.message, salt=self.salt, blind=self.blind, n=self.key.n)

    def finish(self, answer: bytes) -> Ticket:
        """Return the ticket from the server's response. Raise `ValueError` if the signature does not verify."""
        signature = unblind_signature(answer, message=self.message, blind=self.blind, key=self.key.public)
        return Ticket(self.nonce, signature)


def derive_ticket_key(secret: bytes) -> bytes:
    """Derive `K_ticket` of a secret of exactly 32 bytes."""
    if len(secret) != SECRET_BYTES:
        raise ValueError("a secret has 32 bytes")
    return _hkdf(secret, b"crowdtrace/v1/ticket")


def derive_ticket_seed(ticket_key: bytes, epoch_start: int, spki: bytes) -> bytes:
    """Derive the seed of the tickets of one epoch under one key; it never leaves the device."""
    return _hkdf(ticket_key, b"crowdtrace/v1/epoch" + epoch_bytes(epoch_start) + hashlib.sha256(spki).digest())


def derive_ticket(ticket_key: bytes, *, epoch_start: int, index: int, key: TicketKey) -> DrawnTicket:
    """Derive ticket number `index` of an epoch. Raise `ValueError` if the key is of the other class."""
    if index not in key.ticket_class.indices:
        raise ValueError("a ticket must be signed by the key of its class")
    seed, number = derive_ticket_seed(ticket_key, epoch_start, key.spki), bytes([index])
    nonce = hmac.digest(seed, b"nonce" + number, "sha256")
    return DrawnTicket(
        index=index,
        key=key,
        message=ticket_message(epoch_start, nonce),
        nonce=nonce,
        salt=_expand(seed, b"salt" + number, SALT_BYTES),
        blind=_derive_blind(seed, number, key.n),
    )


def derive_set(
    ticket_key: bytes, *, epoch_start: int, keys: Mapping[TicketClass, TicketKey]
) -> dict[TicketClass, list[DrawnTicket]]:
    """Derive all tickets of an epoch, by class, in the order in which they are drawn."""
    return {
        each: [
            derive_ticket(ticket_key, epoch_start=epoch_start, index=index, key=keys[each]) for index in each.indices
        ]
        for each in TicketClass
    }


def _derive_blind(seed: bytes, number: bytes, n: int) -> int:
    for counter in range(256):
        blind = int.from_bytes(_expand(seed, b"blind" + number + bytes([counter]), _BLIND_BYTES), "big") % n
        if blind > 1 and gcd(blind, n) == 1:
            return blind
    raise ValueError("no blind fits this modulus")  # only if it was constructed with small factors


def _hkdf(key: bytes, info: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=info).derive(key)


def _expand(key: bytes, info: bytes, length: int) -> bytes:
    return HKDFExpand(algorithm=SHA256(), length=length, info=info).derive(key)
