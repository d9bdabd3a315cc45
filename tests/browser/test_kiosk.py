"""The kiosk's modes and its failures: no camera, no storage, no network, a full place."""

import datetime as dt
from typing import Any

import pytest
from playwright.sync_api import Page

from passes.codec.identity import encode_base64url
from passes.limits import EPOCH_SECONDS
from tests.browser.actions import TYPE_KEYS, enrol, enrolment_code, lights, next_light, now, read_code, scan
from tests.browser.conftest import TABLET, OpenContext, shows
from tests.factories import make_venue
from tests.passes.people import HeldPass, Phone
from venues.models import Device, Venue
from venues.requirements import RequirementValues
from venues.services.devices import revoke_device

pytestmark = pytest.mark.django_db(transaction=True)
MINUTE = dt.timedelta(minutes=1)

FAKE_TAGS = """window.NDEFReader = class {
  constructor() { window.tags = this; }
  async scan() { if (window.refuseTags) throw new DOMException("no", "NotAllowedError"); }
};"""
HOLD_TAG = """([type, bytes]) => window.tags.onreading({
  message: { records: [{ recordType: type, data: new DataView(new Uint8Array(bytes).buffer) }] },
})"""
REPLAY_ROWS = """() => new Promise((resolve) => {
  const request = indexedDB.open("crowdtrace-kiosk");
  request.onsuccess = () => {
    const rows = request.result.transaction("replay").objectStore("replay").getAll();
    rows.onsuccess = () => { request.result.close(); resolve(rows.result); };
  };
})"""


@pytest.fixture
def venue() -> Venue:
    return make_venue(now=now())


@pytest.fixture
def door(open_context: OpenContext) -> Page:
    return open_context(viewport=TABLET).new_page()


def held_at(venue: Venue, *, ago: dt.timedelta = dt.timedelta(0)) -> HeldPass:
    return Phone().check_in(venue, now=now() - ago)


def choose(page: Page, field: str, value: str) -> None:
    page.click('[data-do="staff"]')
    page.select_option(field, value)
    page.click('[data-do="staff"]')


# What is red and amber -----------------------------------------------------------------------------------------------
def test_a_pass_of_the_day_before_yesterday_is_red(venue: Venue, door: Page) -> None:
    held = held_at(venue, ago=dt.timedelta(days=2))
    enrol(door, venue)
    assert scan(door, held.on_paper()) == "red"
    assert scan(door, held.on_screen(now() - dt.timedelta(days=2))) == "red"


def test_without_a_network_a_full_place_takes_nobody_and_with_one_the_server_decides(open_context: OpenContext) -> None:
    venue = make_venue(requirements=RequirementValues(capacity=1), now=now())
    inside, outside = held_at(venue), held_at(venue)
    context = open_context(viewport=TABLET)
    door = context.new_page()
    enrol(door, venue)
    context.set_offline(True)
    assert scan(door, inside.on_screen(now())) == "green"
    assert scan(door, outside.on_screen(now())) == "red"
    door.click('[data-do="staff"]')
    assert door.inner_text('[data-slot="inside"]') == "1 / 1"
    # The kiosk still counts its guest as inside; the server learns that the guest left by another door.
    other = open_context(viewport=TABLET).new_page()
    enrol(other, venue)
    context.set_offline(False)
    door.click('[data-do="sync"]')
    door.wait_for_selector('[data-slot="queue"]:text-is("0")')
    other.check('input[value="Checkout"]')
    assert scan(other, inside.on_screen(now())) == "green"
    assert scan(door, outside.on_screen(now() + MINUTE)) == "green"


def test_a_door_learns_how_many_are_inside(venue: Venue, door: Page) -> None:
    enrol(door, venue)
    assert scan(door, held_at(venue).on_screen(now())) == "green"
    door.click('[data-do="staff"]')
    door.wait_for_selector('[data-slot="inside"]:text-is("1 / 100")')


@pytest.mark.parametrize("width", [320, 390])
def test_on_a_phone_the_staff_button_is_next_to_the_name_and_nothing_scrolls(
    venue: Venue, open_context: OpenContext, width: int
) -> None:
    door = open_context(viewport={"width": width, "height": 700}).new_page()
    enrol(door, venue)
    name, staff = (door.locator(part).bounding_box() for part in (".door-bar h1", '[data-do="staff"]'))
    assert name
    assert staff
    assert staff["y"] <= name["y"] + name["height"] / 2 <= staff["y"] + staff["height"]
    assert staff["x"] + staff["width"] > width - 40
    assert door.inner_text(".door-bar [data-slot=inside]") == "0 / 100"
    assert door.evaluate("document.scrollingElement.scrollHeight") == 700


def test_staff_see_what_waits_how_old_the_keys_are_and_how_wrong_the_clock_is(
    venue: Venue, open_context: OpenContext
) -> None:
    context = open_context(viewport=TABLET)
    door = context.new_page()
    # This device's clock is ten minutes slow; what it shows is corrected.
    door.clock.install(time=now() - 10 * MINUTE)
    door.clock.resume()
    enrol(door, venue)
    assert scan(door, held_at(venue).on_screen(now())) == "green"
    context.set_offline(True)
    assert scan(door, held_at(venue).on_screen(now())) == "green"
    door.click('[data-do="staff"]')
    door.wait_for_selector('#staff [data-slot="inside"]:text-is("2 / 100")')
    assert door.inner_text('[data-slot="queue"]') == "1"
    assert 595 <= int(door.inner_text('[data-slot="offset"]').removesuffix(" s")) <= 605
    since, until = (door.inner_text(f'[data-slot="keys-{end}"]') for end in ("from", "until"))
    assert "–" not in since + until
    assert since != until


def test_a_place_that_may_not_be_left_alone_offers_no_such_door(open_context: OpenContext) -> None:
    context = open_context(viewport=TABLET)
    door = context.new_page()
    enrol(door, make_venue(now=now()))
    door.click('[data-do="staff"]')
    door.wait_for_selector('[data-when="must-be-staffed"]')
    assert door.locator('option[value="unmanned"]').get_attribute("hidden") is not None
    other = open_context(viewport=TABLET).new_page()
    enrol(other, make_venue(unmanned=True, now=now()))
    assert other.locator('option[value="unmanned"]').get_attribute("hidden") is None


def test_staff_see_the_place_the_lights_and_the_counts_of_today(venue: Venue, door: Page) -> None:
    enrol(door, venue)
    assert door.inner_text('[data-slot="venue"]') == venue.name
    held = held_at(venue)
    code = held.on_screen(now())
    assert [scan(door, text) for text in (code, code, "GO1:NO")] == ["green", "blue", "red"]
    door.check('input[value="Checkout"]')
    assert scan(door, code) == "green"
    door.click('[data-do="staff"]')
    assert door.inner_text('[data-slot="today"]') == "1 in, 1 out, 1 red"
    assert door.locator("[data-lights] li").evaluate_all("rows => rows.map((row) => row.dataset.light)") == [
        "green",
        "red",
        "blue",
        "green",
    ]
    door.reload()
    shows(door, "door")
    door.click('[data-do="staff"]')
    assert "No scan" in door.inner_text('[data-slot="today"]')


def test_people_counted_by_hand_change_the_room_at_this_door(open_context: OpenContext) -> None:
    venue = make_venue(requirements=RequirementValues(capacity=1), now=now())
    context = open_context(viewport=TABLET)
    door = context.new_page()
    enrol(door, venue)
    door.click('[data-do="staff"]')
    door.click('[data-do="fewer-inside"]')  # below zero: not counted
    door.click('[data-do="more-inside"]')
    door.wait_for_selector('#staff [data-slot="by-hand"]:text-is("+1")')
    assert scan(door, held_at(venue).on_screen(now())) == "red", "full, although the server knows of nobody inside"
    door.click('[data-do="fewer-inside"]')
    assert scan(door, held_at(venue).on_screen(now())) == "green"


def test_a_kiosk_forgets_admitted_people_after_a_quarter_of_an_hour(door: Page) -> None:
    venue = make_venue(requirements=RequirementValues(rotating_code=False), now=now())
    door.clock.install(time=now())
    enrol(door, venue)
    paper = held_at(venue).on_paper()
    assert [scan(door, paper) for _ in range(2)] == ["green", "blue"]
    door.wait_for_selector(".signal", state="hidden")
    door.context.set_offline(
        True
    )  # a server whose clock did not move would set the door's clock back at its next response
    door.clock.fast_forward("16:00")
    assert scan(door, paper) == "red"


def test_a_test_scan_shows_that_the_reader_works_and_sends_nothing(venue: Venue, door: Page) -> None:
    enrol(door, venue)
    door.click('[data-do="staff"]')
    door.click('[data-do="test-scan"]')
    code = held_at(venue).on_screen(now())
    door.evaluate(TYPE_KEYS, [code, 0])
    door.wait_for_selector('[data-slot="test-note"]:has-text("a pass of 199 characters")')
    assert lights(door) == []
    door.wait_for_timeout(700)
    assert scan(door, code) == "green", "it was not used up"


def test_a_red_light_says_where_to_get_help(venue: Venue, door: Page) -> None:
    enrol(door, venue)
    door.click('[data-do="staff"]')
    door.fill("#help", "Please ring the bell")
    door.press("#help", "Tab")
    assert scan(door, "GO1:NO") == "red"
    assert "Please ring the bell" in door.inner_text(".signal")
    assert "Please ring the bell" in door.inner_text("[data-spoken]")


@pytest.mark.parametrize("mode", ["self", "unmanned"])
def test_on_a_door_that_is_left_alone_staff_hold_the_button(open_context: OpenContext, mode: str) -> None:
    door = open_context(viewport=TABLET).new_page()
    enrol(door, make_venue(unmanned=True, now=now()))
    choose(door, "#mode", mode)
    door.click('[data-do="staff"]')
    door.wait_for_selector('[data-slot="staff-hint"]:has-text("Hold the button")')
    assert not door.locator("#staff").is_visible()
    door.click('[data-do="staff"]', delay=1200)
    door.wait_for_selector("#staff:not([hidden])")
    door.click('[data-do="staff"]')
    door.focus('[data-do="staff"]')
    door.keyboard.down("Enter")
    door.wait_for_selector("#staff:not([hidden])")
    door.keyboard.up("Enter")
    assert door.locator("#staff").is_visible()


def test_a_pin_keeps_passers_by_out_of_the_staff_sheet(venue: Venue, door: Page) -> None:
    enrol(door, venue)
    door.click('[data-do="staff"]')
    door.fill("#new-pin", "4711")
    door.press("#new-pin", "Enter")
    door.wait_for_selector('[data-slot="new-pin-note"]:has-text("PIN is set")')
    door.reload()
    shows(door, "door")
    door.click('[data-do="staff"]', delay=1200)
    assert not door.locator("#staff").is_visible()
    for typed, opened in (("4712", False), ("4711", True)):
        door.fill("#pin", typed)
        door.press("#pin", "Enter")
        if not opened:
            door.wait_for_selector('[data-slot="pin-note"]:has-text("isn\'t the PIN")')
            assert not door.locator("#staff").is_visible()
    door.wait_for_selector("#staff:not([hidden])")


def test_a_forgotten_pin_goes_with_a_new_enrolment(venue: Venue, open_context: OpenContext) -> None:
    door = open_context(viewport=TABLET, expected="401 (Unauthorized)").new_page()
    enrol(door, venue)
    door.click('[data-do="staff"]')
    door.fill("#new-pin", "4711")
    door.press("#new-pin", "Enter")
    door.wait_for_selector('[data-slot="new-pin-note"]:has-text("PIN is set")')
    revoke_device(device=Device.objects.get(door__venue=venue), actor="owner", now=now())
    door.click('[data-do="sync"]')
    shows(door, "enrol")
    enrol(door, venue)
    assert not door.locator("#staff").is_visible()
    door.click('[data-do="staff"]')
    door.wait_for_selector("#staff:not([hidden])")


def test_a_camera_that_nobody_allows_or_refuses_blocks_nothing(venue: Venue, open_context: OpenContext) -> None:
    context = open_context(viewport=TABLET)
    context.add_init_script(
        "if (navigator.mediaDevices) navigator.mediaDevices.getUserMedia = () => new Promise(() => {});"
        "if (navigator.storage) navigator.storage.persist = () => new Promise(() => {});"
        "if (navigator.wakeLock) navigator.wakeLock.request = () => new Promise(() => {});"
    )
    door = context.new_page()
    enrol(door, venue)
    assert scan(door, held_at(venue).on_screen(now())) == "green"


# Modes ---------------------------------------------------------------------------------------------------------------
def test_a_door_of_one_way_has_no_switch_and_keeps_its_way(venue: Venue, door: Page) -> None:
    enrol(door, venue)
    choose(door, "#way", "Checkout")
    assert not door.locator('input[value="Checkout"]').is_visible()
    assert door.locator('[data-when="only-out"]').is_visible()
    door.reload()
    shows(door, "door")
    seen = len(lights(door))
    door.evaluate(TYPE_KEYS, [held_at(venue).on_screen(now()), 0])
    assert next_light(door, seen) == "green"
    assert door.locator('.signal [data-for="bye"]').is_visible()


def test_a_tablet_shows_visitors_how_to_get_a_pass_and_fails_closed(venue: Venue, open_context: OpenContext) -> None:
    context = open_context(viewport=TABLET)
    door = context.new_page()
    enrol(door, venue)
    choose(door, "#mode", "self")
    # The words are on a white card above the camera's dark background.
    colours = "['.door-self p', 'body'].map((one) => getComputedStyle(document.querySelector(one)).color)"
    words, ink = door.evaluate(colours)
    assert words == ink
    assert read_code(door.locator("[data-checkin-qr]")).endswith(f"/check-in/{venue.public_id}")
    assert scan(door, held_at(venue).on_screen(now())) == "green"
    context.set_offline(True)
    door.clock.set_fixed_time(now() + dt.timedelta(days=30))
    assert scan(door, "GO1:ANYTHING") == "red"


# Readers -------------------------------------------------------------------------------------------------------------
def test_a_pass_on_a_tag_opens_a_door_that_takes_paper(open_context: OpenContext) -> None:
    venue = make_venue(requirements=RequirementValues(rotating_code=False), now=now())
    held = held_at(venue)
    context = open_context(viewport=TABLET)
    context.add_init_script(FAKE_TAGS)
    door = context.new_page()
    enrol(door, venue)
    door.click('[data-do="staff"]')
    door.click('[data-do="tags"]')
    door.wait_for_selector('[data-slot="tags-note"]:has-text("Hold passes")')
    door.evaluate(HOLD_TAG, ["crowdtrace:other", list(held.pass_bytes)])
    door.evaluate(HOLD_TAG, ["crowdtrace:pass", list(held.pass_bytes)])
    assert next_light(door, 0) == "green"
    assert lights(door) == ["green"]


def test_a_browser_that_refuses_tags_says_so(venue: Venue, open_context: OpenContext) -> None:
    context = open_context(viewport=TABLET)
    context.add_init_script(FAKE_TAGS + "window.refuseTags = true;")
    door = context.new_page()
    enrol(door, venue)
    door.click('[data-do="staff"]')
    door.click('[data-do="tags"]')
    door.wait_for_selector('[data-slot="tags-note"]:has-text("was not allowed")')


def test_a_browser_without_tags_offers_none(venue: Venue, door: Page) -> None:
    enrol(door, venue)
    door.click('[data-do="staff"]')
    assert not door.locator('[data-do="tags"]').is_visible()


@pytest.mark.parametrize("name", ["NotAllowedError", "NotFoundError"])
def test_without_a_camera_a_scanner_works(venue: Venue, open_context: OpenContext, name: str) -> None:
    context = open_context(viewport=TABLET)
    context.add_init_script(
        "if (navigator.mediaDevices) navigator.mediaDevices.getUserMedia = "
        f'() => Promise.reject(new DOMException("no", "{name}"));'
    )
    door = context.new_page()
    enrol(door, venue)
    door.wait_for_selector('[data-when="blind"]:not([hidden])')
    assert scan(door, held_at(venue).on_screen(now())) == "green"


def test_one_of_two_tabs_is_the_door_and_the_other_takes_over(venue: Venue, open_context: OpenContext) -> None:
    context = open_context(viewport=TABLET)
    first = context.new_page()
    enrol(first, venue)
    held = held_at(venue)
    second = context.new_page()
    second.goto("/kiosk")
    shows(second, "second")
    context.set_offline(True)
    assert scan(first, held.on_screen(now())) == "green"
    first.close()
    shows(second, "door")
    assert scan(second, held.on_screen(now())) == "red"


# Storage -------------------------------------------------------------------------------------------------------------
def test_a_browser_that_blocks_storage_cannot_be_a_door_and_says_why(open_context: OpenContext) -> None:
    context = open_context(viewport=TABLET)
    context.add_init_script(
        'Object.defineProperty(window, "indexedDB", { get() { throw new DOMException("denied", "SecurityError"); } });'
    )
    door = context.new_page()
    door.goto("/kiosk")
    shows(door, "unable")
    assert "store its keys" in door.inner_text("main")


FULL = """(() => {
  const put = IDBObjectStore.prototype.put;
  IDBObjectStore.prototype.put = function (value, key) {
    if (key === "device" || key === "bundle") throw new DOMException("no room", "QuotaExceededError");
    return put.call(this, value, key);
  };
})()"""


def test_a_device_without_room_says_so_when_it_is_enrolled(open_context: OpenContext, venue: Venue) -> None:
    context = open_context(viewport=TABLET)
    context.add_init_script(FULL)
    page = context.new_page()
    page.goto("/kiosk")
    shows(page, "enrol")
    page.fill("#code", enrolment_code(venue))
    page.click('[data-form="enrol"] [type=submit]')
    shows(page, "unable")


def test_nothing_but_an_enrolment_code_is_sent_when_a_device_is_enrolled(open_context: OpenContext) -> None:
    """A visitor may hold a pass or the code of a key to a scanner that is not enrolled."""
    context = open_context(viewport=TABLET)
    sent: list[str] = []
    context.on("request", lambda request: sent.append(request.method))
    page = context.new_page()
    page.goto("/kiosk")
    shows(page, "enrol")
    for text in ("GO1:" + "A" * 168, f"https://crowd.example/me#{'A' * 43}"):
        page.fill("#code", text)
        page.press("#code", "Enter")
        page.wait_for_selector('[data-slot="enrol-note"]:has-text("valid")')
        page.evaluate("document.querySelector('[data-slot=enrol-note]').textContent = ''")
    assert "POST" not in sent


def test_a_kiosk_forgets_a_pass_when_it_ends(venue: Venue, open_context: OpenContext) -> None:
    """P7 at the door: with and without a network."""
    context = open_context(viewport=TABLET)
    door = context.new_page()
    enrol(door, venue)
    held = held_at(venue)
    assert scan(door, held.on_screen(now())) == "green"
    context.set_offline(True)
    rows: list[dict[str, Any]] = door.evaluate(REPLAY_ROWS)
    assert len(rows) == 1
    assert "until" not in rows[0]  # sealed: the store reveals neither pass nor time
    assert encode_base64url(held.secrets.anchor) not in str(rows)
    ends = held.secrets.epoch_start + EPOCH_SECONDS
    door.click('[data-do="staff"]')
    for past_the_end, left in ((-2, 1), (1, 0)):
        door.clock.set_fixed_time(dt.datetime.fromtimestamp(ends + past_the_end, dt.UTC))
        door.click('[data-do="sync"]')
        door.wait_for_timeout(300)
        assert len(door.evaluate(REPLAY_ROWS)) == left
