"""Take a screenshot of every page of a running copy: `take.py http://127.0.0.1:8000 [--to FOLDER] [NAME ...]`.

Each page is taken four times: phone and desktop, light and dark. All are written to `screenshots/`, which git ignores;
the ones that the README shows, the files of this folder, are replaced too. With `--to`, only that folder is written.

The copy must have the demonstration town; the script creates a key and checks in to a place, so that pages look as they
do to a visitor. It requires the environment of `make test`.
"""

import io
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import BrowserContext, Page, sync_playwright

HERE = Path(__file__).parent
ALL = HERE.parents[1] / "screenshots"
SIZES = {"phone": {"width": 390, "height": 844}, "desktop": {"width": 1280, "height": 800}}
SCHEMES = ("light", "dark")
QUALITY = 78


def shows(page: Page, state: str) -> None:
    page.wait_for_selector(f'[data-state="{state}"]:not([hidden])')


def first_venue(page: Page) -> None:
    page.goto("/venues")
    page.click(".rows a >> nth=0")
    page.wait_for_load_state()


def have_key(page: Page) -> None:
    page.goto("/me")
    page.wait_for_selector("html[data-shown]:not([data-shown=loading])", state="attached")
    if page.locator('[data-do="make"]').is_visible():
        page.click('[data-do="make"]')
        shows(page, "keep")
        page.click('[data-do="later"]')


def question(page: Page) -> None:
    have_key(page)
    first_venue(page)
    page.click('main a[role=button][href*="check-in"]')
    # A check-in that was begun continues where it was.
    page.wait_for_selector('[data-state="day"]:not([hidden]), [data-state="question-symptoms"]:not([hidden])')
    if page.locator('[data-state="day"]').is_visible():
        page.click('[data-do="day"] >> nth=0')
    shows(page, "question-symptoms")


def boarding_pass(page: Page) -> None:
    page.goto("/pass")
    page.wait_for_selector("html[data-shown]:not([data-shown=loading])", state="attached")
    if page.evaluate("document.documentElement.dataset.shown") == "shown":
        return
    question(page)
    for name in ("symptoms", "diagnosed", "contact", "near"):
        shows(page, f"question-{name}")
        page.click(f'[data-question="{name}"] [data-value="no"]')
    page.wait_for_url("**/pass")
    shows(page, "shown")


def at(path: str) -> Callable[[Page], None]:
    def go(page: Page) -> None:
        page.goto(path)
        if page.locator("[data-state]").count():
            page.wait_for_selector("html[data-shown]:not([data-shown=loading])", state="attached")

    return go


def after_a_pass(path: str) -> Callable[[Page], None]:
    """Return a function that opens a page of a visitor who has checked in."""

    def go(page: Page) -> None:
        boarding_pass(page)
        at(path)(page)

    return go


def first_query(page: Page) -> None:
    page.goto("/data/sql")
    page.click("[data-query] [type=submit]")
    page.wait_for_load_state()


def the_map(page: Page) -> None:
    at("/data/map")(page)
    page.locator(".us-map").evaluate("map => map.scrollIntoView({ block: 'center' })")


def demonstration() -> Any:
    """Return what the running copy provides for other programs: log-in and new codes."""
    command = [sys.executable, "manage.py", "demo", "--json"]
    return json.loads(subprocess.run(command, capture_output=True, check=True).stdout)


def door(page: Page) -> None:
    page.goto("/kiosk")
    page.wait_for_selector("html[data-shown]:not([data-shown=loading])", state="attached")
    if page.locator("#code").is_visible():
        page.fill("#code", demonstration()["venues"][0]["enrolment_code"])
        page.click('[data-form="enrol"] [type=submit]')
    shows(page, "door")


def owner(page: Page) -> None:
    page.goto("/owner/login")
    if page.locator("[name=username]").count():
        made = demonstration()
        page.fill("[name=username]", made["owner"]["username"])
        page.fill("[name=password]", made["owner"]["password"])
        page.click("main [type=submit]")
        page.wait_for_load_state()
    page.goto("/owner")


def owner_page(end: str) -> Callable[[Page], None]:
    """Return a function that opens a page of the demonstration owner's first place."""

    def go(page: Page) -> None:
        owner(page)
        page.click(".place a >> nth=0")
        page.wait_for_load_state()
        if end:
            page.goto(page.url + end)

    return go


PAGES: dict[str, Callable[[Page], None]] = {
    "front": at("/"),
    "places": at("/venues"),
    "place": first_venue,
    "first-use": at("/me"),
    "question": question,
    "pass": boarding_pass,
    "shield": after_a_pass("/shield"),
    "rating": after_a_pass("/rate"),
    "test-result": after_a_pass("/test-result"),
    "my-data": after_a_pass("/my-data"),
    "enrol": at("/kiosk"),
    "door": door,
    "owner": owner,
    "owner-place": owner_page(""),
    "owner-doors": owner_page("/doors"),
    "owner-wall": owner_page("/wall"),
    "owner-settings": owner_page("/settings"),
    "owner-event": at("/owner/events/new"),
    "owner-account": at("/owner/account"),
    "data": at("/data"),
    "sql": first_query,
    "map": the_map,
    "radar": at("/radar"),
    "privacy": at("/privacy"),
    "docs": at("/docs"),
    "document": at("/docs/model"),
}


def take(context: BrowserContext, size: str, only: list[str], to: Path) -> None:
    page = context.new_page()
    page.set_default_timeout(20_000)
    for name, go in PAGES.items():
        if only and name not in only:
            continue
        go(page)
        page.wait_for_load_state("load")
        page.wait_for_timeout(500)
        for scheme in SCHEMES:
            page.emulate_media(color_scheme=scheme)
            page.wait_for_timeout(300)
            picture = Image.open(io.BytesIO(page.screenshot()))
            picture.convert("RGB").save(to / f"{name}-{size}-{scheme}.webp", quality=QUALITY, method=6)
        page.emulate_media(color_scheme="light")
        print(name, size)
    page.close()


def main() -> None:
    url, *only = sys.argv[1:]
    to = ALL
    if only and only[0] == "--to":
        to, only = Path(only[1]), only[2:]
    to.mkdir(parents=True, exist_ok=True)
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for size, viewport in SIZES.items():
            context = browser.new_context(
                base_url=url, viewport=viewport, device_scale_factor=1, reduced_motion="reduce"
            )
            take(context, size, only, to)
            context.close()
        browser.close()
    if to == ALL:
        for shown in HERE.glob("*.webp"):
            if (ALL / shown.name).exists():
                shutil.copyfile(ALL / shown.name, shown)


if __name__ == "__main__":
    main()
