"""Rate limits."""

import datetime as dt
import logging
import math
import re
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import time_machine
from django.conf import settings
from hypothesis import given
from hypothesis import strategies as st
from limits.storage import RedisStorage
from pytest_django.fixtures import Settings
from redis import Redis, RedisError
from redis.connection import AbstractConnection
from rest_framework.test import APIClient

from common import valkey
from common.crypto import decrypt
from common.web import throttles
from common.web.problems import Forbidden
from common.web.throttles import Window

pytestmark = pytest.mark.urls("tests.common.views")

DOOR = "/api/v1/door"


def limited(settings: Settings, **rates: str) -> None:
    """Set rates of scopes."""
    settings.THROTTLES = settings.THROTTLES | rates


def fields(header: str) -> dict[str, int]:
    """Return the parameters of a header with one item."""
    return {name: int(value) for name, value in re.findall(r";(\w)=(\d+)", header)}


def test_responses_state_the_limit_and_what_is_left(api: APIClient, settings: Settings) -> None:
    limited(settings, address="5/minute")
    left = []
    for _ in range(5):
        response = api.get("/api/v1/search")
        assert response.status_code == 200
        assert response["RateLimit-Policy"] == '"address";q=5;w=60'
        assert response["RateLimit"].startswith('"address";')
        left.append(fields(response["RateLimit"])["r"])
    assert left == [4, 3, 2, 1, 0]


def test_a_refusal_says_when_to_come_back(api: APIClient, settings: Settings) -> None:
    limited(settings, address="2/minute")
    assert [api.get("/api/v1/search").status_code for _ in range(3)] == [200, 200, 429]
    response = api.get("/api/v1/search")
    assert response.json()["type"] == "/problems/too-many"
    assert 1 <= int(response["Retry-After"]) <= 120
    assert fields(response["RateLimit"]) == {"r": 0, "t": int(response["Retry-After"])}


def test_ip_addresses_are_counted_separately(api: APIClient, settings: Settings) -> None:
    limited(settings, address="1/minute")
    assert api.get("/api/v1/search", REMOTE_ADDR="192.0.2.1").status_code == 200
    assert api.get("/api/v1/search", REMOTE_ADDR="192.0.2.2").status_code == 200
    assert api.get("/api/v1/search", REMOTE_ADDR="192.0.2.1").status_code == 429


def test_devices_are_counted_separately_at_any_ip_address(api: APIClient, settings: Settings) -> None:
    limited(settings, device="1/minute")
    for device, address, status in (("good1", "192.0.2.1", 200), ("good2", "192.0.2.1", 200), ("good1", "::1", 429)):
        response = api.get(DOOR, headers={"Authorization": f"Device {device}"}, REMOTE_ADDR=address)
        assert response.status_code == status
        assert response["RateLimit-Policy"] == '"device";q=1;w=60'


@pytest.mark.parametrize("headers", [{"Authorization": "Device stranger"}, {}])
def test_guessed_and_missing_tokens_count_against_the_address(
    api: APIClient, settings: Settings, headers: dict[str, str]
) -> None:
    limited(settings, address="2/minute")
    asked = [api.get(DOOR, headers=headers) for _ in range(4)]
    assert [answer.status_code for answer in asked] == [401, 401, 429, 429]
    assert asked[0]["RateLimit-Policy"] == '"address";q=2;w=60'
    assert int(asked[2]["Retry-After"]) >= 1
    # The devices at the IP address are known and continue.
    assert api.get(DOOR, headers={"Authorization": "Device good"}).status_code == 200


def test_a_refusal_after_the_count_is_not_counted_twice(api: APIClient, settings: Settings) -> None:
    limited(settings, address="5/minute")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tests.common.views.SearchView.get", refuse)
        assert fields(api.get("/api/v1/search")["RateLimit"])["r"] == 4
        assert fields(api.get("/api/v1/search")["RateLimit"])["r"] == 3


def refuse(_view: object, _request: object) -> None:
    raise Forbidden


def test_many_processes_at_once_let_pass_exactly_the_quota(settings: Settings) -> None:
    limited(settings, address="50/hour")
    with ThreadPoolExecutor(16) as pool:
        verdicts = list(pool.map(lambda _: throttles.hit("address", "192.0.2.1"), range(120)))
    assert sum(verdict is not None and verdict.allowed for verdict in verdicts) == 50


def test_a_request_costs_one_round_trip(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    throttles.hit("address", "192.0.2.1")
    sent = []
    original: Callable[..., Any] = AbstractConnection.send_packed_command

    def counted(self: AbstractConnection, *args: Any, **kwargs: Any) -> Any:
        sent.append(1)
        return original(self, *args, **kwargs)

    monkeypatch.setattr(AbstractConnection, "send_packed_command", counted)
    throttles.hit("address", "192.0.2.1")
    assert len(sent) == 1


def test_a_server_that_lost_its_scripts_gets_them_again() -> None:
    throttles.hit("address", "192.0.2.1")
    valkey.limits().script_flush()
    verdict = throttles.hit("address", "192.0.2.1")
    assert verdict is not None
    assert verdict.quota - verdict.remaining == 2


def test_a_connection_that_the_server_closed_costs_no_count() -> None:
    throttles.hit("address", "192.0.2.1")
    valkey.limits().client_kill_filter(_type="normal", skipme=False)
    verdict = throttles.hit("address", "192.0.2.1")
    assert verdict is not None
    assert verdict.quota - verdict.remaining == 2


def test_nothing_in_the_store_reveals_an_ip_address_or_the_days_key(settings: Settings) -> None:
    limited(settings, address="5/minute")
    throttles.hit("address", "192.0.2.77")
    client: Redis = valkey.limits()
    names = [bytes(name) for name in client.scan_iter("crowdtrace:limit*")]
    assert names
    contents = b"".join(names) + b"".join(client.dump(name) or b"" for name in names)
    assert b"192.0.2.77" not in contents
    assert throttles._day_key().key not in contents
    assert all(client.ttl(name) > 0 for name in names)


def test_the_key_changes_each_day_and_expires() -> None:
    keys = set()
    for day in (14, 15):
        with time_machine.travel(dt.datetime(2031, 8, day, 12, tzinfo=dt.UTC), tick=False):
            throttles._key_of_day = None
            keys.add(throttles._day_key().key)
            name = f"{throttles.KEY_NAME}:2031-08-{day}"
            stored = valkey.limits().get(name)
            assert isinstance(stored, bytes)
            assert decrypt("rate-limit-key", stored) in keys
            assert 0 < valkey.limits().ttl(name) <= 86_400 + 300
            throttles._key_of_day = None
            assert throttles._day_key().key in keys
    throttles._key_of_day = None
    assert len(keys) == 2


def test_processes_that_start_together_agree_on_the_key() -> None:
    throttles._key_of_day = None
    valkey.limits().delete(f"{throttles.KEY_NAME}:2030-01-01")
    barrier = threading.Barrier(8)

    def ask(_: int) -> bytes:
        barrier.wait()
        return throttles._shared_key("2030-01-01")

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(ask, range(8)))) == 1


def test_a_key_of_another_deployment_is_replaced() -> None:
    name = f"{throttles.KEY_NAME}:2030-01-02"
    valkey.limits().set(name, b"not ours")
    key = throttles._shared_key("2030-01-02")
    assert key != b"not ours"
    assert throttles._shared_key("2030-01-02") == key
    valkey.limits().delete(name)


def test_doors_stay_open_while_the_store_is_unreachable(
    api: APIClient, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    settings.LIMITS_URL = "redis://127.0.0.1:1/0"
    throttles._key_of_day = None
    with caplog.at_level(logging.WARNING, logger="common.outage"):
        for _ in range(3):
            throttles.outage._until = -math.inf
            response = api.get(DOOR, headers={"Authorization": "Device good"})
            assert response.status_code == 200
            assert "RateLimit" not in response
    assert len([record for record in caplog.records if record.name == "common.outage"]) == 1


def test_an_unreachable_store_is_not_asked_by_every_request(settings: Settings) -> None:
    settings.LIMITS_URL = "redis://127.0.0.1:1/0"
    throttles._key_of_day = None
    assert throttles.hit("address", "x") is None
    assert throttles.outage.lasts()


def test_counters_end_when_the_clock_of_the_store_is_set_back() -> None:
    quota = throttles.quota("login")
    assert [throttles.hit("login", "x") for _ in range(quota)][-1]
    refused = throttles.hit("login", "x")
    assert refused is not None
    assert not refused.allowed
    store = valkey.limits()
    for name in store.scan_iter(f"{throttles.PREFIX}*"):
        store.pexpire(name, 3_600_000)  # what lived for a minute seems to live for an hour
    again = throttles.hit("login", "x")
    assert again is not None
    assert again.allowed


class TestTheLibrary:
    """What `throttles` takes of `limits`: two scripts, and the names of the counters."""

    KEY = "contract"
    QUOTA, WINDOW = 10, 3600

    @pytest.fixture
    def library(self) -> RedisStorage:
        """Return the library's own class on the same store."""
        client = valkey.limits()
        client.delete(*throttles._keys(self.KEY))
        return RedisStorage(settings.LIMITS_URL, connection_pool=client.connection_pool, key_prefix=throttles.PREFIX)

    def ours(self, cost: int = 1) -> tuple[bool, tuple[int, float, int, float]]:
        """Count with our call; return whether it was allowed, and the window as the library states it."""
        counting = throttles._Counting(self.KEY, self.QUOTA, self.WINDOW, cost)
        ((allowed, (previous, previous_ms, current, current_ms)),) = throttles._store(valkey.limits()).count([counting])
        return bool(allowed), (
            int(previous or 0),
            max(0, int(previous_ms or 0)) / 1000,
            int(current or 0),
            max(0, int(current_ms or 0)) / 1000,
        )

    def theirs(self, library: RedisStorage, cost: int = 1) -> bool:
        return library.acquire_sliding_window_entry(self.KEY, self.QUOTA, self.WINDOW, cost)

    def alike(self, ours: tuple[int, float, int, float], library: RedisStorage) -> bool:
        """Return whether the library reads the same window a moment later."""
        previous, previous_s, current, current_s = library.get_sliding_window(self.KEY, self.WINDOW)
        return (
            ours[::2] == (previous, current)
            and ours[1] == pytest.approx(previous_s, abs=300)
            and ours[3] == pytest.approx(current_s, abs=300)
        )

    def test_both_count_in_the_same_counters(self, library: RedisStorage) -> None:
        allowed, window = self.ours(cost=3)
        assert allowed
        assert window[:3] == (0, 0.0, 3)
        assert window[3] == pytest.approx(2 * self.WINDOW, abs=300)
        assert self.alike(window, library)
        assert self.theirs(library, cost=2)
        allowed, window = self.ours()
        assert (allowed, window[2]) == (True, 6)
        assert self.alike(window, library)

    def test_both_refuse_at_the_same_count_and_a_refusal_counts_nothing(self, library: RedisStorage) -> None:
        assert self.ours(cost=self.QUOTA - 1)[0]
        for _ in range(2):
            allowed, window = self.ours(cost=2)
            assert (allowed, window[2]) == (False, self.QUOTA - 1)
            assert not self.theirs(library, cost=2)
        assert self.theirs(library)
        assert not self.ours()[0]
        assert not self.theirs(library)

    def test_both_give_the_previous_counter_the_same_weight(self, library: RedisStorage) -> None:
        assert self.theirs(library, cost=8)
        previous, current = throttles._keys(self.KEY)
        # Half a window into the second one: 8 count as 3, and go on doing so for a seventh of an hour.
        valkey.limits().pexpire(current, int(self.WINDOW * 0.49 * 1000))
        allowed, window = self.ours(cost=7)
        assert (allowed, window[0], window[2]) == (True, 8, 7)
        assert self.alike(window, library)
        assert not self.ours()[0]
        assert not self.theirs(library)
        assert valkey.limits().exists(previous) == 1

    def test_both_take_back_what_did_not_count(self, library: RedisStorage) -> None:
        assert self.ours(cost=3)[0]
        allowed, window = self.ours(cost=-1)
        assert (allowed, window[2]) == (True, 2)
        assert self.theirs(library, cost=-1)
        assert self.ours(cost=0)[1][2] == 1


def test_one_request_at_a_time_asks_a_store_that_failed() -> None:
    throttles.outage.note(RedisError())
    assert throttles.outage.lasts()
    throttles.outage._until = -math.inf
    assert [throttles.outage.lasts() for _ in range(3)] == [False, True, True]
    throttles.outage.clear()
    assert not throttles.outage.lasts()


class Model:
    """The counters as the script stores them, on a given clock."""

    def __init__(self, quota: int, seconds: int) -> None:
        self.quota, self.seconds = quota, seconds
        self.previous, self.previous_until = 0, 0.0
        self.current, self.current_until = 0, 0.0

    def window(self, now: float) -> Window:
        if self.current_until <= now:
            self.current, self.current_until = 0, 0.0
        elif self.current_until - now < self.seconds:
            self.previous, self.previous_until = self.current, self.current_until
            self.current, self.current_until = 0, self.current_until + self.seconds
        if self.previous_until <= now:
            self.previous = 0
        return Window(
            quota=self.quota,
            seconds=self.seconds,
            previous=self.previous,
            previous_s=max(0.0, self.previous_until - now),
            current=self.current,
            current_s=max(0.0, self.current_until - now),
        )

    def hit(self, now: float) -> bool:
        window = self.window(now)
        if math.floor(window.previous * window.previous_s / self.seconds) + window.current + 1 > self.quota:
            return False
        if self.current_until <= now:
            self.current_until = now + 2 * self.seconds
        self.current += 1
        return True


@given(
    st.integers(1, 30),
    st.sampled_from([1, 10, 60]),
    st.lists(st.floats(0, 1.7), min_size=1, max_size=60),
)
def test_after_the_time_that_a_refusal_names_one_more_passes(quota: int, seconds: int, gaps: list[float]) -> None:
    model = Model(quota, seconds)
    now = 1000.0
    for gap in gaps:
        now += gap * seconds / quota
        before = model.window(now)
        if model.hit(now):
            assert before.remaining() >= 1
            continue
        assert before.remaining() == 0
        wait = model.window(now).wait()
        assert 0 <= wait <= 2 * seconds
        now += wait + throttles.ROUNDING_SECONDS
        assert model.hit(now)
