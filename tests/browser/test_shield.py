"""My shield, ratings, names and test results, as their holder sees them."""

import datetime as dt
import json
import re
from typing import Any

import pytest
from playwright.sync_api import Page

from passes.models import Name, Pass, Rating, SpentOwner, Visit
from risk.crowd.refresh import refresh_crowd
from risk.models import ReportedDay
from risk.scouting.curves import refresh_cards
from tests.browser.actions import check_in, enrol, make_key, now, read_code, scan, shown_code
from tests.browser.conftest import TABLET, OpenContext, shows, until
from tests.factories import make_venue
from tests.risk.crowds import crowd
from venues.models import Venue

pytestmark = pytest.mark.django_db(transaction=True)
HOUR = dt.timedelta(hours=1)
KIND = "bar"


def visit(phone: Page, open_context: OpenContext, venue: Venue, *, hours: float = 2) -> None:
    """Record a stay in a full place `hours` ago: check in by phone and have a door admit the pass."""
    check_in(phone, venue)
    door = open_context(viewport=TABLET).new_page()
    enrol(door, venue)
    assert scan(door, shown_code(phone)) == "green"
    # The time is an argument: the stay began some hours ago, among other people.
    since = now() - hours * HOUR
    visits = Visit.objects.filter(venue=venue)
    until(door, lambda: visits.update(arrived_at=since, times_out_at=now() - HOUR / 2), "a visit")
    crowd(venue, 60, since, 60 * hours)
    refresh_crowd(now=now())
    refresh_cards(now=now())


def number(page: Page, slot: str) -> float:
    return float(page.inner_text(f'[data-slot="{slot}"]'))


def test_without_a_key_there_is_a_way_to_one(phone: Page) -> None:
    phone.goto("/shield")
    shows(phone, "no-key")
    phone.click('[data-state="no-key"] a')
    make_key(phone)
    shows(phone, "shown")
    assert number(phone, "shield") == 100
    assert phone.locator("[data-when=no-visits]").is_visible()


def test_a_visit_lowers_the_shield_and_the_page_says_why_and_what_raises_it(
    phone: Page, open_context: OpenContext
) -> None:
    venue = make_venue(kind=KIND, now=now())
    visit(phone, open_context, venue)
    phone.goto("/shield")
    shows(phone, "shown")
    shield = number(phone, "shield")
    assert 0 < shield < 100
    # The plain chance comes first, then the visit that cost most, each compared with a familiar time.
    assert "%" in phone.inner_text('[data-slot="chance"]')
    assert " a typical " in phone.inner_text('[data-slot="like"]')
    dearest = phone.inner_text('[data-slot="dearest"]')
    assert venue.name in dearest
    assert " a typical " in dearest
    assert "The profile that fits: Relaxed." in phone.inner_text('[data-slot="ordinary"]')
    row = phone.locator("[data-visits] li >> nth=0")
    assert venue.name in row.inner_text()
    row.locator("summary").click()
    said = row.inner_text()
    assert "At least 50 others were counted around you." in said
    assert "You were there for" in said
    assert "100 %" in phone.inner_text("[data-recovery]")
    assert phone.locator("[data-days] rect").count() == 14
    phone.click("section[aria-labelledby=days] details summary")
    assert phone.locator("[data-day-rows] tr").count() == 1


def test_a_cautious_profile_has_less_left_and_is_remembered(phone: Page, open_context: OpenContext) -> None:
    visit(phone, open_context, make_venue(kind=KIND, now=now()))
    phone.goto("/shield")
    shows(phone, "shown")
    standard = number(phone, "shield")
    phone.click('[data-do="profile"][data-value="cautious"]')
    phone.wait_for_selector('[data-slot="verdict"]:has-text("times your budget")')
    assert number(phone, "shield") == 0 < standard
    # Beyond the budget the ring continues, and the plain chance does not change.
    beyond = str(phone.get_attribute("[data-beyond]", "stroke-dasharray")).split()
    assert 0 < float(beyond[0]) <= 100
    assert phone.locator("[data-when=guidance]").is_visible()
    phone.reload()
    shows(phone, "shown")
    assert phone.get_attribute('[data-value="cautious"]', "aria-pressed") == "true"


def test_a_mask_of_ones_own_raises_the_shield_and_is_remembered(phone: Page, open_context: OpenContext) -> None:
    visit(phone, open_context, make_venue(kind=KIND, now=now()))
    phone.goto("/shield")
    shows(phone, "shown")
    without = number(phone, "shield")
    with phone.expect_response("**/api/v1/shield") as sent:
        phone.select_option("#own-mask", "1")
    assert json.loads(str(sent.value.request.post_data))["own_mask"] == 1
    phone.wait_for_function(f"Number(document.querySelector('[data-slot=shield]').textContent) > {without}")
    phone.reload()
    shows(phone, "shown")
    assert phone.input_value("#own-mask") == "1"
    assert number(phone, "shield") > without


def test_the_deployments_own_guidance_is_shown(phone: Page, open_context: OpenContext, settings: Any) -> None:
    settings.HEALTH_GUIDANCE, settings.HEALTH_GUIDANCE_URL = "Ring the night nurse.", "https://health.example/"
    visit(phone, open_context, make_venue(kind=KIND, now=now()))
    phone.goto("/shield")
    shows(phone, "shown")
    phone.click('[data-do="profile"][data-value="cautious"]')
    phone.wait_for_selector("[data-when=guidance]:not([hidden])")
    assert "Ring the night nurse." in phone.inner_text("[data-when=guidance]")
    assert phone.get_attribute("[data-when=guidance] a", "href") == "https://health.example/"


def test_the_what_if_form_shows_the_shield_after_another_visit(phone: Page, open_context: OpenContext) -> None:
    venue = make_venue(kind=KIND, now=now())
    visit(phone, open_context, venue)
    make_venue(name="Elsewhere", kind=KIND, now=now())
    phone.goto("/shield")
    shows(phone, "shown")
    phone.select_option("#place", label=venue.name)
    phone.wait_for_selector("[data-when=what-if]:not([hidden])")
    answers = []
    for minutes, mask in (("30", False), ("30", True), ("120", False)):
        phone.select_option("#minutes", minutes)
        phone.set_checked("[data-what-if=mask]", mask)
        answers.append(phone.inner_text('[data-slot="what-if"]'))
    assert len(set(answers)) == 3
    before = number(phone, "shield")
    for said in answers:
        found = re.fullmatch(r"This would cost ([0-9.]+) points?: ([0-9.]+) % instead of ([0-9.]+) %\.", said)
        if found is None:
            assert "and leave nothing" in said
            continue
        cost, after, instead_of = map(float, found.groups())
        assert instead_of == before
        assert after == pytest.approx(before - cost, abs=1e-9)
    phone.select_option("#hour", "3")
    assert "points" in phone.inner_text('[data-slot="what-if"]')
    phone.fill("#search", "elsewh")
    phone.click("[data-form=search] button")
    phone.wait_for_selector('#place option:checked:has-text("Elsewhere")', state="attached")


def test_another_phone_with_the_same_key_finds_the_visits(phone: Page, open_context: OpenContext) -> None:
    venue = make_venue(kind=KIND, now=now())
    visit(phone, open_context, venue)
    phone.goto("/me")
    shows(phone, "home")
    phone.click('[data-state="home"] .card [data-do="keep"]')
    shows(phone, "keep")
    personal = read_code(phone.locator('[data-qr="personal"]'))
    # The pass book of the new phone starts again, so the server refuses numbers that were used.
    other = open_context(expected="409 (Conflict)").new_page()
    other.goto(personal)
    shows(other, "home")
    other.goto("/shield")
    shows(other, "shown")
    assert venue.name in other.inner_text("[data-visits]")
    # Its pass book does not know which numbers are used, so it tries the next ones until one is free.
    check_in(other, venue)


def test_without_a_connection_the_shield_says_so(open_context: OpenContext) -> None:
    context = open_context()
    page = context.new_page()
    page.goto("/me")
    make_key(page)
    page.route("**/api/v1/shield", lambda route: route.abort("internetdisconnected"))
    page.goto("/shield")
    shows(page, "offline")
    page.unroute("**/api/v1/shield")
    page.click('[data-state="offline"] [data-do="reload"]')
    shows(page, "shown")


def test_two_taps_rate_a_visit_and_two_more_change_it(phone: Page, open_context: OpenContext) -> None:
    visit(phone, open_context, make_venue(now=now()))
    phone.goto("/rate")
    shows(phone, "shown")
    phone.click('[data-scale="masks"] [data-value="4"]')
    phone.click('[data-scale="distancing"] [data-value="2"]')
    phone.wait_for_selector('[data-part="said"]:has-text("Thank you")')
    row = Rating.objects.get()
    assert (row.masks, row.distancing) == (4, 2)
    phone.reload()
    shows(phone, "shown")
    assert phone.get_attribute('[data-scale="masks"] [data-value="4"]', "aria-pressed") == "true"
    phone.click('[data-scale="masks"] [data-value="1"]')
    phone.wait_for_selector('[data-part="said"]:has-text("Thank you")')
    assert Rating.objects.get().masks == 1


def test_a_name_is_shown_to_one_place_and_taken_back(phone: Page) -> None:
    check_in(phone, make_venue(now=now()))
    phone.click("details:has([data-form=name]) summary")
    phone.fill("#name", "Ada L.")
    phone.click("[data-form=name] [type=submit]")
    phone.wait_for_selector("[data-when=named]:not([hidden])")
    assert Name.objects.count() == 1
    phone.reload()
    shows(phone, "shown")
    phone.click("details:has([data-form=name]) summary")
    phone.click('[data-do="hide-name"]')
    phone.wait_for_selector("[data-when=unnamed]:not([hidden])")
    assert Name.objects.count() == 0


def test_a_positive_test_is_reported_and_followed_by_guidance(phone: Page, open_context: OpenContext) -> None:
    visit(phone, open_context, make_venue(now=now()))
    Pass.objects.update(survey_seconds=9)  # the test answers faster than people, whose reports count
    phone.goto("/test-result")
    shows(phone, "ask")
    phone.check('[name="result"][value="positive"]')
    phone.click("[data-form=test] [type=submit]")
    shows(phone, "positive")
    assert phone.locator('[data-state="positive"] .guidance').is_visible()
    assert SpentOwner.objects.count() == 1
    assert ReportedDay.objects.filter(new_reports=1).exists()


def test_a_reminder_is_a_calendar_file_that_names_no_place(phone: Page) -> None:
    venue = make_venue(name="Secret Garden", now=now())
    check_in(phone, venue)
    phone.click("details:has([data-do=remind]) summary")
    with phone.expect_download() as download:
        phone.click('[data-do="remind"] >> nth=0')
    text = download.value.path().read_text()
    assert "BEGIN:VALARM" in text
    assert venue.name not in text
    phone.wait_for_selector('[data-slot="reminder"]:has-text("reminded at")')


def test_the_phone_itself_reminds_to_leave_and_the_day_after_to_rate(phone: Page, open_context: OpenContext) -> None:
    # Late in the evening, the time to leave is on the next day, so each note is expected at its own time.
    began = now()
    visit(phone, open_context, make_venue(now=began))
    phone.goto("/pass")
    shows(phone, "shown")
    phone.click("details:has([data-do=remind]) summary")
    with phone.expect_download():
        phone.click('[data-do="remind"][data-hours="1"]')
    for name, hours, shown in (("leave", 0, False), ("to-rate", 0, False), ("leave", 2, True), ("to-rate", 26, True)):
        phone.clock.set_fixed_time(began + hours * HOUR)
        phone.goto("/me")
        shows(phone, "home")
        assert phone.locator(f'[data-when="{name}"]').is_visible() == shown, (name, hours)
    assert "One visit to rate." in phone.inner_text('[data-when="to-rate"]')
    phone.click('[data-do="dismiss"]')
    phone.wait_for_selector('[data-when="leave"]', state="hidden")
    phone.goto("/me")
    shows(phone, "home")
    assert not phone.locator('[data-when="leave"]').is_visible()


def test_the_profile_stays_on_the_device(open_context: OpenContext) -> None:
    context = open_context()
    bodies: list[object] = []
    context.on("request", lambda request: bodies.append(request.post_data) if request.post_data else None)
    page = context.new_page()
    page.goto("/me")
    make_key(page)
    page.goto("/shield")
    shows(page, "shown")
    sent = [json.loads(str(body)) for body in bodies]
    # The same number of owners is named for any number of passes.
    assert [len(body["owners"]) for body in sent if "owners" in body] == [17 * 16]
