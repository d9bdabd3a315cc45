"""Derivation from the secret, and the hash chain that a door can check."""

from __future__ import annotations

import hashlib
import json

import pytest
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from hypothesis import given
from hypothesis import strategies as st

from passes.codec.identity import (
    PassSecrets,
    decode_base64url,
    derive_keys,
    derive_pass,
    derive_seed,
    encode_base64url,
    hash_erase_key,
    hash_owner,
    slot_at,
    verify_slot,
)
from passes.limits import EPOCH_SECONDS, SLOTS
from tests.passes.factories import HOLDER, SEED, START
from tests.passes.vectors import DATA, VECTORS, Vector

each_vector = pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector.venue)


def derived(vector: Vector) -> PassSecrets:
    seed = derive_seed(derive_keys(vector.secret).passes, vector.epoch_start)
    return derive_pass(seed, vector.epoch_start, vector.index)


@each_vector
def test_the_three_keys_are_those_of_the_vector(vector: Vector) -> None:
    keys = derive_keys(vector.secret)
    assert (keys.auth, keys.passes, keys.erase) == (vector.k_auth, vector.k_pass, vector.k_erase)


@each_vector
def test_owner_and_chain_are_those_of_the_vector(vector: Vector) -> None:
    secrets = derived(vector)
    assert (secrets.owner, secrets.owner_hash) == (vector.owner, vector.owner_hash)
    assert (secrets.chain[SLOTS], secrets.chain[1], secrets.anchor) == (vector.x_last, vector.x_1, vector.anchor)
    assert len(secrets.chain) == SLOTS + 1


@each_vector
def test_the_slot_of_a_moment_is_that_of_the_vector(vector: Vector) -> None:
    assert slot_at(vector.epoch_start, vector.shown_at) == vector.slot
    assert derived(vector).code_at(vector.shown_at)[0] == vector.slot


@pytest.mark.parametrize("length", [0, 31, 33])
def test_a_secret_of_another_length_is_refused(length: int) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        derive_keys(bytes(length))


def test_keys_and_codes_do_not_show_when_printed() -> None:
    keys = derive_keys(VECTORS[0].secret)
    shown = repr(keys) + repr(derived(VECTORS[0]))
    assert not any(repr(value) in shown for value in (keys.auth, keys.passes, keys.erase, VECTORS[0].owner))
    assert repr(VECTORS[0].x_1) not in shown


def test_sixteen_passes_of_an_epoch_share_no_value() -> None:
    passes = [derive_pass(SEED, START, index) for index in range(16)]
    values = [value for secrets in passes for value in (secrets.owner, secrets.owner_hash, *secrets.chain)]
    assert len(set(values)) == len(values)


@pytest.mark.parametrize("index", [-1, 16])
def test_there_are_sixteen_passes(index: int) -> None:
    with pytest.raises(ValueError, match="0 to 15"):
        derive_pass(SEED, START, index)


@pytest.mark.parametrize("start", [-1, 2**32 - EPOCH_SECONDS, 2**40])
def test_an_epoch_outside_four_bytes_is_refused(start: int) -> None:
    with pytest.raises(ValueError, match="4 bytes"):
        derive_seed(bytes(32), start)


def test_a_minute_is_a_slot_and_the_first_is_one() -> None:
    seconds = (-1, 0, 59, 60, EPOCH_SECONDS - 1, EPOCH_SECONDS)
    assert [slot_at(START, START + second) for second in seconds] == [0, 1, 1, 2, SLOTS, SLOTS + 1]


@pytest.mark.parametrize("second", [-1, EPOCH_SECONDS])
def test_nothing_is_shown_outside_the_epoch(second: int) -> None:
    with pytest.raises(ValueError, match="outside the epoch"):
        HOLDER.code_at(START + second)


@given(slot=st.integers(1, SLOTS))
def test_a_step_leads_from_each_code_to_the_one_before(slot: int) -> None:
    hashed = b"crowdtrace/v1/chain" + START.to_bytes(4, "big") + slot.to_bytes(2, "big") + HOLDER.chain[slot]
    assert hashlib.sha256(hashed).digest()[:16] == HOLDER.chain[slot - 1]


@given(slot=st.integers(1, SLOTS))
def test_every_code_proves_its_own_slot(slot: int) -> None:
    assert verify_slot(HOLDER.anchor, START, slot, HOLDER.chain[slot])


@given(slot=st.integers(1, SLOTS), other=st.integers(0, SLOTS))
def test_a_code_proves_no_other_slot(slot: int, other: int) -> None:
    assert verify_slot(HOLDER.anchor, START, slot, HOLDER.chain[other]) is (slot == other)


@given(slot=st.integers(1, SLOTS), bit=st.integers(0, 127))
def test_a_changed_bit_spoils_a_code(slot: int, bit: int) -> None:
    changed = int.from_bytes(HOLDER.chain[slot], "big") ^ 1 << bit
    assert not verify_slot(HOLDER.anchor, START, slot, changed.to_bytes(16, "big"))


@given(slot=st.integers() | st.sampled_from([-1, 0, SLOTS + 1]), code=st.binary(max_size=40))
def test_any_slot_and_code_get_an_answer(slot: int, code: bytes) -> None:
    assert verify_slot(HOLDER.anchor, START, slot, code) is False


def test_the_public_anchor_is_no_code() -> None:
    assert not verify_slot(HOLDER.anchor, START, 0, HOLDER.anchor)


def test_a_code_of_another_epoch_proves_nothing() -> None:
    assert not verify_slot(HOLDER.anchor, START + 86400, 5, HOLDER.chain[5])


def test_hashes_of_owner_and_erase_key_are_plain_sha256() -> None:
    # SHA-256 of "abc", FIPS 180-2, appendix B.1
    digest = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert hash_owner(b"abc").hex() == hash_erase_key(b"abc").hex() == digest


@given(st.binary(max_size=70))
def test_base64url_round_trips(data: bytes) -> None:
    text = encode_base64url(data)
    assert "=" not in text
    assert decode_base64url(text) == data


@given(st.text(max_size=20) | st.sampled_from(["AA==", "AB", "A", "+/+/", "AA\n", "\ud800", "A A A"]))
def test_base64url_has_one_text_for_each_value(text: str) -> None:
    try:
        data = decode_base64url(text)
    except ValueError:
        return
    assert encode_base64url(data) == text


def test_hkdf_of_our_library_agrees_with_wycheproof() -> None:
    groups = json.loads((DATA / "wycheproof" / "hkdf_sha256_test.json").read_text())["testGroups"]
    cases = [case for group in groups for case in group["tests"]]
    assert len(cases) == 86
    for case in cases:
        salt, info, ikm = (bytes.fromhex(case[name]) for name in ("salt", "info", "ikm"))
        try:
            okm = HKDF(algorithm=SHA256(), length=case["size"], salt=salt or None, info=info).derive(ikm)
        except ValueError:
            okm = None
        assert (okm is not None and okm.hex() == case["okm"]) is (case["result"] == "valid"), case["tcId"]
