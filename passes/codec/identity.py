"""Values that a visitor's device derives from its secret: keys, pass ids, rotating codes, owners.

This is the reference for the browser and for other clients; `docs/protocol.md` specifies the bytes. The server calls
only the parts that need no secret: `slot_at`, `verify_slot`, `hash_owner`.

Invariants: the anchor is `x_0` of a hash chain, so a later code proves an earlier one and never the reverse; two passes
of one secret share no value. HKDF is RFC 5869 with SHA-256 and no salt, HMAC is HMAC-SHA256.
"""

from __future__ import annotations

import hashlib
import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass, field
from typing import Final

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from passes.codec import chain
from passes.limits import EPOCH_SECONDS, PASSES_PER_EPOCH, SLOT_SECONDS, SLOTS

SECRET_BYTES: Final = 32
CODE_BYTES: Final = chain.CODE_BYTES

_CHAIN: Final = b"crowdtrace/v1/chain"
_LAST_EPOCH_START: Final = 2**32 - 1 - EPOCH_SECONDS  # the end must fit into 4 bytes too


@dataclass(frozen=True, slots=True)
class VisitorKeys:
    """The three keys of a secret, 32 bytes each: one for requests, one for passes, one to delete the visitor row."""

    auth: bytes = field(repr=False)
    passes: bytes = field(repr=False)
    erase: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class PassSecrets:
    """One pass as its holder knows it, before the server signs it.

    `chain[j]` is the code displayed in slot `j`; `chain[0]` is the public anchor and is never displayed as a code.
    `owner` proves ownership to the server; `owner_hash` is what the server stores.
    """

    epoch_start: int
    index: int
    owner: bytes = field(repr=False)
    owner_hash: bytes
    chain: tuple[bytes, ...] = field(repr=False)

    @property
    def anchor(self) -> bytes:
        """Return the pass id, 16 bytes."""
        return self.chain[0]

    def code_at(self, time: float) -> tuple[int, bytes]:
        """Return slot and code for a Unix time. Raise `ValueError` outside the 28 hours of the epoch."""
        slot = slot_at(self.epoch_start, time)
        if not 1 <= slot <= SLOTS:
            raise ValueError("the time is outside the epoch")
        return slot, self.chain[slot]


def derive_keys(secret: bytes) -> VisitorKeys:
    """Derive the keys of a secret of exactly 32 bytes. Raise `ValueError` for another length."""
    if len(secret) != SECRET_BYTES:
        raise ValueError("a secret has 32 bytes")
    return VisitorKeys(
        auth=_hkdf(secret, b"crowdtrace/v1/auth"),
        passes=_hkdf(secret, b"crowdtrace/v1/pass"),
        erase=_hkdf(secret, b"crowdtrace/v1/erase"),
    )


def hash_erase_key(erase_key: bytes) -> bytes:
    """Return the SHA-256 of the erase key, sent at registration: only the holder of the key can delete the row."""
    return hashlib.sha256(erase_key).digest()


def epoch_bytes(epoch_start: int) -> bytes:
    """Return `e` of the protocol: the epoch's start (Unix seconds) as 4 bytes big endian.

    Raise `ValueError` if it does not fit.
    """
    if not 0 <= epoch_start <= _LAST_EPOCH_START:
        raise ValueError("an epoch must start at a Unix time that fits 4 bytes")
    return epoch_start.to_bytes(4, "big")


def derive_seed(pass_key: bytes, epoch_start: int) -> bytes:
    """Derive the seed of all passes of one epoch, 32 bytes; it never leaves the device."""
    return _hkdf(pass_key, b"crowdtrace/v1/epoch" + epoch_bytes(epoch_start))


def derive_pass(seed: bytes, epoch_start: int, index: int) -> PassSecrets:
    """Derive pass number `index` (0..15) of an epoch, with its whole chain of 1,680 hashes."""
    if not 0 <= index < PASSES_PER_EPOCH:
        raise ValueError("a pass must have an index from 0 to 15")
    number = bytes([index])
    last = _hmac(seed, b"chain" + number)[:CODE_BYTES]
    codes = [last, *chain.steps(_chain_head(epoch_start), SLOTS, last)]
    owner = _hmac(seed, b"owner" + number)
    return PassSecrets(
        epoch_start=epoch_start, index=index, owner=owner, owner_hash=hash_owner(owner), chain=tuple(reversed(codes))
    )


def hash_owner(owner: bytes) -> bytes:
    """Return the stored form of an owner: SHA-256, 32 bytes."""
    return hashlib.sha256(owner).digest()


def slot_at(epoch_start: int, time: float) -> int:
    """Return the slot of a Unix time, 1 in the epoch's first minute. Outside the epoch it is below 1 or above 1680."""
    return 1 + int((time - epoch_start) // SLOT_SECONDS)


def verify_slot(anchor: bytes, epoch_start: int, slot: int, code: bytes) -> bool:
    """Return whether `code` is the pass's code of `slot`: hashed `slot` times, it must give the anchor.

    The anchor itself (slot 0) never counts as a code.
    """
    if not 1 <= slot <= SLOTS or len(code) != CODE_BYTES:
        return False
    return hmac.compare_digest(chain.walk(_chain_head(epoch_start), slot, code), anchor)


def encode_base64url(data: bytes) -> str:
    """Encode bytes as base64url without padding (RFC 4648, section 5), the format of every binary value of the API."""
    return urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def decode_base64url(text: str) -> bytes:
    """Decode base64url strictly, as the inverse of `encode_base64url`.

    Raise `ValueError` for padding, foreign characters or unused bits that are not zero.
    """
    try:
        raw = text.encode("ascii")
        data = urlsafe_b64decode(raw + b"=" * (-len(raw) % 4))
    except ValueError as error:  # includes binascii.Error and UnicodeEncodeError
        raise ValueError("not base64url") from error
    if encode_base64url(data) != text:  # the decoder skips foreign characters, so compare the round trip
        raise ValueError("not base64url")
    return data


def _chain_head(epoch_start: int) -> bytes:
    return _CHAIN + epoch_bytes(epoch_start)


def _hkdf(key: bytes, info: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=info).derive(key)


def _hmac(key: bytes, message: bytes) -> bytes:
    return hmac.digest(key, message, "sha256")
