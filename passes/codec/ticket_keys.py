"""Public keys of tickets, two for each epoch, as published and as a holder accepts them.

A key of one visitor only would mark that visitor's tickets, so the rules for a list are narrow.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey, RSAPublicNumbers
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from passes.codec.blind import EXPONENT, KEY_BITS, NUMBER_BYTES
from passes.codec.identity import decode_base64url, encode_base64url
from passes.limits import COUNTED_PASSES, PASSES_PER_EPOCH

KID_BYTES: Final = 8


class TicketClass(StrEnum):
    """What a key states about a ticket that it signed."""

    COUNTED = "counted"
    OTHER = "other"

    @property
    def indices(self) -> range:
        """Return the numbers of a secret's tickets that this class signs."""
        return range(COUNTED_PASSES) if self is TicketClass.COUNTED else range(COUNTED_PASSES, PASSES_PER_EPOCH)


def class_of(index: int) -> TicketClass:
    """Return the class of ticket number `index`, 0 to 15."""
    return TicketClass.COUNTED if index < COUNTED_PASSES else TicketClass.OTHER


@dataclass(frozen=True, slots=True)
class TicketKey:
    """One public key of a class, for one epoch (its date)."""

    epoch: dt.date
    ticket_class: TicketClass
    public: RSAPublicKey = field(repr=False, compare=False)
    spki: bytes = field(repr=False)

    @classmethod
    def of(cls, epoch: dt.date, ticket_class: TicketClass, public: RSAPublicKey) -> TicketKey:
        """Return the key with its SubjectPublicKeyInfo (RFC 5280) in DER."""
        return cls(epoch, ticket_class, public, public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))

    @property
    def n(self) -> int:
        """Return the modulus."""
        return self.public.public_numbers().n

    @property
    def kid(self) -> bytes:
        """Return the eight bytes that identify it."""
        return hashlib.sha256(self.spki).digest()[:KID_BYTES]

    def jwk(self) -> dict[str, Any]:
        """Return the key in its published form (RFC 7517, RFC 7518)."""
        return {
            "kty": "RSA",
            "n": encode_base64url(self.n.to_bytes(NUMBER_BYTES, "big")),
            "e": encode_base64url(EXPONENT.to_bytes(3, "big")),
            "kid": encode_base64url(self.kid),
            "epoch": self.epoch.isoformat(),
            "class": self.ticket_class.value,
            "alg": "PS384",
            "key_ops": ["verify"],
        }


def read_jwk(jwk: Mapping[str, Any]) -> TicketKey:
    """Return a published key that a holder may use. Raise `ValueError` for any other."""
    try:
        n, e = (int.from_bytes(decode_base64url(jwk[name]), "big") for name in ("n", "e"))
        epoch, ticket_class = dt.date.fromisoformat(jwk["epoch"]), TicketClass(jwk["class"])
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError("not a ticket key") from error
    if n.bit_length() != KEY_BITS or n % 2 == 0 or e != EXPONENT:
        raise ValueError("a ticket key must have an odd modulus of 2,048 bits and the exponent 65537")
    key = TicketKey.of(epoch, ticket_class, RSAPublicNumbers(e, n).public_key())
    if dict(jwk) != key.jwk():
        raise ValueError("a ticket key must be published with exactly these members and values")
    return key


def read_key_list(jwks: Iterable[Mapping[str, Any]]) -> dict[dt.date, dict[TicketClass, TicketKey]]:
    """Return the keys of a list by epoch.

    Raise `ValueError` unless each of its epochs has exactly one key of each class.
    """
    found: dict[dt.date, dict[TicketClass, TicketKey]] = {}
    for key in map(read_jwk, jwks):
        if found.setdefault(key.epoch, {}).setdefault(key.ticket_class, key) is not key:
            raise ValueError("the list has two keys of one class and epoch")
    if any(len(keys) != len(TicketClass) for keys in found.values()):
        raise ValueError("the list has an epoch without a key of each class")
    return found
