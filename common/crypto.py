"""Keyed hashes, tokens and encryption at rest.

Two keys are stored outside the database. The *pepper* keys every hash of a value that a holder presents, so that a
leaked database cannot be searched for such values. The *master key* encrypts values that must be readable again (issuer
keys, names, second factors), under one derived key for each purpose.
"""

import base64
import hashlib
import hmac
import secrets
from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings


class Unreadable(ValueError):
    """The ciphertext was not made for this purpose and with this key."""


def b64encode(data: bytes) -> str:
    """Encode bytes as base64url without padding (RFC 4648 section 5)."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def b64decode(text: str, *, length: int | None = None) -> bytes:
    """Decode base64url strictly, as the inverse of `b64encode`: each value has one text.

    Raise `ValueError` for any other text, or if the number of bytes is not `length`.
    """
    try:
        data = base64.b64decode(text.encode("ascii") + b"=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (UnicodeEncodeError, ValueError) as error:
        raise ValueError("not base64url") from error
    if b64encode(data) != text:
        raise ValueError("not base64url without padding")
    if length is not None and len(data) != length:
        raise ValueError(f"not {length} bytes")
    return data


def keyed_hash(label: str, value: bytes) -> bytes:
    """Return `HMAC-SHA256(pepper, label || value)`, 32 bytes; the label may be empty."""
    started = _started(settings.PEPPER).copy()
    started.update(label.encode("ascii") + value)
    return started.digest()


@lru_cache(maxsize=4)
def _started(key: bytes) -> hmac.HMAC:
    """Return an HMAC object with its key set, to be copied: creating it is slower than the hash."""
    return hmac.new(key, digestmod=hashlib.sha256)


def new_token(size: int = 32) -> str:
    """Return a random capability of `size` bytes, as base64url."""
    return secrets.token_urlsafe(size)


def token_hash(token: str) -> bytes:
    """Return the stored form of a token: `HMAC(pepper, "token" || token)`."""
    return keyed_hash("token", token.encode("utf-8", "surrogatepass"))


@lru_cache(maxsize=64)
def derived_key(purpose: str) -> bytes:
    """Derive 32 bytes from the master key for one purpose (HKDF-SHA256, RFC 5869)."""
    return HKDF(SHA256(), 32, None, f"crowdtrace/v1/at-rest/{purpose}".encode()).derive(settings.MASTER_KEY)


def encrypt_with(key: bytes, plaintext: bytes, *, bound_to: bytes = b"") -> bytes:
    """Encrypt with AES-256-GCM and a key of 32 bytes; return nonce (12 bytes), ciphertext and tag.

    Decryption needs the same `bound_to`.
    """
    nonce = secrets.token_bytes(12)
    return nonce + AESGCM(key).encrypt(nonce, plaintext, bound_to)


def decrypt_with(key: bytes, ciphertext: bytes, *, bound_to: bytes = b"") -> bytes:
    """Decrypt the output of `encrypt_with`. Raise `Unreadable`."""
    try:
        return AESGCM(key).decrypt(ciphertext[:12], ciphertext[12:], bound_to)
    except (InvalidTag, ValueError) as error:
        raise Unreadable from error


def encrypt(purpose: str, plaintext: bytes) -> bytes:
    """Encrypt with the key of a purpose."""
    return encrypt_with(derived_key(purpose), plaintext, bound_to=purpose.encode())


def decrypt(purpose: str, ciphertext: bytes) -> bytes:
    """Decrypt the output of `encrypt`. Raise `Unreadable`."""
    return decrypt_with(derived_key(purpose), ciphertext, bound_to=purpose.encode())
