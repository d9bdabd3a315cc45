"""COSE_Sign1 (RFC 9052, section 4.2) with EdDSA over Ed25519: the one envelope of passes and bundles.

Tag 18, protected header `{1: -8, 4: kid}`, empty unprotected header, deterministic CBOR throughout.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Final, TypeGuard

import cbor2
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from passes.codec.causes import Cause
from passes.codec.strict import NotDeterministic, Tagged, decode

TAG_SIGN1: Final = 18
EDDSA: Final = -8  # RFC 9053, section 2.2
_ALG: Final = 1
_KID: Final = 4
KID_BYTES: Final = 4
_SIGNATURE_BYTES: Final = 64


@dataclass(frozen=True, slots=True)
class Sign1:
    """A COSE_Sign1 with well-formed bytes, whose signature has not been verified yet.

    `claims` is the decoded payload, a map with integer keys.
    """

    protected: bytes
    payload: bytes
    signature: bytes
    kid: bytes
    claims: dict[int, object]

    def is_signed_by(self, key: Ed25519PublicKey, *, external_aad: bytes) -> bool:
        """Return whether the signature verifies for this key and context."""
        if len(self.signature) != _SIGNATURE_BYTES:
            return False
        try:
            key.verify(self.signature, _to_be_signed(self.protected, self.payload, external_aad))
        except InvalidSignature:
            return False
        return True


def key_id(public_key: bytes) -> bytes:
    """Return the `kid` of a raw Ed25519 public key: the first 4 bytes of its SHA-256. Several keys may share one."""
    return hashlib.sha256(public_key).digest()[:KID_BYTES]


def sign1(key: Ed25519PrivateKey, *, claims: dict[int, object], external_aad: bytes) -> bytes:
    """Sign a map with small integer keys; `external_aad` is the context, which is not part of the bytes."""
    protected = encode({_ALG: EDDSA, _KID: key_id(key.public_key().public_bytes_raw())})
    payload = encode(claims)
    signature = key.sign(_to_be_signed(protected, payload, external_aad))
    return encode(cbor2.CBORTag(TAG_SIGN1, [protected, {}, payload, signature]))


def encode(value: object) -> bytes:
    """Encode deterministic CBOR. Map keys are integers 0..23, for which all common orders of keys agree."""
    return cbor2.dumps(value, canonical=True)


def read_sign1(data: bytes) -> Sign1 | Cause:  # noqa: PLR0911
    """Check bytes, headers and algorithm, in that order; the caller then verifies the signature."""
    try:
        message = decode(data)
        if not (isinstance(message, Tagged) and message.tag == TAG_SIGN1 and _is_sign1(message.value)):
            return Cause.CBOR
        protected, unprotected, payload, signature = message.value
        header, claims = decode(protected), decode(payload)
    except NotDeterministic:
        return Cause.CBOR
    if not isinstance(header, dict) or not isinstance(claims, dict):
        return Cause.CBOR
    if unprotected:
        return Cause.UNPROTECTED
    if header.get(_ALG) != EDDSA:
        return Cause.ALGORITHM
    kid = header.get(_KID)
    if len(header) != 2 or not isinstance(kid, bytes):
        return Cause.KEY_UNKNOWN
    return Sign1(protected=protected, payload=payload, signature=signature, kid=kid, claims=claims)


def _is_sign1(value: object) -> TypeGuard[tuple[bytes, dict[int, object], bytes, bytes]]:
    return isinstance(value, list) and [type(part) for part in value] == [bytes, dict, bytes, bytes]


def _to_be_signed(protected: bytes, payload: bytes, external_aad: bytes) -> bytes:
    return cbor2.dumps(["Signature1", protected, external_aad, payload])
