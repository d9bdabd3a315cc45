"""One pass for a person, a place and a day: a yes withdraws it, a button cancels it, the rest can be distinguished."""

import json
from http import HTTPStatus
from typing import Any

import pytest
from playwright.sync_api import Page, Request, Route

from passes.models import Pass
from tests.browser.actions import answer, begin_check_in, check_in, enrol, now, scan, shown_code
from tests.browser.conftest import TABLET, OpenContext, shows, stored_rows
from tests.factories import make_venue

pytestmark = pytest.mark.django_db(transaction=True)

KEEP_ANOTHER = """([venue, change]) => new Promise((resolve) => {
  const request = indexedDB.open("crowdtrace");
  request.onsuccess = () => {
    const work = request.result.transaction("passes", "readwrite");
    const passes = work.objectStore("passes");
    passes.getAll().onsuccess = ({ target }) => {
      const { drawnAt, ...old } = target.result.find((pass) => pass.venue.id === venue);
      passes.put({ ...old, index: old.index + 1, ...change });
    };
    work.oncomplete = () => { request.result.close(); resolve(); };
  };
})"""


def sent_to_api(page: Page) -> list[Request]:
    """Return a list that collects requests to the API from now on."""
    requests: list[Request] = []
    page.on("request", lambda one: requests.append(one) if "/api/" in one.url and "vitals" not in one.url else None)
    return requests


def passes_of(page: Page, venue_id: str) -> list[dict[str, Any]]:
    """Return the passes of a place that the phone keeps, in their stored order."""
    return [row for row in stored_rows(page, "passes") if row["venue"]["id"] == venue_id]


def test_a_yes_withdraws_the_pass_of_that_place_and_day_and_no_other(phone: Page) -> None:
    here, elsewhere = make_venue(name="The Corner", now=now()), make_venue(name="The Hall", now=now())
    for place in (elsewhere, here):
        check_in(phone, place)
    begin_check_in(phone, here)
    assert phone.locator('[data-question="symptoms"] [data-when="has-pass"]').is_visible()
    requests = sent_to_api(phone)
    answer(phone, yes={"symptoms"})
    shows(phone, "no")
    assert phone.locator('[data-when="withdrew"]').is_visible()
    assert [one.url.rsplit("/", 1)[1] for one in requests] == ["passes"], "one request, and none about the old pass"
    assert [row.get("withdrawn") for row in passes_of(phone, here.public_id)] == ["answers", None]
    assert [row["credential"] for row in passes_of(phone, here.public_id)] == [None, None]
    assert passes_of(phone, elsewhere.public_id)[0]["credential"] is not None
    assert not Pass.objects.filter(revoked=True).exists()
    phone.goto("/pass")
    shows(phone, "shown")
    assert phone.inner_text('[data-state="shown"] [data-slot="venue"]') == "The Hall"
    phone.goto("/rate")
    shows(phone, "shown")
    assert phone.locator("[data-visits] article").count() == 2, "a visit that was made with it can still be rated"


@pytest.mark.parametrize("status", [HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.INTERNAL_SERVER_ERROR, 0])
def test_a_yes_withdraws_the_pass_even_if_the_request_fails(open_context: OpenContext, status: int) -> None:
    phone = open_context(expected="Failed to load resource").new_page()
    venue = make_venue(now=now())
    check_in(phone, venue)
    begin_check_in(phone, venue)

    def refuse(route: Route) -> None:
        route.fulfill(status=status, body="{}") if status else route.abort()

    phone.route("**/api/v1/passes", refuse)
    answer(phone, yes={"near"})
    phone.wait_for_selector(
        '[data-state="busy"]:visible, [data-state="failed"]:visible, [data-state="offline"]:visible'
    )
    assert phone.locator('[data-when="withdrew"]').is_visible()
    phone.goto("/pass")
    shows(phone, "none")


def test_a_yes_withdraws_the_pass_where_all_tickets_are_used(phone: Page) -> None:
    venue = make_venue(now=now())
    check_in(phone, venue)
    last = {"index": 15, "venue": {"id": "v_x", "name": "X"}, "credential": None}
    phone.evaluate(KEEP_ANOTHER, [venue.public_id, last])
    begin_check_in(phone, venue)
    answer(phone, yes={"diagnosed"})
    shows(phone, "used-up")
    phone.goto("/pass")
    shows(phone, "none")


def test_a_yes_that_the_place_admits_does_not_change_the_newer_pass(phone: Page) -> None:
    venue = make_venue(now=now())
    check_in(phone, venue)
    first = shown_code(phone)
    begin_check_in(phone, venue)
    answer(phone, yes={"near"})
    phone.wait_for_url("**/pass")
    shows(phone, "shown")
    assert shown_code(phone) != first
    assert not phone.locator("[data-choice]").is_visible()
    assert [row["credential"] is None for row in passes_of(phone, venue.public_id)] == [True, False]


def test_four_times_no_again_is_the_same_pass_and_sends_nothing(phone: Page) -> None:
    venue = make_venue(now=now())
    check_in(phone, venue)
    first = phone.inner_text('[data-slot="made"]')
    begin_check_in(phone, venue)
    requests = sent_to_api(phone)
    answer(phone)
    phone.wait_for_url("**/pass")
    shows(phone, "shown")
    assert requests == []
    assert phone.inner_text('[data-slot="made"]') == first
    assert Pass.objects.count() == 1


def test_a_pass_of_another_person_on_the_phone_is_not_withdrawn(phone: Page) -> None:
    venue = make_venue(now=now())
    check_in(phone, venue)
    phone.goto("/me")
    shows(phone, "home")
    phone.click('[data-do="person"]')
    phone.fill("#label", "Grandma")
    phone.click('[data-form="person"] [type=submit]')
    shows(phone, "keep")
    phone.click('[data-do="later"]')
    shows(phone, "home")
    begin_check_in(phone, venue)
    answer(phone, yes={"symptoms"})
    shows(phone, "no")
    assert not phone.locator('[data-when="withdrew"]').is_visible()
    assert [row["credential"] is not None for row in passes_of(phone, venue.public_id)].count(True) == 1


def test_two_passes_of_one_place_and_day_from_an_earlier_version_are_distinguished(phone: Page) -> None:
    venue = make_venue(name="The Corner", now=now())
    check_in(phone, venue)
    phone.evaluate(KEEP_ANOTHER, [venue.public_id, {}])
    phone.reload()
    shows(phone, "shown")
    names = phone.locator("[data-choice] option").all_inner_texts()
    assert len(set(names)) == len(names) == 2
    begin_check_in(phone, venue)
    answer(phone, yes={"symptoms"})
    shows(phone, "no")
    assert {row["credential"] for row in passes_of(phone, venue.public_id)} == {None}


def test_a_cancelled_pass_is_gone_here_and_red_at_the_door(open_context: OpenContext) -> None:
    venue = make_venue(now=now())
    phone, door = open_context().new_page(), open_context(viewport=TABLET).new_page()
    check_in(phone, venue)
    code = shown_code(phone)
    phone.click('[data-do="ask-cancel"]')
    shows(phone, "cancel")
    phone.click('[data-state="cancel"] [data-do="shown"]')
    shows(phone, "shown")
    phone.click('[data-do="ask-cancel"]')
    requests = sent_to_api(phone)
    phone.click('[data-state="cancel"] [data-do="cancel"]')
    shows(phone, "cancelled")
    assert [len(json.loads(one.post_data or "{}")["owners"]) for one in requests] == [1]
    phone.click('[data-state="cancelled"] [data-do="reload"]')
    shows(phone, "none")
    enrol(door, venue)
    assert scan(door, code) == "red"
    check_in(phone, venue)
    assert scan(door, shown_code(phone)) == "green"


def test_without_a_network_a_pass_is_not_cancelled_and_the_page_says_so(open_context: OpenContext) -> None:
    context = open_context()
    phone = context.new_page()
    check_in(phone, make_venue(now=now()))
    context.set_offline(True)
    phone.click('[data-do="ask-cancel"]')
    phone.click('[data-state="cancel"] [data-do="cancel"]')
    phone.wait_for_selector('[data-slot="cancel-note"]:has-text("still valid")')
    phone.click('[data-state="cancel"] [data-do="shown"]')
    shows(phone, "shown")


def test_the_list_of_visits_shows_no_reason_and_no_refusal(phone: Page) -> None:
    here, elsewhere = make_venue(name="The Corner", now=now()), make_venue(name="The Hall", now=now())
    check_in(phone, here)
    begin_check_in(phone, here)
    answer(phone, yes={"symptoms"})
    shows(phone, "no")
    check_in(phone, elsewhere)
    phone.click('[data-do="ask-cancel"]')
    phone.click('[data-state="cancel"] [data-do="cancel"]')
    shows(phone, "cancelled")
    phone.goto("/visits")
    shows(phone, "shown")
    rows = phone.locator("[data-visits] li")
    assert rows.count() == 2
    assert {rows.nth(at).locator('[data-part="state"]').inner_text() for at in range(2)} == {"withdrawn"}


def test_answers_of_a_day_that_ended_and_passes_older_than_two_weeks_leave_the_phone(open_context: OpenContext) -> None:
    context = open_context()
    context.clock.install()
    phone = context.new_page()
    check_in(phone, make_venue(name="The Corner", now=now()))
    begin_check_in(phone, make_venue(name="The Hall", now=now()))
    answer(phone, questions=("symptoms",), yes={"symptoms"})
    shows(phone, "question-diagnosed")
    context.clock.fast_forward(2 * 24 * 3600 * 1000)
    phone.goto("/visits")
    shows(phone, "shown")
    assert stored_rows(phone, "drafts") == []
    assert len(stored_rows(phone, "passes")) == 1
    context.clock.fast_forward(15 * 24 * 3600 * 1000)
    phone.reload()
    shows(phone, "shown")
    assert stored_rows(phone, "passes") == []
