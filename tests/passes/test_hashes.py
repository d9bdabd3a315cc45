"""Stored forms of what holders present: keyed, each kind with a separate label."""

import hashlib
import hmac
import itertools
from typing import Any

import pytest

from passes import hashes

PEPPER = bytes(range(32))
VALUE = b"\x07" * 32


@pytest.fixture(autouse=True)
def _pepper(settings: Any) -> None:
    settings.PEPPER = PEPPER


def keyed(message: bytes) -> bytes:
    return hmac.digest(PEPPER, message, "sha256")


def test_registered_hashes_have_labels_of_their_own() -> None:
    assert hashes.visitor_hash(VALUE) == keyed(b"visitor" + VALUE)
    assert hashes.erase_hash(VALUE) == keyed(b"erase" + VALUE)
    assert hashes.erase_hash_of_key(VALUE) == keyed(b"erase" + hashlib.sha256(VALUE).digest())


def test_hashes_of_tickets_are_those_of_the_protocol() -> None:
    assert hashes.drawn_hash(VALUE, 1_796_083_200) == keyed(b"drawn" + VALUE + (1_796_083_200).to_bytes(4, "big"))
    assert hashes.spent_ticket_hash(VALUE) == keyed(b"spent-ticket" + VALUE)[:16]
    assert hashes.body_hash(VALUE, b"{}") == keyed(b"body" + VALUE + b"{}")[:16]


def test_one_value_of_two_kinds_has_two_hashes() -> None:
    made = [
        hashes.visitor_hash(VALUE),
        hashes.erase_hash(VALUE),
        hashes.drawn_hash(VALUE, 0),
        hashes.set_hash([VALUE]),
        hashes.spent_ticket_hash(VALUE),
        hashes.body_hash(VALUE, b""),
        hashes.spent_hash(VALUE),
        hashes.pass_tag(VALUE),
    ]
    for one, other in itertools.combinations(made, 2):
        assert one[:16] != other[:16]
