"""Images and files of a credential: QR code as SVG and PNG, NFC message, wallet file. Nothing is stored.

A QR code stays at version 8 or below, which readers still read reliably: level L on a screen, M on paper. The caller
has checked the credential; a wallet file is made only for a pass with a valid signature.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import io
import json
import secrets
import zipfile
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from typing import Final

import ndef
import qrcode
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.hazmat.primitives.serialization.pkcs7 import PKCS7Options, PKCS7SignatureBuilder
from cryptography.x509.oid import NameOID
from PIL import Image, ImageDraw
from qrcode.constants import ERROR_CORRECT_L, ERROR_CORRECT_M
from qrcode.image.pil import PilImage
from qrcode.image.svg import SvgPathFillImage

from passes.codec import UncheckedPass, static_text
from passes.limits import EPOCH_LENGTH

LARGEST_VERSION: Final = 8
QUIET_ZONE_MODULES: Final = 4  # ISO/IEC 18004, section 6.3.8
NDEF_TYPE: Final = "urn:nfc:ext:crowdtrace:pass"
_ICON_POINTS: Final = 29  # side of a wallet icon in points, times 1, 2 and 3 for denser screens
_GREEN: Final = (17, 105, 75)
_WHITE: Final = (255, 255, 255)
_ZIP_DATE: Final = (
    1980,
    1,
    1,
    0,
    0,
    0,
)  # the zip format's earliest, to reveal no time


class Level(StrEnum):
    """Error correction: L for screens, M for paper."""

    SCREEN = "L"
    PAPER = "M"


_CORRECTION: Final = {Level.SCREEN: ERROR_CORRECT_L, Level.PAPER: ERROR_CORRECT_M}


@dataclass(frozen=True, slots=True)
class WalletSigner:
    """The deployment's wallet certificate and key, and the certificates between it and the root of the wallet's maker.

    The identifiers are in the certificate: the pass type in its UID, the team in its organisational unit.
    """

    certificate: x509.Certificate
    key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey = field(repr=False)
    intermediates: tuple[x509.Certificate, ...] = ()

    @property
    def pass_type_identifier(self) -> str:
        """Return the UID of the subject. Raise `ValueError` for a certificate without one."""
        return self._subject(NameOID.USER_ID)

    @property
    def team_identifier(self) -> str:
        """Return the organisational unit of the subject. Raise `ValueError` for a certificate without one."""
        return self._subject(NameOID.ORGANIZATIONAL_UNIT_NAME)

    def _subject(self, oid: x509.ObjectIdentifier) -> str:
        values = self.certificate.subject.get_attributes_for_oid(oid)
        if not values:
            raise ValueError("the wallet certificate does not name its pass type and team")
        return str(values[0].value)


def qr_svg(text: str, *, level: Level = Level.SCREEN) -> bytes:
    """Return a QR code as a stand-alone SVG, including white background and quiet zone.

    Raise `ValueError` for text that requires a version above 8 or cannot be encoded.
    """
    image = _qr(text, level, box_size=10).make_image(image_factory=SvgPathFillImage)
    return bytes(image.to_string(encoding="utf-8", xml_declaration=True))


def qr_png(text: str, *, level: Level = Level.SCREEN, pixels_per_module: int = 8) -> bytes:
    """Return a QR code as a black-and-white PNG with quiet zone. Raise `ValueError` as for the SVG."""
    image = _qr(text, level, box_size=pixels_per_module).make_image(image_factory=PilImage)
    buffer = io.BytesIO()
    image.save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


def pass_ndef(pass_bytes: bytes) -> bytes:
    """Return the NFC message of a static pass: one external record `crowdtrace:pass`."""
    return b"".join(ndef.message_encoder([ndef.Record(NDEF_TYPE, "", pass_bytes)]))


def sticker_ndef(url: str) -> bytes:
    """Return the NFC message of a venue's sticker: one URI record that opens check-in. It contains no pass."""
    return b"".join(ndef.message_encoder([ndef.UriRecord(url)]))


def wallet_pass(
    unchecked: UncheckedPass, *, signer: WalletSigner, organisation: str, description: str, place: str | None = None
) -> bytes:
    """Return a wallet file (PKPass) with the static code of a pass whose signature the caller has verified.

    It has a random serial number and no `webServiceURL`, so that the wallet never calls home and two files of one pass
    cannot be matched by their numbers. Screen readers read `description` aloud; `place` is shown if given.
    """
    start = dt.datetime.fromtimestamp(unchecked.epoch_start, dt.UTC)
    end = start + EPOCH_LENGTH
    times = {"dateStyle": "PKDateStyleMedium", "timeStyle": "PKDateStyleShort"}
    text = static_text(unchecked.pass_bytes)
    content = {
        "formatVersion": 1,
        "passTypeIdentifier": signer.pass_type_identifier,
        "teamIdentifier": signer.team_identifier,
        "serialNumber": secrets.token_hex(16),
        "organizationName": organisation,
        "description": description,
        "relevantDate": _wallet_time(start),
        "expirationDate": _wallet_time(end),
        "sharingProhibited": True,
        "backgroundColor": f"rgb{_GREEN}",
        "foregroundColor": f"rgb{_WHITE}",
        "labelColor": f"rgb{_WHITE}",
        "barcodes": [{"format": "PKBarcodeFormatQR", "message": text, "messageEncoding": "iso-8859-1"}],
        "eventTicket": {
            "primaryFields": [] if place is None else [{"key": "place", "label": "PLACE", "value": place}],
            "secondaryFields": [
                {"key": "from", "label": "FROM", "value": _wallet_time(start), **times},
                {"key": "until", "label": "UNTIL", "value": _wallet_time(end), **times},
            ],
        },
    }
    return _sign_wallet({"pass.json": _to_json(content), **_icons()}, signer)


def _qr(text: str, level: Level, *, box_size: int) -> qrcode.QRCode[PilImage]:
    code = qrcode.QRCode(
        error_correction=_CORRECTION[level], box_size=box_size, border=QUIET_ZONE_MODULES, image_factory=PilImage
    )
    code.add_data(text, optimize=0)  # one segment: GO texts are alphanumeric throughout
    try:
        code.make(fit=True)
    except Exception as error:
        # Too long, or one of the texts for which the encoder fails, because it takes the logarithm of a block of zeros.
        raise ValueError("no QR code can be drawn of this text") from error
    if code.version > LARGEST_VERSION:
        raise ValueError("the text needs a QR code above version 8")
    return code


def _sign_wallet(files: dict[str, bytes], signer: WalletSigner) -> bytes:
    """Return a zip of the files, their SHA-1 manifest (as the format requires) and its PKCS #7 signature."""
    digests = {name: hashlib.sha1(data, usedforsecurity=False).hexdigest() for name, data in files.items()}
    manifest = _to_json(digests)
    builder = PKCS7SignatureBuilder().set_data(manifest).add_signer(signer.certificate, signer.key, SHA256())
    for certificate in signer.intermediates:
        builder = builder.add_certificate(certificate)
    signature = builder.sign(Encoding.DER, [PKCS7Options.DetachedSignature, PKCS7Options.Binary])
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in {**files, "manifest.json": manifest, "signature": signature}.items():
            archive.writestr(zipfile.ZipInfo(name, _ZIP_DATE), data, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


@cache
def _icons() -> dict[str, bytes]:
    return {f"icon{suffix}.png": _icon(_ICON_POINTS * scale) for suffix, scale in (("", 1), ("@2x", 2), ("@3x", 3))}


def _icon(side: int) -> bytes:
    """Return a white check mark on a green square with round corners, drawn four times as large and scaled down."""
    large = side * 4
    image = Image.new("RGBA", (large, large))
    draw = ImageDraw.Draw(image)
    draw.rounded_rectangle((0, 0, large - 1, large - 1), radius=large // 5, fill=_GREEN)
    mark = [(large * x, large * y) for x, y in ((0.24, 0.54), (0.43, 0.72), (0.77, 0.32))]
    draw.line(mark, fill=_WHITE, width=large // 9, joint="curve")
    buffer = io.BytesIO()
    image.resize((side, side), Image.Resampling.LANCZOS).save(buffer, "PNG")
    return buffer.getvalue()


def _wallet_time(moment: dt.datetime) -> str:
    return moment.isoformat(timespec="seconds").replace("+00:00", "Z")


def _to_json(content: object) -> bytes:
    return json.dumps(content, ensure_ascii=False, indent=1).encode()
