"""The app behind the real web server: raw requests, its log, and the documentation in a browser."""

import json
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Playwright, Request

from embedded.home import CHECKOUT
from embedded.network import free_port
from embedded.processes import wait_until
from tests.common.conftest import THING

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
KIB = 1024


@dataclass(frozen=True)
class Answer:
    """A raw answer."""

    status: int
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True)
class Server:
    """The running server and what it has written."""

    port: int
    output: Path

    def said(self) -> str:
        """Everything it wrote so far."""
        return self.output.read_text()

    def send(self, request: bytes) -> Answer:
        """Send bytes as they are and read until the server closes."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=20) as connection:
            connection.sendall(request)
            data = b""
            while part := connection.recv(65_536):
                data += part
        head, _, body = data.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
        return Answer(int(first.split()[1]), headers, body)

    def post(self, path: str, body: bytes, *headers: str) -> Answer:
        """A POST of JSON."""
        lines = [f"POST {path} HTTP/1.1", "Host: localhost", "Connection: close", "Content-Type: application/json"]
        return self.send("\r\n".join([*lines, *headers, "", ""]).encode() + body)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """granian, as `serve` starts it."""
    port, output = free_port(), tmp_path_factory.mktemp("server") / "output.txt"
    command = [sys.executable, "-m", "granian", "--interface", "wsgi", "--host", "127.0.0.1", "--port", str(port)]
    command += ["--workers", "1", "--blocking-threads", "2", "--no-access-log", "--log-level", "warning"]
    with output.open("w") as stream:
        process = subprocess.Popen(
            [*command, "tests.common.server:application"],
            cwd=CHECKOUT,
            env=os.environ | {"PYTHONUNBUFFERED": "1"},
            stdout=stream,
            stderr=subprocess.STDOUT,
        )
    try:
        wait_until(lambda: process.poll() is not None or _answers(port), seconds=60)
        assert process.poll() is None, output.read_text()
        yield Server(port, output)
    finally:
        process.terminate()
        process.wait(30)


def _answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def chunked(data: bytes, size: int = 8 * KIB) -> bytes:
    """The data as a chunked body (RFC 9112 section 7.1)."""
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


@pytest.mark.parametrize(
    "request_line",
    [b"GET /api/v1/search?zip=%00 HTTP/1.1", b"GET /api/v1/%ff%fe HTTP/1.1", b"GET /api/v1/search?\xff=1 HTTP/1.1"],
)
def test_odd_addresses_get_an_answer(server: Server, request_line: bytes) -> None:
    answer = server.send(request_line + b"\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    assert answer.status in (400, 404)


def test_a_fault_leaves_a_line_and_no_value_of_the_request(server: Server) -> None:
    body = json.dumps({"how": "chain", "secret": "canary-body"}).encode()
    headers = ["User-Agent: canary-agent", "Authorization: canary-header", "X-Forwarded-For: 203.0.113.77"]
    answer = server.post("/api/v1/crash?canary-query=1", body, f"Content-Length: {len(body)}", *headers)
    assert answer.status == 500
    wait_until(lambda: "ValueError" in server.said(), seconds=10)
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
    page.locator(".opblock").first.wait_for(timeout=20_000)
    title = page.locator(".info .title").inner_text()
    page.locator(".opblock-summary-control").first.click()
    page.locator(".opblock-body").first.wait_for(timeout=20_000)
    browser.close()
    assert "CrowdTrace" in title
    assert complaints == []
    assert f"{origin}/api/schema/" in asked
    assert [url for url in asked if not url.startswith((origin, "data:", "blob:"))] == []
