"""Arriving, leaving, reminders, favourites and printed sheets: what a phone records for its holder only."""

import re

import pytest
from playwright.sync_api import Page, Request

from tests.browser.actions import check_in, make_key, now, read_code
from tests.browser.conftest import OpenContext, shows
from tests.factories import make_venue

pytestmark = pytest.mark.django_db(transaction=True)

ASKED = """(answer) => {
  window.told = [];
  window.Notification = class {
    static permission = "default";
    static requestPermission() { return answer ? Promise.resolve((this.permission = answer)) : new Promise(() => {}); }
  };
  if (!window.ServiceWorkerRegistration) return; // a page that is not ours
  ServiceWorkerRegistration.prototype.showNotification = async (title) => { window.told.push(title); };
}"""


def test_a_stay_is_noted_and_ended_on_the_phone_alone(phone: Page) -> None:
    check_in(phone, make_venue(name="The Corner", now=now()))
    requests: list[Request] = []
    phone.on("request", lambda one: requests.append(one) if "/api/v1/" in one.url and "vitals" not in one.url else None)
    phone.click('[data-do="in"]')
    phone.wait_for_selector('[data-slot="in-since"]:has-text("inside since")')
    phone.goto("/me")
    shows(phone, "home")
    assert "The Corner" in phone.inner_text('[data-slot="inside"]')
    phone.goto("/pass")
    phone.click('[data-do="exit"]')
    assert read_code(phone.locator('[data-qr="pass"]')).startswith("GO1:")
    phone.click('[data-do="out"]')
    phone.wait_for_selector('[data-slot="left-at"]:has-text("You left")')
    phone.goto("/visits")
    shows(phone, "shown")
    assert re.fullmatch(r".+–.+, by your note", phone.inner_text("[data-visits] [data-part=stay]"))
    phone.goto("/me")
    shows(phone, "home")
    assert not phone.locator('[data-when="inside"]').is_visible()
    assert requests == []


@pytest.mark.parametrize("answer", ["granted", "denied", ""])
def test_a_reminder_needs_no_answer_to_the_browsers_question(open_context: OpenContext, answer: str) -> None:
    context = open_context()
    context.clock.install()
    context.add_init_script(f"({ASKED})({answer!r})")
    phone = context.new_page()
    check_in(phone, make_venue(now=now()))
    phone.click("summary:has-text('Remind me')")
    with phone.expect_download() as download:
        phone.click('[data-do="remind"] >> nth=0')
    assert "VALARM" in download.value.path().read_text()
    phone.wait_for_selector('[data-slot="reminder"]:has-text("reminded at")')
    phone.evaluate("navigator.serviceWorker.ready.then(() => true)")
    context.clock.fast_forward("01:00:05")
    phone.wait_for_timeout(200)
    assert phone.evaluate("window.told.length") == (1 if answer == "granted" else 0)


def test_favourites_and_visits_are_one_tap_from_check_in(phone: Page) -> None:
    liked, visited = make_venue(name="The Corner", now=now()), make_venue(name="The Hall", now=now())
    check_in(phone, visited)
    phone.goto(f"/venues/{liked.public_id}")
    phone.click('[data-do="favourite"]')
    phone.wait_for_selector('[data-do="favourite"][aria-pressed="true"]')
    phone.goto("/venues")
    phone.wait_for_selector("[data-mine] a")
    links = [link.get_attribute("href") for link in phone.locator("[data-mine] a").all()]
    assert links == [f"/check-in/{liked.public_id}", f"/check-in/{visited.public_id}"]
    phone.goto("/visits")
    shows(phone, "shown")
    phone.click('[data-favourites] [data-do="favourite"]')
    phone.wait_for_selector('[data-when="favourites"]', state="hidden")
    phone.goto("/venues")
    phone.wait_for_selector("[data-mine] a")
    assert phone.locator("[data-mine] a").count() == 1


def test_the_sheet_of_a_pass_explains_itself(phone: Page) -> None:
    check_in(phone, make_venue(name="The Corner", now=now()))
    phone.emulate_media(media="print")
    assert not phone.locator('[data-state="shown"]').is_visible()
    sheet = phone.inner_text(".sheet")
    for words in ("The Corner", "one place and one day", "entrance", "exit", "does not change", "no name"):
        assert words in sheet
    code = read_code(phone.locator('[data-qr="sheet"]'))
    assert (code[:4], len(code)) == ("GO1:", 172), "the code for paper: the other is old after a minute"


def test_the_sheet_of_a_key_has_name_address_date_steps_and_the_key_in_letters(phone: Page) -> None:
    phone.goto("/me")
    make_key(phone)
    shows(phone, "home")
    phone.click('[data-do="person"]')
    phone.fill("#label", "Grandma")
    phone.click('[data-form="person"] [type=submit]')
    shows(phone, "keep")
    phone.emulate_media(media="print")
    sheet = phone.locator(".sheet")
    code = read_code(phone.locator('[data-qr="sheet"]'))
    assert phone.inner_text('[data-slot="key-text"]') == code.partition("#")[2]
    assert len(code.partition("#")[2]) == 43
    for words in ("Grandma", "/me", str(now().year), "Open the address", "43 characters"):
        assert words in sheet.inner_text()
    assert not phone.locator('[data-qr="personal"]').is_visible()


def test_without_a_certificate_the_page_says_why_there_is_no_wallet(phone: Page) -> None:
    check_in(phone, make_venue(now=now()))
    phone.click('[data-do="paper"]')
    shows(phone, "paper")
    assert "no certificate" in phone.inner_text('[data-state="paper"]')
    assert phone.locator('[data-do="wallet"]').count() == 0


def test_the_front_page_names_the_hazard_and_explains_the_shield_in_twenty_seconds(phone: Page) -> None:
    phone.goto("/")
    lead = phone.inner_text(".hero")
    assert all(words in lead for words in ("COVID-19", "flu", "infection"))
    story = phone.locator(".shield-story")
    assert story.locator("svg[role=img]").is_visible()
    words = story.inner_text().split()
    assert len(words) <= 80, "people read about 240 words a minute"
