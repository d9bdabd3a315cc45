"""Keyed hashes, tokens and encryption at rest.

Two keys live outside the database. The *pepper* keys every hash of something a holder presents, so that a leaked
database cannot be searched for it. The *master key* encrypts what must be read again (issuer keys, names, second
factors) under one derived key a purpose.
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
    """The ciphertext was not made under this purpose and key."""


def b64encode(data: bytes) -> str:
    """Base64url without padding (RFC 4648 section 5)."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def b64decode(text: str, *, length: int | None = None) -> bytes:
    """Inverse of `b64encode`, strict: one text a value; raises `ValueError` else, or where `length` bytes differ."""
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
    """`HMAC-SHA256(pepper, label || value)`, 32 bytes; the label may be empty."""
    started = _started(settings.PEPPER).copy()
    started.update(label.encode("ascii") + value)
    return started.digest()


@lru_cache(maxsize=4)
def _started(key: bytes) -> hmac.HMAC:
    """An HMAC that has taken its key, to be copied: making one takes longer than the hash, and a scan needs two."""
    return hmac.new(key, digestmod=hashlib.sha256)


def new_token(size: int = 32) -> str:
    """A random capability of `size` bytes, as base64url."""
    return secrets.token_urlsafe(size)


def token_hash(token: str) -> bytes:
    """What is kept of a token: `HMAC(pepper, "token" || token)`."""
    return keyed_hash("token", token.encode("utf-8", "surrogatepass"))


@lru_cache(maxsize=64)
def derived_key(purpose: str) -> bytes:
    """32 bytes derived from the master key for one purpose (HKDF-SHA256, RFC 5869)."""
    return HKDF(SHA256(), 32, None, f"crowdtrace/v1/at-rest/{purpose}".encode()).derive(settings.MASTER_KEY)


def encrypt_with(key: bytes, plaintext: bytes, *, bound_to: bytes = b"") -> bytes:
    """AES-256-GCM under a key of 32 bytes: nonce (12 bytes), ciphertext and tag; `bound_to` must be given again."""
    nonce = secrets.token_bytes(12)
    return nonce + AESGCM(key).encrypt(nonce, plaintext, bound_to)


def decrypt_with(key: bytes, ciphertext: bytes, *, bound_to: bytes = b"") -> bytes:
    """Inverse of `encrypt_with`; raises `Unreadable`."""
    try:
        return AESGCM(key).decrypt(ciphertext[:12], ciphertext[12:], bound_to)
    except (InvalidTag, ValueError) as error:
        raise Unreadable from error


def encrypt(purpose: str, plaintext: bytes) -> bytes:
    """`encrypt_with` under the purpose's key."""
    return encrypt_with(derived_key(purpose), plaintext, bound_to=purpose.encode())


def decrypt(purpose: str, ciphertext: bytes) -> bytes:
    """Inverse of `encrypt`; raises `Unreadable`."""
    return decrypt_with(derived_key(purpose), ciphertext, bound_to=purpose.encode())
