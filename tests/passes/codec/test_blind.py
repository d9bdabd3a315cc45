"""Blind signatures: RFC 9474 with a given salt and blind, and a signer that reveals nothing."""

from __future__ import annotations

import hashlib
from typing import Any

import gmpy2
import pytest
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicNumbers
from cryptography.hazmat.primitives.hashes import SHA384
from hypothesis import given
from hypothesis import strategies as st

from passes.codec.blind import (
    EXPONENT,
    BlindSigner,
    SigningFault,
    blind_message,
    encode_pss,
    read_blinded,
    unblind_signature,
    verify_signature,
)
from passes.codec.identity import decode_base64url
from tests.passes.ticket_vectors import TICKET_VECTORS, TicketVector, refused

VECTOR = TICKET_VECTORS[0]
SIGNER = BlindSigner.of(VECTOR.private)
N = int(SIGNER.n)
PUBLIC = VECTOR.key.public
salts = st.binary(min_size=48, max_size=48)
blinds = st.integers(2, N - 1)


@pytest.mark.parametrize("vector", TICKET_VECTORS, ids=lambda vector: f"{vector.epoch_start}-{vector.i}")
def test_the_published_vectors_are_signed_to_the_byte(vector: TicketVector) -> None:
    assert BlindSigner.of(vector.private).sign(vector.blinded) == vector.blind_signature
    blinding = int.from_bytes(vector.r, "big")
    assert blind_message(vector.message, salt=vector.salt, blind=blinding, n=vector.key.n) == vector.blinded
    made = unblind_signature(vector.blind_signature, message=vector.message, blind=blinding, key=vector.key.public)
    assert made == vector.signature


@given(message=st.binary(max_size=80), salt=salts, blinding=blinds)
def test_a_blind_signature_becomes_an_ordinary_one(message: bytes, salt: bytes, blinding: int) -> None:
    blinded = blind_message(message, salt=salt, blind=blinding, n=N)
    signature = unblind_signature(SIGNER.sign(blinded), message=message, blind=blinding, key=PUBLIC)

    assert verify_signature(signature, message=message, key=PUBLIC)
    assert signature == SIGNER.sign(encode_pss(message, salt).to_bytes(256, "big"))


@given(message=st.binary(max_size=80), salt=salts)
def test_the_encoding_is_that_of_rsa_pss(message: bytes, salt: bytes) -> None:
    """What the library recovers from a signature with the public key equals our encoding."""
    encoded = encode_pss(message, salt)
    signature = SIGNER.sign(encoded.to_bytes(256, "big"))
    pss = padding.PSS(padding.MGF1(SHA384()), 48)
    PUBLIC.verify(signature, message, pss, SHA384())
    assert encoded.bit_length() <= 2047
    assert encoded % 256 == 0xBC


def test_a_salt_of_another_length_is_refused() -> None:
    with pytest.raises(ValueError, match="48"):
        encode_pss(b"", bytes(47))


@given(value=st.one_of(st.binary(max_size=255), st.binary(min_size=257, max_size=300)))
def test_a_value_of_another_length_is_not_signed(value: bytes) -> None:
    with pytest.raises(ValueError, match="256 bytes"):
        SIGNER.sign(value)


@pytest.mark.parametrize("number", [0, 1, N - 1, N, N + 1, 2**2048 - 1])
def test_a_number_that_is_its_own_signature_or_has_two_forms_is_not_signed(number: int) -> None:
    with pytest.raises(ValueError, match="between 1 and n - 1"):
        SIGNER.sign(number.to_bytes(256, "big"))


@pytest.mark.parametrize("vector", refused("draw"), ids=lambda one: one["what"])
def test_the_refusals_of_the_vectors_are_not_signed(vector: dict[str, Any]) -> None:
    value = decode_base64url(vector["blinded"])
    with pytest.raises(ValueError):
        read_blinded(value, N)


@pytest.mark.parametrize("number", [2, 3, N - 2])
def test_every_other_number_is_signed_however_odd(number: int) -> None:
    signature = int.from_bytes(SIGNER.sign(number.to_bytes(256, "big")), "big")
    assert pow(signature, EXPONENT, N) == number


@given(bit=st.integers(0, 1023), half=st.integers(0, 1))
def test_one_flipped_bit_in_one_half_never_leaves_the_signer(bit: int, half: int) -> None:
    """A signature that is right modulo only one prime reveals the other: gcd(s^e - z, n)."""
    calls: list[int] = []

    def faulty(base: Any, exponent: Any, modulus: Any) -> Any:
        calls.append(1)
        right = gmpy2.powmod(base, exponent, modulus)
        return right ^ (1 << bit) if len(calls) == half + 1 else right

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(gmpy2, "powmod_sec", faulty)
        with pytest.raises(SigningFault):
            SIGNER.sign(VECTOR.blinded)
    assert len(calls) == 2
    assert SIGNER.sign(VECTOR.blinded) == VECTOR.blind_signature


def test_the_signer_raises_to_a_secret_power_in_constant_time_and_of_a_number_of_its_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bases: list[int] = []
    real = gmpy2.powmod_sec

    def watched(base: Any, exponent: Any, modulus: Any) -> Any:
        bases.append(int(base))
        return real(base, exponent, modulus)

    monkeypatch.setattr(gmpy2, "powmod_sec", watched)
    for _ in range(3):
        assert SIGNER.sign(VECTOR.blinded) == VECTOR.blind_signature
    assert len(set(bases)) == 6, "the same value is masked afresh each time"
    asked = int.from_bytes(VECTOR.blinded, "big")
    own = VECTOR.private.private_numbers()
    assert not {asked % own.p, asked % own.q} & set(bases)


def test_a_printed_signer_reveals_no_part_of_the_key() -> None:
    own = VECTOR.private.private_numbers()
    for part in (own.p, own.q, own.dmp1, own.dmq1, own.iqmp):
        assert str(part) not in repr(SIGNER)


@given(flip=st.integers(0, 2047))
def test_an_invalid_answer_gives_no_signature(flip: int) -> None:
    answer = (int.from_bytes(VECTOR.blind_signature, "big") ^ (1 << flip)).to_bytes(256, "big")
    with pytest.raises(ValueError, match="verify"):
        unblind_signature(answer, message=VECTOR.message, blind=int.from_bytes(VECTOR.r, "big"), key=PUBLIC)
    with pytest.raises(ValueError, match="256 bytes"):
        unblind_signature(answer[1:], message=VECTOR.message, blind=2, key=PUBLIC)


@pytest.mark.parametrize("length", [0, 255, 257, 512])
def test_a_signature_of_another_length_is_never_valid(length: int) -> None:
    assert not verify_signature(bytes(length), message=b"", key=PUBLIC)


def test_any_two_pairs_of_drawn_and_spent_fit_each_other() -> None:
    """Blindness: for every draw and every signature there is a blind that links them, so no pair reveals more."""
    for drawn in TICKET_VECTORS:
        for spent in TICKET_VECTORS:
            if drawn.jwk != spent.jwk:
                continue
            n = drawn.key.n
            signature = int.from_bytes(spent.signature, "big")
            blinding = int.from_bytes(drawn.blind_signature, "big") * pow(signature, -1, n) % n
            encoded = pow(signature, EXPONENT, n)
            assert encoded * pow(blinding, EXPONENT, n) % n == int.from_bytes(drawn.blinded, "big")


def test_a_fresh_key_has_2048_bits_and_the_usual_exponent(rsa_keys: tuple[RSAPrivateKey, ...]) -> None:
    for key in rsa_keys:
        numbers: RSAPublicNumbers = key.public_key().public_numbers()
        assert (numbers.n.bit_length(), numbers.e) == (2048, 65537)
    assert len({key.public_key().public_numbers().n for key in rsa_keys}) == len(rsa_keys)
    assert hashlib.sha384().digest_size == 48
