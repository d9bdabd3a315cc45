"""Connections on which nothing moves are found by what the kernel counts."""

import threading
from pathlib import Path

import pytest

from common.web import stalled as watched
from common.web.stalled import LEAST_BYTES, Flow, Seen, let_go, look, stalled

NEVER = 1e9


def seen_after(*flows: Flow, seconds: float = 10.0) -> dict[int, Seen]:
    """Return what is known of a connection after a look every `seconds`, from 0."""
    seen: dict[int, Seen] = {}
    for number, flow in enumerate(flows):
        seen = look(seen, {1: flow}, number * seconds)
    return seen


def test_a_client_that_takes_nothing_of_its_response_is_found() -> None:
    seen = seen_after(*[Flow(100, 5000, waits=True)] * 4)
    assert stalled(seen, 30.0, reading=30.0, idle=NEVER) == {1}
    assert not stalled(seen, 29.0, reading=30.0, idle=NEVER)


def test_one_that_takes_a_few_bytes_at_a_time_is_found_too() -> None:
    trickle = [Flow(100, 5000 + number * 1000, waits=True) for number in range(4)]
    assert stalled(seen_after(*trickle), 30.0, reading=30.0, idle=NEVER) == {1}


def test_a_slow_network_is_not() -> None:
    slow = [Flow(100, number * LEAST_BYTES // 2, waits=True) for number in range(20)]
    assert not stalled(seen_after(*slow), 190.0, reading=30.0, idle=NEVER)


def test_waiting_for_a_response_is_idle_and_the_response_begins_a_new_time() -> None:
    idle = [Flow(100, 0, waits=False)] * 6
    assert not stalled(seen_after(*idle), 50.0, reading=30.0, idle=120.0)
    assert not stalled(seen_after(*idle, Flow(100, 0, waits=True)), 60.0, reading=30.0, idle=120.0)
    assert stalled(seen_after(*idle * 3), 170.0, reading=30.0, idle=120.0) == {1}


def test_a_body_that_arrives_byte_by_byte_is_left_to_the_deadline_of_bodies() -> None:
    body = [Flow(number, 0, waits=False) for number in range(20)]
    assert not stalled(seen_after(*body), 190.0, reading=30.0, idle=120.0)


def test_a_connection_that_ended_is_forgotten() -> None:
    assert not look(seen_after(Flow(1, 1, waits=True)), {}, 10.0)


def test_a_kernel_that_counts_no_bytes_ends_no_connection() -> None:
    silent = [Flow(0, 0, waits=False)] * 60
    assert not stalled(seen_after(*silent), 590.0, reading=30.0, idle=120.0)


def test_addresses_are_not_kept_where_connections_are_not_watched(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watched, "_watching", threading.Event())
    monkeypatch.setattr(watched, "_leaving", set())
    let_go(("192.0.2.1", 50_000))
    assert not watched._leaving


def test_a_look_that_may_open_no_file_finds_nothing_and_does_not_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: Path) -> None:
        raise OSError(24, "Too many open files")

    monkeypatch.setattr(Path, "iterdir", full)
    assert watched._accepted() == {}
