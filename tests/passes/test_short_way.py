"""A scan in the usual form skips the view of the API, and gets the same response."""

import json
from collections.abc import Iterator
from typing import Any

import psycopg._queries
import pytest
import time_machine
from django.core.signals import request_finished, request_started
from django.db import close_old_connections, connection
from django.test.utils import CaptureQueriesContext

from common.web.gateway import Answer, call, environ_of, set_body
from crowdtrace.wsgi import application
from passes.api.devices import ScansView
from passes.models import Scan
from tests.factories import NOW, EnrolledDevice, make_device, make_venue
from tests.passes.people import Phone
from tests.passes.requests import send_bytes
from venues.kinds import DeviceKind
from venues.models import Device, Requirements, Venue
from venues.requirements import RequirementValues

pytestmark = pytest.mark.django_db
SCANS = "/api/v1/scans"
SHORT, LONG = "application/json", "application/json; charset=utf-8"
Headers = dict[str, str]


@pytest.fixture
def venue() -> Venue:
    return make_venue()


@pytest.fixture
def door(venue: Venue) -> EnrolledDevice:
    return make_device(venue=venue)


def answer(body: bytes, headers: Headers, form: str) -> tuple[int, list[tuple[str, str]], bytes]:
    """Return status, headers except running counters, and body of a scan sent in a form."""
    got = send_bytes(SCANS, body, now=NOW, headers=headers | {"Content-Type": form})
    kept = [(name, value) for name, value in got.headers.items() if name not in ("RateLimit", "Retry-After")]
    return got.status_code, sorted(kept), got.content


def body(credential: str, number: int = 0, **more: Any) -> bytes:
    """Return a scan."""

    scan = {"scan_id": f"scan-of-two-ways-{number}", "credential": credential, "type": "Checkin"}
    return json.dumps(scan | {"scanned_at": NOW.isoformat().replace("+00:00", "Z")} | more).encode()


@pytest.mark.parametrize("language", [{}, {"Accept-Language": "es"}])
def test_both_ways_answer_with_the_same_bytes(venue: Venue, door: EnrolledDevice, language: Headers) -> None:
    held = [Phone().check_in(venue).on_screen(NOW) for _ in range(2)]
    known = door.header | language
    asked: list[tuple[bytes, bytes, Headers]] = [
        (body(held[0], 1), body(held[1], 2), known),
        (body("garbage", 3), body("garbage", 4), known),
        (body("garbage", 3), body("garbage", 3), known),
        (body("a", 5, o2=98.5, temperature_f=None), body("a", 6, o2=98.5, temperature_f=None), known),
        (b"{", b"{", known),
        (b"[]", b"[]", known),
        (body("a", 7, type="in"), body("a", 8, type="in"), known),
        (body("a", 9), body("a", 10), {"Authorization": "Device unknown"} | language),
        (body("a", 9), body("a", 10), {"Authorization": "Device"} | language),
        (body("a", 9), body("a", 10), language),
    ]
    statuses = []
    for short, long, headers in asked:
        first, second = answer(short, headers, SHORT), answer(long, headers, LONG)
        assert first == second
        statuses.append(first[0])
    assert statuses == [200, 200, 200, 200, 400, 400, 400, 401, 401, 401]


def test_over_the_limit_both_ways_respond_alike(door: EnrolledDevice, settings: Any) -> None:
    settings.THROTTLES = settings.THROTTLES | {"device": "1/hour"}
    assert answer(body("a", 1), door.header, SHORT)[0] == 200
    refused = answer(body("a", 2), door.header, SHORT)
    assert refused == answer(body("a", 2), door.header, LONG)
    assert refused[0] == 429
    assert Scan.objects.count() == 1


def test_the_short_way_takes_two_statements_and_never_meets_the_view(
    venue: Venue, door: EnrolledDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = [Phone().check_in(venue).on_screen(NOW) for _ in range(2)]
    answer(body(held[0], 1), door.header, SHORT)  # keys are read
    monkeypatch.setattr(ScansView, "post", lambda *_: pytest.fail("the long way"))
    with CaptureQueriesContext(connection) as statements:
        assert answer(body(held[1], 2), door.header, SHORT)[2] == b'{"result":"Approved"}'
    assert len(statements) == 2


@pytest.fixture
def kept_connection() -> Iterator[None]:
    """Keep the connection with the transaction of the test at the end of a request, as Django's test client does."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


def deployed(data: bytes, token: str, form: str) -> Answer:
    """Return the response of the application as the web server asks it."""
    headers = [("host", "localhost"), ("content-type", form), ("authorization", f"Device {token}")]
    scope = {"method": "POST", "raw_path": SCANS.encode(), "query_string": b"", "http_version": "1.1"}
    environ = environ_of(scope | {"headers": [(name.encode(), value.encode()) for name, value in headers]})
    set_body(environ, data)
    with time_machine.travel(NOW, tick=False):
        return call(application, environ)


@pytest.mark.usefixtures("kept_connection")
@pytest.mark.parametrize(("sent", "status"), [("garbage", 200), (None, 400)])
def test_the_deployed_application_answers_both_ways_alike(door: EnrolledDevice, sent: str | None, status: int) -> None:
    data = b"[]" if sent is None else body(sent)
    short, long = deployed(data, door.token, SHORT), deployed(data, door.token, LONG)
    assert (short.status, short.body) == (long.status, long.body)
    assert short.status == status
    assert {name for name, _ in short.headers} == {name for name, _ in long.headers}


@pytest.mark.usefixtures("kept_connection")
def test_the_deployed_application_responds_to_a_scan_without_middleware_and_view(
    venue: Venue, door: EnrolledDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(application, "_application", lambda *_: pytest.fail("the long way"))
    got = deployed(body(Phone().check_in(venue).on_screen(NOW)), door.token, SHORT)
    assert got.body == b'{"result":"Approved"}'


def test_the_driver_learns_the_parameters_of_a_scan_once(
    venue: Venue, door: EnrolledDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = [Phone().check_in(venue).on_screen(NOW) for _ in range(2)]
    assert answer(body(held[0], 1), door.header, SHORT)[0] == 200
    monkeypatch.setattr(psycopg._queries, "_split_query", lambda *_: pytest.fail("parsed again"))
    assert answer(body(held[1], 2), door.header, SHORT)[2] == b'{"result":"Approved"}'


def test_what_the_short_way_cannot_handle_takes_the_long_one(door: EnrolledDevice) -> None:
    for changed in ({"Host": "elsewhere.example"}, {"Content-Type": "text/plain"}):
        got = send_bytes(SCANS, body("a"), now=NOW, headers=door.header | changed)
        assert got.status_code in (400, 415)
    assert send_bytes(SCANS, b" " * 70_000, now=NOW, headers=door.header).status_code == 413
    assert not Scan.objects.exists()


def test_a_revoked_device_is_refused_at_once(door: EnrolledDevice) -> None:
    assert answer(body("a", 1), door.header, SHORT)[0] == 200
    Device.objects.update(revoked_at=NOW)
    assert answer(body("a", 2), door.header, SHORT)[0] == 401


def test_a_venue_whose_heads_are_remembered_is_counted_again_when_its_limit_falls(door: EnrolledDevice) -> None:
    big = make_venue(requirements=RequirementValues(capacity=50_000))
    gate = make_device(venue=big, kind=DeviceKind.GATE)
    held = [Phone().check_in(big).on_screen(NOW) for _ in range(3)]
    assert answer(body(held[0], 1), gate.header, SHORT)[2] == b'{"result":"Approved"}'
    Requirements.objects.filter(venue=big).update(capacity=1)
    assert answer(body(held[1], 2), gate.header, SHORT)[2] == b'{"result":"Declined"}'
    assert Scan.objects.filter(cause="full").count() == 1
