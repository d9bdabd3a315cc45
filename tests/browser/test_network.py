"""TLS with a self-signed certificate, as `make run LAN=1` serves phones, before and after a device trusts it."""

import base64
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from playwright.sync_api import BrowserContext, Error, Page, Playwright
from pytest_django.live_server_helper import LiveServer

from embedded.certificate import Certificate, ensure_certificate, network_addresses
from tests.browser.actions import check_in, enrolment_code, now, scan, shown_code
from tests.browser.conftest import NOTE_LIGHTS, PATIENCE_MS, TABLET, Watch, launch, shows
from tests.factories import make_venue
from venues.models import Venue

pytestmark = pytest.mark.django_db(transaction=True)
REFUSED: Final = "An SSL certificate error occurred when fetching the script."


def _copy(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65_536):
            target.sendall(data)
    with suppress(OSError):
        target.shutdown(socket.SHUT_WR)


def _serve(listener: socket.socket, context: ssl.SSLContext, behind: tuple[str, int]) -> None:
    def pass_on(plain: socket.socket) -> None:
        # A browser that does not trust the certificate closes the connection.
        with (
            plain,
            suppress(OSError),
            context.wrap_socket(plain, server_side=True) as outside,
            socket.create_connection(behind) as inside,
        ):
            back = threading.Thread(target=_copy, args=(inside, outside), daemon=True)
            back.start()
            _copy(outside, inside)
            back.join()

    while True:
        try:
            plain, _address = listener.accept()
        except OSError:
            return
        threading.Thread(target=pass_on, args=(plain,), daemon=True).start()


@pytest.fixture
def certificate(tmp_path: Path) -> Certificate:
    return ensure_certificate(tmp_path / "tls", addresses=network_addresses(), now=now())


@pytest.fixture
def origin(live_server: LiveServer, certificate: Certificate) -> Iterator[str]:
    """Serve the live server over TLS on the loopback interface."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate.certificate, certificate.key)
    behind = urlsplit(live_server.url)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = (behind.hostname or "", behind.port or 0)
        threading.Thread(target=_serve, args=(listener, context, address), daemon=True).start()
        yield f"https://127.0.0.1:{listener.getsockname()[1]}"


def trusting(certificate: Certificate) -> str:
    """Return the argument that makes Chromium trust this one certificate."""
    key = x509.load_pem_x509_certificate(certificate.certificate.read_bytes()).public_key()
    digest = hashes.Hash(hashes.SHA256())
    digest.update(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))
    return f"--ignore-certificate-errors-spki-list={base64.b64encode(digest.finalize()).decode()}"


def opened(context: BrowserContext, origin: str, path: str, *, warns: bool) -> Page:
    """Open a page, past the certificate warning if there is one."""
    page = context.new_page()
    if warns:
        with pytest.raises(Error, match="ERR_CERT_AUTHORITY_INVALID"):
            page.goto(path)
        # A person needs two clicks; the warning is Chromium's own page and accepts no clicks from a driver.
        page.wait_for_selector("#details-button", state="attached")
        for _ in range(10):
            page.keyboard.type("thisisunsafe")
            page.wait_for_timeout(500)
            if page.url.startswith(origin):
                break
        page.wait_for_url(f"{origin}{path}*")
    else:
        page.goto(path)
    return page


@pytest.mark.parametrize(
    "trusted", [pytest.param(False, id="after a warning", marks=pytest.mark.long), pytest.param(True, id="trusted")]
)
def test_a_phone_checks_in_and_a_second_browser_is_the_door(
    playwright: Playwright, origin: str, certificate: Certificate, trusted: bool
) -> None:
    venue = make_venue(now=now())
    watch = Watch(origin, "" if trusted else REFUSED)
    arguments = [trusting(certificate)] if trusted else []
    browsers = [launch(playwright, *arguments, whole=not trusted) for _ in range(2)]
    contexts = [
        browser.new_context(base_url=origin, **options) for browser, options in zip(browsers, SIZES, strict=True)
    ]
    for context in contexts:
        context.add_init_script(NOTE_LIGHTS)
        context.set_default_timeout(PATIENCE_MS)
        context.on("request", watch.on_request)
        context.on("console", watch.on_console)
        context.on("weberror", lambda error: watch.on_error(error.error))

    phone = opened(contexts[0], origin, "/venues", warns=not trusted)
    assert (
        phone.evaluate("[isSecureContext, 'subtle' in crypto, 'getUserMedia' in navigator.mediaDevices]") == [True] * 3
    )
    check_in(phone, venue)
    door = opened(contexts[1], origin, "/kiosk", warns=not trusted)
    enrol_by_hand(door, venue)
    assert scan(door, shown_code(phone)) == "green"

    door.click('[data-do="staff"]')
    if trusted:
        door.wait_for_selector('[data-slot="kept"]:text-is("yes")')
        contexts[1].set_offline(True)
        door.reload()
        shows(door, "door")
    else:
        assert door.inner_text('[data-slot="kept"]') == "not yet"
    for browser in browsers:
        browser.close()
    assert watch.wrong == []


SIZES: Final[list[dict[str, Any]]] = [{"viewport": {"width": 390, "height": 844}}, {"viewport": TABLET}]


def enrol_by_hand(door: Page, venue: Venue) -> None:
    """Type a code; whether pages are stored for a start without a network is tested elsewhere."""
    shows(door, "enrol")
    door.fill("#code", enrolment_code(venue))
    door.click('[data-form="enrol"] [type=submit]')
    shows(door, "door")
    door.wait_for_selector('[data-slot="connection"]:has-text("Connected")')
