"""What people do with the pages: check in, show a code, enrol a door, hold a code to a scanner."""

import datetime as dt
import io
from collections.abc import Collection
from pathlib import Path
from typing import Final

import cv2
import numpy as np
import qrcode
from django.utils import timezone
from playwright.sync_api import Browser, Locator, Page, Playwright

from tests.browser.conftest import launch, shows, until
from tests.factories import door_of
from venues.models import Venue
from venues.services.devices import make_enrolment_code

QUESTIONS: Final = ("symptoms", "diagnosed", "contact", "near")
TYPE_KEYS: Final = """([text, gap]) => new Promise((resolve) => {
  const shifted = { "$": "Digit4", "%": "Digit5", "*": "Digit8", "+": "Equal", ":": "Semicolon" };
  const plain = { " ": "Space", "-": "Minus", ".": "Period", "/": "Slash" };
  const keys = [...text].map((mark) => {
    if (/[A-Z]/.test(mark)) return { code: "Key" + mark, shiftKey: true };
    if (/[0-9]/.test(mark)) return { code: "Digit" + mark, shiftKey: false };
    return shifted[mark] ? { code: shifted[mark], shiftKey: true } : { code: plain[mark], shiftKey: false };
  });
  keys.push({ code: "Enter", shiftKey: false });
  const press = (at) => {
    if (at === keys.length) return resolve();
    document.body.dispatchEvent(new KeyboardEvent("keydown", { ...keys[at], bubbles: true, cancelable: true }));
    if (gap === 0) press(at + 1);
    else setTimeout(() => press(at + 1), gap);
  };
  press(0);
})"""


def make_key(page: Page) -> None:
    """Make a key on first use, without keeping a copy."""
    shows(page, "welcome")
    page.click('[data-do="make"]')
    shows(page, "keep")
    page.click('[data-do="later"]')


def begin_check_in(page: Page, venue: Venue) -> None:
    """Go from the place's page to the first question, and make a key if there is none."""
    page.goto(f"/venues/{venue.public_id}")
    page.click("main a[role=button]")
    first_question(page)


def first_question(page: Page) -> None:
    """Go from the check-in page to the first question; today is chosen unless something must be entered first."""
    states = ("no-key", "day", "question-symptoms")
    page.wait_for_selector(", ".join(f'[data-state="{state}"]:not([hidden])' for state in states))
    if page.locator('[data-state="no-key"]').is_visible():
        page.click('[data-state="no-key"] [data-do="make"]')
    if page.locator('[data-state="day"]').is_visible():
        page.click('[data-do="day"] >> nth=0')
    shows(page, "question-symptoms")


def answer(page: Page, *, yes: Collection[str] = (), questions: Collection[str] = QUESTIONS) -> None:
    """Answer questions, one on each page."""
    for question in questions:
        shows(page, f"question-{question}")
        page.click(f'[data-question="{question}"] [data-value="{"yes" if question in yes else "no"}"]')


def check_in(page: Page, venue: Venue) -> None:
    """Check in, from the start to a pass on the screen."""
    begin_check_in(page, venue)
    answer(page)
    page.wait_for_url("**/pass")
    shows(page, "shown")


def read_code(code: Locator) -> str:
    """Return what OpenCV, an independent reader, reads from a code on the screen, with its newer corner detection."""
    image = cv2.imdecode(np.frombuffer(code.screenshot(), np.uint8), cv2.IMREAD_COLOR)
    assert image is not None
    text = cv2.QRCodeDetectorAruco().detectAndDecode(cv2.resize(image, None, fx=2, fy=2))[0]
    assert text, "no code can be read from the screen"
    return str(text)


def shown_code(page: Page) -> str:
    """Return the code that the pass shows this minute."""
    return read_code(page.locator('[data-qr="pass"]'))


def enrolment_code(venue: Venue) -> str:
    """Return a new enrolment code of the venue's first door, made as its owner would."""
    return make_enrolment_code(door=door_of(venue), actor="owner", now=timezone.now()).code


def enrol(page: Page, venue: Venue) -> None:
    """Enrol the page as a door of the venue that also works without a network."""
    page.goto("/kiosk")
    shows(page, "enrol")
    page.fill("#code", enrolment_code(venue))
    page.click('[data-form="enrol"] [type=submit]')
    shows(page, "door")
    page.wait_for_selector('[data-slot="connection"]:has-text("Connected")')
    page.wait_for_selector("html[data-offline=ready]", state="attached")
    page.evaluate("navigator.serviceWorker.ready.then(() => true)")


def lights(page: Page) -> list[str]:
    """Return every light that the door has shown since the page was loaded."""
    shown: list[str] = page.evaluate("window.lights")
    return shown


def next_light(page: Page, seen: int) -> str:
    """Wait for the light after the first `seen` ones and return it."""
    until(page, lambda: len(lights(page)) > seen, f"a light after the first {seen}")
    return lights(page)[seen]


def scan(page: Page, text: str, *, gap_ms: int = 0) -> str:
    """Hold a text to the door's USB scanner and return the light."""
    page.wait_for_selector(".signal", state="hidden")
    seen = len(lights(page))
    page.evaluate(TYPE_KEYS, [text, gap_ms])
    return next_light(page, seen)


def type_keys(page: Page, text: str) -> None:
    """Type a text and Enter as a USB scanner does, with real keys sent to the focused element."""
    for mark in text:
        page.keyboard.press({" ": "Space", "+": "Shift+Equal"}.get(mark, mark))
    page.keyboard.press("Enter")


def code_picture(text: str) -> bytes:
    """Draw a QR code as a PNG image."""
    drawn = io.BytesIO()
    qrcode.make(text, border=4).save(drawn)
    return drawn.getvalue()


def in_a_row(*pictures: bytes) -> bytes:
    """Draw several codes side by side as one PNG image, each on its own card."""
    cards = [cv2.imdecode(np.frombuffer(picture, np.uint8), cv2.IMREAD_COLOR) for picture in pictures]
    squares = [cv2.resize(card, (400, 400), interpolation=cv2.INTER_AREA) for card in cards if card is not None]
    padded = [np.pad(square, ((20, 20), (13, 13), (0, 0)), constant_values=90) for square in squares]
    _done, encoded = cv2.imencode(".png", np.hstack(padded))
    return encoded.tobytes()


def launch_with_camera(playwright: Playwright, picture: bytes, folder: Path) -> Browser:
    """Start a Chromium whose fake camera shows an image of a code."""
    return launch(
        playwright,
        "--use-fake-device-for-media-stream",
        "--use-fake-ui-for-media-stream",
        f"--use-file-for-fake-video-capture={_film(picture, folder)}",
    )


def _film(code: bytes, folder: Path) -> Path:
    picture = cv2.imdecode(np.frombuffer(code, np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None
    frame = np.full((720, 1280, 3), 90, np.uint8)
    height, width = picture.shape[:2]
    scale = min(1280 / width, 560 / height)
    card = cv2.resize(picture, (round(width * scale), round(height * scale)), interpolation=cv2.INTER_AREA)
    top, left = (720 - card.shape[0]) // 2, (1280 - card.shape[1]) // 2
    frame[top : top + card.shape[0], left : left + card.shape[1]] = card
    _done, encoded = cv2.imencode(".jpg", frame)
    film = folder / "camera.mjpeg"
    film.write_bytes(encoded.tobytes() * 3)
    return film


def now() -> dt.datetime:
    """Return the present time; browsers and server share this machine's clock."""
    return timezone.now()
