"""Tickets: everything is derived from the secret and the key, and nothing from another ticket."""

from __future__ import annotations

import datetime as dt
import itertools
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from hypothesis import given
from hypothesis import strategies as st

from passes.codec.blind import BlindSigner
from passes.codec.identity import decode_base64url, derive_keys, encode_base64url
from passes.codec.ticket_keys import TicketClass, TicketKey, class_of, read_jwk, read_key_list
from passes.codec.tickets import (
    Ticket,
    derive_set,
    derive_ticket,
    derive_ticket_key,
    derive_ticket_seed,
    read_ticket,
    ticket_message,
)
from tests.passes.ticket_vectors import TICKET_VECTORS, TicketVector, refused

VECTOR = TICKET_VECTORS[0]
START = VECTOR.epoch_start


@pytest.mark.parametrize("vector", TICKET_VECTORS, ids=lambda vector: f"{vector.epoch_start}-{vector.i}")
def test_the_published_vectors_follow_from_secret_and_key(vector: TicketVector) -> None:
    made = derive_ticket(
        derive_ticket_key(vector.secret), epoch_start=vector.epoch_start, index=vector.i, key=vector.key
    )
    assert (made.nonce, made.salt, made.blind.to_bytes(256, "big")) == (vector.nonce, vector.salt, vector.r)
    assert (made.message, made.blinded) == (vector.message, vector.blinded)
    ticket = made.finish(vector.blind_signature)
    assert f"Ticket {ticket.text}" == vector.authorization
    assert ticket.signature == vector.signature
    assert ticket.holds(epoch_start=vector.epoch_start, key=vector.key)


@pytest.mark.parametrize("vector", TICKET_VECTORS, ids=lambda vector: f"{vector.epoch_start}-{vector.i}")
def test_a_ticket_is_valid_for_its_day_and_key_only(vector: TicketVector) -> None:
    ticket = read_ticket(vector.authorization.removeprefix("Ticket "))
    for other in TICKET_VECTORS:
        same = (other.jwk, other.epoch_start) == (vector.jwk, vector.epoch_start)
        assert ticket.holds(epoch_start=other.epoch_start, key=other.key) is same


@pytest.mark.parametrize("vector", refused("spend"), ids=lambda one: one["what"])
def test_the_refused_tickets_of_the_vectors_are_valid_for_no_key(vector: dict[str, Any]) -> None:
    ticket = read_ticket(vector["authorization"].removeprefix("Ticket "))
    for other in TICKET_VECTORS:
        assert not ticket.holds(epoch_start=other.epoch_start, key=other.key)


@given(flip=st.integers(0, 288 * 8 - 1))
def test_one_flipped_bit_makes_a_ticket_worthless(flip: int) -> None:
    data = decode_base64url(VECTOR.authorization.removeprefix("Ticket "))
    flipped = (int.from_bytes(data, "big") ^ (1 << flip)).to_bytes(288, "big")
    assert not read_ticket(encode_base64url(flipped)).holds(epoch_start=START, key=VECTOR.key)


@given(data=st.binary(max_size=600).filter(lambda data: len(data) != 288))
def test_a_text_of_another_length_is_not_a_ticket(data: bytes) -> None:
    with pytest.raises(ValueError, match="288"):
        read_ticket(encode_base64url(data))


@given(text=st.text(max_size=400))
def test_a_text_that_is_not_base64url_is_not_a_ticket(text: str) -> None:
    with pytest.raises(ValueError):
        read_ticket(text)


# What follows from what ----------------------------------------------------------------------------------------------
def keys_of(first: RSAPrivateKey, second: RSAPrivateKey) -> dict[TicketClass, TicketKey]:
    date = dt.date(2026, 12, 1)
    return {
        each: TicketKey.of(date, each, private.public_key())
        for each, private in zip(TicketClass, (first, second), strict=True)
    }


@given(secret=st.binary(min_size=32, max_size=32))
def test_the_same_secret_and_keys_give_the_same_set_on_another_phone(
    rsa_keys: tuple[RSAPrivateKey, ...], secret: bytes
) -> None:
    keys = keys_of(*rsa_keys[:2])
    first, again = (derive_set(derive_ticket_key(secret), epoch_start=START, keys=keys) for _ in range(2))
    assert first == again
    assert [len(first[each]) for each in TicketClass] == [3, 13]
    assert [one.index for each in TicketClass for one in first[each]] == list(range(16))


def test_two_tickets_share_no_value_whatever_differs(rsa_keys: tuple[RSAPrivateKey, ...]) -> None:
    """If secret, day, number or key differs, then nonce, salt, blind and blinded value all differ."""
    sets = [
        derive_set(derive_ticket_key(secret), epoch_start=start, keys=keys)
        for secret in (bytes(32), bytes([1]) * 32)
        for start in (START, START + 86_400)
        for keys in (keys_of(*rsa_keys[:2]), keys_of(*rsa_keys[2:4]))
    ]
    tickets = [one for made in sets for each in TicketClass for one in made[each]]
    assert len(tickets) == 8 * 16
    for name in ("nonce", "salt", "blind", "blinded", "message"):
        assert len({getattr(one, name) for one in tickets}) == len(tickets), name


def test_a_server_that_changes_keys_learns_no_blind_by_chinese_remainders(rsa_keys: tuple[RSAPrivateKey, ...]) -> None:
    """If r were one number under every key, two draws would reveal r^e modulo the product of the keys, and so r."""
    first, second = (
        derive_set(derive_ticket_key(VECTOR.secret), epoch_start=START, keys=keys_of(one, other))
        for one, other in (rsa_keys[:2], rsa_keys[2:4])
    )
    for each in TicketClass:
        for mine, theirs in zip(first[each], second[each], strict=True):
            assert mine.blind % theirs.key.n != theirs.blind
            assert mine.blind != theirs.blind % mine.key.n


def test_the_key_of_tickets_differs_from_the_other_keys() -> None:
    keys = derive_keys(VECTOR.secret)
    assert derive_ticket_key(VECTOR.secret) not in {keys.auth, keys.passes, keys.erase}
    with pytest.raises(ValueError, match="32 bytes"):
        derive_ticket_key(bytes(31))


def test_the_message_is_the_label_the_day_and_the_nonce() -> None:
    assert ticket_message(START, bytes(32)) == b"crowdtrace/v1/ticket" + START.to_bytes(4, "big") + bytes(32)


def test_a_ticket_is_derived_under_the_key_of_its_class() -> None:
    with pytest.raises(ValueError, match="class"):
        derive_ticket(derive_ticket_key(VECTOR.secret), epoch_start=START, index=3, key=VECTOR.key)
    assert [class_of(index).value for index in range(16)] == ["counted"] * 3 + ["other"] * 13


def test_a_blind_that_is_too_small_or_shares_a_factor_is_passed_over() -> None:
    """A modulus with a small factor makes many blinds share it; the next counter gives another."""
    from passes.codec.tickets import _derive_blind

    seed = derive_ticket_seed(bytes(32), START, b"spki")
    modulus = 3 * 5 * 7 * 11 * 13
    found = [_derive_blind(seed, bytes([index]), modulus) for index in range(16)]
    assert all(blind > 1 and all(blind % prime for prime in (3, 5, 7, 11, 13)) for blind in found)


@given(secret=st.binary(min_size=32, max_size=32), index=st.integers(0, 15))
def test_any_ticket_can_be_drawn_and_spent(rsa_keys: tuple[RSAPrivateKey, ...], secret: bytes, index: int) -> None:
    keys = keys_of(*rsa_keys[:2])
    signers = dict(zip(TicketClass, map(BlindSigner.of, rsa_keys[:2]), strict=True))
    key = keys[class_of(index)]
    made = derive_ticket(derive_ticket_key(secret), epoch_start=START, index=index, key=key)
    ticket = made.finish(signers[class_of(index)].sign(made.blinded))
    assert read_ticket(ticket.text) == ticket
    assert [each for each in TicketClass if ticket.holds(epoch_start=START, key=keys[each])] == [class_of(index)]


def test_a_printed_ticket_reveals_nothing_of_it() -> None:
    ticket = Ticket(VECTOR.nonce, VECTOR.signature)
    made = derive_ticket(derive_ticket_key(VECTOR.secret), epoch_start=START, index=0, key=VECTOR.key)
    for printed in (repr(ticket), repr(made)):
        assert str(VECTOR.nonce)[2:-1] not in printed
        assert str(made.blind) not in printed


# Keys that a holder takes --------------------------------------------------------------------------------------------
def test_a_key_is_published_as_the_vectors_have_it() -> None:
    for vector in TICKET_VECTORS:
        assert vector.key.jwk() == vector.jwk


@pytest.mark.parametrize("vector", refused("key list"), ids=lambda one: one["what"])
def test_the_invalid_keys_of_the_vectors_are_refused(vector: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="2,048 bits"):
        read_jwk(vector["key"])


@pytest.mark.parametrize(
    "changes",
    [
        {"n": encode_base64url((VECTOR.key.n + 1).to_bytes(256, "big"))},  # even
        {"n": encode_base64url((VECTOR.key.n << 8).to_bytes(257, "big"))},
        {"n": encode_base64url(b"\0" + VECTOR.key.n.to_bytes(256, "big"))},  # another form of the same number
        {"n": "="},
        {"n": 7},
        {"e": "Aw"},
        {"e": "AAEAAQ"},
        {"kid": TICKET_VECTORS[2].jwk["kid"]},
        {"class": "special"},
        {"class": "other", "epoch": "yesterday"},
        {"epoch": "2026-1-2"},
        {"epoch": 20261201},
        {"alg": "RS256"},
        {"kty": "EC"},
        {"key_ops": ["verify", "sign"]},
        {"use": "sig"},
    ],
    ids=str,
)
def test_a_key_published_in_another_form_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        read_jwk(VECTOR.jwk | changes)


@pytest.mark.parametrize("missing", list(VECTOR.jwk))
def test_a_key_without_one_of_its_members_is_refused(missing: str) -> None:
    with pytest.raises(ValueError):
        read_jwk({name: value for name, value in VECTOR.jwk.items() if name != missing})


def test_a_list_has_exactly_one_key_a_class_and_epoch() -> None:
    listed = list({one.jwk["kid"]: one.jwk for one in TICKET_VECTORS}.values())
    assert len(listed) == 4
    assert {date.isoformat(): sorted(keys) for date, keys in read_key_list(listed).items()} == {
        "2026-12-01": ["counted", "other"],
        "2026-12-02": ["counted", "other"],
    }
    for gone in listed:
        with pytest.raises(ValueError, match="each class"):
            read_key_list([one for one in listed if one != gone])
    for twice in listed:
        with pytest.raises(ValueError, match="two keys"):
            read_key_list([*listed, twice])
    for mine, others in itertools.permutations(TICKET_VECTORS[::2], 2):
        second = others.key.of(mine.key.epoch, mine.key.ticket_class, others.key.public).jwk()
        with pytest.raises(ValueError, match="two keys"):
            read_key_list([*listed, second])
