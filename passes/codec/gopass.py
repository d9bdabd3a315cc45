"""The GO pass: signing, its two texts, and the strict parser. `docs/protocol.md` specifies the bytes.

A pass has 112 bytes. Its text is `GO1:` and Base45 (RFC 9285) of the pass (static: paper, wallet, NFC) or of the pass,
the slot in 2 bytes and the 16-byte code of that slot (rotating: a screen). The parser accepts any string and returns a
pass or the first cause that it finds; it never raises.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Final

from base45 import b45decode, b45encode
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from passes.codec.causes import Cause
from passes.codec.cose import Sign1, read_sign1, sign1
from passes.codec.identity import CODE_BYTES, epoch_bytes, slot_at, verify_slot
from passes.codec.keys import Keyring
from passes.limits import EPOCH_SECONDS, SLOTS

PREFIX: Final = "GO1:"
PASS_BYTES: Final = 112
_SLOT_BYTES: Final = 2
_TAIL_BYTES: Final = _SLOT_BYTES + CODE_BYTES
_BYTE_LENGTHS: Final = frozenset({PASS_BYTES, PASS_BYTES + _TAIL_BYTES})
# Base45 writes 3 characters for 2 bytes and both lengths are even: a text has 172 or 199 characters.
_LONGEST_TEXT: Final = len(PREFIX) + max(_BYTE_LENGTHS) * 3 // 2
_END: Final = 4  # claim numbers of RFC 8392: exp, nbf, cti
_START: Final = 6
_ANCHOR: Final = 7
_EARLIEST_START: Final = 1 << 16  # an earlier time takes fewer bytes, and a pass would not have 112
# The layout used by `sign_pass`: head of envelope and header, kid, head of the claims, end, start, anchor, signature.
_LAYOUT: Final = struct.Struct(">8s4s6sI2sI2s16s2s64s")
_HEADS: Final = tuple(bytes.fromhex(head) for head in ("d28449a201270444", "a0581fa3041a", "061a", "0750", "5840"))
_PROTECTED: Final = slice(3, 12)
_PAYLOAD: Final = slice(15, 46)
SLOT_TOLERANCE: Final = 1  # slots by which the clocks of phone and door may differ


@dataclass(frozen=True, slots=True)
class UncheckedPass:
    """A pass with well-formed bytes; signature, time and code are not checked. Never admit anybody on it."""

    pass_bytes: bytes
    envelope: Sign1
    anchor: bytes
    epoch_start: int
    epoch_end: int
    slot: int | None
    code: bytes | None


@dataclass(frozen=True, slots=True)
class GoPass:
    """A pass that is valid for one venue at one time. `slot` is `None` for a static one."""

    anchor: bytes
    epoch_start: int
    slot: int | None

    @property
    def epoch_end(self) -> int:
        """Return the end of the epoch, 28 hours after the start."""
        return self.epoch_start + EPOCH_SECONDS


def sign_pass(key: Ed25519PrivateKey, *, venue: str, epoch_start: int, anchor: bytes) -> bytes:
    """Return the 112 bytes of a pass for one venue (public id) and one epoch (start in Unix seconds)."""
    if len(anchor) != CODE_BYTES:
        raise ValueError("an anchor has 16 bytes")
    if epoch_start < _EARLIEST_START:
        raise ValueError("an epoch must start after the first day of 1970")
    epoch_bytes(epoch_start)  # raises for a start that does not fit
    claims: dict[int, object] = {_END: epoch_start + EPOCH_SECONDS, _START: epoch_start, _ANCHOR: anchor}
    return sign1(key, claims=claims, external_aad=venue.encode())


def static_text(pass_bytes: bytes) -> str:
    """Return the text of a pass for paper, wallet and NFC readers."""
    return PREFIX + str(b45encode(pass_bytes), "ascii")


def rotating_text(pass_bytes: bytes, slot: int, code: bytes) -> str:
    """Return the text of a pass for a screen, valid for one slot of a minute."""
    return PREFIX + str(b45encode(pass_bytes + slot.to_bytes(_SLOT_BYTES, "big") + code), "ascii")


def parse_pass(text: str, *, venue: str, keys: Keyring, at: float) -> GoPass | Cause:
    """Return the pass in `text` for this venue at Unix time `at`, or the first cause to refuse it.

    Order: prefix, text length, Base45, byte length, CBOR, unprotected header, algorithm, kid, signature, validity,
    chain slot. Revocation and replay need a database and follow in `passes.admission`.
    """
    unchecked = read_pass(text)
    if isinstance(unchecked, Cause):
        return unchecked
    return check_pass(unchecked, venue=venue, keys=keys, at=at)


def check_pass(unchecked: UncheckedPass, *, venue: str, keys: Keyring, at: float) -> GoPass | Cause:
    """Perform the steps of `parse_pass` after `read_pass`."""
    cause = check_signature(unchecked, venue=venue, keys=keys) or check_time(unchecked, at=at)
    if cause is not None:
        return cause
    return GoPass(anchor=unchecked.anchor, epoch_start=unchecked.epoch_start, slot=unchecked.slot)


def read_pass(text: str) -> UncheckedPass | Cause:
    """Perform the steps that need neither keys nor a clock."""
    data = _decode_text(text)
    if isinstance(data, Cause):
        return data
    pass_bytes, tail = data[:PASS_BYTES], data[PASS_BYTES:]
    envelope = _read_as_laid_out(pass_bytes) or read_sign1(pass_bytes)
    if isinstance(envelope, Cause):
        return envelope
    start, end, anchor = (envelope.claims.get(claim) for claim in (_START, _END, _ANCHOR))
    if len(envelope.claims) != 3 or type(start) is not int or type(end) is not int or not isinstance(anchor, bytes):
        return Cause.CBOR
    return UncheckedPass(
        pass_bytes=pass_bytes,
        envelope=envelope,
        anchor=anchor,
        epoch_start=start,
        epoch_end=end,
        slot=int.from_bytes(tail[:_SLOT_BYTES], "big") if tail else None,
        code=tail[_SLOT_BYTES:] if tail else None,
    )


def check_signature(unchecked: UncheckedPass, *, venue: str, keys: Keyring) -> Cause | None:
    """Return a cause unless a trusted key signed the pass for this venue, and for an epoch that it may sign."""
    envelope = unchecked.envelope
    candidates = keys.with_kid(envelope.kid)
    if not candidates:
        return Cause.KEY_UNKNOWN
    aad = venue.encode()
    signers = [key for key in candidates if envelope.is_signed_by(key.verifier, external_aad=aad)]
    if not signers:
        return Cause.SIGNATURE
    whole = unchecked.epoch_end == unchecked.epoch_start + EPOCH_SECONDS and len(unchecked.anchor) == CODE_BYTES
    if not whole or not any(unchecked.epoch_start in key.epochs for key in signers):
        return Cause.KEY_EPOCH
    return None


def check_time(unchecked: UncheckedPass, *, at: float) -> Cause | None:
    """Return a cause unless the epoch is live at `at`, and the code, if any, is of a slot within one of `at`."""
    if at < unchecked.epoch_start:
        return Cause.NOT_YET_VALID
    if at >= unchecked.epoch_end:
        return Cause.EXPIRED
    if unchecked.slot is None or unchecked.code is None:
        return None
    now_slot = slot_at(unchecked.epoch_start, at)
    if not 1 <= unchecked.slot <= SLOTS or abs(unchecked.slot - now_slot) > SLOT_TOLERANCE:
        return Cause.SLOT
    if not verify_slot(unchecked.anchor, unchecked.epoch_start, unchecked.slot, unchecked.code):
        return Cause.CHAIN
    return None


def _read_as_laid_out(data: bytes) -> Sign1 | None:
    """Return the result of `read_sign1` for the layout of every valid pass, in a fifth of its time, or `None`."""
    envelope, kid, claims, end, second, start, third, anchor, last, signature = _LAYOUT.unpack(data)
    if (envelope, claims, second, third, last) != _HEADS or min(end, start) < _EARLIEST_START:
        return None
    return Sign1(
        protected=data[_PROTECTED],
        payload=data[_PAYLOAD],
        signature=signature,
        kid=kid,
        claims={_END: end, _START: start, _ANCHOR: anchor},
    )


def _decode_text(text: str) -> bytes | Cause:
    if not text.startswith(PREFIX):
        return Cause.PREFIX
    if len(text) > _LONGEST_TEXT:  # before decoding, so that a huge text takes no time
        return Cause.TEXT_LENGTH
    try:
        data = bytes(b45decode(text[len(PREFIX) :].encode("ascii")))  # as bytes: for text it accepts a line break
    except ValueError:  # includes UnicodeEncodeError
        return Cause.BASE45
    return data if len(data) in _BYTE_LENGTHS else Cause.BYTE_LENGTH
