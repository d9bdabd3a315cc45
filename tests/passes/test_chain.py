"""Down the chain: machine code and the standard library come to the same anchor."""

import hashlib
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from passes import chain, chain_compiled

HEADS = st.binary(min_size=23, max_size=23)
CODES = st.binary(min_size=16, max_size=16)


def in_words(head: bytes, slot: int, code: bytes) -> bytes:
    """As the protocol says it, one step after the other."""
    for number in range(slot, 0, -1):
        code = hashlib.sha256(head + number.to_bytes(2, "big") + code).digest()[:16]
    return code


@given(HEADS, st.integers(1, 40) | st.sampled_from([255, 256, 257]), CODES)
def test_both_walks_are_those_of_the_protocol(head: bytes, slot: int, code: bytes) -> None:
    assert chain.steps(head, slot, code)[-1] == chain_compiled.walk(head, slot, code) == in_words(head, slot, code)


def test_the_longest_walk_is_the_same_both_ways() -> None:
    head, code = bytes(range(23)), bytes(range(16))
    assert chain_compiled.walk(head, 1680, code) == chain.steps(head, 1680, code)[-1]


def test_a_process_that_asked_walks_in_machine_code_once_that_is_ready(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chain, "_compiled", None)
    chain._wanted.acquire(blocking=False)
    head, code = bytes(23), bytes(16)
    before = chain.walk(head, 100, code)
    assert not [one for one in threading.enumerate() if one.name == "compile-chain"], "nobody asked"
    chain.compile_when_used()
    assert chain.walk(head, 100, code) == before, "the first one does not wait"
    for thread in [one for one in threading.enumerate() if one.name == "compile-chain"]:
        thread.join(60)
    assert chain._compiled is chain_compiled.walk
    assert chain.walk(head, 100, code) == before
