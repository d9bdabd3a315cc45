"""The way from a place's page to a pass, and everything that may interrupt it."""

import json

import pytest
from playwright.sync_api import Page, Request

from tests.browser.actions import answer, begin_check_in, check_in, now, shown_code
from tests.browser.conftest import OpenContext, shows
from tests.factories import make_venue

pytestmark = pytest.mark.django_db(transaction=True)


def test_four_answers_give_a_pass_with_a_changing_code(phone: Page) -> None:
    check_in(phone, make_venue(now=now()))
    code = shown_code(phone)
    assert code.startswith("GO1:")
    assert len(code) == 199


def test_a_no_says_what_would_change_it(phone: Page) -> None:
    begin_check_in(phone, make_venue(now=now()))
    answer(phone, yes={"symptoms"})
    shows(phone, "no")
    assert phone.locator("[data-advice] li").count() == 1
    phone.goto("/pass")
    shows(phone, "none")


def test_after_a_no_the_questions_are_asked_again_and_the_day_is_not(phone: Page) -> None:
    epochs: list[str] = []

    def note(sent: Request) -> None:
        if sent.method == "POST" and sent.url.endswith("/api/v1/passes"):
            epochs.append(json.loads(sent.post_data or "{}")["epoch"])

    phone.on("request", note)
    begin_check_in(phone, make_venue(now=now()))
    answer(phone, yes={"symptoms", "diagnosed"})
    shows(phone, "no")
    assert phone.locator("[data-advice] li").count() == 2
    phone.click('[data-do="again"]')
    shows(phone, "question-symptoms")
    assert phone.locator('[data-question="symptoms"] [aria-pressed="true"]').count() == 0, "answered afresh"
    phone.reload()
    answer(phone)
    phone.wait_for_url("**/pass")
    assert len(epochs) == 2
    assert len(set(epochs)) == 1


def test_a_reload_in_the_middle_loses_nothing(phone: Page) -> None:
    begin_check_in(phone, make_venue(now=now()))
    answer(phone, questions=("symptoms", "diagnosed"))
    shows(phone, "question-contact")
    phone.reload()
    answer(phone, questions=("contact", "near"))
    phone.wait_for_url("**/pass")


def test_back_shows_the_question_before_with_its_answer(phone: Page) -> None:
    begin_check_in(phone, make_venue(now=now()))
    answer(phone, questions=("symptoms",), yes={"symptoms"})
    shows(phone, "question-diagnosed")
    phone.click('[data-question="diagnosed"] [data-do="back"]')
    shows(phone, "question-symptoms")
    assert phone.get_attribute('[data-question="symptoms"] [data-value="yes"]', "aria-pressed") == "true"


def test_a_lost_connection_keeps_the_answers_and_repeats_the_same_request(open_context: OpenContext) -> None:
    context = open_context()
    phone = context.new_page()
    bodies: list[object] = []

    def note(request: Request) -> None:
        if request.url.endswith("/api/v1/passes"):
            bodies.append(json.loads(request.post_data or "null"))

    context.on("request", note)
    begin_check_in(phone, make_venue(now=now()))
    answer(phone, questions=("symptoms", "diagnosed", "contact"))
    shows(phone, "question-near")
    context.set_offline(True)
    answer(phone, questions=("near",))
    shows(phone, "offline")
    context.set_offline(False)
    phone.click('[data-state="offline"] [data-do="send"]')
    phone.wait_for_url("**/pass")
    assert len({json.dumps(body, sort_keys=True) for body in bodies}) == 1


def test_the_pass_opens_without_a_network(open_context: OpenContext) -> None:
    context = open_context()
    phone = context.new_page()
    check_in(phone, make_venue(now=now()))
    phone.evaluate("navigator.serviceWorker.ready.then(() => true)")
    context.set_offline(True)
    phone.reload()
    shows(phone, "shown")
    assert len(shown_code(phone)) == 199


def test_two_places_are_two_passes_that_share_nothing_but_the_day(phone: Page) -> None:
    codes = []
    for name in ("The Corner", "The Hall"):
        check_in(phone, make_venue(name=name, now=now()))
        codes.append(shown_code(phone))
    assert phone.locator("[data-choice] option").count() == 2
    # Header, day and key are the same for everybody; the anchor begins at byte 30, which is character 45.
    assert codes[0][4 + 45 :] != codes[1][4 + 45 :]


def test_an_unknown_place_is_a_page_that_says_so(open_context: OpenContext) -> None:
    context = open_context()
    response = context.request.get("/check-in/v_0000000000")
    assert response.status == 404
    assert "This place does not exist" in response.text()
