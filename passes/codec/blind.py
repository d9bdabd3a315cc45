"""Blind RSA signatures: RSABSSA-SHA384-PSS-Deterministic of RFC 9474, with keys of 2,048 bits and e = 65537.

The holder hides a message in a number, the server signs the number without learning the message, and the holder turns
the result into an ordinary RSA-PSS signature. The caller provides salt and blind, so that they can be derived from a
secret. A number on the wire has 256 bytes, big endian. `read_blinded` refuses every value that is invalid by itself.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass, field
from typing import Final

import gmpy2
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, PSS
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA384

KEY_BITS: Final = 2048
NUMBER_BYTES: Final = KEY_BITS // 8
EXPONENT: Final = 65537
SALT_BYTES: Final = 48
_HASH_BYTES: Final = 48
_MASKED_BYTES: Final = NUMBER_BYTES - _HASH_BYTES - 1
_PSS: Final = PSS(MGF1(SHA384()), SALT_BYTES)


class SigningFault(RuntimeError):
    """A signature does not verify under its own key. It was not returned, because it could reveal the key."""


def new_key() -> RSAPrivateKey:
    """Generate a key. Takes about a tenth of a second."""
    return generate_private_key(EXPONENT, KEY_BITS)


def encode_pss(message: bytes, salt: bytes) -> int:
    """Encode a message with EMSA-PSS, SHA-384, MGF1 and a salt (RFC 8017, section 9.1.1), as a 2,047-bit number."""
    if len(salt) != SALT_BYTES:
        raise ValueError("a salt has 48 bytes")
    hashed = hashlib.sha384(bytes(8) + hashlib.sha384(message).digest() + salt).digest()
    block = bytes(_MASKED_BYTES - SALT_BYTES - 1) + b"\x01" + salt
    masked = int.from_bytes(block, "big") ^ int.from_bytes(_mgf1(hashed, _MASKED_BYTES), "big")
    masked &= (1 << (8 * _MASKED_BYTES - 1)) - 1
    return int.from_bytes(masked.to_bytes(_MASKED_BYTES, "big") + hashed + b"\xbc", "big")


def _mgf1(seed: bytes, length: int) -> bytes:
    blocks = (hashlib.sha384(seed + at.to_bytes(4, "big")).digest() for at in range(-(-length // _HASH_BYTES)))
    return b"".join(blocks)[:length]


# The holder's side ---------------------------------------------------------------------------------------------------
def blind_message(message: bytes, *, salt: bytes, blind: int, n: int) -> bytes:
    """Return the value for the server to sign: the encoded message times `blind ** e`."""
    return int(encode_pss(message, salt) * gmpy2.powmod(blind, EXPONENT, n) % n).to_bytes(NUMBER_BYTES, "big")


def unblind_signature(answer: bytes, *, message: bytes, blind: int, key: RSAPublicKey) -> bytes:
    """Return the signature in the server's response. Raise `ValueError` if it does not verify for the message."""
    n = key.public_numbers().n
    if len(answer) != NUMBER_BYTES:
        raise ValueError("a blind signature must have 256 bytes")
    signature = int(int.from_bytes(answer, "big") * gmpy2.invert(blind, n) % n).to_bytes(NUMBER_BYTES, "big")
    if not verify_signature(signature, message=message, key=key):
        raise ValueError("the signature does not verify")
    return signature


def verify_signature(signature: bytes, *, message: bytes, key: RSAPublicKey) -> bool:
    """Return whether it is a signature of the message, by ordinary RSA-PSS."""
    try:
        key.verify(signature, message, _PSS, SHA384())
    except InvalidSignature:
        return False
    return True


# The signer's side ---------------------------------------------------------------------------------------------------
def read_blinded(value: bytes, n: int) -> int:
    """Return the number to sign. Raise `ValueError` if it does not have 256 bytes, or not 1 < z < n - 1.

    0, 1 and n - 1 are their own signatures; numbers from n on have no unique form.
    """
    if len(value) != NUMBER_BYTES:
        raise ValueError("a blinded value must have 256 bytes")
    number = int.from_bytes(value, "big")
    if not 1 < number < n - 1:
        raise ValueError("a blinded value must lie between 1 and n - 1")
    return number


@dataclass(frozen=True, slots=True)
class BlindSigner:
    """The private half of a key, prepared for signing with the Chinese remainder theorem."""

    n: gmpy2.mpz
    _p: gmpy2.mpz = field(repr=False)
    _q: gmpy2.mpz = field(repr=False)
    _dp: gmpy2.mpz = field(repr=False)
    _dq: gmpy2.mpz = field(repr=False)
    _q_inverse: gmpy2.mpz = field(repr=False)

    @classmethod
    def of(cls, key: RSAPrivateKey) -> BlindSigner:
        """Return the signer of a key."""
        own = key.private_numbers()
        parts = (own.public_numbers.n, own.p, own.q, own.dmp1, own.dmq1, own.iqmp)
        return cls(*map(gmpy2.mpz, parts))

    def sign(self, value: bytes) -> bytes:
        """Return `z ** d mod n` of a blinded value.

        Raise `ValueError` like `read_blinded`, and `SigningFault` if a part of the computation was wrong. The signer
        blinds the value a second time, so that the time taken reveals nothing about the key.
        """
        number = gmpy2.mpz(read_blinded(value, int(self.n)))
        mask = gmpy2.mpz(2 + secrets.randbelow(int(self.n) - 3))
        masked = number * gmpy2.powmod(mask, EXPONENT, self.n) % self.n
        one = gmpy2.powmod_sec(masked % self._p, self._dp, self._p)
        two = gmpy2.powmod_sec(masked % self._q, self._dq, self._q)
        root = two + self._q * (self._q_inverse * (one - two) % self._p)
        signature = root * gmpy2.invert(mask, self.n) % self.n
        if gmpy2.powmod(signature, EXPONENT, self.n) != number:
            raise SigningFault
        return int(signature).to_bytes(NUMBER_BYTES, "big")
