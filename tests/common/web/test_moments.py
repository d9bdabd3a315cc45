"""When responses to doors are sent."""

import asyncio
import datetime as dt
import json
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import pytest
from django.conf import settings
from django.http import HttpResponse
from hypothesis import given
from hypothesis import strategies as st

from common.web import front
from common.web.front import Front
from common.web.gateway import as_answer
from common.web.moments import Moments, moments_of, spread_by, wait_for_moment

SCANS = "/api/v1/scans"
SECONDS = st.floats(0, 30)
BYTES = st.integers(0, 2 * 1024 * 1024)
T = TypeVar("T")


def in_a_loop(task: Coroutine[Any, Any, T]) -> T:
    """Return the result of a coroutine, run in a separate thread: browser tests leave a loop running in this one."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, task).result()


@pytest.mark.parametrize("path", sorted(settings.ANSWER_MOMENTS))
class TestAMoment:
    @given(ready=SECONDS, body_bytes=BYTES)
    def test_is_not_before_the_answer_is_ready_and_at_most_a_step_after(
        self, path: str, ready: float, body_bytes: int
    ) -> None:
        moments = moments_of(path)
        assert moments is not None
        leaves = moments.after(ready, body_bytes)
        first = moments.after(0.0, body_bytes)
        assert leaves >= max(ready, first) - 1e-9
        assert leaves <= max(ready + moments.step, first) + 1e-9
        steps = (leaves - first) / moments.step
        assert steps == pytest.approx(round(steps), abs=1e-6)

    @given(share=st.lists(st.floats(0, 1), min_size=2, max_size=2), body_bytes=BYTES)
    def test_is_one_for_all_that_are_ready_before_the_first(
        self, path: str, share: list[float], body_bytes: int
    ) -> None:
        moments = moments_of(path)
        assert moments is not None
        first = moments.after(0.0, body_bytes)
        assert {moments.after(part * first, body_bytes) for part in share} == {first}


def test_answers_ready_before_the_moment_leave_spread_evenly_after_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """In 4,000 waits each tenth of the spread gets its tenth (within 5 sd), ready soon or late."""
    moments = Moments(first=0.04, step=0.02, spread=0.01)
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    async def wait(ready: float, times: int) -> None:
        loop = asyncio.get_running_loop()
        with monkeypatch.context() as patch:
            patch.setattr(loop, "time", lambda: 100.0 + ready, raising=False)
            for _ in range(times):
                await wait_for_moment(moments, 100.0, 300)

    monkeypatch.setattr("common.web.moments.asyncio.sleep", sleep)
    for ready in (0.0, 0.039):
        slept.clear()
        in_a_loop(wait(ready, 4_000))
        parts = [(seconds + ready - moments.first) / moments.spread for seconds in slept]
        assert all(-1e-9 <= part < 1 + 1e-9 for part in parts)
        counts = [sum(int(part * 10) == tenth for part in parts) for tenth in range(10)]
        assert max(abs(count - 400) for count in counts) <= 5 * 19


def test_repeats_of_one_name_wait_equally_in_a_minute_and_names_differ(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the mean nor the minimum of repeats reveals more than one repeat does."""
    now = dt.datetime(2026, 5, 13, 12, 0, tzinfo=dt.UTC)

    def part(name: bytes, seconds: int = 0) -> float:
        response = HttpResponse()
        spread_by(response, name, now + dt.timedelta(seconds=seconds))
        return as_answer(response, b"").moment_part or 0.0

    assert part(b"a") == part(b"a", 59)
    assert part(b"a") != part(b"a", 60)
    assert part(b"a") != part(b"b")
    parts = sorted(part(b"%d" % number) for number in range(1000))
    assert 0 <= parts[0] < 0.02
    assert 0.98 < parts[-1] < 1
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    async def wait() -> None:
        monkeypatch.setattr(asyncio.get_running_loop(), "time", lambda: 100.0, raising=False)
        await wait_for_moment(Moments(first=0.04, step=0.02, spread=0.01), 100.0, 300, 0.25)

    monkeypatch.setattr("common.web.moments.asyncio.sleep", sleep)
    in_a_loop(wait())
    assert slept == [pytest.approx(0.0425)]


def test_every_address_that_decides_scans_has_moments() -> None:
    assert set(settings.ANSWER_MOMENTS) == {SCANS, "/api/v1/scans/batch"}
    assert moments_of("/api/v1/shield") is None


def test_an_answer_that_waits_holds_no_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """The lane has one thread; no response is sent before the application has seen all requests."""
    many = 5
    seen: list[str] = []
    waited: list[tuple[Moments, int]] = []

    async def until_all_were_seen(moments: Moments, arrived: float, body_bytes: int, part: float | None) -> None:
        waited.append((moments, body_bytes))
        while len(seen) < many:
            await asyncio.sleep(0.001)

    def application(environ: dict[str, Any], _start: Any) -> HttpResponse:
        seen.append(environ["PATH_INFO"])
        return HttpResponse(b"{}")

    monkeypatch.setattr(front, "wait_for_moment", until_all_were_seen)
    lanes = {"doors": {"threads": 1, "queue": many, "seconds": 10.0, "database": 1.0}}
    monkeypatch.setattr(settings, "WEB_LANES", lanes)
    body = json.dumps({"scan_id": "a" * 16}).encode()

    async def all_at_once() -> list[int]:
        application_of_all = Front(application)
        return await asyncio.gather(*(ask(application_of_all, SCANS, body) for _ in range(many)))

    assert in_a_loop(all_at_once()) == [200] * many
    assert waited == [(moments_of(SCANS), len(body))] * many


def test_what_needs_no_moment_and_what_finds_no_thread_is_answered_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    async def never(*_: Any) -> None:
        pytest.fail("it waited")

    monkeypatch.setattr(front, "wait_for_moment", never)
    lanes = {name: {"threads": 1, "queue": 0, "seconds": 1.0, "database": 1.0} for name in ("doors", "pages")}
    monkeypatch.setattr(settings, "WEB_LANES", lanes)

    async def asked() -> tuple[int, int]:
        server = Front(lambda *_: HttpResponse(b"{}"))
        page = await ask(server, "/about", b"")
        async with server._lanes["doors"]._free:
            return page, await ask(server, SCANS, b"{}")

    assert in_a_loop(asked()) == (200, 503)


async def ask(application: Front, path: str, body: bytes) -> int:
    """Return the status of one POST."""
    messages = iter([{"type": "http.request", "body": body}])
    sent: list[Any] = []

    async def receive() -> Any:
        return next(messages)

    async def send(message: Any) -> None:
        sent.append(message)

    headers = [(b"host", b"localhost"), (b"content-length", str(len(body)).encode())]
    scope = {"type": "http", "method": "POST", "raw_path": path.encode(), "query_string": b"", "headers": headers}
    await application(scope | {"http_version": "1.1"}, receive, send)
    return int(sent[0]["status"])
