"""Small factories of passes for tests: one issuer, one venue, one epoch, all fixed."""

from __future__ import annotations

import hashlib
from typing import Final

import cbor2
from base45 import b45encode
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from passes.codec import IssuerKey, Keyring, rotating_text, sign_pass, static_text
from passes.codec.identity import PassSecrets, derive_keys, derive_pass, derive_seed

VENUE: Final = "v_7h3kq2"
START: Final = 1763856000  # 2025-11-23 00:00 UTC
NOON: Final = START + 12 * 3600
ISSUER: Final = Ed25519PrivateKey.from_private_bytes(hashlib.sha256(b"issuer of tests").digest())
PUBLIC: Final = ISSUER.public_key().public_bytes_raw()
KEYS: Final = Keyring.of([IssuerKey(PUBLIC, frozenset({START}))])
SEED: Final = derive_seed(derive_keys(bytes(32)).passes, START)
HOLDER: Final[PassSecrets] = derive_pass(SEED, START, 0)
PASS: Final = sign_pass(ISSUER, venue=VENUE, epoch_start=START, anchor=HOLDER.anchor)


def shown_at(time: float, *, holder: PassSecrets = HOLDER, pass_bytes: bytes = PASS) -> str:
    """Return what the holder's screen shows at a time."""
    return rotating_text(pass_bytes, *holder.code_at(time))


def on_paper() -> str:
    """Return the static text of the pass."""
    return static_text(PASS)


def text_of(data: bytes) -> str:
    """Return `GO1:` and Base45 of any bytes."""
    return "GO1:" + str(b45encode(data), "ascii")


def signed(
    *,
    protected: bytes | None = None,
    unprotected: object = None,
    payload: bytes | None = None,
    signature: bytes | None = None,
    tag: int = 18,
    signer: Ed25519PrivateKey = ISSUER,
    venue: str = VENUE,
) -> bytes:
    """Return a COSE_Sign1 with any part replaced and, unless it is given, a valid signature over the rest."""
    kid = hashlib.sha256(signer.public_key().public_bytes_raw()).digest()[:4]
    protected = cbor2.dumps({1: -8, 4: kid}) if protected is None else protected
    payload = cbor2.dumps({4: START + 100800, 6: START, 7: HOLDER.anchor}) if payload is None else payload
    if signature is None:
        signature = signer.sign(cbor2.dumps(["Signature1", protected, venue.encode(), payload]))
    unprotected = {} if unprotected is None else unprotected
    return cbor2.dumps(cbor2.CBORTag(tag, [protected, unprotected, payload, signature]))
