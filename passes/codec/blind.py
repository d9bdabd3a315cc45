"""Blind RSA signatures: RSABSSA-SHA384-PSS-Deterministic of RFC 9474, keys of 2,048 bits and e = 65537.

The holder hides a message in a number, the server signs the number without learning the message, and the holder turns
the answer into an ordinary RSA-PSS signature. Salt and blind are the caller's, so that they can follow from a secret.

A number on the wire has 256 bytes, big endian. Whatever can be refused by its value alone is refused by `read_blinded`.
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
    """A signature does not hold under its own key, so it was not given out: it could give the key away."""


def new_key() -> RSAPrivateKey:
    """A fresh key. Takes about a tenth of a second."""
    return generate_private_key(EXPONENT, KEY_BITS)


def encode_pss(message: bytes, salt: bytes) -> int:
    """EMSA-PSS with SHA-384, MGF1 and this salt (RFC 8017, section 9.1.1), as a number of 2,047 bits."""
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
    """What the server is asked to sign: the encoded message times `blind ** e`."""
    return int(encode_pss(message, salt) * gmpy2.powmod(blind, EXPONENT, n) % n).to_bytes(NUMBER_BYTES, "big")


def unblind_signature(answer: bytes, *, message: bytes, blind: int, key: RSAPublicKey) -> bytes:
    """The signature in the server's answer; ValueError where it does not hold over the message."""
    n = key.public_numbers().n
    if len(answer) != NUMBER_BYTES:
        raise ValueError("a blind signature has 256 bytes")
    signature = int(int.from_bytes(answer, "big") * gmpy2.invert(blind, n) % n).to_bytes(NUMBER_BYTES, "big")
    if not verify_signature(signature, message=message, key=key):
        raise ValueError("the signature does not hold")
    return signature


def verify_signature(signature: bytes, *, message: bytes, key: RSAPublicKey) -> bool:
    """Whether it is a signature over the message; ordinary RSA-PSS."""
    try:
        key.verify(signature, message, _PSS, SHA384())
    except InvalidSignature:
        return False
    return True


# The signer's side ---------------------------------------------------------------------------------------------------
def read_blinded(value: bytes, n: int) -> int:
    """The number to sign; ValueError where it has not 256 bytes or not 1 < z < n - 1.

    0, 1 and n - 1 are their own signatures, n and more have no one form.
    """
    if len(value) != NUMBER_BYTES:
        raise ValueError("a blinded value has 256 bytes")
    number = int.from_bytes(value, "big")
    if not 1 < number < n - 1:
        raise ValueError("a blinded value lies between 1 and n - 1")
    return number


@dataclass(frozen=True, slots=True)
class BlindSigner:
    """The private half of a key, ready to sign by Chinese remainders."""

    n: gmpy2.mpz
    _p: gmpy2.mpz = field(repr=False)
    _q: gmpy2.mpz = field(repr=False)
    _dp: gmpy2.mpz = field(repr=False)
    _dq: gmpy2.mpz = field(repr=False)
    _q_inverse: gmpy2.mpz = field(repr=False)

    @classmethod
    def of(cls, key: RSAPrivateKey) -> BlindSigner:
        """The signer of a key."""
        own = key.private_numbers()
        parts = (own.public_numbers.n, own.p, own.q, own.dmp1, own.dmq1, own.iqmp)
        return cls(*map(gmpy2.mpz, parts))

    def sign(self, value: bytes) -> bytes:
        """`z ** d mod n` of a blinded value; ValueError as `read_blinded`, SigningFault where a part came out wrong.

        The value is blinded a second time, by the signer, so that no time it takes says anything of the key.
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
