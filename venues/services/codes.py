"""Codes that people carry from one screen to another, and links with them.

A code in a link follows the `#`: browsers do not send that part, so no server, proxy or log sees it.
"""

import datetime as dt
import io
import secrets
from dataclasses import dataclass
from typing import Final

from common.ids import ALPHABET

CODE_LENGTH: Final = 12
"""Length of a code, 60 bits: far more than can be tried in a code's lifetime under the throttles."""


@dataclass(frozen=True, slots=True)
class NewCode:
    """A code, shown only once, and its end."""

    code: str
    expires_at: dt.datetime


def new_code() -> str:
    """Return a random code that can be read aloud, such as `7h3kq2m4xz0a`."""
    return "".join(secrets.choice(ALPHABET) for _ in range(CODE_LENGTH))


def spaced(code: str) -> str:
    """Return a code in groups of four, for those who type it."""
    return "-".join(code[at : at + 4] for at in range(0, len(code), 4))


def tidy(code: str) -> str:
    """Return a typed code in its original form: small letters, no spaces or hyphens."""
    return code.replace(" ", "").replace("-", "").lower()


def qr_svg(text: str) -> str:
    """Return a QR code as an SVG document, error correction M."""
    import qrcode.image.svg  # imported late, because doors and check-ins use only the codes

    code = qrcode.QRCode(error_correction=qrcode.ERROR_CORRECT_M, border=4)
    code.add_data(text)
    out = io.BytesIO()
    code.make_image(image_factory=qrcode.image.svg.SvgPathImage).save(out)
    return out.getvalue().decode("utf-8")
