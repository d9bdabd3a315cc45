"""One visitor from first use to erasure, with a door that uses its camera, and a search for the secret everywhere."""

import base64
import logging
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, Playwright

from exports import tasks
from passes.models import Pass, Rating, Visit
from risk.crowd.refresh import refresh_crowd
from risk.scouting.curves import refresh_cards
from tests.browser.actions import (
    answer,
    enrol,
    first_question,
    launch_with_camera,
    make_key,
    next_light,
    now,
    scan,
    shown_code,
)
from tests.browser.conftest import TABLET, OpenContext, Watch, shows, stored_people, until
from tests.browser.lakes import lake_of_its_own, work
from tests.factories import HOUR, make_venue
from tests.risk.crowds import crowd

pytestmark = pytest.mark.django_db(transaction=True)
KEPT_BY_THE_BROWSER = """async () => {
  const found = [JSON.stringify(localStorage), JSON.stringify(sessionStorage), document.cookie];
  for (const entry of navigation.entries()) found.push(entry.url);
  for (const name of await caches.keys()) {
    const cache = await caches.open(name);
    for (const request of await cache.keys()) found.push(request.url, await (await cache.match(request)).text());
  }
  return found.join(" ");
}"""


def spellings(secret: bytes) -> list[str]:
    """Return the ways to write a secret: whole, and its halves."""
    found = []
    for part in (secret, secret[:16], secret[16:]):
        found += [part.hex(), base64.b64encode(part).decode().rstrip("=")[:-1]]
        found += [base64.urlsafe_b64encode(part).decode().rstrip("=")[:-1], base64.b32encode(part).decode().rstrip("=")]
    return found


def tab_to(page: Page, selector: str, most: int = 60) -> None:
    """Reach an element with the Tab key alone."""
    for _ in range(most):
        page.keyboard.press("Tab")
        if page.evaluate("(selector) => document.activeElement?.matches(selector) ?? false", selector):
            return
    raise AssertionError(f"{selector} cannot be reached by keyboard")


def test_from_first_use_to_erasure(
    open_context: OpenContext,
    playwright: Playwright,
    tmp_path: Path,
    settings: Any,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    monkeypatch.setattr(tasks, "enqueue_erase", lambda: None)
    context = open_context()
    sent = Watch("")
    context.on("request", sent.on_request)
    phone = context.new_page()
    venue = make_venue(name="Blue Bar", kind="bar", now=now())

    # First use, and a place found by name.
    phone.goto("/")
    phone.goto("/me")
    make_key(phone)
    shows(phone, "home")
    secret = bytes(stored_people(phone)[0]["secret"])
    phone.click('[data-state="home"] a.is-big >> nth=0')
    phone.fill("#q", "blue")
    phone.click("search [type=submit]")
    phone.click("[data-places] a")
    phone.click("main a[role=button]")
    answer(phone)
    phone.wait_for_url("**/pass")
    shows(phone, "shown")

    # The door sees the code by camera: green. On the way out, the code is shown again.
    browser = launch_with_camera(playwright, phone.locator('[data-qr="pass"]').screenshot(), tmp_path)
    door = open_context(of=browser, viewport=TABLET, permissions=["camera"]).new_page()
    enrol(door, venue)
    assert next_light(door, 0) == "green"
    until(door, Visit.objects.filter(venue=venue).exists, "a visit")
    door.context.close()
    browser.close()
    since = now() - 2 * HOUR
    Visit.objects.filter(venue=venue).update(arrived_at=since)
    out = open_context(viewport=TABLET).new_page()
    enrol(out, venue)
    out.check("[name=type][value=Checkout]")
    assert scan(out, shown_code(phone)) == "green"
    until(out, Visit.objects.filter(venue=venue).exclude(left_at=None).exists, "the end of the visit")

    # After two taps, the shield says what the visit cost.
    phone.goto("/rate")
    shows(phone, "shown")
    phone.click('[data-scale="masks"] [data-value="1"]')
    phone.click('[data-scale="distancing"] [data-value="2"]')
    phone.wait_for_selector('[data-part="said"]:has-text("Thank you")')
    crowd(venue, 60, since, 120)
    refresh_crowd(now=now())
    refresh_cards(now=now())
    phone.goto("/shield")
    shows(phone, "shown")
    assert float(phone.inner_text('[data-slot="shield"]')) < 100
    assert "Blue Bar" in phone.inner_text("[data-visits]")

    # Erasure, with a receipt.
    with lake_of_its_own(settings, tmp_path):
        mine = Pass.objects.get(rating__masks=1)
        phone.goto("/my-data")
        shows(phone, "shown")
        phone.click('[data-do="choose-erase"]')
        shows(phone, "erase")
        phone.check("[name=visitor]")
        phone.click("[data-form=erase] [type=submit]")
        shows(phone, "receipt")
        phone.wait_for_selector('[data-slot="receipt-status"]:has-text("follow in a moment")')
        assert work() == 1
        phone.wait_for_selector('[data-slot="receipt-status"]:has-text("Erased.")')
        assert phone.inner_text('[data-slot="count-passes"]') == "1"
        assert phone.inner_text('[data-slot="proven"]') == "yes"
    assert not Pass.objects.filter(pk=mine.pk).exists()
    assert not Visit.objects.filter(tag=mine.tag).exists()
    assert Rating.objects.count() == 0
    phone.goto("/pass")
    shows(phone, "none")
    phone.goto("/shield")
    shows(phone, "shown")
    assert phone.inner_text('[data-slot="shield"]') == "100"

    # The secret was in no request, log, history entry or storage except the page's own.
    needles = spellings(secret)
    for request in sent.requests:
        said = " ".join([request.url, request.post_data or "", *request.headers.values()])
        assert not any(needle in said for needle in needles), request.url
    kept = phone.evaluate(KEPT_BY_THE_BROWSER)
    assert not any(needle in kept for needle in needles)
    assert not any(needle in caplog.text for needle in needles)


def test_check_in_by_keyboard_alone(phone: Page) -> None:
    venue = make_venue(now=now())
    phone.goto(f"/venues/{venue.public_id}")
    tab_to(phone, "main a[role=button]")
    phone.keyboard.press("Enter")
    shows(phone, "no-key")
    tab_to(phone, '[data-state="no-key"] [data-do="make"]')
    phone.keyboard.press("Enter")
    for question in ("symptoms", "diagnosed", "contact", "near"):
        shows(phone, f"question-{question}")
        # The question takes the focus, so the next Tab is its first answer.
        phone.keyboard.press("Tab")
        assert phone.evaluate("document.activeElement.dataset.value") == "no"
        phone.keyboard.press("Enter")
    phone.wait_for_url("**/pass")
    shows(phone, "shown")


def test_check_in_works_at_twice_the_size_and_from_right_to_left(open_context: OpenContext) -> None:
    context: BrowserContext = open_context(
        viewport={"width": 390, "height": 844}, color_scheme="dark", reduced_motion="reduce"
    )
    phone = context.new_page()
    phone.add_init_script("""document.addEventListener("DOMContentLoaded", () => {
      document.documentElement.dir = "rtl";
      document.documentElement.style.fontSize = "200%";
    })""")
    venue = make_venue(name="The Extraordinarily Long Name of a Place", now=now())
    phone.goto(f"/venues/{venue.public_id}")
    assert phone.evaluate("document.documentElement.scrollWidth <= innerWidth")
    phone.click("main a[role=button]")
    shows(phone, "no-key")
    first_question(phone)
    for question in ("symptoms", "diagnosed", "contact", "near"):
        answer(phone, questions=(question,))
        assert phone.evaluate("document.documentElement.scrollWidth <= innerWidth"), question
    phone.wait_for_url("**/pass")
    shows(phone, "shown")
    assert phone.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert len(shown_code(phone)) == 199
