"""A real Chromium against a real server. Pages are watched for foreign requests, errors and policy violations."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Playwright, Request
from pytest_django.live_server_helper import LiveServer

# Pages of the dataset are tested with two released days.
from tests.exports.conftest import released  # noqa: F401

# The browser's driver keeps an event loop in this thread; the tests themselves are synchronous.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"

CHROMIUMS: Final = ("chromium", "chromium-browser", "google-chrome")
PHONE = {"width": 390, "height": 844}
TABLET = {"width": 1024, "height": 768}
# A wait ends as soon as its condition holds, so a long limit costs time only if something is broken; a busy machine may
# need a minute for what usually takes a moment.
PATIENCE_MS: Final = 60_000
PAUSE_MS: Final = 50


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark everything in this folder as driving a browser: Chromium, and in `engines/` also others."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)


def chromium_path(*, whole: bool = False) -> str:
    """Return the path of the system's Chromium; a missing one is an error, never a reason to skip.

    Prefer the same engine without windows (`chromium-headless-shell`), whose contexts start with a quarter of the work.
    With `whole`, return the full browser, which has Chromium's own pages, such as the warning about a certificate.
    """
    names = () if whole else ("chromium-headless-shell",)
    found: list[str] = [path for name in (*names, *CHROMIUMS) if (path := shutil.which(name))]
    assert found, "no Chromium: `make test` installs it"
    return found[0]


def launch(playwright: Playwright, *arguments: str, whole: bool = False) -> Browser:
    """Start a separate Chromium."""
    path = chromium_path(whole=whole)
    return playwright.chromium.launch(executable_path=path, args=["--no-sandbox", *arguments])


@pytest.fixture(scope="session")
def browser(playwright: Playwright) -> Iterator[Browser]:
    chromium = launch(playwright)
    yield chromium
    chromium.close()


class Watch:
    """What a context did that no page may do."""

    def __init__(self, origin: str, expected: str = "") -> None:
        self.origin = origin
        self.expected = expected
        self.wrong: list[str] = []
        self.requests: list[Request] = []

    def on_request(self, request: Request) -> None:
        self.requests.append(request)
        parts = urlsplit(request.url)
        if parts.scheme in {"http", "https", "ws", "wss"} and f"{parts.scheme}://{parts.netloc}" != self.origin:
            self.wrong.append(f"request to another origin: {parts.netloc}")

    def on_console(self, message: ConsoleMessage) -> None:
        # A network that a test disconnects is not an error of the page, nor is the one refusal that a test expects.
        if self.expected and self.expected in message.text:
            return
        misspelt_policy = "Permissions-Policy" in message.text
        if misspelt_policy or (message.type == "error" and "ERR_INTERNET_DISCONNECTED" not in message.text):
            self.wrong.append(f"console: {message.text}")

    def on_error(self, error: Any) -> None:
        if self.expected and self.expected in str(error):
            return
        self.wrong.append(f"uncaught: {error}")


OpenContext = Callable[..., BrowserContext]

# A light shows for a second and a half, which a busy machine may miss, so each one is recorded.
NOTE_LIGHTS = """document.addEventListener("DOMContentLoaded", () => {
  window.lights = [];
  const signal = document.querySelector(".signal");
  if (!signal) return;
  let shown = false;
  new MutationObserver(() => {
    if (!signal.hidden && !shown) window.lights.push(signal.dataset.signal);
    shown = !signal.hidden;
  }).observe(signal, { attributes: true });
});"""


@pytest.fixture
def open_context(browser: Browser, live_server: LiveServer) -> Iterator[OpenContext]:
    """Return a function that makes watched contexts; at the end, fail if one of them had an error."""
    opened: list[tuple[BrowserContext, Watch]] = []

    def make(*, of: Browser | None = None, expected: str = "", **options: Any) -> BrowserContext:
        context = (of or browser).new_context(base_url=live_server.url, **({"viewport": PHONE} | options))
        context.add_init_script(NOTE_LIGHTS)
        watch = Watch(live_server.url, expected)
        context.on("request", watch.on_request)
        context.on("console", watch.on_console)
        context.on("weberror", lambda error: watch.on_error(error.error))
        context.set_default_timeout(PATIENCE_MS)
        opened.append((context, watch))
        return context

    yield make
    for context, _watch in opened:
        context.close()
    assert [wrong for _context, watch in opened for wrong in watch.wrong] == []


@pytest.fixture
def phone(open_context: OpenContext) -> Page:
    """Return a page on a visitor's phone with empty storage."""
    return open_context().new_page()


def shows(page: Page, state: str) -> None:
    """Wait until the page shows a state."""
    page.wait_for_selector(f'[data-state="{state}"]:not([hidden])')


def until(page: Page, holds: Callable[[], Any], what: str) -> None:
    """Wait until a condition outside the page holds, such as in the server's database."""
    for _ in range(PATIENCE_MS // PAUSE_MS):
        if holds():
            return
        page.wait_for_timeout(PAUSE_MS)
    raise AssertionError(f"not within {PATIENCE_MS // 1000} s: {what}")


def stored_rows(page: Page, store: str) -> list[dict[str, Any]]:
    """Return the rows of a store of the device, with bytes as text."""
    rows: list[dict[str, Any]] = page.evaluate(
        """(store) => new Promise((resolve, reject) => {
            const plain = (value) => {
              if (value instanceof Uint8Array) return [...value].join(" ");
              if (Array.isArray(value)) return value.map(plain);
              if (value === null || typeof value !== "object") return value;
              return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, plain(part)]));
            };
            const request = indexedDB.open("crowdtrace");
            request.onerror = () => reject(request.error);
            request.onsuccess = () => {
              const rows = request.result.transaction(store).objectStore(store).getAll();
              rows.onsuccess = () => {
                request.result.close();
                resolve(rows.result.map(plain));
              };
            };
        })""",
        store,
    )
    return rows


def stored_people(page: Page) -> list[dict[str, Any]]:
    """Return the people in the device's storage, with their secrets as lists of numbers."""
    people = stored_rows(page, "people")
    return [person | {"secret": [int(byte) for byte in person["secret"].split()]} for person in people]
