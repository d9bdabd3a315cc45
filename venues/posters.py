"""What leads a visitor from a wall to check-in: the poster (PDF), the code on a screen, an NFC sticker.

All three contain one public URL and nothing else. The same text gives the same bytes, so that a poster printed again
next year equals the one on the wall.
"""

import io
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, cast

import ndef
import qrcode
import qrcode.constants
import reportlab
from django.utils.translation import gettext as _
from reportlab.lib.colors import HexColor
from reportlab.lib.pagesizes import A4
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas

INK, MAIN, QUIET, TINT = (HexColor(colour) for colour in ("#1d2a2e", "#0a6466", "#4f5e64", "#e2efec"))
PLAIN, BOLD = "Vera", "VeraBd"
WIDTH, HEIGHT = A4
MARGIN: Final = 18 * mm
CODE_SIZE: Final = 118 * mm
"""Side in points of the code with its quiet zone: readable from about 1.5 m (ten times the side, ISO/IEC 18004)."""
_FONTS: Final = Path(reportlab.__file__).parent / "fonts"


@dataclass(frozen=True, slots=True)
class Poster:
    """The content of a poster: a place or an event, its time, and the URL of its code."""

    title: str
    subtitle: str
    address: str
    shown_address: str


def poster_pdf(poster: Poster) -> bytes:
    """Return one page of A4 in the active language."""
    _register_fonts()
    out = io.BytesIO()
    canvas = Canvas(out, pagesize=A4, invariant=True, pageCompression=1)
    canvas.setTitle(poster.title)
    canvas.setAuthor("CrowdTrace")
    canvas.setSubject(_("Check in before you enter"))
    _draw_head(canvas, _("Check in before you enter"))
    top = _draw_lines(canvas, poster.title, font=BOLD, most=34, least=17, baseline=HEIGHT - 62 * mm, lines=2)
    if poster.subtitle:
        top = _draw_lines(canvas, poster.subtitle, font=PLAIN, most=16, least=10, baseline=top - 2 * mm, lines=2)
    _draw_code(canvas, poster.address, (WIDTH - CODE_SIZE) / 2, 88 * mm, CODE_SIZE)
    _draw_note(canvas, poster.shown_address, 84 * mm)
    steps = (
        _("Point your phone's camera at the code."),
        _("Answer four questions. Your answers are on no pass."),
        _("Show your pass at the door."),
    )
    for number, step in enumerate(steps, 1):
        _draw_step(canvas, number, step, 72 * mm - (number - 1) * 15 * mm)
    _draw_note(canvas, _("No name, no number, no app to install."), 16 * mm)
    canvas.showPage()
    canvas.save()
    return out.getvalue()


def sticker_ndef(address: str) -> bytes:
    """Return the message of an NFC sticker: one URI record, which opens check-in and contains no pass."""
    return b"".join(ndef.message_encoder([ndef.UriRecord(address)]))


def can_draw(text: str) -> bool:
    """Return whether the poster's font has every letter; a browser's pages have all of them."""
    _register_fonts()
    glyphs = cast("Any", pdfmetrics.getFont(BOLD)).face.charToGlyph
    return all(ord(letter) in glyphs for letter in text if not letter.isspace())


@lru_cache(maxsize=1)
def _register_fonts() -> None:
    for name in (PLAIN, BOLD):
        pdfmetrics.registerFont(TTFont(name, str(_FONTS / f"{name}.ttf")))


def _draw_head(canvas: Canvas, words: str) -> None:
    canvas.setFillColor(MAIN)
    canvas.rect(0, HEIGHT - 40 * mm, WIDTH, 40 * mm, stroke=0, fill=1)
    canvas.setFillColor(HexColor("#ffffff"))
    size = _fitting(words, BOLD, 30, 14)
    canvas.setFont(BOLD, size)
    canvas.drawCentredString(WIDTH / 2, HEIGHT - 20 * mm - size / 3, words)


def _draw_lines(
    canvas: Canvas, text: str, *, font: str, most: float, least: float, baseline: float, lines: int
) -> float:
    """Draw a text as large as fits on `lines` lines, from a first baseline down; return the height below it."""
    size = most
    while size > least and len(_wrapped(text, font, size)) > lines:
        size -= 1
    canvas.setFillColor(INK if font == BOLD else QUIET)
    canvas.setFont(font, size)
    for line in _wrapped(text, font, size)[: lines + 1]:
        canvas.drawCentredString(WIDTH / 2, baseline, line)
        baseline -= size * 1.2
    return baseline


def _wrapped(text: str, font: str, size: float) -> list[str]:
    room, found = WIDTH - 2 * MARGIN, [""]
    for word in text.split():
        longer = f"{found[-1]} {word}".strip()
        if pdfmetrics.stringWidth(longer, font, size) <= room or not found[-1]:
            found[-1] = longer
        else:
            found.append(word)
    return found


def _draw_note(canvas: Canvas, text: str, baseline: float) -> None:
    canvas.setFillColor(QUIET)
    canvas.setFont(PLAIN, _fitting(text, PLAIN, 11, 5))
    canvas.drawCentredString(WIDTH / 2, baseline, text)


def _draw_step(canvas: Canvas, number: int, text: str, baseline: float) -> None:
    left = 34 * mm
    canvas.setFillColor(TINT)
    canvas.circle(left, baseline + 2 * mm, 5.4 * mm, stroke=0, fill=1)
    canvas.setFillColor(MAIN)
    canvas.setFont(BOLD, 15)
    canvas.drawCentredString(left, baseline + 0.2 * mm, str(number))
    canvas.setFillColor(INK)
    canvas.setFont(PLAIN, min(15, _fitting(text, PLAIN, 15, 8, room=WIDTH - left - 10 * mm - MARGIN)))
    canvas.drawString(left + 10 * mm, baseline, text)


def _fitting(text: str, font: str, most: float, least: float, *, room: float = WIDTH - 2 * MARGIN) -> float:
    width = pdfmetrics.stringWidth(text, font, most)
    return most if width <= room else max(least, most * room / width)


def _draw_code(canvas: Canvas, text: str, left: float, bottom: float, size: float) -> None:
    code = qrcode.QRCode(error_correction=qrcode.constants.ERROR_CORRECT_Q, border=4)
    code.add_data(text)
    matrix = code.get_matrix()
    side = size / len(matrix)
    path = canvas.beginPath()
    for row, modules in enumerate(matrix):
        for column, dark in enumerate(modules):
            if dark:
                path.rect(left + column * side, bottom + (len(matrix) - 1 - row) * side, side, side)
    canvas.setFillColor(HexColor("#000000"))
    canvas.drawPath(path, stroke=0, fill=1)
