"""Readers of codes: the browser's own detector, WebAssembly, plain JavaScript."""

from pathlib import Path
from typing import Final

import pytest
from playwright.sync_api import BrowserContext, Page, Playwright, Route
from pytest_django.live_server_helper import LiveServer

from passes.render import Level, qr_png
from tests.browser.actions import enrolment_code, launch_with_camera, now
from tests.browser.conftest import TABLET, OpenContext, shows
from tests.factories import make_venue
from venues.models import Device

pytestmark = pytest.mark.django_db(transaction=True)

NATIVE: Final = """self.BarcodeDetector = class {
  static async getSupportedFormats() { return ["aztec", "qr_code"]; }
  async detect() { return [{ rawValue: "SEEN" }]; }
};
"""


def before_the_worker(context: BrowserContext, words: str) -> None:
    """Prepend code to the worker that reads codes. No service worker may respond instead."""

    def prepend(route: Route) -> None:
        answered = route.fetch()
        route.fulfill(response=answered, body=words + answered.text())

    context.route("**/reader.js*", prepend)


def choose_picture(page: Page, picture: bytes, folder: Path) -> None:
    """Read a picture on the page that searches for a place."""
    file = folder / "picture.png"
    file.write_bytes(picture)
    page.goto("/venues")
    page.wait_for_selector("[data-when=can-scan]:not([hidden])")
    page.set_input_files("#picture", file)


def test_the_browsers_own_detector_is_asked_first(open_context: OpenContext, tmp_path: Path) -> None:
    """Chromium on Linux has none, so a stand-in that always sees one text is prepended to the worker."""
    ours, other = (make_venue(name=name, now=now()) for name in ("The Corner", "The Hall"))
    context = open_context(service_workers="block")
    before_the_worker(context, NATIVE.replace("SEEN", f"https://crowd.example/venues/{ours.public_id}"))
    page = context.new_page()
    choose_picture(page, qr_png(f"https://crowd.example/venues/{other.public_id}"), tmp_path)
    page.wait_for_url(f"**/check-in/{ours.public_id}")


def test_where_webassembly_is_blocked_plain_javascript_reads(open_context: OpenContext, tmp_path: Path) -> None:
    venue = make_venue(now=now())
    context = open_context(service_workers="block")
    asked: list[str] = []
    context.on("request", lambda request: asked.append(request.url))
    before_the_worker(context, "delete self.WebAssembly;")
    page = context.new_page()
    choose_picture(page, qr_png(f"https://crowd.example/venues/{venue.public_id}"), tmp_path)
    page.wait_for_url(f"**/check-in/{venue.public_id}")
    assert any("reader_script.js" in url for url in asked)


def test_a_door_is_enrolled_by_the_code_on_its_owners_screen(
    open_context: OpenContext, playwright: Playwright, live_server: LiveServer, tmp_path: Path
) -> None:
    venue = make_venue(now=now())
    screen = qr_png(f"{live_server.url}/kiosk#{enrolment_code(venue)}", level=Level.SCREEN)
    browser = launch_with_camera(playwright, screen, tmp_path)
    door = open_context(of=browser, viewport=TABLET, permissions=["camera"]).new_page()
    door.goto("/kiosk")
    shows(door, "enrol")
    door.click('[data-do="enrol-camera"]')
    shows(door, "door")
    door.wait_for_selector('[data-slot="connection"]:has-text("Connected")')
    assert Device.objects.filter(door__venue=venue).count() == 1
    door.context.close()
    browser.close()
