"""Down the chain: machine code and the standard library give the same anchor."""

import hashlib
import threading
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from passes.codec import chain, chain_compiled

HEADS = st.binary(min_size=23, max_size=23)
CODES = st.binary(min_size=16, max_size=16)
WAYS = [False] + [True] * chain_compiled.HAS_INSTRUCTIONS  # by rounds on any machine, by instructions where it has them


def in_words(head: bytes, slot: int, code: bytes) -> bytes:
    """Compute the chain as the protocol specifies it, one step after another."""
    for number in range(slot, 0, -1):
        code = hashlib.sha256(head + number.to_bytes(2, "big") + code).digest()[:16]
    return code


@pytest.fixture(params=WAYS, ids=lambda instructions: "instructions" if instructions else "rounds")
def _way(request: pytest.FixtureRequest) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(chain_compiled, "HAS_INSTRUCTIONS", request.param)
        yield


# All examples of a test go one way.
@pytest.mark.usefixtures("_way")
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(HEADS, st.integers(1, 40) | st.sampled_from([255, 256, 257, 1679, 1680]), CODES)
def test_all_walks_are_those_of_the_protocol(head: bytes, slot: int, code: bytes) -> None:
    assert chain.steps(head, slot, code)[-1] == chain_compiled.walk(head, slot, code) == in_words(head, slot, code)


def test_code_for_another_processor_than_this_one_has_no_instructions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chain_compiled._settings, "CPU_NAME", "generic")
    assert not chain_compiled._has_instructions()


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
