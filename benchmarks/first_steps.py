"""Measure seconds from nothing to a host's poster and to a visitor's first green light, in a real Chromium.

A separate copy is started in an empty home. The host creates an account and an event and downloads its poster; a tablet
becomes the door of the place; a visitor's phone creates a key, answers the four questions and shows its code to the
door. Every step is what a person presses and types; a person reads and thinks longer, so each press and each field is
counted as a second, and the figure is given with and without these.

    python -m benchmarks.first_steps
"""

import os
import tempfile
import time
from pathlib import Path

import django
from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright

import embedded
from embedded.network import free_port
from tests.live import running

# The helpers of the browser tests use our models; the measured copy is a separate process.
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "crowdtrace.settings")
django.setup()

from tests.browser.actions import TYPE_KEYS, answer, make_key, read_code  # noqa: E402
from tests.browser.conftest import PHONE, TABLET, launch, shows  # noqa: E402

SECONDS_A_STEP = 1.0
"""Seconds per press or field, roughly: pointing takes 1.1 s in the keystroke-level model (Card, Moran, Newell 1980)."""


class Steps:
    """Presses and fields of one person, counted, with the time since the start."""

    def __init__(self, page: Page) -> None:
        self.page, self.count, self.started = page, 0, time.monotonic()

    def press(self, selector: str) -> None:
        self.count += 1
        self.page.click(selector)

    def fill(self, selector: str, text: str) -> None:
        self.count += 1
        self.page.fill(selector, text)

    def summary(self, what: str) -> str:
        machine = time.monotonic() - self.started
        person = machine + self.count * SECONDS_A_STEP
        return f"{what}: {machine:.1f} s of the machine, {self.count} steps, about {person:.0f} s for a person"


def poster_of_host(page: Page) -> str:
    """Go from the front page to the bytes of a poster; the event's page stays open."""
    steps = Steps(page)
    page.goto("/")
    steps.press("main a:has-text('Begin')")
    steps.fill("#id_username", "anna")
    steps.fill("#id_password", "seven quiet otters")
    steps.press("main form [type=submit]")
    steps.press("a:has-text('An event')")
    steps.fill("#id_name", "Dinner at six")
    steps.fill("#id_place", "Our garden")
    steps.fill("#id_size", "20")
    steps.press("main form [type=submit]")
    page.wait_for_url("**/owner/events/e_*")
    poster = page.get_attribute("a:has-text('Print the poster')", "href")
    steps.count += 1
    answered = page.request.get(str(poster))
    if not answered.body().startswith(b"%PDF-"):
        raise SystemExit("no poster came")
    return steps.summary("empty database to a poster")


def door_of_host(host: Page, tablet: Page) -> str:
    """Create a code for the first door on the owner's page, and enrol the tablet with it."""
    steps = Steps(host)
    host.goto("/owner")
    steps.press(".place a >> nth=0")
    host.goto(f"{host.url}/doors")
    steps.press("main a[href$='/enrol'], main form[action$='/enrol'] button")
    steps.press("main form [type=submit]")
    code = host.inner_text(".code")
    tablet.goto("/kiosk")
    shows(tablet, "enrol")
    tablet.fill("#code", code)
    tablet.click('[data-form="enrol"] [type=submit]')
    shows(tablet, "door")
    return steps.summary("owner's page to a door that is ready")


def green_of_visitor(phone: Page, tablet: Page, link: str) -> str:
    """Go from the link of the event to green."""
    steps = Steps(phone)
    phone.goto(link)
    phone.wait_for_selector("[data-when=invited]:not([hidden])")
    steps.press("main a[role=button]")
    shows(phone, "no-key")
    steps.press('[data-state="no-key"] a')
    make_key(phone)
    steps.count += 2
    phone.wait_for_selector('[data-state="day"]:not([hidden]), [data-state="question-symptoms"]:not([hidden])')
    if phone.locator('[data-state="day"]').is_visible():
        steps.press('[data-do="day"] >> nth=0')
    answer(phone)
    steps.count += 4
    phone.wait_for_url("**/pass")
    shows(phone, "shown")
    tablet.evaluate(TYPE_KEYS, [read_code(phone.locator('[data-qr="pass"]')), 0])
    tablet.wait_for_selector(".signal:not([hidden])")
    shown = tablet.get_attribute(".signal", "data-signal")
    if shown != "green":
        raise SystemExit(f"the door says {shown}")
    return steps.summary("event link to a visitor's first green light")


def walk(browser: Browser, url: str) -> list[str]:
    """Run the three flows, one after another."""
    host, tablet, phone = (
        browser.new_context(base_url=url, viewport=ViewportSize(width=size["width"], height=size["height"])).new_page()
        for size in (PHONE, TABLET, PHONE)
    )
    lines = [poster_of_host(host)]
    link = host.inner_text("#link")
    return [*lines, door_of_host(host, tablet), green_of_visitor(phone, tablet, link)]


def main() -> None:
    """Print the figures."""
    with tempfile.TemporaryDirectory(prefix="crowdtrace-first-") as folder:
        home, port = Path(folder) / "home", free_port()
        started = time.monotonic()
        try:
            with running(home, port), sync_playwright() as playwright:
                print(f"command to a served front page: {time.monotonic() - started:.1f} s")
                browser = launch(playwright)
                for line in walk(browser, f"http://127.0.0.1:{port}"):
                    print(line)
                print(f"everything, from the command to the green light: {time.monotonic() - started:.1f} s")
                browser.close()
        finally:
            embedded.destroy(home)


if __name__ == "__main__":
    main()
