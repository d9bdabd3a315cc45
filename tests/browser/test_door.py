"""The door: green, red and amber, with and without a network."""

import datetime as dt
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, Playwright, Route
from pytest_django.fixtures import Settings

from passes.models import Scan, Visit
from tests.browser.actions import (
    TYPE_KEYS,
    check_in,
    code_picture,
    enrol,
    enrolment_code,
    in_a_row,
    launch_with_camera,
    lights,
    next_light,
    now,
    read_code,
    scan,
    shown_code,
    type_keys,
)
from tests.browser.conftest import TABLET, OpenContext, Watch, shows, until
from tests.factories import make_venue
from tests.passes.people import Phone
from venues.models import Device
from venues.requirements import RequirementValues
from venues.services.devices import revoke_device

pytestmark = pytest.mark.django_db(transaction=True)


def open_door(open_context: OpenContext) -> Page:
    return open_context(viewport=TABLET).new_page()


def test_a_fresh_code_is_green_once(phone: Page, open_context: OpenContext) -> None:
    venue = make_venue(now=now())
    check_in(phone, venue)
    code = shown_code(phone)
    door = open_door(open_context)
    enrol(door, venue)
    assert scan(door, code) == "green"
    # Staff can distinguish a code held up twice from a refusal; only this kiosk knows it, for a while.
    assert scan(door, code) == "blue"
    assert "Already in" in door.inner_text(".signal")


def test_the_camera_reads_a_code(
    phone: Page, open_context: OpenContext, playwright: Playwright, tmp_path: Path
) -> None:
    venue = make_venue(now=now())
    check_in(phone, venue)
    browser = launch_with_camera(playwright, phone.locator('[data-qr="pass"]').screenshot(), tmp_path)
    door = open_context(of=browser, viewport=TABLET, permissions=["camera"]).new_page()
    enrol(door, venue)
    assert next_light(door, 0) == "green"
    door.wait_for_selector(".signal", state="hidden")
    # The code is still in front of the scanner: that is neither a second try nor a red light.
    door.wait_for_timeout(1500)
    assert lights(door) == ["green"]
    door.context.close()
    browser.close()


def test_two_phones_show_one_pass_and_one_of_them_comes_in(phone: Page, open_context: OpenContext) -> None:
    """A second phone with the same key does not get the pass, and a picture of the first phone's code is late."""
    venue = make_venue(now=now())
    check_in(phone, venue)
    shown = shown_code(phone)
    phone.goto("/me#keep")
    shows(phone, "keep")
    other = open_context().new_page()
    other.goto(read_code(phone.locator('[data-qr="personal"]')))
    shows(other, "home")
    other.goto("/pass")
    shows(other, "none")
    doors = [open_door(open_context) for _ in range(2)]
    for door in doors:
        enrol(door, venue)
    assert scan(doors[0], shown) == "green"
    assert [scan(door, shown) for door in doors] == ["blue", "red"]


def test_a_code_of_another_place_is_red(phone: Page, open_context: OpenContext) -> None:
    check_in(phone, make_venue(name="The Hall", now=now()))
    door = open_door(open_context)
    enrol(door, make_venue(now=now()))
    assert scan(door, shown_code(phone)) == "red"


def test_forged_and_foreign_codes_are_red(phone: Page, open_context: OpenContext) -> None:
    venue = make_venue(now=now())
    check_in(phone, venue)
    code = shown_code(phone)
    door = open_door(open_context)
    enrol(door, venue)
    changed = code[:150] + ("A" if code[150] != "A" else "B") + code[151:]
    for text in (changed, code[:172], "GO1:HELLO", "HELLO"):
        assert scan(door, text) == "red", text


def test_a_slow_scanner_is_read(phone: Page, open_context: OpenContext) -> None:
    venue = make_venue(now=now())
    check_in(phone, venue)
    door = open_door(open_context)
    enrol(door, venue)
    assert scan(door, shown_code(phone), gap_ms=15) == "green"


def test_without_a_network_the_door_decides_and_sends_each_scan_once_later(
    phone: Page, open_context: OpenContext
) -> None:
    venue = make_venue(now=now())
    check_in(phone, venue)
    first = shown_code(phone)
    second = Phone().check_in(venue, now=now()).on_screen(now())
    context = open_context(viewport=TABLET)
    door = context.new_page()
    enrol(door, venue)
    context.set_offline(True)
    assert scan(door, first) == "green"
    door.reload()
    shows(door, "door")
    assert scan(door, first) == "red", "what opened before the reload opens no second time"
    assert scan(door, second) == "green"
    door.click('[data-do="staff"]')
    assert door.inner_text('[data-slot="queue"]') == "3"
    context.set_offline(False)
    door.click('[data-do="sync"]')
    door.wait_for_selector('[data-slot="queue"]:text-is("0")')
    assert Scan.objects.filter(venue=venue).count() == 3
    assert Scan.objects.filter(venue=venue, kiosk_approved=True).count() == 2
    assert Visit.objects.filter(venue=venue).count() == 2


def test_two_doors_of_one_place_share_used_codes_while_connected(phone: Page, open_context: OpenContext) -> None:
    venue = make_venue(now=now())
    check_in(phone, venue)
    code = shown_code(phone)
    doors = [open_door(open_context) for _ in range(2)]
    for door in doors:
        enrol(door, venue)
    assert [scan(door, code) for door in doors] == ["green", "red"]


def test_old_keys_and_a_wrong_clock_are_amber(open_context: OpenContext) -> None:
    context = open_context(viewport=TABLET)
    door = context.new_page()
    enrol(door, make_venue(now=now()))
    context.set_offline(True)
    for moved, words in ((dt.timedelta(days=30), "keys are too old"), (dt.timedelta(hours=-3), "clock")):
        door.clock.set_fixed_time(now() + moved)
        assert scan(door, "GO1:ANYTHING") == "amber"
        assert words in door.inner_text(".signal")


def test_a_door_without_staff_stays_shut_when_it_cannot_check(open_context: OpenContext) -> None:
    context = open_context(viewport=TABLET)
    door = context.new_page()
    enrol(door, make_venue(unmanned=True, now=now()))
    door.click('[data-do="staff"]')
    door.select_option("#mode", "unmanned")
    context.set_offline(True)
    door.clock.set_fixed_time(now() + dt.timedelta(days=30))
    assert scan(door, "GO1:ANYTHING") == "red"


def answer_reading(door: Page, value: str) -> None:
    """Type a reading and Enter, as a person does: not within 50 ms of a code, where Enter is the end of the code."""
    door.wait_for_timeout(100)
    door.fill("#temperature", value)
    door.press("#temperature", "Enter")


def test_readings_are_asked_for_and_decide(phone: Page, open_context: OpenContext) -> None:
    venue = make_venue(requirements=RequirementValues(max_temperature_f=100.4), now=now())
    check_in(phone, venue)
    code = shown_code(phone)
    door = open_door(open_context)
    enrol(door, venue)
    for degrees, light in (("101", "red"), ("98,6", "green")):
        door.wait_for_selector(".signal", state="hidden")
        seen = len(lights(door))
        door.evaluate(TYPE_KEYS, [code, 0])
        door.wait_for_selector('[data-form="readings"]:not([hidden])')
        answer_reading(door, degrees)
        assert next_light(door, seen) == light
        door.wait_for_timeout(700)
    assert door.input_value("#temperature") == ""


def begin_reading(door: Page, code: str) -> int:
    """Hold a code to the scanner of a door that asks for readings, and return the number of lights so far."""
    door.wait_for_selector(".signal", state="hidden")
    seen = len(lights(door))
    door.evaluate(TYPE_KEYS, [code, 0])
    door.wait_for_selector('[data-form="readings"]:not([hidden])')
    return seen


def test_a_number_outside_the_range_of_readings_is_requested_again(phone: Page, open_context: OpenContext) -> None:
    """A fever in the other unit must not be admitted, and a typing error must not turn anybody red."""
    venue = make_venue(requirements=RequirementValues(max_temperature_f=100.4, min_o2=92), now=now())
    check_in(phone, venue)
    door = open_door(open_context)
    enrol(door, venue)
    seen = begin_reading(door, shown_code(phone))
    for degrees, oxygen, wrong in (
        ("39.5", "97", "temperature"),
        ("98.6", "970", "o2"),
        ("", "97", "temperature"),
        ("98.6", "O", "o2"),
    ):
        door.fill("#temperature", degrees)
        door.fill("#o2", oxygen)
        door.press("#o2", "Enter")
        door.wait_for_selector(f"#bad-{wrong}:not([hidden])")
        assert door.get_attribute(f"#{wrong}", "aria-invalid") == "true"
    assert len(lights(door)) == seen
    door.fill("#o2", "97")
    door.press("#o2", "Enter")
    assert next_light(door, seen) == "green"
    assert Visit.objects.filter(venue=venue).count() == 1


def test_a_deployment_in_degrees_celsius_reads_and_judges_them(
    phone: Page, open_context: OpenContext, settings: Settings
) -> None:
    settings.TEMPERATURE_UNIT = "C"
    venue = make_venue(requirements=RequirementValues(max_temperature_f=100.4), now=now())
    check_in(phone, venue)
    code = shown_code(phone)
    door = open_door(open_context)
    enrol(door, venue)
    seen = begin_reading(door, code)
    assert "°C" in door.inner_text('label[for="temperature"]')
    answer_reading(door, "98.6")
    door.wait_for_selector("#bad-temperature:not([hidden])")
    answer_reading(door, "38,1")
    assert next_light(door, seen) == "red"
    seen = begin_reading(door, code)
    answer_reading(door, "38")
    assert next_light(door, seen) == "green"


def test_a_second_code_waits_for_the_first_ones_reading(phone: Page, open_context: OpenContext) -> None:
    venue = make_venue(requirements=RequirementValues(max_temperature_f=100.4), now=now())
    check_in(phone, venue)
    first = shown_code(phone)
    second = Phone().check_in(venue, now=now()).on_screen(now())
    door = open_door(open_context)
    enrol(door, venue)
    seen = begin_reading(door, first)
    type_keys(door, second)
    door.wait_for_selector('[data-slot="waiting"]:has-text("Another code was read")')
    assert door.input_value("#temperature") == "", "the field holds nothing of the code"
    answer_reading(door, "98.6")
    assert next_light(door, seen) == "green"
    seen = begin_reading(door, second)
    answer_reading(door, "98.6")
    assert next_light(door, seen) == "green"


def test_measuring_for_minutes_turns_nobody_red(phone: Page, open_context: OpenContext) -> None:
    venue = make_venue(requirements=RequirementValues(max_temperature_f=100.4), now=now())
    check_in(phone, venue)
    code = shown_code(phone)
    door = open_door(open_context)
    enrol(door, venue)
    seen = begin_reading(door, code)
    door.clock.install(time=now() + dt.timedelta(minutes=4))
    door.clock.resume()
    answer_reading(door, "98.6")
    assert next_light(door, seen) == "green"


def test_a_scanner_types_wherever_the_focus_is(phone: Page, open_context: OpenContext) -> None:
    """After staff change a choice, the focus stays there, and the first letter of a code would change it."""
    venue = make_venue(now=now())
    check_in(phone, venue)
    door = open_door(open_context)
    enrol(door, venue)
    door.click('[data-do="staff"]')
    for field in ("#way", "#help", 'input[name="silent"]', '[data-do="sync"]', 'input[name="type"]'):
        door.focus(field)
        before = door.evaluate("[...document.forms].map((form) => [...new FormData(form)])")
        door.wait_for_selector(".signal", state="hidden")
        seen = len(lights(door))
        type_keys(door, shown_code(phone))
        assert next_light(door, seen) in {"green", "blue"}, field
        assert door.evaluate("[...document.forms].map((form) => [...new FormData(form)])") == before, field
    door.wait_for_selector(".signal", state="hidden")
    door.focus('[data-do="test-scan"]')  # keys pressed by a person are not a scan
    for key in ("Space", "Space", "Enter"):
        door.keyboard.press(key)
    assert "Hold up any code" in door.inner_text('[data-slot="test-note"]')
    door.click('[data-do="staff"]')  # which ends the test
    door.evaluate("document.activeElement.blur()")
    seen, scanner = len(lights(door)), door.context.new_cdp_session(door)
    for mark in Phone().check_in(venue, now=now()).on_screen(now()):  # a scanner that types by Alt and numbers
        scanner.send("Input.dispatchKeyEvent", {"type": "char", "text": mark, "key": mark})
    assert next_light(door, seen) == "green"


def test_a_scan_that_the_server_refuses_is_shown_to_staff_and_does_not_block_the_queue(
    phone: Page, open_context: OpenContext
) -> None:
    venue = make_venue(now=now())
    check_in(phone, venue)
    first = shown_code(phone)
    second = Phone().check_in(venue, now=now()).on_screen(now())
    context = open_context(viewport=TABLET, expected="400 (Bad Request)")
    door = context.new_page()
    enrol(door, venue)
    context.set_offline(True)
    assert [scan(door, code) for code in (first, second)] == ["green", "green"]
    refused: list[str] = []

    def refuse_one(route: Route) -> None:
        body: Any = route.request.post_data_json
        ids = [one["scan_id"] for one in body["scans"]]
        refused.extend([] if refused else ids[:1])
        if refused[0] in ids:
            route.fulfill(status=400, content_type="application/problem+json", body="{}")
        else:
            route.continue_()

    context.route("**/api/v1/scans/batch", refuse_one)
    context.set_offline(False)
    door.click('[data-do="staff"]')
    door.click('[data-do="sync"]')
    door.wait_for_selector('[data-slot="queue"]:text-is("0")')
    door.wait_for_selector('[data-when="refused"]:not([hidden]) [data-slot="refused"]:text-is("1")')
    assert Visit.objects.filter(venue=venue).count() == 1
    context.unroute("**/api/v1/scans/batch")
    door.click('[data-do="send-again"]')
    door.wait_for_selector('[data-when="refused"]', state="hidden")
    # It is in the queue now, and sent a moment later.
    until(door, lambda: Visit.objects.filter(venue=venue).count() == 2, "the second visit")


@pytest.mark.parametrize("status", [408, 429, 503])
def test_a_busy_server_gets_a_retry_when_it_asks_for_one(phone: Page, open_context: OpenContext, status: int) -> None:
    venue = make_venue(now=now())
    check_in(phone, venue)
    context = open_context(viewport=TABLET, expected=f"status of {status}")
    door = context.new_page()
    enrol(door, venue)
    asked: list[str] = []

    def busy(route: Route) -> None:
        asked.append(route.request.url)
        route.fulfill(status=status, headers={"Retry-After": "60"}, body="{}")

    context.route("**/api/v1/scans*", busy)
    context.route("**/api/v1/scans/batch", busy)
    assert scan(door, shown_code(phone)) == "green", "the door decides alone"
    door.click('[data-do="staff"]')
    door.click('[data-do="sync"]')
    door.wait_for_timeout(500)
    assert door.inner_text('[data-slot="queue"]') == "1"
    assert len(asked) == 1


def test_a_pass_among_other_codes_is_read(
    phone: Page, open_context: OpenContext, playwright: Playwright, tmp_path: Path
) -> None:
    venue = make_venue(now=now())
    check_in(phone, venue)
    others = [code_picture(text) for text in ("https://crowd.example/menu", "WIFI:S:Guests;T:WPA;P:welcome;;")]
    picture = in_a_row(others[0], phone.locator('[data-qr="pass"]').screenshot(), others[1])
    browser = launch_with_camera(playwright, picture, tmp_path)
    door = open_context(of=browser, viewport=TABLET, permissions=["camera"]).new_page()
    enrol(door, venue)
    assert next_light(door, 0) == "green"
    door.wait_for_timeout(2500)
    assert lights(door) == ["green"]
    door.context.close()
    browser.close()


def test_a_text_that_is_not_a_pass_never_leaves_the_door(open_context: OpenContext) -> None:
    context = open_context(viewport=TABLET)
    watch = Watch("")
    context.on("request", watch.on_request)
    door = context.new_page()
    enrol(door, make_venue(now=now()))
    assert scan(door, "HTTPS://CROWD.EXAMPLE/ME") == "red"
    door.click('[data-do="staff"]')
    door.click('[data-do="sync"]')
    door.wait_for_timeout(500)
    assert door.inner_text('[data-slot="queue"]') == "0"
    assert not [request for request in watch.requests if "/scans" in request.url]


def test_a_code_enrols_once(open_context: OpenContext) -> None:
    venue = make_venue(now=now())
    code = enrolment_code(venue)
    open_context().request.post("/api/v1/devices", data={"code": code, "name": "First", "kind": "Gate"})
    door = open_door(open_context)
    door.goto("/kiosk")
    shows(door, "enrol")
    response = door.request.post("/api/v1/devices", data={"code": code, "name": "Second", "kind": "Gate"})
    assert response.status == 400
    assert Device.objects.filter(door__venue=venue).count() == 1


def test_a_revoked_door_signs_out(open_context: OpenContext) -> None:
    venue = make_venue(now=now())
    door = open_context(viewport=TABLET, expected="401 (Unauthorized)").new_page()
    enrol(door, venue)
    revoke_device(device=Device.objects.get(door__venue=venue), actor="owner", now=now())
    door.click('[data-do="staff"]')
    door.click('[data-do="sync"]')
    shows(door, "enrol")
    assert door.locator('[data-when="revoked"]').is_visible()


def test_what_an_input_method_commits_is_read_wherever_the_focus_is(open_context: OpenContext) -> None:
    """Android keyboards and built-in scanners send text for a field instead of meaningful keys."""
    venue = make_venue(now=now())
    phone, door = Phone(), open_context(viewport=TABLET, has_touch=True).new_page()
    enrol(door, venue)
    door.wait_for_selector("[data-sink]:focus", state="attached")
    sent = phone.check_in(venue, now=now()).on_screen(now())
    door.keyboard.insert_text(sent)
    assert next_light(door, 0) == "green"
    door.wait_for_selector(".signal", state="hidden")
    door.click('[data-do="staff"]')
    door.fill("#help", "Call Ann")
    door.wait_for_timeout(100)  # input faster than a person types would belong to the scan
    for at, whole in enumerate((True, False), start=1):
        code = phone.check_in(venue, now=now()).on_screen(now())
        for piece in (code,) if whole else (code[:40], code[40:]):
            door.keyboard.insert_text(piece)
        assert next_light(door, at) == "green"
        door.wait_for_selector(".signal", state="hidden")
    assert door.input_value("#help") == "Call Ann"
    door.tap('[data-do="staff"]')
    door.wait_for_selector("[data-sink]:focus", state="attached")
