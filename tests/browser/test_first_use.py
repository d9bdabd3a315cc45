"""Making, keeping and restoring the key, on the device only."""

import base64
from pathlib import Path

import cv2
import numpy as np
import pytest
from playwright.sync_api import Page, Playwright
from pytest_django.live_server_helper import LiveServer

from passes.render import Level, qr_png
from tests.browser.actions import answer, launch_with_camera, now
from tests.browser.conftest import OpenContext, Watch, shows, stored_people
from tests.factories import make_venue


def make_key(page: Page) -> bytes:
    page.goto("/me")
    shows(page, "welcome")
    page.click('[data-do="make"]')
    shows(page, "keep")
    return bytes(stored_people(page)[0]["secret"])


def read_code(page: Page, selector: str) -> str:
    """Return what an independent reader reads from a code on the screen."""
    image = cv2.imdecode(np.frombuffer(page.locator(selector).screenshot(), np.uint8), cv2.IMREAD_COLOR)
    assert image is not None
    return cv2.QRCodeDetectorAruco().detectAndDecode(cv2.resize(image, None, fx=2, fy=2))[0]


def personal_text(origin: str, secret: bytes) -> str:
    return f"{origin}/me#{base64.urlsafe_b64encode(secret).rstrip(b'=').decode()}"


@pytest.mark.django_db(transaction=True)
def test_the_key_is_made_on_the_phone_and_its_code_holds_it(phone: Page, live_server: LiveServer) -> None:
    secret = make_key(phone)
    assert len(secret) == 32
    assert read_code(phone, '[data-qr="personal"]') == personal_text(live_server.url, secret)
    phone.check("[name=kept]")
    phone.click('[data-form="kept"] [type=submit]')
    shows(phone, "home")
    assert stored_people(phone)[0]["kept"] is True
    assert not phone.locator('[data-when="unkept"]').is_visible()


@pytest.mark.django_db(transaction=True)
def test_an_unanswered_permission_prompt_of_the_browser_blocks_nothing(open_context: OpenContext) -> None:
    """Firefox asks before it keeps storage, in a prompt that many people never notice."""
    context = open_context()
    context.add_init_script("if (navigator.storage) navigator.storage.persist = () => new Promise(() => {});")
    make_key(context.new_page())


@pytest.mark.django_db(transaction=True)
def test_the_page_reminds_of_a_key_without_a_copy(phone: Page) -> None:
    make_key(phone)
    phone.click('[data-do="later"]')
    shows(phone, "home")
    assert phone.locator('[data-when="unkept"]').is_visible()


@pytest.mark.django_db(transaction=True)
def test_the_key_survives_a_reload(phone: Page) -> None:
    secret = make_key(phone)
    phone.reload()
    shows(phone, "home")
    assert bytes(stored_people(phone)[0]["secret"]) == secret


@pytest.mark.django_db(transaction=True)
def test_opening_the_personal_code_brings_the_key_back_and_leaves_no_trace_in_the_address(
    open_context: OpenContext, live_server: LiveServer
) -> None:
    secret = bytes(range(32))
    page = open_context().new_page()
    page.goto(personal_text(live_server.url, secret))
    shows(page, "home")
    assert bytes(stored_people(page)[0]["secret"]) == secret
    assert page.url == f"{live_server.url}/me"


@pytest.mark.django_db(transaction=True)
def test_a_code_of_another_key_is_never_taken_without_asking(phone: Page, live_server: LiveServer) -> None:
    mine = make_key(phone)
    other = bytes(range(32))
    phone.goto("/")
    phone.goto(personal_text(live_server.url, other))
    shows(phone, "other")
    assert [bytes(row["secret"]) for row in stored_people(phone)] == [mine]
    phone.click('[data-do="add"]')
    shows(phone, "home")
    assert {bytes(row["secret"]) for row in stored_people(phone)} == {mine, other}
    assert phone.locator("[data-people] [data-do=choose]").count() == 2


@pytest.mark.django_db(transaction=True)
def test_two_of_three_parts_bring_the_key_back(phone: Page, open_context: OpenContext, tmp_path: Path) -> None:
    secret = make_key(phone)
    phone.click('[data-do="split"]')
    shows(phone, "parts")
    pictures = []
    for part in (2, 0):
        picture = tmp_path / f"{part}.png"
        phone.locator(f'[data-part="{part}"]').screenshot(path=picture)
        pictures.append(picture)

    fresh = open_context().new_page()
    fresh.goto("/me")
    shows(fresh, "welcome")
    fresh.click('[data-do="restore"]')
    shows(fresh, "restore")
    fresh.set_input_files("#picture", pictures[0])
    fresh.wait_for_selector('[data-slot="restore-note"]:has-text("One part read")')
    fresh.set_input_files("#picture", pictures[1])
    shows(fresh, "home")
    assert bytes(stored_people(fresh)[0]["secret"]) == secret


@pytest.mark.django_db(transaction=True)
def test_a_typed_key_is_accepted_and_other_texts_are_not(phone: Page) -> None:
    phone.goto("/me")
    shows(phone, "welcome")
    phone.click('[data-do="restore"]')
    phone.fill("#typed", "not a key")
    phone.click('[data-form="restore"] [type=submit]')
    phone.wait_for_selector('[data-slot="restore-note"]:has-text("not a CrowdTrace key")')
    assert stored_people(phone) == []
    phone.fill("#typed", base64.urlsafe_b64encode(bytes(range(32))).rstrip(b"=").decode())
    phone.click('[data-form="restore"] [type=submit]')
    shows(phone, "home")
    assert bytes(stored_people(phone)[0]["secret"]) == bytes(range(32))


@pytest.mark.django_db(transaction=True)
def test_the_key_is_in_no_request(open_context: OpenContext, live_server: LiveServer) -> None:
    context = open_context()
    watch = Watch(live_server.url)
    context.on("request", watch.on_request)
    page = context.new_page()
    secret = make_key(page)
    page.click('[data-do="later"]')
    shows(page, "home")
    page.goto("/pass")
    shows(page, "none")
    page.goto("/venues")
    needles = {
        secret.hex(),
        base64.b64encode(secret).decode().rstrip("="),
        base64.urlsafe_b64encode(secret).decode()[:43],
    }
    for request in watch.requests:
        sent = " ".join([request.url, request.post_data or "", *request.headers.values()])
        assert not any(needle in sent for needle in needles)


@pytest.mark.django_db(transaction=True)
def test_where_storage_is_blocked_the_page_says_what_to_do(open_context: OpenContext) -> None:
    context = open_context()
    context.add_init_script("indexedDB.open = () => { throw new DOMException('blocked', 'SecurityError'); }")
    page = context.new_page()
    page.goto("/me")
    shows(page, "unable")


@pytest.mark.django_db(transaction=True)
def test_a_printed_code_held_before_the_camera_brings_the_key_back(
    open_context: OpenContext, playwright: Playwright, live_server: LiveServer, tmp_path: Path
) -> None:
    secret = bytes(range(32))
    printed = qr_png(personal_text(live_server.url, secret), level=Level.PAPER)
    browser = launch_with_camera(playwright, printed, tmp_path)
    page = open_context(of=browser, permissions=["camera"]).new_page()
    page.goto("/me")
    shows(page, "welcome")
    page.click('[data-do="restore"]')
    page.click('[data-do="camera"]')
    shows(page, "home")
    assert bytes(stored_people(page)[0]["secret"]) == secret
    assert page.url == f"{live_server.url}/me"
    still_on = page.evaluate("[...document.querySelectorAll('video')].filter((one) => one.srcObject?.active).length")
    assert still_on == 0
    page.context.close()
    browser.close()


@pytest.mark.django_db(transaction=True)
def test_without_a_camera_restoring_still_has_two_ways(phone: Page) -> None:
    phone.goto("/me")
    shows(phone, "welcome")
    phone.click('[data-do="restore"]')
    phone.click('[data-do="camera"]')
    phone.wait_for_selector('[data-slot="restore-note"]:has-text("camera cannot be used")')
    assert phone.locator("#typed").is_visible()


@pytest.mark.django_db(transaction=True)
def test_without_scripts_the_page_says_so(open_context: OpenContext) -> None:
    page = open_context(java_script_enabled=False).new_page()
    for path in ("/me", "/pass", "/kiosk"):
        page.goto(path)
        assert page.locator("noscript").count() == 1
        assert "JavaScript" in page.inner_text("main")


COUNT_TAPS = """addEventListener("click", ({ isTrusted }) => {
  if (isTrusted) sessionStorage.setItem("taps", String(Number(sessionStorage.getItem("taps") ?? 0) + 1));
}, { capture: true });"""


def first_pass(page: Page) -> int:
    """Go from the check-in page to the first pass, and return the number of taps since the tab was opened."""
    page.click('[data-state="no-key"] [data-do="make"]')
    answer(page)
    page.wait_for_url("**/pass")
    shows(page, "shown")
    return int(page.evaluate("sessionStorage.getItem('taps')"))


@pytest.mark.django_db(transaction=True)
def test_a_first_pass_takes_eight_taps_from_the_front_page_and_five_from_the_poster(open_context: OpenContext) -> None:
    venue = make_venue(name="The Corner", now=now())
    for begin, most in (("/", 8), (f"/check-in/{venue.public_id}", 5)):
        context = open_context()
        context.add_init_script(COUNT_TAPS)
        page = context.new_page()
        page.goto(begin)
        if begin == "/":
            page.click(".hero a[role=button] >> nth=0")
            page.click("[data-places] .places a >> nth=0")
            page.click("main a[role=button] >> nth=0")
        assert first_pass(page) == most


@pytest.mark.django_db(transaction=True)
def test_a_poster_that_is_scanned_leads_past_the_card(phone: Page, live_server: LiveServer, tmp_path: Path) -> None:
    venue = make_venue(now=now())
    poster = tmp_path / "poster.png"
    # As on posters of earlier versions.
    poster.write_bytes(qr_png(f"{live_server.url}/venues/{venue.public_id}", level=Level.PAPER))
    phone.goto("/venues")
    phone.set_input_files("#picture", poster)
    phone.wait_for_url(f"**/check-in/{venue.public_id}")
    shows(phone, "no-key")


@pytest.mark.django_db(transaction=True)
def test_the_visitor_pages_open_without_a_network(open_context: OpenContext) -> None:
    context = open_context()
    page = context.new_page()
    make_key(page)
    page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    context.set_offline(True)
    for path, state in (("/me", "home"), ("/pass", "none")):
        page.goto(path)
        shows(page, state)
