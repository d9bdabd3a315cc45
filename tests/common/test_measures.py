"""Counts for the operator's metrics."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from redis import RedisError

from common import measures, valkey
from common.measures import LIMITED, REQUESTS, SCANS, STEP


@pytest.fixture(autouse=True)
def none() -> Iterator[None]:
    measures.flush()
    valkey.client().delete(measures.KEY)
    yield
    measures.flush()
    valkey.client().delete(measures.KEY)


@given(by=st.integers(1, 500))
def test_a_count_is_shown_in_steps_of_ten(by: int) -> None:
    valkey.client().delete(measures.KEY)
    measures.count(SCANS, "live", "Approved", by=by)
    shown = measures.read()[SCANS][("live", "Approved")]
    assert shown % STEP == 0
    assert by - STEP < shown <= by


@given(values=st.lists(st.floats(0, 20), max_size=60))
def test_buckets_of_a_histogram_count_all_values_below_their_edge(values: list[float]) -> None:
    valkey.client().delete(measures.KEY)
    for value in values:
        measures.observe(REQUESTS, value, "doors")
    shown = measures.read()[REQUESTS]
    edges = [*REQUESTS.bounds, float("inf")]
    for at, edge in enumerate(edges):
        below = sum(value <= edge for value in values)
        assert shown.get(("doors", str(at)), 0) == below - below % STEP


def count_many() -> None:
    for _ in range(500):
        measures.count(LIMITED, "code")


def test_threads_lose_no_count() -> None:
    with ThreadPoolExecutor(8) as pool:
        for _ in range(8):
            pool.submit(count_many)
    assert measures.read()[LIMITED][("code",)] == 4000


def test_a_process_that_is_ending_counts_without_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    ended = ThreadPoolExecutor(1)
    ended.shutdown()
    monkeypatch.setattr(measures, "_thread", ended)
    monkeypatch.setattr(measures, "_flushed", float("-inf"))
    measures.count(LIMITED, "code", by=STEP)
    assert measures.read()[LIMITED][("code",)] == STEP


def test_without_valkey_counts_wait_in_the_process(settings: Any) -> None:
    there = settings.REDIS_URL
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    measures.count(LIMITED, "query", by=20)
    measures.flush()
    with pytest.raises(RedisError):
        measures.read()
    settings.REDIS_URL = there
    assert measures.read()[LIMITED][("query",)] == 20


def test_counts_of_another_version_are_left_out() -> None:
    valkey.client().hset(measures.KEY, mapping={"unknown": 50, "crowdtrace_scans\tlive": 50})
    assert all(not values for values in measures.read().values())
