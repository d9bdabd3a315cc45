"""Sealed scans: a vector of RFC 9180, an independent library, and everything that must not open."""

from __future__ import annotations

import hashlib

import pytest
from cryptography.hazmat.bindings._rust import openssl as rust_openssl
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st
from pyhpke import AEADId, CipherSuite, KDFId, KEMId, KEMKey

from passes.codec import open_scan, seal_scan
from passes.codec.identity import decode_base64url, encode_base64url
from passes.codec.sealing import _SUITE, SEALING_INFO

KEY = X25519PrivateKey.from_private_bytes(hashlib.sha256(b"sealing key of tests").digest())
PUBLIC = KEY.public_key().public_bytes_raw()
OTHER = X25519PrivateKey.from_private_bytes(hashlib.sha256(b"another").digest())
ID = "scan-0123456789abcdef"
PLAIN = b'{"credential":"GO1:...","type":"Checkin","scanned_at":"2025-11-23T12:00:00Z"}'


def test_the_suite_opens_the_vector_of_rfc_9180() -> None:
    """Appendix A.1.1.1, base mode, sequence number 0."""
    key = X25519PrivateKey.from_private_bytes(
        bytes.fromhex("4612c550263fc8ad58375df3f557aac531d26850903e55a9f23f21d8534e8ac8")
    )
    sealed = bytes.fromhex(
        "37fda3567bdbd628e88668c3c8d7e97d1d1253b6d4ea6d44c150f741f1bf4431"
        "f938558b5d72f1a23810b4be2ab4f84331acc02fc97babc53a52ae8218a355a96d8770ac83d07bea87e13c512a"
    )
    opened = rust_openssl.hpke._decrypt_with_aad(_SUITE, sealed, key, b"Ode on a Grecian Urn", b"Count-0")
    assert opened == b"Beauty is truth, truth beauty"


@given(plain=st.binary(max_size=1200), scan_id=st.text("abcXYZ019-_", min_size=16, max_size=64))
def test_a_sealed_text_opens_with_trailing_spaces(plain: bytes, scan_id: str) -> None:
    opened = open_scan(seal_scan(plain, scan_id=scan_id, public_key=PUBLIC), scan_id=scan_id, keys=[OTHER, KEY])
    assert opened is not None
    assert opened.startswith(plain)
    assert opened[len(plain) :].strip(b" ") == b""
    assert len(opened) % 512 == 0


def test_scans_of_unlike_length_seal_to_the_same_length() -> None:
    lengths = {len(seal_scan(PLAIN + bytes(extra), scan_id=ID, public_key=PUBLIC)) for extra in range(0, 400, 7)}
    assert lengths == {747}  # (32 + 512 + 16 bytes) * 4 / 3, rounded up


def test_an_independent_library_opens_what_we_seal() -> None:
    suite = CipherSuite.new(KEMId.DHKEM_X25519_HKDF_SHA256, KDFId.HKDF_SHA256, AEADId.AES128_GCM)
    blob = decode_base64url(seal_scan(PLAIN, scan_id=ID, public_key=PUBLIC))
    context = suite.create_recipient_context(blob[:32], KEMKey.from_pyca_cryptography_key(KEY), info=SEALING_INFO)
    assert context.open(blob[32:], aad=ID.encode()).rstrip(b" ") == PLAIN


def test_we_open_what_an_independent_library_seals() -> None:
    suite = CipherSuite.new(KEMId.DHKEM_X25519_HKDF_SHA256, KDFId.HKDF_SHA256, AEADId.AES128_GCM)
    key = KEMKey.from_pyca_cryptography_key(KEY.public_key())
    enc, context = suite.create_sender_context(key, info=SEALING_INFO)
    sealed = encode_base64url(enc + context.seal(PLAIN, aad=ID.encode()))
    assert open_scan(sealed, scan_id=ID, keys=[KEY]) == PLAIN


def test_a_blob_opens_under_its_own_id_and_key_only() -> None:
    sealed = seal_scan(PLAIN, scan_id=ID, public_key=PUBLIC)
    assert open_scan(sealed, scan_id=ID + "0", keys=[KEY]) is None
    assert open_scan(sealed, scan_id=ID, keys=[OTHER]) is None
    assert open_scan(sealed, scan_id=ID, keys=[]) is None


@given(place=st.integers(0, 559), bit=st.integers(0, 7))
def test_a_changed_bit_spoils_a_blob(place: int, bit: int) -> None:
    blob = bytearray(decode_base64url(seal_scan(PLAIN, scan_id=ID, public_key=PUBLIC)))
    blob[place] ^= 1 << bit
    assert open_scan(encode_base64url(bytes(blob)), scan_id=ID, keys=[KEY]) is None


def test_the_bit_that_x25519_ignores_spoils_a_blob_too() -> None:
    """The top bit of a point is masked (RFC 7748, section 5), but HPKE hashes `enc` as it was sent."""
    blob = bytearray(decode_base64url(seal_scan(PLAIN, scan_id=ID, public_key=PUBLIC)))
    blob[31] ^= 0x80
    assert open_scan(encode_base64url(bytes(blob)), scan_id=ID, keys=[KEY]) is None


@given(st.text(st.characters(exclude_categories=())) | st.binary(max_size=200).map(encode_base64url))
def test_any_text_is_refused_without_a_crash(text: str) -> None:
    assert open_scan(text, scan_id=text, keys=[KEY]) is None


@pytest.mark.parametrize("text", ["A" * 8193, "A" * 10**6, "", "A" * 43, "A" * 747])
def test_blobs_of_other_lengths_and_low_order_points_are_refused(text: str) -> None:
    assert open_scan(text, scan_id=ID, keys=[KEY]) is None
