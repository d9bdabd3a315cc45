"""Firefox and WebKit against the same server as Chromium, through a cable that can be unplugged."""

import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Final

import pytest
from pytest_django.live_server_helper import LiveServer

from tests.browser.engines.cable import Cable
from tests.browser.engines.firefox import Firefox
from tests.browser.engines.flows import OpenWindow
from tests.browser.engines.webkit import WebKit, screen
from tests.browser.engines.window import Window

MINIBROWSERS: Final = ("lib/*/webkit2gtk-4*/MiniBrowser", "libexec/webkit2gtk-4*/MiniBrowser")
CHECKOUT: Final = Path(__file__).parents[3]


def missing(what: str) -> None:
    """Skip with a reason; fail if all browsers are required, as in continuous integration."""
    reason = f"no {what}: `make browsers` installs it where this system has it"
    if os.environ.get("BROWSERS") == "all":
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def firefox() -> Iterator[Firefox]:
    path = shutil.which("firefox-esr") or shutil.which("firefox")
    node = shutil.which("node") or shutil.which("nodejs")
    for what, found in (
        ("Firefox", path),
        ("Node", node),
        ("puppeteer-core", (CHECKOUT / "node_modules/puppeteer-core").is_dir()),
    ):
        if not found:
            missing(what)
    assert path
    assert node
    running = Firefox(node, path)
    yield running
    running.stop()


@pytest.fixture(scope="session")
def webkit() -> Iterator[WebKit]:
    driver, display = shutil.which("WebKitWebDriver"), shutil.which("Xvfb")
    browsers = [each for pattern in MINIBROWSERS for each in Path("/usr").glob(pattern)]
    for what, found in (("WebKitWebDriver", driver), ("MiniBrowser of WebKitGTK", browsers), ("Xvfb", display)):
        if not found:
            missing(what)
    assert driver
    with screen() as name:
        yield WebKit(driver, str(browsers[-1]), name)


@pytest.fixture
def cable(live_server: LiveServer) -> Iterator[Cable]:
    made = Cable(live_server.url)
    yield made
    made.pull()


@pytest.fixture
def open_window(request: pytest.FixtureRequest, cable: Cable) -> Iterator[OpenWindow]:
    """Return a function that opens windows of the parameter's browser with empty storage; fail if one had an error."""
    running: Firefox | WebKit = request.getfixturevalue(request.param)
    opened: list[Window] = []
    with ExitStack() as closing:

        def open_one(width: int = 390, height: int = 844) -> Window:
            made: Window = running.window(cable.origin, width, height)
            opened.append(made)
            closing.callback(made.close)
            return made

        yield open_one
        for each in opened:
            each.gather()
    assert [wrong for each in opened for wrong in each.wrong] == []
