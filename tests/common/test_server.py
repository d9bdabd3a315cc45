"""The app behind the real web server: raw requests, its log, and the documentation in a browser."""

import json
import os
import selectors
import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from django.conf import settings
from playwright.sync_api import Playwright, Request

from common.web.server import command
from embedded.home import CHECKOUT
from embedded.network import free_port
from embedded.processes import wait_until
from tests.common.conftest import THING
from tests.common.views import LONG_FILE_BYTES
from tests.live import PATIENCE_S

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
KIB = 1024
BODY_SECONDS = 1.5
ANSWER_SECONDS = 5
SHORT = {"BODY_SECONDS": str(BODY_SECONDS), "ANSWER_SECONDS": str(ANSWER_SECONDS)}
HURRIED = ["--http1-header-read-timeout", "1500"]
THREADS, QUEUE = settings.WEB_LANES["pages"]["threads"], settings.WEB_LANES["pages"]["queue"]


@dataclass(frozen=True)
class Answer:
    """A raw response."""

    status: int
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True)
class Server:
    """The running server and its output."""

    port: int
    output: Path

    def said(self) -> str:
        """Return everything it has written so far."""
        return self.output.read_text()

    def begin(self, request: bytes) -> socket.socket:
        """Send bytes unchanged."""
        connection = socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE_S)
        connection.sendall(request)
        return connection

    def send(self, request: bytes) -> Answer:
        """Send bytes unchanged and read until the server closes."""
        with self.begin(request) as connection:
            return self.read(connection)

    def read(self, connection: socket.socket) -> Answer:
        """Return what arrives until the server closes."""
        parts = list(iter(lambda: connection.recv(65_536), b""))  # joined once: a slow reader would be cut off
        head, _, body = b"".join(parts).partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
        return Answer(int(first.split()[1]), headers, body)

    def post(self, path: str, body: bytes, *headers: str, go_on: bytes = b"") -> Answer:
        """Send a POST of JSON; `go_on` is the body of a client that waits for `100 Continue` before sending it."""
        lines = [f"POST {path} HTTP/1.1", "Host: localhost", "Connection: close", "Content-Type: application/json"]
        with self.begin("\r\n".join([*lines, *headers, "", ""]).encode() + body) as connection:
            if go_on:
                assert connection.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
                connection.sendall(go_on)
            return self.read(connection)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Run granian as `serve` starts it."""
    port, output = free_port(), tmp_path_factory.mktemp("server") / "output.txt"
    with output.open("w") as stream:
        process = subprocess.Popen(
            [*command("tests.common.server:application", host="127.0.0.1", port=port, workers=1), *HURRIED],
            cwd=CHECKOUT,
            env=os.environ | {"PYTHONUNBUFFERED": "1", **SHORT},
            stdout=stream,
            stderr=subprocess.STDOUT,
        )
    try:
        wait_until(lambda: process.poll() is not None or _answers(port), seconds=PATIENCE_S)
        assert process.poll() is None, output.read_text()
        yield Server(port, output)
    finally:
        process.terminate()
        process.wait(PATIENCE_S)


def _answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def chunked(data: bytes, size: int = 8 * KIB) -> bytes:
    """Return the data as a chunked body (RFC 9112 section 7.1)."""
    parts = [data[at : at + size] for at in range(0, len(data), size)]
    return b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in [*parts, b""])


def test_a_chunked_body_is_read(server: Server) -> None:
    body = json.dumps(THING).encode()
    answer = server.post("/api/v1/things", chunked(body, 10), "Transfer-Encoding: chunked")
    assert answer.status == 200
    assert json.loads(answer.body)["anchor"] == THING["anchor"]


def test_a_chunked_body_beyond_the_limit_is_refused(server: Server) -> None:
    for size in (64 * KIB + 1, 3 * 1024 * KIB):
        answer = server.post("/api/v1/things", chunked(b" " * size), "Transfer-Encoding: chunked")
        assert answer.status == 413
        assert answer.headers["content-type"] == "application/problem+json"


def test_a_length_beyond_the_limit_is_refused_before_the_body_comes(server: Server) -> None:
    answer = server.post("/api/v1/things", b"{", f"Content-Length: {64 * KIB + 1}")
    assert answer.status == 413


def promise(path: str = "/api/v1/things") -> bytes:
    """Return a request whose body never comes."""
    return f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{{".encode()


def get(path: str) -> bytes:
    """Return a request that is the last of its connection."""
    return f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode()


def test_bodies_that_never_come_keep_nobody_waiting_and_end_at_the_deadline(server: Server) -> None:
    idle = [server.begin(promise()) for _ in range(50)]
    assert server.send(get("/healthz")).status == 200
    assert server.post("/api/v1/things", b"{}", "Content-Length: 2").status == 400
    for connection in idle:
        answer = server.read(connection)
        assert (answer.status, answer.headers["connection"]) == (408, "close")
        assert json.loads(answer.body)["type"] == "/problems/took-too-long"
        connection.close()


def test_a_body_that_ends_early_is_refused_and_never_taken_for_a_whole_one(server: Server) -> None:
    for request in (promise("/api/v1/scans"), promise("/api/v1/scans").replace(b"Content-Length: 100", CHUNKED) + b"5"):
        with server.begin(request) as connection:
            connection.shutdown(socket.SHUT_WR)
            assert server.read(connection).status == 400


def test_connections_without_a_request_are_closed(server: Server) -> None:
    with server.begin(b"") as connection, server.begin(b"GET / HTTP/1.1\r\nHost: local") as other:
        assert connection.recv(1) == b""
        assert other.recv(1) == b""


def test_readers_that_take_nothing_hold_no_thread_and_are_let_go(server: Server) -> None:
    whole = server.send(get("/pages/file"))
    assert whole.body == b"x" * LONG_FILE_BYTES
    readers = [server.begin(get("/pages/file")) for _ in range(2 * THREADS)]
    assert server.send(get("/pages/login")).status == 200
    for reader in readers[:3]:
        reader.recv(1)
    assert server.send(get("/pages/login")).status == 200
    threading.Event().wait(1.5 * ANSWER_SECONDS)
    assert sum(len(part) for part in iter(lambda: readers[0].recv(65_536), b"")) < LONG_FILE_BYTES
    for reader in readers:
        reader.close()


def test_connections_whose_client_takes_nothing_of_many_small_responses_are_ended(server: Server) -> None:
    # Together more than the kernel holds for a connection.
    request = get("/static/passes/built/kiosk.js").replace(b"Connection: close\r\n", b"")
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 * KIB)
    connection.settimeout(60)
    with connection:
        connection.connect(("127.0.0.1", server.port))
        connection.sendall(request * 100)
        wait_until(lambda: not is_open(connection), seconds=120)
        assert not is_open(connection)


def is_open(connection: socket.socket) -> bool:
    """Return whether the kernel has seen no end of a connection."""
    return connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1) == b"\x01"


def test_doors_have_threads_that_nothing_else_takes_and_the_next_page_is_refused_at_once(server: Server) -> None:
    holding = [server.begin(get("/pages/hold")) for _ in range(THREADS)]
    waiting = [server.begin(get("/pages/hold")) for _ in range(QUEUE + 1)]
    refused = [next(_answered(waiting))]
    answer = server.read(refused[0])
    assert (answer.status, answer.headers["retry-after"]) == (503, "2")
    assert "no-store" in answer.headers.get("cache-control", "no-store")
    assert answer.headers["content-security-policy"] == settings.CONTENT_SECURITY_POLICY
    many = str(THREADS + QUEUE).encode()
    released = server.post("/api/v1/tickets", many, f"Content-Length: {len(many)}")
    assert (released.status, released.body) == (200, b"released")
    others = [each for each in (*holding, *waiting) if each is not refused[0]]
    assert {server.read(each).body for each in others} == {b"held"}
    for connection in (*holding, *waiting):
        connection.close()


def _answered(connections: list[socket.socket]) -> Iterator[socket.socket]:
    with selectors.DefaultSelector() as selector:
        for connection in connections:
            selector.register(connection, selectors.EVENT_READ)
        for key, _ in selector.select(timeout=PATIENCE_S):
            assert isinstance(key.fileobj, socket.socket)
            yield key.fileobj


CHUNKED = b"Transfer-Encoding: chunked"
ONE_BODY = json.dumps(THING).encode()


@pytest.mark.parametrize(
    "framing",
    [
        b"Content-Length: 3\r\nContent-Length: 5",
        b"Content-Length: -1",
        b"Content-Length: +3",
        b"Content-Length: 0x3",
        b"Content-Length : 3",
        b"Content-Length: 3,5",
        b"Transfer-Encoding: xchunked",
        b"Transfer-Encoding: chunked, identity",
        b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity",
    ],
)
def test_a_body_whose_end_two_readers_see_differently_is_refused(server: Server, framing: bytes) -> None:
    head = b"POST /api/v1/things HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    answer = server.send(head + framing + b"\r\n\r\n" + chunked(ONE_BODY))
    assert answer.status == 400


def test_with_both_framings_chunks_count_and_nothing_behind_them_is_a_request(server: Server) -> None:
    smuggled = get("/healthz")
    answer = server.send(
        b"POST /api/v1/things HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 4\r\n"
        b"Transfer-Encoding: chunked\r\n\r\n" + chunked(ONE_BODY) + smuggled
    )
    assert (answer.status, answer.headers["connection"]) == (200, "close")
    assert b"HTTP/1.1" not in answer.body


def test_what_follows_a_refused_length_is_not_taken_for_a_request(server: Server) -> None:
    hidden = get("/healthz")
    answer = server.send(
        b"POST /api/v1/things HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999\r\n\r\n" + hidden
    )
    assert answer.status == 413
    assert b"HTTP/1.1" not in answer.body


def test_requests_in_one_flight_are_answered_in_order(server: Server) -> None:
    first = b"HEAD /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
    answer = server.send(first + get("/healthz"))
    second = answer.body
    assert (answer.status, int(answer.headers["content-length"])) == (200, len(b'{"status": "ok"}'))
    assert second.startswith(b"HTTP/1.1 200")
    assert second.endswith(b'{"status": "ok"}')


def test_a_client_that_expects_continue_gets_it(server: Server) -> None:
    answer = server.post(
        "/api/v1/things", b"", f"Content-Length: {len(ONE_BODY)}", "Expect: 100-continue", go_on=ONE_BODY
    )
    assert answer.status == 200


def test_http_1_0_gets_its_answer(server: Server) -> None:
    assert server.send(b"GET /healthz HTTP/1.0\r\nHost: localhost\r\n\r\n").body == b'{"status": "ok"}'


def test_a_client_that_leaves_in_the_middle_leaves_the_server_well(server: Server) -> None:
    for request in (promise(), get("/pages/file"), b"POST /api/v1/th"):
        server.begin(request).close()
    assert server.send(get("/healthz")).status == 200
    assert "Traceback" not in server.said()


@pytest.mark.parametrize(
    "request_line",
    [b"GET /api/v1/search?zip=%00 HTTP/1.1", b"GET /api/v1/%ff%fe HTTP/1.1", b"GET /api/v1/search?\xff=1 HTTP/1.1"],
)
def test_odd_addresses_get_an_answer(server: Server, request_line: bytes) -> None:
    answer = server.send(request_line + b"\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    assert answer.status in (400, 404)


def test_a_server_error_leaves_a_line_and_no_value_of_the_request(server: Server) -> None:
    body = json.dumps({"how": "chain", "secret": "canary-body"}).encode()
    headers = ["User-Agent: canary-agent", "Authorization: canary-header", "X-Forwarded-For: 203.0.113.77"]
    answer = server.post("/api/v1/crash?canary-query=1", body, f"Content-Length: {len(body)}", *headers)
    assert answer.status == 500
    wait_until(lambda: "ValueError" in server.said(), seconds=PATIENCE_S)
    assert "POST /api/v1/crash 500" in server.said()
    for secret in ("canary", "203.0.113.77", "127.0.0.1:"):
        assert secret not in server.said()
        assert secret.encode() not in answer.body


@pytest.mark.browser
def test_the_documentation_works_under_our_policy_and_asks_no_other_origin(
    server: Server, playwright: Playwright
) -> None:
    origin = f"http://127.0.0.1:{server.port}"
    asked: list[str] = []
    complaints: list[str] = []
    browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
    page = browser.new_page()

    def note(request: Request) -> None:
        asked.append(request.url)

    page.on("request", note)
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    response = page.goto(f"{origin}/api/docs/")
    assert response is not None
    assert "unsafe-inline" not in response.headers["content-security-policy"]
    page.locator(".opblock").first.wait_for(timeout=1000 * PATIENCE_S)
    title = page.locator(".info .title").inner_text()
    page.locator(".opblock-summary-control").first.click()
    page.locator(".opblock-body").first.wait_for(timeout=1000 * PATIENCE_S)
    browser.close()
    assert "CrowdTrace" in title
    assert complaints == []
    assert f"{origin}/api/schema/" in asked
    assert [url for url in asked if not url.startswith((origin, "data:", "blob:"))] == []
