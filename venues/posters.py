"""What leads a visitor from a wall to check-in: the poster (PDF), the code on a screen, an NFC sticker.

All three hold one public address and nothing else. The same text gives the same bytes, so that a poster printed again
next year is the poster on the wall. Letters are drawn as outlines (`venues.lettering`), with the text itself, which no
eye sees, beneath them for search and screen readers.
"""

import io
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final, TypeVar

import ndef
import qrcode
import qrcode.constants
from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext as _
from reportlab.lib.colors import Color, HexColor
from reportlab.lib.pagesizes import A4, LETTER
from reportlab.lib.units import mm
from reportlab.lib.utils import ImageReader
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas
from reportlab.pdfgen.pathobject import PDFPathObject
from reportlab.pdfgen.textobject import PDFTextObject

from venues import lettering
from venues.lettering import BOLD, REGULAR

INK, MAIN, QUIET, TINT, WARN, WHITE = (
    HexColor(colour) for colour in ("#1d2a2e", "#0a6466", "#4f5e64", "#e2efec", "#8a3b00", "#ffffff")
)
PAPERS: Final[dict[str, tuple[float, float]]] = {"a4": A4, "letter": LETTER}
MARGIN: Final = 16 * mm
LARGEST_CODE: Final = 118 * mm
"""Side of the code with its quiet zone: read from about a metre and a half (a tenth of the distance, ISO/IEC 18004)."""
LEAST_CODE: Final = 45 * mm
GAP: Final = 4 * mm
LEADING: Final = 1.28
HEAD: Final = 34 * mm
LOGO_HEIGHT: Final = 22 * mm
_UNSEEN_HAN: Final = "STSong-Light"
_NON_ZERO: Final = 1  # how a path is filled: outlines of letters overlap
_UNSEEN_MODE: Final = 3  # of text in a PDF: neither filled nor stroked
_SHIELD: Final = ((16, 2), (28, 6.5), (28, 15.5), ((28, 22.8), (23, 28), (16, 30.5)), ((9, 28), (4, 22.8), (4, 15.5)),
                  (4, 6.5))  # fmt: skip
"""The sign of the deployment, on a field of 32; as in `base.html`."""
_HEADS: Final = ((11, 13), (21, 13), (16, 19.5))

Made = TypeVar("Made")


@dataclass(frozen=True, slots=True)
class Poster:
    """What one says: a place or an event, where and when, and where its code leads."""

    title: str
    address: str
    shown_address: str
    lines: Sequence[str] = ()
    code: str = ""
    """The invitation, for those who type instead of scanning."""
    verified: bool = True
    paper: str = "a4"
    logo: bytes = b""
    """A picture of the host's, as `venues.logos.clean_logo` gives it."""


@dataclass(frozen=True, slots=True)
class Words:
    """What every poster says, in one language."""

    language: str
    call: str
    steps: tuple[str, str, str]
    promise: str
    unverified: str
    code: str


def in_languages(make: Callable[[], Made]) -> list[Made]:
    """Return what a function says in every language of the deployment, the active one first, each saying once."""
    active = translation.get_language() or settings.LANGUAGE_CODE
    found = []
    for language in sorted((code for code, _name in settings.LANGUAGES), key=lambda code: code != active):
        with translation.override(language):
            found.append(make())
    return list(dict.fromkeys(found))


def _words() -> Words:
    return Words(
        language=translation.get_language() or "",
        call=_("Check in before you enter"),
        steps=(
            _("Point your phone's camera at the code."),
            _("Answer four questions. Your pass does not contain the answers."),
            _("Show your pass at the door."),
        ),
        promise=_("No name, no number, no app to install."),
        unverified=_("Not verified"),
        code=_("Code of the invitation:"),
    )


def poster_pdf(poster: Poster) -> bytes:
    """One page in every language of the deployment, the active one first and largest."""
    words = in_languages(_words)
    out = io.BytesIO()
    page = PAPERS[poster.paper]
    canvas = Canvas(out, pagesize=page, invariant=True, pageCompression=1, lang=words[0].language)
    canvas.setTitle(poster.title)
    canvas.setAuthor("CrowdTrace")
    canvas.setSubject(words[0].call)
    sheet = _Sheet(canvas, *page)
    sheet.head([one.call for one in words])
    if poster.logo:
        sheet.logo(poster.logo)
    sheet.write(poster.title, most=36, least=13, lines=3, weight=BOLD, colour=INK)
    if not poster.verified:
        sheet.mark(" · ".join(dict.fromkeys(one.unverified for one in words)))
    for one in poster.lines:
        sheet.write(one, most=15, least=9, lines=2, colour=QUIET)
    sheet.foot(poster, words)
    sheet.code(poster.address)
    canvas.showPage()
    canvas.save()
    return out.getvalue()


def usual_paper(zip_code: str) -> str:
    """Return the paper of a place's country: those with a ZIP code are in the United States."""
    return "letter" if zip_code else "a4"


def other_paper(paper: str) -> str:
    """Return the other paper to offer."""
    return next(one for one in PAPERS if one != paper)


def sticker_ndef(address: str) -> bytes:
    """Return the message of an NFC sticker: one URI record, which opens check-in and contains no pass."""
    return b"".join(ndef.message_encoder([ndef.UriRecord(address)]))


def cannot_draw(text: str) -> list[str]:
    """Characters of a text that no font of the poster has; pages of a browser may have them."""
    return lettering.missing(text)


@lru_cache(maxsize=64)
def _unseen_font(path: Path | None) -> str:
    """Return the name of a font for text that no eye sees; without a TrueType font, one that every reader knows of."""
    if path is None:
        pdfmetrics.registerFont(UnicodeCIDFont(_UNSEEN_HAN))
        return _UNSEEN_HAN
    pdfmetrics.registerFont(TTFont(path.stem, str(path)))
    return path.stem


class _Sheet:
    """A page that is filled from both ends; the code takes what is left between."""

    def __init__(self, canvas: Canvas, width: float, height: float) -> None:
        self.canvas = canvas
        self.width, self.height = width, height
        self.room = width - 2 * MARGIN
        self.top, self.bottom = height - HEAD, MARGIN * 0.6

    def head(self, calls: Sequence[str]) -> None:
        """Draw the band with the sign of the deployment and what to do, in each language."""
        self.canvas.setFillColor(MAIN)
        self.canvas.rect(0, self.height - HEAD, self.width, HEAD, stroke=0, fill=1)
        side = 17 * mm
        self._sign(MARGIN, self.height - (HEAD + side) / 2, side)
        left = MARGIN + side + GAP
        room = self.width - left - MARGIN
        sizes = [_fitting(call, 26 if at == 0 else 15, 8, room, BOLD) for at, call in enumerate(calls)]
        full = sum(size * LEADING for size in sizes)
        shrink = min(1.0, (HEAD - GAP) / full)
        y = self.height - (HEAD - full * shrink) / 2
        for call, size in zip(calls, sizes, strict=True):
            y -= size * shrink * LEADING
            self._line(call, size * shrink, y + size * shrink * 0.32, left=left, weight=BOLD, colour=WHITE)

    def write(self, text: str, *, most: float, least: float, lines: int, colour: Color, weight: int = REGULAR) -> None:
        """Draw a text from the top, as large as it fits on that number of lines, none of which leaves the page."""
        size = most
        while size > least and (
            len(lettering.wrapped(text, size, self.room, weight=weight)) > lines
            or lettering.longest(text, weight=weight) * size > self.room
        ):
            size = max(least, size * 0.93)
        self.top -= GAP
        for one in lettering.wrapped(text, size, self.room, weight=weight):
            self.top -= size * LEADING
            self._line(one, size, self.top + size * 0.32, weight=weight, colour=colour)

    def logo(self, picture: bytes) -> None:
        """Draw the host's picture, above the name."""
        reader = ImageReader(io.BytesIO(picture))
        width, height = reader.getSize()
        scale = min(LOGO_HEIGHT / height, self.room / width)
        self.top -= GAP + height * scale
        left = (self.width - width * scale) / 2
        self.canvas.drawImage(reader, left, self.top, width * scale, height * scale)

    def mark(self, words: str) -> None:
        """Draw that nobody has verified who runs it: a triangle and the words, as on every page."""
        size = 13.0
        side = size * 1.5
        left = (self.width - lettering.line(words, BOLD).width * size - side - 4) / 2
        self.top -= GAP + size * LEADING
        path = self.canvas.beginPath()
        path.moveTo(left + side / 2, self.top + side)
        path.lineTo(left + side, self.top)
        path.lineTo(left, self.top)
        path.close()
        self.canvas.setStrokeColor(WARN)
        self.canvas.setLineWidth(1.3)
        self.canvas.setLineJoin(1)
        self.canvas.drawPath(path, stroke=1, fill=0)
        self._line("!", size * 0.85, self.top + 2.6, left=left + side / 2 - 1.7, weight=BOLD, colour=WARN)
        self._line(words, size, self.top + size * 0.32, left=left + side + 4, weight=BOLD, colour=WARN)

    def foot(self, poster: Poster, words: Sequence[Words]) -> None:
        """From the bottom: the promise, the steps, the address; the active language first and larger."""
        for one in reversed(words):
            self._note(one.promise, 10)
        self.bottom += GAP
        for step in (2, 1, 0):
            self._step(step + 1, [one.steps[step] for one in words])
        self.bottom += GAP
        if poster.code:
            self._note(poster.code, 17, weight=BOLD, colour=INK)
            self._note(" · ".join(dict.fromkeys(one.code for one in words)), 10)
        self._note(poster.shown_address, 12)

    def code(self, address: str) -> None:
        """Draw the code for cameras, as large as the room that is left."""
        size = max(LEAST_CODE, min(LARGEST_CODE, self.top - self.bottom - GAP, self.room))
        _draw_code(self.canvas, address, self.width / 2, (self.top + self.bottom) / 2, size)

    def _note(self, text: str, most: float, *, weight: int = REGULAR, colour: Color = QUIET) -> None:
        size = _fitting(text, most, 6, self.room, weight)
        for one in reversed(lettering.wrapped(text, size, self.room, weight=weight)):
            self._line(one, size, self.bottom + size * 0.32, weight=weight, colour=colour)
            self.bottom += size * LEADING

    def _step(self, number: int, texts: Sequence[str]) -> None:
        disc = 4.6 * mm
        left = MARGIN + 2 * disc + GAP
        room = self.width - left - MARGIN
        sizes = [_fitting(text, 14 if at == 0 else 11, 7, room, REGULAR) for at, text in enumerate(texts)]
        full = max(2 * disc, sum(size * LEADING for size in sizes))
        y = self.bottom + (full + sum(size * LEADING for size in sizes)) / 2
        for at, (text, size) in enumerate(zip(texts, sizes, strict=True)):
            y -= size * LEADING
            self._line(text, size, y + size * 0.32, left=left, colour=INK if at == 0 else QUIET)
        self.canvas.setFillColor(TINT)
        self.canvas.circle(MARGIN + disc, self.bottom + full / 2, disc, stroke=0, fill=1)
        digit = lettering.line(str(number), BOLD).width * 14
        self._line(str(number), 14, self.bottom + full / 2 - 5, left=MARGIN + disc - digit / 2, weight=BOLD,
                   colour=MAIN)  # fmt: skip
        self.bottom += full + 1.6 * mm

    def _line(
        self, text: str, size: float, y: float, *, colour: Color, weight: int = REGULAR, left: float | None = None
    ) -> None:
        """Draw one line, in the middle of the page where no left end is given."""
        drawn = lettering.line(text, weight, translation.get_language() or "")
        x = (self.width - drawn.width * size) / 2 if left is None else left
        path = self.canvas.beginPath()
        for letter in drawn.letters:
            for kind, points in letter.outline:
                placed = [
                    (x + letter.x * size if at % 2 == 0 else y + letter.y * size) + number * size
                    for at, number in enumerate(points)
                ]
                _step_of(path, kind)(*placed)
        self.canvas.setFillColor(colour)
        self.canvas.drawPath(path, stroke=0, fill=1, fillMode=_NON_ZERO)
        self._unseen(text, size, x, y)

    def _unseen(self, text: str, size: float, x: float, y: float) -> None:
        """Draw the text beneath its outlines, for search and for those who listen to a page."""
        beneath: PDFTextObject = self.canvas.beginText(x, y)
        beneath.setTextRenderMode(_UNSEEN_MODE)
        for piece, path in lettering.fonts_of(text):
            beneath.setFont(_unseen_font(path), size)
            # reportlab writes no character past U+FFFF in a way that readers find it again.
            beneath.textOut("".join(char for char in piece if ord(char) <= 0xFFFF))
        self.canvas.drawText(beneath)

    def _sign(self, left: float, bottom: float, side: float) -> None:
        scale = side / 32

        def placed(point: tuple[float, float]) -> tuple[float, float]:
            return left + point[0] * scale, bottom + side - point[1] * scale

        path = self.canvas.beginPath()
        for at, one in enumerate(_SHIELD):
            if isinstance(one[0], tuple):
                path.curveTo(*(number for point in one for number in placed(point)))  # type: ignore[arg-type]
            elif at == 0:
                path.moveTo(*placed(one))  # type: ignore[arg-type]
            else:
                path.lineTo(*placed(one))  # type: ignore[arg-type]
        path.close()
        self.canvas.setFillColor(WHITE)
        self.canvas.drawPath(path, stroke=0, fill=1)
        self.canvas.setFillColor(MAIN)
        for head in _HEADS:
            x, y = placed(head)
            self.canvas.circle(x, y, 2.3 * scale, stroke=0, fill=1)


def _step_of(path: PDFPathObject, kind: str) -> Callable[..., None]:
    steps: dict[str, Callable[..., None]] = {
        "M": path.moveTo,
        "L": path.lineTo,
        "C": path.curveTo,
        "Z": path.close,
    }
    return steps[kind]


def _fitting(text: str, most: float, least: float, room: float, weight: int) -> float:
    width = lettering.line(text, weight).width * most
    return most if width <= room else max(least, most * room / width)


def _draw_code(canvas: Canvas, text: str, middle: float, height: float, room: float) -> None:
    code = qrcode.QRCode(error_correction=qrcode.constants.ERROR_CORRECT_Q, border=4)
    code.add_data(text)
    matrix = code.get_matrix()
    # Squares on whole halves of a point: every square is as large as the others at any resolution of a printer.
    side = math.floor(2 * room / len(matrix)) / 2
    left = round(2 * (middle - side * len(matrix) / 2)) / 2
    bottom = round(2 * (height - side * len(matrix) / 2)) / 2
    path = canvas.beginPath()
    for row, modules in enumerate(matrix):
        for column, dark in enumerate(modules):
            if dark:
                path.rect(left + column * side, bottom + (len(matrix) - 1 - row) * side, side, side)
    canvas.setFillColor(HexColor("#000000"))
    canvas.drawPath(path, stroke=0, fill=1)
