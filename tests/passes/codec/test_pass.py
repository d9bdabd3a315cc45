"""Signing and strict parsing of passes: vectors, oracles, mutations, malformed bytes."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import cbor2
import cwt
import pytest
from base45 import b45decode
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from passes.codec import (
    Cause,
    GoPass,
    IssuerKey,
    Keyring,
    check_signature,
    key_id,
    parse_pass,
    read_pass,
    rotating_text,
    sign_pass,
    static_text,
)
from passes.codec.cose import Sign1, read_sign1
from passes.codec.gopass import _read_as_laid_out
from passes.codec.identity import derive_keys, derive_pass, derive_seed
from passes.limits import EPOCH_SECONDS, SLOT_SECONDS, SLOTS
from tests.passes.factories import (
    HOLDER,
    ISSUER,
    KEYS,
    NOON,
    PASS,
    PUBLIC,
    SEED,
    START,
    VENUE,
    on_paper,
    shown_at,
    signed,
    text_of,
)
from tests.passes.vectors import DATA, VECTORS, Vector

each_vector = pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector.venue)
CORPUS = json.loads((DATA / "malformed_passes.json").read_text())


def parse(text: str, *, at: float = NOON, venue: str = VENUE, keys: Keyring = KEYS) -> GoPass | Cause:
    return parse_pass(text, venue=venue, keys=keys, at=at)


# --- Vectors and oracles ---


@each_vector
def test_a_vector_passes_from_the_secret_to_the_rotating_text(vector: Vector) -> None:
    seed = derive_seed(derive_keys(vector.secret).passes, vector.epoch_start)
    holder = derive_pass(seed, vector.epoch_start, vector.index)
    pass_bytes = sign_pass(vector.signer, venue=vector.venue, epoch_start=vector.epoch_start, anchor=holder.anchor)
    assert pass_bytes == vector.pass_hex
    assert static_text(pass_bytes) == vector.credential
    assert rotating_text(pass_bytes, *holder.code_at(vector.shown_at)) == vector.rotating


@each_vector
def test_a_vector_parses_back_to_its_anchor_and_slot(vector: Vector) -> None:
    assert key_id(vector.issuer_public) == vector.kid
    for text, slot in ((vector.credential, None), (vector.rotating, vector.slot)):
        parsed = parse(text, at=vector.shown_at, venue=vector.venue, keys=vector.keys)
        assert parsed == GoPass(anchor=vector.anchor, epoch_start=vector.epoch_start, slot=slot)


@each_vector
def test_an_independent_cose_library_reads_our_passes(vector: Vector) -> None:
    key = cwt.COSEKey.new(
        {1: 1, 2: vector.kid, 3: -8, -1: 6, -2: vector.issuer_public}  # OKP, kid, EdDSA, Ed25519, x
    )
    payload = cwt.COSE.new().decode(vector.pass_hex, key, external_aad=vector.venue.encode())
    claims = cbor2.loads(payload)
    assert claims == {4: vector.epoch_start + EPOCH_SECONDS, 6: vector.epoch_start, 7: vector.anchor}


def test_we_read_passes_that_an_independent_cose_library_signed() -> None:
    secret = ISSUER.private_bytes_raw()
    key = cwt.COSEKey.new({1: 1, 2: key_id(PUBLIC), 3: -8, -1: 6, -2: PUBLIC, -4: secret})
    payload = cbor2.dumps({4: START + EPOCH_SECONDS, 6: START, 7: HOLDER.anchor})
    data = cwt.COSE.new().encode(
        payload, key, protected={1: -8, 4: key_id(PUBLIC)}, unprotected={}, external_aad=VENUE.encode()
    )
    assert data == PASS
    assert isinstance(parse(text_of(data)), GoPass)


def test_signature_checks_agree_with_wycheproof() -> None:
    groups = json.loads((DATA / "wycheproof" / "ed25519_test.json").read_text())["testGroups"]
    cases = [(group, case) for group in groups for case in group["tests"]]
    assert len(cases) == 151
    for group, case in cases:
        key = IssuerKey(bytes.fromhex(group["publicKey"]["pk"]), frozenset())
        assert _verifies(key, bytes.fromhex(case["msg"]), bytes.fromhex(case["sig"])) is (case["result"] == "valid"), (
            case["tcId"]
        )


def _verifies(key: IssuerKey, message: bytes, signature: bytes) -> bool:
    from cryptography.exceptions import InvalidSignature

    try:
        key.verifier.verify(signature, message)
    except InvalidSignature:
        return False
    return True


# --- Round trip and mutations ---


@given(
    secret=st.binary(min_size=32, max_size=32),
    start=st.integers(2**16, 2**32 - 1 - EPOCH_SECONDS),
    index=st.integers(0, 15),
    second=st.integers(0, EPOCH_SECONDS - 1),
    venue=st.text(st.characters(codec="utf-8"), max_size=40),
)
@settings(max_examples=60)
def test_every_pass_round_trips(secret: bytes, start: int, index: int, second: int, venue: str) -> None:
    holder = derive_pass(derive_seed(derive_keys(secret).passes, start), start, index)
    pass_bytes = sign_pass(ISSUER, venue=venue, epoch_start=start, anchor=holder.anchor)
    keys = Keyring.of([IssuerKey(PUBLIC, frozenset({start}))])
    slot, code = holder.code_at(start + second)
    assert len(pass_bytes) == 112
    for text, expected in ((static_text(pass_bytes), None), (rotating_text(pass_bytes, slot, code), slot)):
        parsed = parse(text, at=start + second, venue=venue, keys=keys)
        assert parsed == GoPass(anchor=holder.anchor, epoch_start=start, slot=expected)


@pytest.mark.parametrize("place", range(112 + 18))
def test_a_change_of_any_byte_is_refused(place: int) -> None:
    data = b45decode(shown_at(NOON)[4:])
    for change in (0x01, 0x80, 0xFF):
        changed = bytearray(data)
        changed[place] ^= change
        assert isinstance(parse(text_of(bytes(changed))), Cause), change


@given(place=st.integers(0, 198), character=st.characters())
def test_a_change_of_any_character_is_refused(place: int, character: str) -> None:
    text = shown_at(NOON)
    changed = text[:place] + character + text[place + 1 :]
    assert isinstance(parse(changed), GoPass) is (changed == text)


@given(
    st.text(st.characters(exclude_categories=())) | st.text(st.characters(exclude_categories=())).map("GO1:".__add__)
)
def test_any_text_is_accepted_or_refused(text: str) -> None:
    assert isinstance(parse(text), Cause)


@given(st.binary(min_size=112, max_size=112) | st.binary(min_size=130, max_size=130))
def test_any_bytes_of_the_right_length_are_accepted_or_refused(data: bytes) -> None:
    assert isinstance(parse(text_of(data)), Cause)


@given(st.data())
def test_any_cbor_of_the_right_length_is_accepted_or_refused(data: st.DataObject) -> None:
    head = data.draw(
        st.sampled_from([b"\xd2\x84", b"\xd2\x84\x49\xa2\x01\x27\x04\x44", PASS[:12], PASS[:15], PASS[:46]])
    )
    rest = data.draw(st.binary(min_size=112 - len(head), max_size=112 - len(head)))
    assert isinstance(parse(text_of(head + rest)), Cause)


@given(st.binary(min_size=112, max_size=112), st.sampled_from([None, *range(112)]), st.integers(0, 255))
def test_a_pass_in_the_usual_layout_is_read_as_the_strict_reader_reads_it(
    filling: bytes, place: int | None, byte: int
) -> None:
    data = bytearray(PASS)
    for field in (slice(8, 12), slice(18, 22), slice(24, 28), slice(30, 46), slice(48, 112)):
        data[field] = filling[field]
    if place is not None:
        data[place] = byte
    expected = read_sign1(bytes(data))
    assert _read_as_laid_out(bytes(data)) == (None if isinstance(expected, Cause) else expected)


@pytest.mark.parametrize(
    "text", ["\x00", "GO1:\x00" + "0" * 167, "\ud800" * 172, "GO1:" + "\ud800" * 168, "GO1:" * 10**6]
)
def test_hostile_text_is_refused(text: str) -> None:
    assert isinstance(parse(text), Cause)


@pytest.mark.parametrize("case", CORPUS, ids=lambda case: case["name"])
def test_a_malformed_pass_is_refused_for_its_cause(case: dict[str, Any]) -> None:
    assert parse(case["credential"]) is Cause(case["cause"])


def test_the_corpus_is_about_the_pass_of_these_tests() -> None:
    """Otherwise, after a change of the factories, every case would be refused for an irrelevant reason."""
    assert isinstance(parse(on_paper()), GoPass)
    timeless = list(Cause)[list(Cause).index(Cause.PREFIX) : list(Cause).index(Cause.KEY_EPOCH) + 1]
    assert {case["cause"] for case in CORPUS} == {*timeless, Cause.SLOT, Cause.CHAIN}


# --- Keys ---


def _other_key_of_the_same_kid() -> IssuerKey:
    """Return a key filed under our kid. Finding a true collision takes 2^32 keys; a ring can hold one by hand."""
    return IssuerKey(VECTORS[0].issuer_public, frozenset({START}))


def test_all_keys_of_a_kid_are_tried() -> None:
    ours, other = IssuerKey(PUBLIC, frozenset({START})), _other_key_of_the_same_kid()
    for order in ((ours, other), (other, ours)):
        assert isinstance(parse(on_paper(), keys=Keyring({ours.kid: order})), GoPass)
    assert parse(on_paper(), keys=Keyring({ours.kid: (other,)})) is Cause.SIGNATURE


def test_a_ring_groups_its_keys_by_kid() -> None:
    keys = [IssuerKey(PUBLIC, frozenset({START})), IssuerKey(PUBLIC, frozenset({START + 86400}))]
    other = _other_key_of_the_same_kid()
    ring = Keyring.of([*keys, other])
    assert ring.with_kid(key_id(PUBLIC)) == tuple(keys)
    assert ring.with_kid(other.kid) == (other,)
    assert ring.with_kid(b"none") == ()


def test_a_key_may_not_sign_for_an_epoch_that_is_not_its_own() -> None:
    keys = Keyring.of([IssuerKey(PUBLIC, frozenset({START + 86400}))])
    assert parse(on_paper(), keys=keys) is Cause.KEY_EPOCH


def test_an_unknown_key_is_refused() -> None:
    assert parse(on_paper(), keys=Keyring.of([])) is Cause.KEY_UNKNOWN


def test_a_key_of_another_length_is_refused() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        IssuerKey(bytes(31), frozenset())


@pytest.mark.parametrize("end", [START + EPOCH_SECONDS + 1, START + 2 * EPOCH_SECONDS])
def test_a_valid_key_cannot_extend_an_epoch(end: int) -> None:
    data = signed(payload=cbor2.dumps({4: end, 6: START, 7: HOLDER.anchor}))
    assert parse(text_of(data)) is Cause.KEY_EPOCH


def test_a_forged_pass_is_declined() -> None:
    forger = Ed25519PrivateKey.from_private_bytes(hashlib.sha256(b"forger").digest())
    kid = cbor2.dumps({1: -8, 4: key_id(PUBLIC)})
    assert parse(text_of(signed(signer=forger))) is Cause.KEY_UNKNOWN
    assert parse(text_of(signed(signer=forger, protected=kid))) is Cause.SIGNATURE


# --- Venue ---


@given(st.text(st.characters(codec="utf-8"), max_size=40).filter(lambda venue: venue != VENUE))
def test_a_pass_for_another_venue_is_declined(venue: str) -> None:
    assert parse(shown_at(NOON), venue=venue) is Cause.SIGNATURE


def test_a_signature_can_be_checked_without_a_clock() -> None:
    unchecked = read_pass(shown_at(NOON))
    assert not isinstance(unchecked, Cause)
    assert unchecked.pass_bytes == PASS
    assert check_signature(unchecked, venue=VENUE, keys=KEYS) is None
    assert check_signature(unchecked, venue="other", keys=KEYS) is Cause.SIGNATURE


# --- Time ---


def test_a_pass_is_valid_from_its_start_up_to_its_end() -> None:
    end = START + EPOCH_SECONDS
    answers = [parse(on_paper(), at=at) for at in (START - 1, START, end - 1, end)]
    assert answers[0] is Cause.NOT_YET_VALID
    assert isinstance(answers[1], GoPass)
    assert isinstance(answers[2], GoPass)
    assert answers[3] is Cause.EXPIRED


@pytest.mark.parametrize(
    ("minutes", "cause"),
    [(-2, Cause.SLOT), (-1, None), (0, None), (1, None), (2, Cause.SLOT), (24 * 60, Cause.SLOT)],
)
def test_a_code_holds_within_one_slot_of_the_doors_clock(minutes: int, cause: Cause | None) -> None:
    parsed = parse(shown_at(START + 600), at=START + 600 + minutes * SLOT_SECONDS)
    assert parsed is cause if cause else isinstance(parsed, GoPass)


def test_the_first_and_the_last_slot_are_valid_and_none_outside() -> None:
    last = START + EPOCH_SECONDS - 1
    assert parse(shown_at(START), at=START) == GoPass(HOLDER.anchor, START, 1)
    assert parse(shown_at(last), at=last) == GoPass(HOLDER.anchor, START, SLOTS)
    assert parse(rotating_text(PASS, 0, HOLDER.anchor), at=START) is Cause.SLOT
    assert parse(rotating_text(PASS, SLOTS + 1, HOLDER.chain[SLOTS]), at=last) is Cause.SLOT


@given(second=st.integers(0, EPOCH_SECONDS - 1), shift=st.integers(-3, 3))
def test_only_the_code_of_the_named_slot_is_taken(second: int, shift: int) -> None:
    slot, _ = HOLDER.code_at(START + second)
    source = slot + shift
    if not 1 <= source <= SLOTS:
        return
    parsed = parse(rotating_text(PASS, slot, HOLDER.chain[source]), at=START + second)
    assert parsed is Cause.CHAIN if shift else isinstance(parsed, GoPass)


def test_the_code_of_another_pass_is_declined() -> None:
    other = derive_pass(SEED, START, 1)
    assert parse(shown_at(NOON, holder=other)) is Cause.CHAIN


# --- Signing ---


def test_data_that_cannot_be_a_pass_is_not_signed() -> None:
    with pytest.raises(ValueError, match="16 bytes"):
        sign_pass(ISSUER, venue=VENUE, epoch_start=START, anchor=bytes(15))
    for start in (0, 65535, 2**32):
        with pytest.raises(ValueError, match="epoch must start"):
            sign_pass(ISSUER, venue=VENUE, epoch_start=start, anchor=bytes(16))


def test_two_passes_of_a_person_share_only_epoch_and_key() -> None:
    first, second = (
        sign_pass(ISSUER, venue=venue, epoch_start=START, anchor=derive_pass(SEED, START, index).anchor)
        for index, venue in enumerate(("here", "there"))
    )
    assert first[:30] == second[:30]  # headers and the two times
    same = sum(a == b for a, b in zip(first[30:46] + first[48:], second[30:46] + second[48:], strict=True))
    assert same <= 8  # of 80 bytes; chance alone makes 0.3


def test_a_signature_of_another_length_is_refused() -> None:
    envelope = Sign1(protected=b"", payload=b"", signature=bytes(63), kid=b"", claims={})
    assert not envelope.is_signed_by(ISSUER.public_key(), external_aad=b"")
