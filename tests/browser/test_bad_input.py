"""Errors on a visitor's device: each message says what to do."""

import pytest
from playwright.sync_api import Page

from passes.models import Pass
from tests.browser.actions import answer, begin_check_in, make_key, now
from tests.browser.conftest import OpenContext, shows
from tests.factories import make_venue
from venues.models import Venue

pytestmark = pytest.mark.django_db(transaction=True)
PERSONAL = ("/me", "/pass", "/shield", "/my-data", "/rate", "/test-result")


def paths(venue: Venue) -> tuple[str, ...]:
    return (*PERSONAL, f"/check-in/{venue.public_id}")


def test_every_page_says_that_storage_is_blocked(open_context: OpenContext) -> None:
    context = open_context()
    context.add_init_script("indexedDB.open = () => { throw new DOMException('blocked', 'SecurityError'); }")
    page = context.new_page()
    for path in paths(make_venue(now=now())):
        page.goto(path)
        shows(page, "unable")
        assert page.locator('[data-state="unable"] :is(a, button)').count() >= 1, path


def test_every_page_says_that_it_needs_scripts(open_context: OpenContext) -> None:
    page = open_context(java_script_enabled=False).new_page()
    for path in paths(make_venue(now=now())):
        page.goto(path)
        assert "JavaScript" in page.inner_text("main"), path


def test_a_missing_script_leaves_a_message_and_a_link(open_context: OpenContext) -> None:
    page = open_context(expected="ERR_FAILED", service_workers="block").new_page()
    page.route(
        "**/built/*.js*", lambda route: route.abort() if "site.js" not in route.request.url else route.continue_()
    )
    for path in paths(make_venue(now=now())):
        page.goto(path)
        shows(page, "broken")
        assert page.locator('[data-state="broken"] a').is_visible()


def test_an_error_in_a_page_leaves_a_message_and_a_link(open_context: OpenContext) -> None:
    page = open_context(expected="a fault of ours").new_page()
    page.goto("/me")
    shows(page, "welcome")
    page.evaluate("() => { crypto.getRandomValues = () => { throw new TypeError('a fault of ours'); }; }")
    page.click('[data-do="make"]')
    shows(page, "broken")
    page.click('[data-state="broken"] a')
    shows(page, "welcome")


def test_a_full_device_says_so_and_loses_nothing_older(open_context: OpenContext) -> None:
    page = open_context(expected="no room").new_page()
    venue = make_venue(now=now())
    begin_check_in(page, venue)
    answer(page, questions=("symptoms", "diagnosed"))
    shows(page, "question-contact")
    page.evaluate(
        "() => { IDBObjectStore.prototype.put = () => { throw new DOMException('no room', 'QuotaExceededError'); }; }"
    )
    page.click('[data-question="contact"] [data-value="no"]')
    shows(page, "full")
    page.click('[data-state="full"] a')
    answer(page, questions=("contact", "near"))
    page.wait_for_url("**/pass")


def test_two_tabs_get_passes_with_different_numbers_of_the_book(open_context: OpenContext) -> None:
    context = open_context(expected="409 (Conflict)")
    venue = make_venue(now=now())
    first = context.new_page()
    begin_check_in(first, venue)
    answer(first, questions=("symptoms", "diagnosed", "contact"))
    second = context.new_page()
    second.goto(f"/check-in/{venue.public_id}")
    shows(second, "question-near")
    for tab in (first, second):
        tab.click('[data-question="near"] [data-value="no"]')
    for tab in (first, second):
        tab.wait_for_url("**/pass")
        shows(tab, "shown")
    anchors = [bytes(row.anchor) for row in Pass.objects.all() if row.anchor is not None]
    assert len(anchors) == len(set(anchors)) >= 1


def test_the_page_says_when_all_numbers_of_the_book_are_used(phone: Page) -> None:
    venue = make_venue(now=now())
    begin_check_in(phone, venue)
    answer(phone, questions=("symptoms", "diagnosed", "contact"))
    shows(phone, "question-near")
    phone.evaluate(
        """(venue) => new Promise((resolve) => {
      const request = indexedDB.open("crowdtrace");
      request.onsuccess = () => {
        const database = request.result;
        const work = database.transaction(["drafts", "passes"], "readwrite");
        work.objectStore("drafts").getAll().onsuccess = ({ target }) => {
          const { person, epoch } = target.result[0];
          const used = { person, epochStart: epoch.start, index: 15, epoch, venue, credential: null };
          work.objectStore("passes").put(used);
        };
        work.oncomplete = () => { database.close(); resolve(); };
      };
    })""",
        {"id": venue.public_id, "name": venue.name},
    )
    answer(phone, questions=("near",))
    shows(phone, "used-up")
    phone.click('[data-do="other-day"]')
    shows(phone, "day")


def test_a_busy_server_keeps_the_answers(open_context: OpenContext) -> None:
    page = open_context(expected="429").new_page()
    begin_check_in(page, make_venue(now=now()))
    page.route("**/api/v1/passes", lambda route: route.fulfill(status=429, headers={"Retry-After": "5"}, body="{}"))
    answer(page)
    shows(page, "busy")
    page.unroute("**/api/v1/passes")
    page.click('[data-state="busy"] [data-do="send"]')
    page.wait_for_url("**/pass")


def test_every_dead_end_has_a_way_on(phone: Page) -> None:
    phone.goto("/me")
    make_key(phone)
    for path, state in (("/pass", "none"), ("/rate", "none"), ("/shield", "shown")):
        phone.goto(path)
        shows(phone, state)
        assert phone.locator(f'[data-state="{state}"] a:visible').count() >= 1
