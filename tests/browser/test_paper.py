"""A pass on paper, made at the place for a person without a phone."""

from typing import Final

import pytest

from passes.models import DrawnSet, Pass, Visitor
from tests.browser.actions import answer, enrol, now, read_code, scan
from tests.browser.conftest import TABLET, OpenContext, shows, stored_people, stored_rows, until
from tests.factories import make_venue
from venues.requirements import RequirementValues
from venues.services.venues import set_requirements

pytestmark = pytest.mark.django_db(transaction=True)

PAPER: Final = RequirementValues(rotating_code=False)


def test_a_sheet_opens_the_door_and_names_the_visit_and_the_device_keeps_nothing(open_context: OpenContext) -> None:
    venue = make_venue(requirements=PAPER, now=now())
    door = open_context(viewport=TABLET).new_page()
    enrol(door, venue)
    door.click('[data-do="staff"]')
    with door.context.expect_page() as opened:
        door.click("[data-paper]")
    desk = opened.value
    shows(desk, "day")
    assert desk.locator(".is-warning:visible").count() == 0
    desk.click('[data-do="day"] >> nth=0')
    answer(desk)
    shows(desk, "printed")
    code, personal = (read_code(desk.locator(f'[data-qr="{name}"]')) for name in ("paper", "personal"))
    assert len(code) == len("GO1:") + 168
    assert scan(door, code) == "green"
    # One day was drawn, and the key of the sheet draws no more.
    assert (Pass.objects.count(), DrawnSet.objects.count()) == (1, 1)
    until(desk, lambda: not Visitor.objects.exists(), "the sheet's key is forgotten")
    assert stored_people(desk) == stored_rows(desk, "passes") == stored_rows(desk, "drafts") == []
    assert stored_rows(desk, "tickets") == []
    desk.reload()
    shows(desk, "day")

    phone = open_context().new_page()
    phone.goto(personal)
    shows(phone, "home")
    phone.goto("/my-data")
    shows(phone, "shown")
    phone.click('[data-do="choose-erase"]')
    shows(phone, "erase")
    phone.click("[data-form=erase] [type=submit]")
    shows(phone, "receipt")
    assert Pass.objects.count() == 0


def test_where_doors_ask_for_the_changing_code_the_page_says_so_and_asks_nothing(open_context: OpenContext) -> None:
    page = open_context().new_page()
    venue = make_venue(now=now())
    page.goto(f"/check-in/{venue.public_id}/paper")
    shows(page, "no-paper")
    assert page.locator("[data-do=day]:visible, [data-do=answer]:visible").count() == 0
    set_requirements(venue=venue, values=PAPER, actor="owner", now=now())
    page.click('[data-state="no-paper"] [data-do="reload"]')
    shows(page, "day")
    assert (DrawnSet.objects.count(), Pass.objects.count()) == (0, 0)


def test_a_refusal_on_paper_is_shown_and_the_next_sheet_has_another_key(open_context: OpenContext) -> None:
    page = open_context().new_page()
    page.goto(f"/check-in/{make_venue(requirements=PAPER, now=now()).public_id}/paper")
    for yes, state in (({"symptoms"}, "no"), ((), "printed")):
        shows(page, "day")
        page.click('[data-do="day"] >> nth=0')
        answer(page, yes=yes)
        shows(page, state)
        page.reload()
    assert DrawnSet.objects.count() == Pass.objects.count() == 2
