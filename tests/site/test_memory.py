"""The memory of a web server does not grow with the requests that it answered.

The hour's soak of a real server is `benchmarks/stadium.py`. Here the allocations of Python are counted exactly, between
equal blocks of requests, so that a list which keeps something of each request is found within seconds.
"""

import gc
import itertools
import json
import secrets
import tracemalloc
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import time_machine
from django.core.handlers.wsgi import WSGIHandler

from benchmarks.scan import prepare_at
from common.web.gateway import Environ, call, environ_of, set_body
from passes.clock import calendar
from passes.codec.identity import encode_base64url
from passes.limits import PASSES_PER_EPOCH
from tests.factories import NOW, make_venue
from tests.passes.people import HEALTHY, Phone

pytestmark = pytest.mark.django_db(transaction=True)  # requests return their connection, as on a server
BLOCK = 32
"""Requests of each kind in a block."""
BLOCKS = 3
"""A leak makes memory grow in each block. A cache of Python that is not full yet makes it grow in one."""
WARM = 8
"""Requests of each kind before: statements are prepared, caches filled, libraries loaded."""
LEAK_BYTES = 2048
BOUND_BYTES = LEAK_BYTES // 2
"""Growth for each request of a block: half of the leak that must be found. Scans were measured at up to half of it."""
Request = tuple[str, str, bytes, dict[str, str]]


def environ(request: Request) -> Environ:
    """Return a request as the front passes it on."""
    method, path, body, headers = request
    sent = {"host": "localhost", "content-type": "application/json", "accept": "*/*"} | headers
    path, _, query = path.partition("?")
    scope = {"method": method, "raw_path": path.encode(), "query_string": query.encode(), "http_version": "1.1"}
    named = [(name.lower().encode(), value.encode()) for name, value in sent.items()]
    made = environ_of(scope | {"headers": named, "client": ("127.0.0.1", 1)})
    if body:
        set_body(made, body)
    return made


def requests(count: int) -> dict[str, Iterator[Request]]:
    """Return requests of each kind, all of them prepared."""
    town = prepare_at(count, doors=1, now=NOW)
    venue, today = make_venue(), calendar().current(NOW.timestamp())
    phones = [Phone() for _ in range(0, count, PASSES_PER_EPOCH)]

    def scan(screen: Callable[[float], str]) -> Request:
        body = {"scan_id": secrets.token_urlsafe(16), "credential": screen(NOW.timestamp()), "type": "Checkin"}
        body["scanned_at"] = NOW.isoformat()
        return "POST", "/api/v1/scans", json.dumps(body).encode(), {"authorization": f"Device {town.tokens[0]}"}

    def check_in(phone: Phone) -> Request:
        holder = phone.next_pass(today)
        body = {
            "venue": venue.public_id,
            "epoch": today.date.isoformat(),
            "anchor": encode_base64url(holder.anchor),
            "owner_hash": encode_base64url(holder.owner_hash),
            "answers": HEALTHY,
            "survey_seconds": 20,
        }
        return "POST", "/api/v1/passes", json.dumps(body).encode(), phone.ticket(holder.index, today).header

    def shield() -> Request:
        owners = [encode_base64url(secrets.token_bytes(32)) for _ in range(10)]
        return "POST", "/api/v1/shield", json.dumps({"owners": owners}).encode(), {}

    def read(path: str) -> list[Request]:
        return [("GET", path, b"", {})] * count

    made: dict[str, list[Request]] = {
        "scans": [scan(screen) for screen in town.shown],
        "check-ins": [check_in(phones[number // PASSES_PER_EPOCH]) for number in range(count)],
        "shields": [shield() for _ in range(count)],
        "places": read(f"/api/v1/venues/{venue.public_id}"),
        "pages": read("/"),
    }
    return {kind: iter(each) for kind, each in made.items()}


def growth(kinds: dict[str, Iterator[Request]], application: Any = None) -> dict[str, float]:
    """Return, for each kind, how many bytes of each request are still allocated after it, in the block with fewest."""
    application = application or WSGIHandler()

    def send(kind: str, count: int) -> None:
        for request in itertools.islice(kinds[kind], count):
            answer = call(application, environ(request))
            assert answer.status in (200, 201), (kind, answer.body)
        gc.collect()

    def grown(kind: str) -> float:
        held = []
        for _ in range(BLOCKS):
            send(kind, BLOCK)
            held.append(tracemalloc.get_traced_memory()[0])
        return min(after - before for before, after in itertools.pairwise(held)) / BLOCK

    with time_machine.travel(NOW, tick=False):
        for kind in kinds:
            send(kind, WARM)
        tracemalloc.start()
        try:
            return {kind: grown(kind) for kind in kinds}
        finally:
            tracemalloc.stop()


def test_memory_does_not_grow_with_scans_check_ins_shields_and_pages() -> None:
    found = growth(requests(WARM + BLOCKS * BLOCK))
    assert {kind: size for kind, size in found.items() if size > BOUND_BYTES} == {}


def test_two_kilobytes_kept_of_each_request_would_be_seen() -> None:
    kept, application = [], WSGIHandler()

    def leaky(environ: Environ, start: Callable[..., Any]) -> Any:
        kept.append(bytes(LEAK_BYTES))
        return application(environ, start)

    assert growth({"pages": itertools.repeat(("GET", "/healthz", b"", {}))}, leaky)["pages"] > BOUND_BYTES
