"""What people who run venues do with their pages, in a real browser: with a script, without one, by keyboard only."""

import base64
import re
import zlib
from typing import Any

import cv2
import numpy as np
import pyotp
import pytest
from django.contrib.sessions.models import Session
from django.urls import get_resolver, reverse
from playwright.sync_api import Page
from pytest_django.live_server_helper import LiveServer

from tests.browser import gates
from tests.browser.actions import now, read_code
from tests.browser.cases import Scene, all_cases
from tests.browser.conftest import TABLET, OpenContext, until
from tests.browser.owners import make_house
from tests.factories import PASSWORD, make_organisation, make_user
from tests.risk.crowds import stay
from tests.venues.conftest import build_world
from tests.venues.test_pages import token_of, turn_on_second_factor
from venues import selectors
from venues.kinds import Role
from venues.models import Event, Membership, Venue
from venues.requirements import RequirementValues
from venues.services import mailed, second_factor
from venues.services.organisations import make_member_code
from venues.services.venues import set_requirements, update_venue

pytestmark = pytest.mark.django_db(transaction=True)
# Logged-in users are redirected from it; it has a separate test.
ASKED_BEFORE_LOG_IN = "owner-page-log-in-code"
PASSPHRASE = "seven quiet otters"
CASES = all_cases()
# What a browser does when a page is left; Playwright does not see what is sent while leaving a real one.
HIDE = """() => {
  Object.defineProperty(document, "visibilityState", { get: () => "hidden" });
  document.dispatchEvent(new Event("visibilitychange", { bubbles: true }));
}"""
MOST_CLICKS = 5


class Clicks:
    """Counts the presses of a person."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.count = 0

    def on(self, selector: str) -> None:
        self.count += 1
        self.page.click(selector)


def log_in(page: Page, username: str, password: str = PASSWORD) -> None:
    """By the form."""
    page.goto("/owner/login")
    page.fill("#id_username", username)
    page.fill("#id_password", password)
    page.click("main form [type=submit]")


def make_event(page: Page, press: Clicks) -> None:
    """Go from the front of the owners' pages to an event, as a new user would."""
    page.goto("/")
    press.on("main a:has-text('Sign up')")
    page.fill("#id_username", "anna")
    page.fill("#id_password", PASSPHRASE)
    press.on("main form [type=submit]")
    press.on("a:has-text('An event')")
    page.fill("#id_name", "Anna's birthday")
    page.fill("#id_place", "Our garden")
    page.fill("#id_size", "20")
    press.on("main form [type=submit]")
    page.wait_for_url("**/owner/events/e_*")


def poster_code(pdf: bytes) -> str:
    """Return what an independent reader reads from a printed poster, whose small squares are drawn on white."""
    (coded,) = re.findall(rb"/ASCII85Decode /FlateDecode.*?stream\r?\n(.+?)~>endstream", pdf, re.DOTALL)[:1]
    content = zlib.decompress(base64.a85decode(coded.strip())).decode()
    squares = [
        [float(number) for number in one] for one in re.findall(r"([\d.]+) ([\d.]+) ([\d.]+) ([\d.]+) re", content)
    ]
    sheet = np.full((2 * 842, 2 * 595), 255, np.uint8)
    for x, y, width, height in squares:
        if width < 20:  # points: a square of the code, not the header
            left, low = round(2 * x), round(2 * (842 - y))
            sheet[low - round(2 * height) : low, left : left + round(2 * width)] = 0
    return str(cv2.QRCodeDetectorAruco().detectAndDecode(sheet)[0])


@pytest.mark.parametrize("script", [True, False], ids=["with a script", "without a script"])
def test_a_host_has_a_poster_after_few_steps_from_an_empty_database(
    script: bool, open_context: OpenContext, live_server: LiveServer
) -> None:
    context = open_context(java_script_enabled=script)
    page = context.new_page()
    press = Clicks(page)
    make_event(page, press)
    poster = page.locator("a:has-text('Print the poster')").get_attribute("href")
    press.count += 1
    answer = context.request.get(f"{live_server.url}{poster}")
    assert answer.body().startswith(b"%PDF-")
    assert press.count <= MOST_CLICKS
    event = Event.objects.select_related("venue").get()
    assert (event.name, event.venue.name, event.size) == ("Anna's birthday", "Our garden", 20)


def test_link_screen_and_poster_of_an_event_say_the_same(open_context: OpenContext, live_server: LiveServer) -> None:
    context = open_context(viewport=TABLET)
    page = context.new_page()
    make_event(page, Clicks(page))
    link = page.locator("#link").inner_text()
    event = Event.objects.get()
    assert re.fullmatch(rf"{live_server.url}/events/{event.public_id}#\w{{12}}", link)
    page.click("a:has-text('Show on this screen')")
    assert read_code(page.locator(".qr svg")) == link
    pdf = context.request.get(f"{live_server.url}/owner/events/{event.public_id}/poster.pdf").body()
    assert poster_code(pdf) == link
    assert context.request.get(f"{live_server.url}/owner/events/{event.public_id}/poster.pdf").body() == pdf


def test_the_second_factor_is_set_up_and_asked_for(open_context: OpenContext) -> None:
    user = make_user(now=now())
    page = open_context().new_page()
    log_in(page, user.username)
    page.goto("/owner/account")
    page.click("main button:has-text('Turn it on')")
    assert read_code(page.locator(".qr svg")).startswith("otpauth://totp/")
    page.fill("#id_code", token_of(user))
    page.click("main form [type=submit]")
    page.wait_for_selector(".codes li")
    codes = page.locator(".codes li").all_inner_texts()
    assert len(codes) == 10
    page.click("header button:has-text('Log out')")
    log_in(page, user.username)
    page.fill("#id_code", "000000")
    page.click("main form [type=submit]")
    page.wait_for_selector("[role=alert]:focus")
    page.fill("#id_code", codes[0])
    page.click("main form [type=submit]")
    page.wait_for_url("**/owner/start")


def test_a_mailed_link_fills_in_its_code_and_leaves_no_trace_in_the_address(
    open_context: OpenContext, live_server: LiveServer
) -> None:
    user = make_user(email="rosa@example.org", now=now())
    page = open_context().new_page()
    token = mailed.token_for(user, mailed.RESET)
    page.goto(f"{live_server.url}/owner/reset#{token}")
    assert page.input_value("#id_token") == token
    assert page.url == f"{live_server.url}/owner/reset"
    page.fill("#id_password", "an entirely new one")
    page.click("main form [type=submit]")
    page.wait_for_url("**/owner/login")
    log_in(page, user.username, "an entirely new one")
    page.wait_for_url("**/owner/start")


def test_a_mailed_link_confirms_an_address_with_one_press(open_context: OpenContext, live_server: LiveServer) -> None:
    user = make_user(email="rosa@example.org", now=now())
    page = open_context().new_page()
    page.goto(f"{live_server.url}/owner/confirm#{mailed.token_for(user, mailed.CONFIRM)}")
    assert page.url == f"{live_server.url}/owner/confirm"
    page.click("main form [type=submit]")
    page.wait_for_url("**/owner/login")
    assert selectors.email_confirmed(user)


def test_a_team_code_is_kept_while_its_user_makes_an_account(
    open_context: OpenContext, live_server: LiveServer
) -> None:
    organisation = make_organisation(now=now())
    made = make_member_code(organisation=organisation, role=Role.VIEWER, actor="owner", now=now())
    page = open_context().new_page()
    page.goto(f"{live_server.url}/owner/join#{made.code}")
    assert page.url == f"{live_server.url}/owner/join"
    page.click("main a:has-text('Sign up')")
    page.fill("#id_username", "bob")
    page.fill("#id_password", PASSPHRASE)
    page.click("main form [type=submit]")
    page.wait_for_url("**/owner/join")
    assert page.input_value("#id_code") == made.code
    page.click("main form [type=submit]")
    page.wait_for_url("**/owner")
    assert Membership.objects.get(user__username="bob").organisation == organisation


def test_errors_are_summed_up_on_top_and_lead_to_their_fields(open_context: OpenContext) -> None:
    page = open_context().new_page()
    page.goto("/owner/sign-up")
    page.fill("#id_username", "no spaces please")
    page.fill("#id_password", PASSPHRASE)
    page.keyboard.press("Enter")
    page.wait_for_selector("[role=alert]:focus")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "id_username"
    assert page.input_value("#id_username") == "no spaces please"
    described = page.get_attribute("#id_username", "aria-describedby") or ""
    assert "id_username_error" in described
    assert page.locator("#id_username_error").is_visible()


def test_rules_are_previewed_and_activated_by_keyboard_only(open_context: OpenContext, live_server: LiveServer) -> None:
    house = make_house()
    context = open_context()
    Scene(context, live_server.url).sign_in(house.owner)
    page = context.new_page()
    page.goto(f"/owner/venues/{house.venue.public_id}/rules")
    page.focus("#id_enforced_limit_percent")
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.type("50")
    page.keyboard.press("Enter")
    page.wait_for_selector("#preview")
    assert "Red when 50 people are inside." in page.inner_text("main")
    page.focus('[value="confirm"]')
    page.keyboard.press("Enter")
    page.wait_for_url("**/settings")
    house.venue.refresh_from_db()
    assert house.venue.requirements is not None
    assert house.venue.requirements.enforced_limit_percent == 50


def test_the_number_inside_follows_without_loading_the_page(open_context: OpenContext, live_server: LiveServer) -> None:
    house = make_house(visitors=3)
    context = open_context()
    Scene(context, live_server.url).sign_in(house.owner)
    page = context.new_page()
    page.add_init_script("const every = setInterval; window.setInterval = (what, ms) => every(what, ms / 30);")
    page.goto(f"/owner/venues/{house.venue.public_id}")
    assert page.inner_text(".now").split()[0] == "0–4"
    for _ in range(2):
        stay(house.venue, now(), open_end=True)
    page.wait_for_selector(".now:has-text('5–9 ')")


# System notifications need a desktop; what the page asks the browser for is recorded instead.
NOTIFICATIONS = """window.notified = [];
class Told { constructor(name, { body, tag }) { window.notified.push([name, body, tag]); } }
Told.permission = "default";
Told.requestPermission = async () => (Told.permission = "granted");
window.Notification = Told;
ServiceWorkerContainer.prototype.getRegistration = async () => undefined;
const every = setInterval;
window.setInterval = (what, ms) => every(what, ms / 30);"""


@pytest.mark.parametrize("address", ["/owner", "/owner/venues/{}"])
def test_a_place_that_fills_up_is_announced_once_and_as_a_notification_to_subscribers(
    address: str, open_context: OpenContext, live_server: LiveServer
) -> None:
    house = make_house(visitors=3)
    assert house.venue.requirements is not None
    rules = RequirementValues.of(house.venue.requirements).changed({"capacity": 5})
    set_requirements(venue=house.venue, values=rules, actor="owner", now=now())
    update_venue(venue=house.venue, changes={"alert_percent": 80}, actor="owner", now=now())
    context = open_context()
    Scene(context, live_server.url).sign_in(house.owner)
    page = context.new_page()
    page.add_init_script(NOTIFICATIONS)
    page.goto(address.format(house.venue.public_id))
    assert page.evaluate("Notification.permission") == "default", "a page never asks by itself"
    page.click("button:has-text('Notify me on this device')")
    page.wait_for_selector("[data-notify]:has-text('Notifications are on')")
    assert page.inner_text("[data-announced]") == ""
    told = [[house.venue.name, "Filling up: 80 % of the limit or more.", f"alert-{house.venue.public_id}"]]
    stay(house.venue, now(), open_end=True)
    page.wait_for_selector(f"[data-announced]:has-text('{house.venue.name}: Filling up: 80 %')")
    with page.expect_response("**/now"):
        pass
    assert page.evaluate("notified") == told
    stay(house.venue, now(), open_end=True)
    page.wait_for_selector("[data-announced]:has-text('Full: the doors show red')")
    assert [body for _name, body, _tag in page.evaluate("notified")][1:] == [
        "Full: the doors show red to everyone who comes."
    ]


def test_every_other_page_of_owners_is_accessible_and_fits(open_context: OpenContext, live_server: LiveServer) -> None:
    world = build_world()
    owner = world.people["owner"]
    owner.is_staff = True
    owner.save()
    second_factor.begin(user=owner, now=now())
    context = open_context(reduced_motion="reduce")
    Scene(context, live_server.url).sign_in(owner)
    page = context.new_page()
    opened: list[str] = []
    wrong: list[str] = []
    for name in sorted(one for one in get_resolver().reverse_dict if str(one).startswith("owner-page-")):
        if name in CASES or name == ASKED_BEFORE_LOG_IN:
            continue
        opened.append(name)
        words: Any = get_resolver().reverse_dict.getlist(name)[0][0][0][1]
        address = reverse(name, kwargs={word: world.ids[word] for word in words})
        response = page.goto(address)
        if not response or not response.ok or page.url != f"{live_server.url}{address}":
            wrong.append(f"{name} does not open: {page.url}")
        else:
            wrong += gates.protected(response) + gates.titled(page)
            wrong += gates.accessible(page, name) + gates.fits(page, name)
    assert not wrong, "\n".join(wrong)
    assert len(opened) > 10


# The distance from the middle of a mark to the middle of the first line of its text.
ASKEW = """() => [...document.querySelectorAll('label:has([type=radio])')].map((label) => {
  const mark = label.querySelector('input').getBoundingClientRect();
  const range = document.createRange();
  range.selectNodeContents(label.lastChild);
  const line = range.getClientRects()[0];
  return Math.abs(mark.top + mark.height / 2 - line.top - line.height / 2);
})"""


def test_marks_are_next_to_their_words(open_context: OpenContext, live_server: LiveServer) -> None:
    context = open_context()
    Scene(context, live_server.url).sign_in(make_user(now=now()))
    page = context.new_page()
    page.goto("/owner/venues/new")
    askew = page.evaluate(ASKEW)
    assert len(askew) > 1
    assert max(askew) <= 2


def test_the_way_through_the_site_is_one_line_on_the_narrowest_phone(open_context: OpenContext) -> None:
    page = open_context(viewport=gates.NARROW).new_page()
    page.goto("/")
    tops = page.evaluate("[...document.querySelectorAll('.top nav ul:last-of-type li')].map((li) => li.offsetTop)")
    assert len(tops) == 4
    assert len(set(tops)) == 1


def test_the_page_that_asks_for_the_second_factor_is_accessible_and_fits(open_context: OpenContext) -> None:
    user = make_user(now=now())
    turn_on_second_factor(user)
    page = open_context(reduced_motion="reduce").new_page()
    log_in(page, user.username)
    page.wait_for_url("**/owner/login/code**")
    assert gates.titled(page) + gates.accessible(page, "code") + gates.fits(page, "code") == []


def test_the_second_factor_is_set_up_without_a_script(open_context: OpenContext) -> None:
    user = make_user(now=now())
    page = open_context(java_script_enabled=False).new_page()
    log_in(page, user.username)
    page.goto("/owner/account")
    page.click("main button:has-text('Turn it on')")
    page.click("summary:has-text('I cannot scan it')")
    key = page.inner_text("details .code")
    assert pyotp.TOTP(key.replace(" ", "")).now() == token_of(user)
    page.fill("#id_code", token_of(user))
    page.click("main form [type=submit]")
    page.locator(".codes li").last.wait_for()
    assert page.locator(".codes li").count() == 10
    page.click("header button:has-text('Log out')")
    log_in(page, user.username)
    page.wait_for_url("**/owner/login/code**")


def test_a_form_sent_after_the_session_ended_comes_back_filled_in(open_context: OpenContext) -> None:
    user = make_user(now=now())
    page = open_context().new_page()
    log_in(page, user.username)
    page.goto("/owner/events/new")
    page.fill("#id_name", "Dinner at six")
    page.fill("#id_place", "Our garden")
    page.fill("#id_size", "20")
    Session.objects.all().delete()
    page.click("main form [type=submit]")
    page.wait_for_url("**/owner/login**")
    page.fill("#id_username", user.username)
    page.fill("#id_password", PASSWORD)
    page.click("main form [type=submit]")
    page.wait_for_url("**/owner/events/new")
    assert "nothing was saved yet" in page.inner_text("main [role=status]")
    assert page.input_value("#id_name") == "Dinner at six"
    page.click("main form [type=submit]")
    page.wait_for_url("**/owner/events/e_*")
    assert Event.objects.get().name == "Dinner at six"


def test_a_recovery_code_works_without_a_script(open_context: OpenContext) -> None:
    user = make_user(now=now())
    codes = turn_on_second_factor(user)
    page = open_context(java_script_enabled=False).new_page()
    log_in(page, user.username)
    page.fill("#id_code", codes[0])
    page.click("main form [type=submit]")
    page.wait_for_url("**/owner/start")


def test_a_page_reports_its_speed_without_cookies(open_context: OpenContext, live_server: LiveServer) -> None:
    from crowdtrace.site.models import VitalsCount

    house = make_house()
    context = open_context()
    Scene(context, live_server.url).sign_in(house.owner)
    page = context.new_page()
    page.goto("/owner/account")
    page.wait_for_load_state("networkidle")
    page.click("main h1")
    with page.expect_request("**/api/v1/vitals") as sent:
        page.evaluate(HIDE)
    headers = sent.value.all_headers()
    assert "cookie" not in headers
    assert "referer" not in headers
    report: dict[str, Any] = sent.value.post_data_json or {}
    assert report["page"] == "owner-page-account"
    assert set(report) <= {"page", "lcp_ms", "inp_ms", "cls"}
    until(page, VitalsCount.objects.filter(page="owner-page-account").exists, "a count")


def test_a_new_event_begins_soon_by_the_clock_of_its_host(open_context: OpenContext) -> None:
    page = open_context(timezone_id="America/St_Johns").new_page()
    log_in(page, make_user(now=now()).username)
    page.wait_for_url("**/owner/start")
    page.goto("/owner/events/new")
    assert page.input_value("#id_time_zone") == "America/St_Johns"
    begins = page.evaluate("new Date(`${id_date.value}T${id_starts.value}`).getTime() - Date.now()") / 60_000
    assert -1 < begins <= 120
    page.fill("#id_starts", "20:15")
    page.eval_on_selector("#id_time_zone", "field => { field.closest('details').open = true; }")
    page.fill("#id_time_zone", "UTC")
    page.click("main form [type=submit]")
    page.wait_for_selector(".errors, [role=alert]")
    assert (page.input_value("#id_starts"), page.input_value("#id_time_zone")) == ("20:15", "UTC")


def test_a_place_keeps_its_time_zone_when_a_host_elsewhere_changes_its_facts(open_context: OpenContext) -> None:
    world = build_world()
    Venue.objects.update(time_zone="UTC")
    page = open_context(timezone_id="America/St_Johns").new_page()
    log_in(page, world.people["owner"].username)
    page.wait_for_url("**/owner")
    page.goto(f"/owner/venues/{world.venue.public_id}/facts")
    assert page.input_value("#id_time_zone") == "UTC"
