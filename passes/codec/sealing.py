"""Scans sealed on a kiosk for the server only (HPKE, RFC 9180, base mode, single shot).

Suite: DHKEM(X25519, HKDF-SHA256) 0x0020, HKDF-SHA256 0x0001, AES-128-GCM 0x0001. Browsers have all three in WebCrypto.
The associated data is the scan_id, so that a blob cannot be sent again with another id.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.bindings._rust import openssl as rust_openssl
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

from passes.codec.identity import decode_base64url, encode_base64url

SEALING_INFO: Final = b"crowdtrace/v1/scan"
SEALING_KEY_BYTES: Final = 32
_BLOCK_BYTES: Final = 512  # plain scans are padded to whole blocks, so that the length of a blob reveals nothing
_LARGEST_TEXT: Final = 8192
_SUITE: Final = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_128_GCM)


def seal_scan(plain: bytes, *, scan_id: str, public_key: bytes) -> str:
    """Return base64url of `enc || ciphertext` for a scan in JSON (UTF-8), padded to a multiple of 512 bytes."""
    padded = plain.ljust(-(-len(plain) // _BLOCK_BYTES) * _BLOCK_BYTES, b" ")
    key = X25519PublicKey.from_public_bytes(public_key)
    # The public methods of Suite accept no associated data; these two do, and a vector of RFC 9180 tests them.
    sealed = rust_openssl.hpke._encrypt_with_aad(_SUITE, padded, key, SEALING_INFO, scan_id.encode())
    return encode_base64url(sealed)


def open_scan(sealed: str, *, scan_id: str, keys: Sequence[X25519PrivateKey]) -> bytes | None:
    """Return the padded JSON of a sealed scan; `None` if no key (this week's and the one before) opens it."""
    if len(sealed) > _LARGEST_TEXT:
        return None
    try:
        blob, aad = decode_base64url(sealed), scan_id.encode()
    except ValueError:  # includes UnicodeEncodeError
        return None
    for key in keys:
        try:
            return rust_openssl.hpke._decrypt_with_aad(_SUITE, blob, key, SEALING_INFO, aad)
        except (InvalidTag, ValueError):
            continue
    return None
