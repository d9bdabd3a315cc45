"""Without a network, every link of the pages that still work leads to a page of the app, in the chosen language."""

from typing import Final

import pytest
from playwright.sync_api import Page
from pytest_django.live_server_helper import LiveServer

from tests.browser.actions import check_in, now
from tests.browser.conftest import OpenContext, shows, until
from tests.factories import make_venue

pytestmark = pytest.mark.django_db(transaction=True)

HREFS: Final = "[...document.querySelectorAll('a[href]')].map((link) => new URL(link.href).href)"
KEPT: Final = """async (path) => {
  for (const name of await caches.keys()) {
    const kept = await (await caches.open(name)).match(path);
    if (kept) return kept.text();
  }
  return "";
}"""


def test_every_link_of_a_page_that_works_offline_leads_to_a_page_of_ours(
    open_context: OpenContext, live_server: LiveServer
) -> None:
    context = open_context()
    phone = context.new_page()
    venue = make_venue(now=now())
    check_in(phone, venue)
    phone.evaluate("navigator.serviceWorker.ready.then(() => true)")
    context.set_offline(True)
    links = {f"{live_server.url}/check-in/v_0000000000", f"{live_server.url}/nowhere?q=1"}
    for path in ("/me", "/pass", "/visits", f"/check-in/{venue.public_id}", "/venues"):
        phone.goto(path)
        phone.wait_for_selector("h1", state="attached")
        links |= {link.partition("#")[0] for link in phone.evaluate(HREFS)}
    inner = sorted(link for link in links if link.startswith(live_server.url))
    assert len(inner) >= 12
    for link in inner:
        phone.goto(link)
        assert phone.locator(".brand").count() == 1, link
        assert phone.locator("h1").count() >= 1, link
    for path in ("/kiosk", "/venues"):  # a phone that is not a door has not stored the door's large files
        phone.goto(path)
        assert phone.inner_text("h1") == "No connection"
    context.set_offline(False)
    phone.click("main a[role=button]")
    phone.wait_for_url("**/venues")
    phone.wait_for_selector("#q")


def kept_says(page: Page, words: str) -> None:
    until(page, lambda: words in page.evaluate(KEPT, "/offline"), words)


def test_pages_of_the_copy_speak_the_language_that_was_chosen_last(open_context: OpenContext) -> None:
    context = open_context()
    phone = context.new_page()
    phone.goto("/me")
    phone.evaluate("navigator.serviceWorker.ready.then(() => true)")
    phone.reload()
    kept_says(phone, "No connection")
    phone.click('a[hreflang="es"]')
    shows(phone, "welcome")
    kept_says(phone, "Sin conexión")
