"""What people do with the pages, written once for every browser that `window.py` can drive."""

import base64
import datetime as dt
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
from django.contrib.auth.models import User

from exports import tasks
from passes.models import Pass, Rating, Scan, Visit
from passes.render import Level, qr_png
from risk.crowd.refresh import refresh_crowd
from risk.scouting.curves import refresh_cards
from tests.browser.actions import QUESTIONS, enrolment_code, now
from tests.browser.cases import Case, Scene
from tests.browser.engines.cable import Cable
from tests.browser.engines.features import DOCUMENTS, PROBES, documented
from tests.browser.engines.window import Window
from tests.browser.gates import NARROW, STATES, UNHIDE_STATE, WIDER
from tests.browser.lakes import lake_of_its_own, work
from tests.factories import HOUR, make_venue
from tests.risk.crowds import crowd
from venues.models import Event, Venue

OpenWindow = Callable[..., Window]
PASSPHRASE: Final = "seven quiet otters"
PASS_LENGTH: Final = 199
STATES_ON_THE_MAP: Final = 48
_DRAWN: Final = """(selector) =>
  [...document.querySelectorAll(selector)].filter((each) => each.getBBox().width > 0).length"""
_CHOOSE: Final = """(selector, picture) => {
  const bytes = Uint8Array.from(atob(picture), (mark) => mark.charCodeAt(0));
  const chosen = new DataTransfer();
  chosen.items.add(new File([bytes], "picture.png", { type: "image/png" }));
  const input = document.querySelector(selector);
  input.files = chosen.files;
  input.dispatchEvent(new Event("change", { bubbles: true }));
}"""


def read_code(picture: bytes) -> str:
    """Return what an independent reader reads from a picture; empty if it finds no code."""
    image = cv2.imdecode(np.frombuffer(picture, np.uint8), cv2.IMREAD_COLOR)
    assert image is not None
    return str(cv2.QRCodeDetectorAruco().detectAndDecode(cv2.resize(image, None, fx=2, fy=2))[0])


def check_in(phone: Window, venue: Venue) -> str:
    """Check in at a place, with a first use if the phone has no key, and return the code on the screen."""
    phone.open(f"/venues/{venue.public_id}")
    phone.click("main a[role=button]")
    phone.at("/check-in/")
    first = '[data-state="no-key"], [data-state="day"], [data-state="question-symptoms"]'
    phone.until(lambda: phone.sees(first), "a check-in")
    if phone.sees('[data-state="no-key"]'):
        phone.click('[data-state="no-key"] [data-do="make"]')
        phone.until(lambda: phone.sees('[data-state="day"], [data-state="question-symptoms"]'), "a key")
    if phone.sees('[data-state="day"]'):
        phone.click('[data-do="day"]')
    for question in QUESTIONS:
        phone.shows(f"question-{question}")
        phone.click(f'[data-question="{question}"] [data-value="no"]')
    phone.at("/pass")
    return shown_code(phone)


def shown_code(phone: Window) -> str:
    """Return the code of this minute."""
    phone.shows("shown")
    phone.wait('[data-qr="pass"]')
    read: list[str] = []

    def can_be_read() -> bool:
        # A screenshot may be taken before the latest drawing or scrolling is on the screen.
        read.append(read_code(phone.picture('[data-qr="pass"]')))
        return read[-1] != ""

    phone.until(can_be_read, "a code that can be read")
    return read[-1]


def enrol(door: Window, venue: Venue) -> None:
    """Enrol the window as a door of a place that also works without a network."""
    door.open("/kiosk")
    door.shows("enrol")
    door.fill("#code", enrolment_code(venue))
    door.click('[data-form="enrol"] [type=submit]')
    door.shows("door")
    door.wait('[data-slot="connection"]', "Connected")
    door.until(lambda: door.run("() => document.documentElement.dataset.offline === 'ready'"), "files for offline")


def scan(door: Window, code: str) -> str:
    """Hold a code to the door's USB scanner, which types it, and return the light."""
    door.until(lambda: not door.sees(".signal"), "the end of the light before")
    seen = len(door.run("() => window.lights"))
    door.keys(f"{code}\n")
    door.until(lambda: len(door.run("() => window.lights")) > seen, "a light")
    return str(door.run("(at) => window.lights[at]", seen))


def first_use_to_pass(open_window: OpenWindow, cable: Cable) -> None:
    """Test the first use, a check-in, its pass, and the pass without a network."""
    phone = open_window()
    assert len(check_in(phone, make_venue(now=now()))) == PASS_LENGTH
    phone.run("() => navigator.serviceWorker.ready.then(() => true)")
    cable.pull()
    phone.reload()
    assert len(shown_code(phone)) == PASS_LENGTH
    cable.plug()


def door_with_and_without_network(open_window: OpenWindow, cable: Cable) -> None:
    """Test enrolment, codes of each colour by USB scanner, also without a network, and sending what waited."""
    venue = make_venue(now=now())
    door = open_window(width=1024, height=768)
    enrol(door, venue)
    phone = open_window()
    first = check_in(phone, venue)
    assert scan(door, first) == "green"
    assert scan(door, first) == "blue"
    assert scan(door, "GO1:HELLO") == "red"
    second = check_in(open_window(), venue)  # a phone has one pass for a place and day
    cable.pull()
    assert scan(door, second) == "green"
    door.reload()
    door.shows("door")
    assert scan(door, second) == "red", "what opened before the reload opens no second time"
    door.click('[data-do="staff"]')
    door.wait('[data-slot="queue"]')
    # A busy server may have responded late before; then the door has decided alone, and that scan waits too.
    assert int(door.text('[data-slot="queue"]')) >= 2
    cable.plug()
    door.click('[data-do="sync"]')
    door.until(lambda: door.text('[data-slot="queue"]') == "0", "an empty queue")
    assert Visit.objects.filter(venue=venue).count() == 2
    assert Scan.objects.filter(venue=venue, kiosk_approved=True).exists()


def rate_shield_erase(open_window: OpenWindow, settings: Any, folder: Path, monkeypatch: Any) -> None:
    """Rate a visit, see its cost on the shield, and erase everything."""
    monkeypatch.setattr(tasks, "enqueue_erase", lambda: None)
    venue = make_venue(name="Blue Bar", kind="bar", now=now())
    door = open_window(width=1024, height=768)
    enrol(door, venue)
    phone = open_window()
    assert scan(door, check_in(phone, venue)) == "green"
    door.until(Visit.objects.filter(venue=venue).exists, "a visit")
    since = now() - 2 * HOUR
    Visit.objects.filter(venue=venue).update(arrived_at=since)
    assert _check_out(door, shown_code(phone)) == "green"
    door.until(Visit.objects.filter(venue=venue).exclude(left_at=None).exists, "the end of the visit")

    phone.open("/rate")
    phone.shows("shown")
    phone.click('[data-scale="masks"] [data-value="1"]')
    phone.click('[data-scale="distancing"] [data-value="2"]')
    phone.wait('[data-part="said"]', "Thank you")
    crowd(venue, 60, since, 120)
    refresh_crowd(now=now())
    refresh_cards(now=now())
    phone.open("/shield")
    phone.shows("shown")
    assert float(phone.text('[data-slot="shield"]')) < 100
    assert "Blue Bar" in phone.text("[data-visits]")

    mine = Pass.objects.get(rating__masks=1)
    with lake_of_its_own(settings, folder):
        phone.open("/my-data")
        phone.shows("shown")
        phone.click('[data-do="choose-erase"]')
        phone.shows("erase")
        phone.click("[name=visitor]")
        phone.click("[data-form=erase] [type=submit]")
        phone.shows("receipt")
        phone.wait('[data-slot="receipt-status"]', "follow in a moment")
        assert work() == 1
        phone.wait('[data-slot="receipt-status"]', "Erased.")
    assert not Pass.objects.filter(pk=mine.pk).exists()
    assert not Visit.objects.filter(tag=mine.tag).exists()
    assert Rating.objects.count() == 0
    phone.open("/pass")
    phone.shows("none")


def _check_out(door: Window, code: str) -> str:
    door.click('label:has([name=type][value="Checkout"])')
    return scan(door, code)


def first_event_of_an_owner(open_window: OpenWindow) -> None:
    """Create an event with its link from the front page, as a new user."""
    owner = open_window(width=1024, height=768)
    owner.open("/owner/start")
    owner.click("main a[href*='sign-up']")
    owner.at("/owner/sign-up")
    owner.fill("#id_username", "anna")
    owner.fill("#id_password", PASSPHRASE)
    owner.click("main form [type=submit]")
    owner.at("/owner/start")
    owner.click("main a[href*='events']")
    owner.fill("#id_name", "Anna's birthday")
    owner.fill("#id_place", "Our garden")
    owner.fill("#id_size", "20")
    owner.click("main form [type=submit]")
    owner.at("/owner/events/e_")
    event = Event.objects.select_related("venue").get()
    assert (event.name, event.venue.name, event.size) == ("Anna's birthday", "Our garden", 20)
    assert event.ends_at - event.starts_at >= dt.timedelta(minutes=30)
    assert f"{owner.origin}/events/{event.public_id}#" in owner.text("#link")
    assert User.objects.filter(username="anna").exists()


def query_and_map(open_window: OpenWindow) -> None:
    """Run an example query with its chart, and draw the map of states."""
    reader = open_window(width=1024, height=768)
    reader.open("/data/sql")
    reader.click("aside a[href*='example=']")
    reader.at("/data/sql?example=")
    reader.click("[data-query] [type=submit]")
    reader.wait("#answer")
    reader.wait("[data-plot] canvas")
    reader.open("/data/map")
    reader.wait("svg path")
    assert reader.run(_DRAWN, "main svg path") >= STATES_ON_THE_MAP


def code_in_a_picture(open_window: OpenWindow) -> None:
    """Restore a key from a picture of its code, without a camera and without the browser's own detector."""
    phone = open_window()
    phone.open("/me")
    phone.shows("welcome")
    phone.click('[data-do="restore"]')
    phone.click('[data-do="camera"]')
    phone.wait('[data-slot="restore-note"]', "camera cannot be used")
    secret = base64.urlsafe_b64encode(bytes(range(32))).rstrip(b"=").decode()
    picture = qr_png(f"{phone.origin}/me#{secret}", level=Level.PAPER)
    phone.run(_CHOOSE, "#picture", base64.b64encode(picture).decode())
    phone.shows("home")


def missing_features(open_window: OpenWindow, browser: str) -> None:
    """Check that the browser has and lacks what the documents say."""
    window = open_window()
    window.open("/me")
    for document in DOCUMENTS:
        said = documented(document, browser)
        assert {name: window.run(PROBES[name]) for name in said} == said, document


def narrow_pages(open_window: OpenWindow, cases: Mapping[str, Case]) -> None:
    """Check that no page, in any of its states, is wider than the narrowest phone."""
    wrong: list[str] = []
    window = open_window(**NARROW)
    for name, case in cases.items():
        window.keep_cookie("sessionid", "")  # of the previous page, whose owner may be logged in
        path = case.visit(Scene(window, window.origin))
        window.open(path)
        states = window.run(f"() => {STATES}")
        if states:
            window.until(lambda: window.run("() => 'shown' in document.documentElement.dataset"), f"a state of {name}")
        assert window.run("() => innerWidth") == NARROW["width"]
        wrong += [f"{name}: {each}" for each in window.run(WIDER)]
        for state in states:
            window.run(UNHIDE_STATE, state)
            wrong += [f"{name}, {state}: {each}" for each in window.run(WIDER)]
    assert not wrong, "\n".join(wrong)
