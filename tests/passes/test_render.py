"""QR codes that another reader reads, NFC messages, and wallet files that verify."""

from __future__ import annotations

import datetime as dt
import hashlib
import io
import json
import subprocess
import xml.etree.ElementTree as ET
import zipfile
from pathlib import Path
from typing import Any

import cv2
import ndef
import numpy as np
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509.oid import NameOID
from PIL import Image

from passes.codec import Cause, UncheckedPass, read_pass, static_text
from passes.formats import Format
from passes.render import Level, WalletSigner, pass_ndef, qr_png, qr_svg, sticker_ndef, wallet_pass
from tests.passes.factories import NOON, PASS, START, on_paper, shown_at
from tests.passes.vectors import VECTORS

TEXTS = [text for vector in VECTORS for text in (vector.credential, vector.rotating)]


def read_qr(pixels: np.ndarray[Any, Any]) -> str:
    """Read with OpenCV's newer search for the corners: the older one fails for one sharp image in fifty."""
    return str(cv2.QRCodeDetectorAruco().detectAndDecode(pixels)[0])


def unchecked() -> UncheckedPass:
    read = read_pass(shown_at(NOON))
    assert not isinstance(read, Cause)
    return read


# --- QR ---


@pytest.mark.parametrize("level", Level)
@pytest.mark.parametrize("text", TEXTS)
def test_another_reader_reads_our_png(text: str, level: Level) -> None:
    picture = cv2.imdecode(np.frombuffer(qr_png(text, level=level), np.uint8), cv2.IMREAD_GRAYSCALE)
    assert picture is not None
    assert read_qr(picture) == text


@pytest.mark.parametrize("level", Level)
@pytest.mark.parametrize("text", TEXTS)
def test_another_reader_reads_our_svg(text: str, level: Level) -> None:
    assert read_qr(_draw(qr_svg(text, level=level), pixels_per_unit=8)) == text


def _draw(svg: bytes, *, pixels_per_unit: int) -> np.ndarray[Any, Any]:
    """Fill the squares of a QR code's path, the only element besides the background."""
    root = ET.fromstring(svg)
    width, height = (float(number) for number in root.attrib["viewBox"].split()[2:])
    assert width == height
    ground, path = root
    assert ground.attrib["fill"] == "white"
    picture = np.full((int(height) * pixels_per_unit, int(width) * pixels_per_unit), 255, np.uint8)
    for square in path.attrib["d"].strip().split("z"):
        if not square:
            continue
        left_top, right, down, _ = square.lstrip("M").replace("H", " ").replace("V", " ").split()
        left, top = (int(float(number)) for number in left_top.split(","))
        area = slice(top * pixels_per_unit, int(float(down)) * pixels_per_unit)
        picture[area, left * pixels_per_unit : int(float(right)) * pixels_per_unit] = 0
    return picture


def version_of(png: bytes) -> int:
    """Return the version of a code with a pixel per module: 17 + 4 x version modules, quiet zones of 4 (ISO 18004)."""
    return (Image.open(io.BytesIO(png)).width - 2 * 4 - 17) // 4


def test_versions_stay_within_eight() -> None:
    paper, screen = on_paper(), shown_at(NOON)
    assert [version_of(qr_png(text, level=Level.SCREEN, pixels_per_module=1)) for text in (paper, screen)] == [6, 7]
    assert [version_of(qr_png(text, level=Level.PAPER, pixels_per_module=1)) for text in (paper, screen)] == [7, 8]


@pytest.mark.parametrize("text", ["A" * 280, "a" * 200, "A" * 10**5])
def test_a_text_above_version_eight_is_refused(text: str) -> None:
    for draw in (qr_png, qr_svg):
        with pytest.raises(ValueError, match="QR code"):
            draw(text)


def test_a_code_has_its_quiet_zone_and_size() -> None:
    picture = Image.open(io.BytesIO(qr_png(on_paper(), pixels_per_module=5)))
    side = (17 + 4 * 6 + 2 * 4) * 5  # modules of version 6 and two quiet zones
    assert picture.size == (side, side)
    assert picture.crop((0, 0, side, 20)).getextrema() in {(255, 255), (1, 1)}


# --- NFC ---


def test_an_nfc_message_is_one_external_record_with_the_pass() -> None:
    message = pass_ndef(PASS)
    (record,) = ndef.message_decoder(message)
    assert (record.type, record.name, bytes(record.data)) == ("urn:nfc:ext:crowdtrace:pass", "", PASS)
    # MB, ME, SR and TNF 4; type length 15; payload length 112 (NFC Forum NDEF 1.0, section 3.2)
    assert message[:3] == b"\xd4\x0f\x70"


def test_a_sticker_opens_check_in_and_holds_no_pass() -> None:
    (record,) = ndef.message_decoder(sticker_ndef("https://go.example/v/v_7h3kq2"))
    assert record.uri == "https://go.example/v/v_7h3kq2"


# --- Wallet ---


@pytest.fixture(scope="module")
def signer() -> WalletSigner:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    subject = x509.Name(
        [
            x509.NameAttribute(NameOID.USER_ID, "pass.example.go"),
            x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, "TEAM123456"),
            x509.NameAttribute(NameOID.COMMON_NAME, "Pass Type ID: pass.example.go"),
        ]
    )
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(dt.datetime(2020, 1, 1, tzinfo=dt.UTC))
        .not_valid_after(dt.datetime(2100, 1, 1, tzinfo=dt.UTC))
        .sign(key, SHA256())
    )
    return WalletSigner(certificate=certificate, key=key, intermediates=(certificate,))


def files_of(archive: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        return {name: opened.read(name) for name in opened.namelist()}


def make(signer: WalletSigner, *, place: str | None = None) -> dict[str, bytes]:
    return files_of(
        wallet_pass(unchecked(), signer=signer, organisation="CrowdTrace", description="A GO pass", place=place)
    )


def test_a_wallet_file_holds_the_static_code_and_calls_nobody(signer: WalletSigner) -> None:
    content = json.loads(make(signer)["pass.json"])
    assert content["barcodes"] == [
        {"format": "PKBarcodeFormatQR", "message": static_text(PASS), "messageEncoding": "iso-8859-1"}
    ]
    assert not {"webServiceURL", "authenticationToken", "userInfo", "nfc", "locations"} & content.keys()
    assert (content["passTypeIdentifier"], content["teamIdentifier"]) == ("pass.example.go", "TEAM123456")
    assert dt.datetime.fromisoformat(content["relevantDate"]).timestamp() == START
    assert dt.datetime.fromisoformat(content["expirationDate"]).timestamp() == START + 28 * 3600
    assert content["formatVersion"] == 1


def test_two_wallet_files_of_one_pass_differ_in_the_serial_number_alone(signer: WalletSigner) -> None:
    first, second = (json.loads(make(signer)["pass.json"]) for _ in range(2))
    assert first.pop("serialNumber") != second.pop("serialNumber")
    assert first == second


def test_a_place_is_shown_only_if_it_is_given(signer: WalletSigner) -> None:
    assert json.loads(make(signer)["pass.json"])["eventTicket"]["primaryFields"] == []
    shown = json.loads(make(signer, place="Café Zoë")["pass.json"])["eventTicket"]["primaryFields"]
    assert shown == [{"key": "place", "label": "PLACE", "value": "Café Zoë"}]


def test_the_manifest_lists_the_digest_of_every_file(signer: WalletSigner) -> None:
    files = make(signer)
    manifest = json.loads(files["manifest.json"])
    content = {name: data for name, data in files.items() if name not in {"manifest.json", "signature"}}
    assert manifest == {name: hashlib.sha1(data).hexdigest() for name, data in content.items()}
    assert {"pass.json", "icon.png", "icon@2x.png", "icon@3x.png"} == content.keys()


def test_openssl_verifies_the_signature_and_refuses_another_manifest(signer: WalletSigner, tmp_path: Path) -> None:
    files = make(signer)
    for name in ("manifest.json", "signature"):
        (tmp_path / name).write_bytes(files[name])
    (tmp_path / "other.json").write_bytes(files["manifest.json"] + b" ")
    (tmp_path / "ca.pem").write_bytes(signer.certificate.public_bytes(serialization.Encoding.PEM))

    def verify(content: str) -> int:
        command = ["openssl", "smime", "-verify", "-binary", "-inform", "DER", "-in", "signature", "-content", content]
        trust = ["-CAfile", "ca.pem", "-purpose", "any"]
        return subprocess.run([*command, *trust], cwd=tmp_path, capture_output=True, check=False).returncode

    assert verify("manifest.json") == 0
    assert verify("other.json") != 0


def test_a_zip_does_not_tell_when_it_was_made(signer: WalletSigner) -> None:
    archive = wallet_pass(unchecked(), signer=signer, organisation="CrowdTrace", description="A GO pass")
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        assert {info.date_time for info in opened.infolist()} == {(1980, 1, 1, 0, 0, 0)}


@pytest.mark.parametrize(("name", "side"), [("icon.png", 29), ("icon@2x.png", 58), ("icon@3x.png", 87)])
def test_icons_are_drawn_in_three_sizes(signer: WalletSigner, name: str, side: int) -> None:
    icon = Image.open(io.BytesIO(make(signer)[name])).convert("RGBA")
    assert icon.size == (side, side)
    colours = {colour for _, colour in icon.getcolors(maxcolors=side * side) or []}
    assert {(17, 105, 75, 255), (255, 255, 255, 255)} <= colours


def test_a_certificate_that_names_no_pass_type_is_refused(signer: WalletSigner) -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "nobody")])
    moment = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
    nameless = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    certificate = (
        nameless.serial_number(2)
        .not_valid_before(moment)
        .not_valid_after(moment + dt.timedelta(days=1))
        .sign(key, SHA256())
    )
    with pytest.raises(ValueError, match="pass type and team"):
        make(WalletSigner(certificate=certificate, key=key))


def test_every_format_has_a_media_type() -> None:
    assert {form.value: form.content_type for form in Format} == {
        "svg": "image/svg+xml",
        "png": "image/png",
        "ndef": "application/octet-stream",
        "pkpass": "application/vnd.apple.pkpass",
    }
