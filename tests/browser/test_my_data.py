"""What holders do with their data: a copy, erasure, another key, several people, wiping the device."""

import base64
import datetime as dt
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from playwright.sync_api import Page

from exports import tasks
from passes.models import Pass, Visitor
from tests.browser.actions import answer, check_in, enrol, make_key, now, scan, shown_code
from tests.browser.conftest import TABLET, OpenContext, shows, stored_people
from tests.browser.lakes import lake_of_its_own, work
from tests.factories import make_venue

pytestmark = pytest.mark.django_db(transaction=True)


def make_no_copy(page: Page) -> None:
    """Postpone the copy of a new key."""
    shows(page, "keep")
    page.click('[data-do="later"]')
    shows(page, "home")


def open_my_data(page: Page) -> None:
    page.goto("/my-data")
    shows(page, "shown")


def test_a_copy_holds_the_passes_and_not_the_key(phone: Page) -> None:
    venue = make_venue(now=now())
    check_in(phone, venue)
    secret = bytes(stored_people(phone)[0]["secret"])
    open_my_data(phone)
    with phone.expect_download() as download:
        phone.click('[data-do="export"]')
    text = download.value.path().read_text()
    copy = json.loads(text)
    assert [row["venue"]["id"] for row in copy["passes"]] == [venue.public_id]
    assert copy["server"]["shield"] == 100
    assert base64.urlsafe_b64encode(secret).decode()[:42] not in text


def test_one_visit_is_erased_and_the_other_stays(
    phone: Page, settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tasks, "enqueue_erase", lambda: None)
    for name in ("The Corner", "The Hall"):
        check_in(phone, make_venue(name=name, now=now()))
    open_my_data(phone)
    phone.click('[data-do="choose-erase"]')
    shows(phone, "erase")
    phone.check('[name="what"][value="some"]')
    phone.click("[data-form=erase] [type=submit]")
    phone.wait_for_selector('[data-slot="erase-note"]:has-text("at least one")')
    assert Pass.objects.count() == 2
    phone.check('[data-passes] label:has-text("The Corner") input')
    with lake_of_its_own(settings, tmp_path):
        phone.click("[data-form=erase] [type=submit]")
        shows(phone, "receipt")
        assert work() == 1
        phone.wait_for_selector('[data-slot="receipt-status"]:has-text("Erased.")')
    assert [row.venue.name for row in Pass.objects.select_related("venue")] == ["The Hall"]
    # The receipt stays on the device.
    phone.reload()
    shows(phone, "shown")
    phone.click("[data-receipts] button")
    phone.wait_for_selector('[data-slot="receipt-status"]:has-text("Erased.")')
    with phone.expect_download() as download:
        phone.click('[data-do="save-receipt"]')
    assert json.loads(download.value.path().read_text())["database"]["passes"] == 1
    # The number in the pass book is not used again: a new pass is a different one.
    check_in(phone, make_venue(name="The Third", now=now()))
    assert Pass.objects.count() == 2


def test_while_the_files_wait_they_can_be_left_as_they_are(phone: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks, "enqueue_erase", lambda: None)
    check_in(phone, make_venue(now=now()))
    open_my_data(phone)
    phone.click('[data-do="choose-erase"]')
    shows(phone, "erase")
    phone.click("[data-form=erase] [type=submit]")
    phone.click('[data-do="cancel"]:visible')
    phone.wait_for_selector('[data-slot="receipt-status"]:has-text("as you asked")')
    assert Pass.objects.count() == work() == 0


def test_another_key_keeps_passes_good_and_leaves_no_row_of_the_old_one(phone: Page, open_context: OpenContext) -> None:
    venue = make_venue(now=now())
    check_in(phone, venue)
    before = bytes(stored_people(phone)[0]["secret"])
    row = Visitor.objects.get()
    open_my_data(phone)
    phone.click('[data-do="ask-rotate"]')
    shows(phone, "rotate")
    phone.click('[data-do="rotate"]')
    phone.wait_for_url("**/me")
    shows(phone, "keep")
    assert bytes(stored_people(phone)[0]["secret"]) != before
    assert Visitor.objects.get().pk != row.pk
    phone.goto("/pass")
    shows(phone, "shown")
    door = open_context(viewport=TABLET).new_page()
    enrol(door, venue)
    assert scan(door, shown_code(phone)) == "green"
    # The holder of the former key can still name its pass.
    phone.goto("/rate")
    shows(phone, "shown")
    check_in(phone, make_venue(name="The Hall", now=now()))


def test_a_wiped_device_holds_nothing(phone: Page) -> None:
    check_in(phone, make_venue(now=now()))
    open_my_data(phone)
    phone.click('[data-do="ask-wipe"]')
    shows(phone, "wipe")
    assert phone.locator('[data-state="wipe"] [data-when="unkept"]').is_visible()
    phone.click('[data-do="wipe"]')
    shows(phone, "wiped")
    assert stored_people(phone) == []
    assert phone.evaluate("caches.keys()") == []
    phone.goto("/me")
    shows(phone, "welcome")


def test_people_on_one_phone_have_separate_keys_and_passes(phone: Page) -> None:
    venue = make_venue(now=now())
    check_in(phone, venue)
    phone.goto("/me")
    shows(phone, "home")
    phone.click('[data-do="person"]')
    shows(phone, "person")
    phone.fill("#label", "Grandma")
    phone.click('[data-form="person"] [type=submit]')
    shows(phone, "keep")
    phone.click('[data-do="later"]')
    shows(phone, "home")
    assert "Grandma" in phone.inner_text('[data-slot="hello"]')
    phone.goto("/pass")
    shows(phone, "none")
    check_in(phone, venue)
    assert "Grandma" in phone.inner_text("[data-boarding] header")
    # Her pass is on paper, because she has no phone.
    phone.click('[data-do="paper"]')
    shows(phone, "paper")
    assert (phone.get_attribute("[data-save=pass]", "href") or "").startswith("data:image/png")
    assert Visitor.objects.count() == Pass.objects.count() == 2
    phone.goto("/me")
    shows(phone, "home")
    phone.click('[data-people] [data-do="rename"] >> nth=1')
    shows(phone, "rename")
    phone.click('[data-do="ask-forget"]')
    phone.click('[data-do="forget"]')
    shows(phone, "home")
    assert len(stored_people(phone)) == 1
    phone.goto("/pass")
    shows(phone, "shown")


def test_a_family_checks_in_and_shows_its_passes_without_changing_person(phone: Page) -> None:
    venue = make_venue(name="The Corner", now=now())
    check_in(phone, venue)
    assert phone.locator("[data-when=labelled]:visible").count() == 0
    phone.goto("/me")
    shows(phone, "home")
    phone.click('[data-do="person"]')
    phone.fill("#label", "Grandma")
    phone.click('[data-form="person"] [type=submit]')
    make_no_copy(phone)
    assert phone.locator("[data-people] [data-do=choose]").all_inner_texts() == ["Me", "Grandma (shown now)"]
    # She has no pass yet, and sees that another person on the phone has one.
    phone.goto("/pass")
    shows(phone, "none")
    phone.click("[data-others] button")
    shows(phone, "shown")
    first = shown_code(phone)
    assert phone.inner_text("[data-boarding] [data-slot=label]") == "Me"
    # The person is chosen at check-in.
    phone.goto(f"/check-in/{venue.public_id}")
    shows(phone, "day")
    assert phone.locator("#who option:checked").inner_text() == "Grandma"
    phone.select_option("#who", label="Me")
    phone.wait_for_selector('#who option:checked:has-text("Me")', state="attached")
    phone.select_option("#who", label="Grandma")
    phone.wait_for_selector('#who option:checked:has-text("Grandma")', state="attached")
    phone.click('[data-do="day"] >> nth=0')
    answer(phone)
    phone.wait_for_url("**/pass")
    shows(phone, "shown")
    second = shown_code(phone)
    assert phone.inner_text("[data-boarding] [data-slot=label]") == "Grandma"
    assert [text.split(":")[0] for text in phone.locator("#choice option").all_inner_texts()] == ["Grandma", "Me"]
    phone.select_option("#choice", index=1)
    phone.wait_for_selector('[data-boarding] [data-slot=label]:has-text("Me")')
    assert shown_code(phone)[:172] == first[:172] != second[:172]


def test_a_pass_is_written_to_a_tag_where_the_browser_can(open_context: OpenContext) -> None:
    context = open_context()
    context.add_init_script("""window.NDEFReader = class {
      async write({ records }) { window.written = records.map(({ recordType, data }) => [recordType, data.length]); }
    };""")
    page = context.new_page()
    check_in(page, make_venue(now=now()))
    page.click('[data-do="paper"]')
    shows(page, "paper")
    page.click('[data-do="tag"]')
    page.wait_for_selector('[data-slot="keep-note"]:has-text("Written")')
    assert page.evaluate("window.written") == [["crowdtrace:pass", 112]]


def test_a_wallet_is_offered_only_where_the_operator_has_a_certificate(phone: Page, settings: Any) -> None:
    check_in(phone, make_venue(now=now()))
    phone.click('[data-do="paper"]')
    assert phone.locator('[data-do="wallet"]').count() == 0
    assert phone.locator('[data-do="tag"]').is_hidden()


@pytest.fixture
def certificate(tmp_path: Path, settings: Any) -> None:
    """Set a self-signed certificate of an operator for wallet files."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name(
        [
            x509.NameAttribute(NameOID.USER_ID, "pass.example"),
            x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, "EXAMPLE"),
        ]
    )
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now() - dt.timedelta(days=1))
        .not_valid_after(now() + dt.timedelta(days=1))
        .sign(key, SHA256())
    )
    settings.PKPASS_CERTIFICATE_FILE = str(tmp_path / "certificate.pem")
    settings.PKPASS_KEY_FILE = str(tmp_path / "key.pem")
    Path(settings.PKPASS_CERTIFICATE_FILE).write_bytes(made.public_bytes(Encoding.PEM))
    Path(settings.PKPASS_KEY_FILE).write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))


@pytest.mark.usefixtures("certificate")
def test_a_wallet_file_with_the_static_code_comes_from_the_page_of_the_pass(phone: Page, tmp_path: Path) -> None:
    check_in(phone, make_venue(name="The Corner", now=now()))
    code = shown_code(phone)
    phone.click('[data-do="paper"]')
    shows(phone, "paper")
    with phone.expect_download() as saved:
        phone.click('[data-do="wallet"]')
    assert saved.value.suggested_filename == "crowdtrace.pkpass"
    file = tmp_path / "saved.pkpass"
    saved.value.save_as(file)
    with zipfile.ZipFile(file) as parts:
        assert {"pass.json", "manifest.json", "signature", "icon.png"} <= set(parts.namelist())
        told = json.loads(parts.read("pass.json"))
    message = told["barcodes"][0]["message"]
    assert message.startswith("GO1:")
    # The text on paper is the beginning of the one on the screen: 112 bytes are 168 characters of Base45.
    assert message == code[: len(message)]
    assert "webServiceURL" not in told


def test_a_key_made_twice_is_one_person(phone: Page) -> None:
    phone.goto("/me")
    make_key(phone)
    secret = bytes(stored_people(phone)[0]["secret"])
    phone.click('[data-state="home"] .card [data-do="restore"]')
    phone.fill("#typed", base64.urlsafe_b64encode(secret).rstrip(b"=").decode())
    phone.click('[data-form="restore"] [type=submit]')
    shows(phone, "home")
    assert len(stored_people(phone)) == 1
