"""The door: green, red and amber, with and without a network."""

import datetime as dt
from pathlib import Path

import pytest
from playwright.sync_api import Page, Playwright

from passes.models import Scan, Visit
from tests.browser.actions import (
    TYPE_KEYS,
    check_in,
    enrol,
    enrolment_code,
    launch_with_camera,
    lights,
    next_light,
    now,
    read_code,
    scan,
    shown_code,
)
from tests.browser.conftest import TABLET, OpenContext, Watch, shows
from tests.factories import make_venue
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
    assert scan(door, code) == "red"


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
    # The code is still held there: that is no second try, and no red light.
    door.wait_for_timeout(1500)
    assert lights(door) == ["green"]
    door.context.close()
    browser.close()


def test_two_phones_show_one_pass_and_one_of_them_comes_in(phone: Page, open_context: OpenContext) -> None:
    """A second phone with the same key has no pass of its own accord, and a picture of the first one's is late."""
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
    assert [scan(door, shown) for door in doors] == ["red", "red"]


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
    check_in(phone, venue)
    second = shown_code(phone)
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
    enrol(door, make_venue(now=now()))
    door.click('[data-do="staff"]')
    door.select_option("#mode", "unmanned")
    context.set_offline(True)
    door.clock.set_fixed_time(now() + dt.timedelta(days=30))
    assert scan(door, "GO1:ANYTHING") == "red"


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
        door.fill("#temperature", degrees)
        door.press("#temperature", "Enter")
        assert next_light(door, seen) == light
        door.wait_for_timeout(700)
    assert door.input_value("#temperature") == ""


def test_what_is_no_pass_never_leaves_the_door(open_context: OpenContext) -> None:
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
