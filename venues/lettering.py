"""Letters of every script as outlines: which font has them, how they join, in which order they stand. No Django.

A PDF that holds the outlines of its letters prints alike everywhere, needs no font in the reader, and can hold what
reportlab cannot set itself: Arabic that joins, Hebrew from the right, Devanagari, Chinese, emoji in ink.
"""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, NamedTuple

import manimgx_fonts
import manimgx_fonts_cjk
import uharfbuzz as hb
from bidi import algorithm as bidi

REGULAR, BOLD = 400, 700
"""Weights of letters, as OpenType counts them."""
_NOTO: Final = Path(manimgx_fonts.__file__).parent
_CJK: Final = Path(manimgx_fonts_cjk.__file__).parent / "NotoSansCJK-VF.otf.ttc"
_FIRST, _EMOJI = "NotoSans[wght].ttf", "NotoEmoji[wght].ttf"
_SCRIPTS: Final = (
    "Arabic", "Armenian", "Bengali", "Devanagari", "Ethiopic", "Georgian", "Gujarati", "Gurmukhi", "Hebrew", "Kannada",
    "Khmer", "Lao", "Malayalam", "Myanmar", "Oriya", "Sinhala", "Tamil", "Telugu", "Thai",
)  # fmt: skip
_JAPANESE, _KOREAN, _SIMPLE, _TRADITIONAL = 0, 1, 2, 3
"""Faces in the collection for Chinese, Japanese and Korean, which draw the same character differently."""
_PICTURE: Final = "\ufe0f"
_JOINER: Final = "\u200d"
_UNKNOWN: Final = "\ufffd"
"""A character of no direction, in place of one that Unicode does not assign and the algorithm refuses."""
_WIDE: Final = ((0x1100, 0x11FF), (0x2E80, 0x9FFF), (0xAC00, 0xD7FF), (0xF900, 0xFAFF), (0xFF00, 0xFFEF),
                (0x20000, 0x3FFFF))  # fmt: skip
"""Scripts whose words a line may break anywhere: Han, Kana, Hangul and their forms."""


class Curve(NamedTuple):
    """One step of an outline: `M` to a point, `L`ine, `C`urve with two handles, `Z` back to the beginning."""

    kind: str
    points: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Placed:
    """A letter's outline and its place, in shares of the size of the letters."""

    outline: tuple[Curve, ...]
    x: float
    y: float


@dataclass(frozen=True, slots=True)
class Line:
    """A line of letters, from the left, in shares of their size."""

    letters: tuple[Placed, ...]
    width: float


@dataclass(frozen=True, slots=True)
class _Run:
    """Letters of one font and one direction."""

    text: str
    font: str
    face: int
    level: int


class _Pen:
    """Writes down what a font draws, in shares of its size."""

    def __init__(self, scale: float) -> None:
        self.scale = scale
        self.curves: list[Curve] = []
        self.at = (0.0, 0.0)

    def moveTo(self, point: Any) -> None:  # noqa: N802 - the name that fonts call
        """Begin an outline."""
        self._add("M", point)

    def lineTo(self, point: Any) -> None:  # noqa: N802 - the name that fonts call
        """Draw a straight line to a point."""
        self._add("L", point)

    def curveTo(self, *points: Any) -> None:  # noqa: N802 - the name that fonts call
        """Draw a cubic curve with two control points."""
        self._add("C", *points)

    def qCurveTo(self, handle: Any, end: Any) -> None:  # noqa: N802 - the name that fonts call
        """Add a quadratic curve as the equal cubic one."""
        start = self.at
        first = tuple(a + 2 / 3 * (b - a) for a, b in zip(start, handle, strict=True))
        second = tuple(a + 2 / 3 * (b - a) for a, b in zip(end, handle, strict=True))
        self._add("C", first, second, end)

    def closePath(self) -> None:  # noqa: N802 - the name that fonts call
        """End an outline where it began."""
        self.curves.append(Curve("Z", ()))

    def endPath(self) -> None:  # noqa: N802 - the name that fonts call
        """Do nothing: an outline is always closed."""

    def _add(self, kind: str, *points: Any) -> None:
        self.at = points[-1]
        self.curves.append(Curve(kind, tuple(number / self.scale for point in points for number in point)))


@lru_cache(maxsize=1024)
def line(text: str, weight: int = REGULAR, language: str = "") -> Line:
    """Lay out one line of text. `language` chooses the forms of Han characters in a text without Kana or Hangul."""
    letters: list[Placed] = []
    width = 0.0
    for run in _ordered(_runs(_plain(text), language)):
        font = _font(run.font, run.face, weight)
        buffer = hb.Buffer()
        buffer.add_str(run.text)
        buffer.guess_segment_properties()
        buffer.direction = "rtl" if run.level % 2 else "ltr"
        hb.shape(font, buffer, {})
        scale = font.face.upem
        for info, position in zip(buffer.glyph_infos, buffer.glyph_positions or (), strict=True):
            outline = _outline(run.font, run.face, weight, info.codepoint)
            letters.append(Placed(outline, width + position.x_offset / scale, position.y_offset / scale))
            width += position.x_advance / scale
    return Line(tuple(letters), width)


def fonts_of(text: str) -> list[tuple[str, Path | None]]:
    """Return a line in pieces from the left, letters too, each with the TrueType font that has it, if one has."""
    return [
        (run.text[::-1] if run.level % 2 else run.text, None if run.font == _CJK.name else _NOTO / run.font)
        for run in _ordered(_runs(_plain(text), ""))
    ]


def missing(text: str) -> list[str]:
    """Return the characters that no font has, in order."""
    return [char for char in dict.fromkeys(_plain(text)) if not _invisible(char) and _font_of(char, "") is None]


def _plain(text: str) -> str:
    """Return a text whose letters for show (𝕳, Ⓗ) are the plain ones, where no font has them."""
    return "".join(
        char if _invisible(char) or _font_of(char, "") else unicodedata.normalize("NFKC", char) for char in text
    )


def wrapped(text: str, size: float, room: float, *, weight: int = REGULAR, language: str = "") -> list[str]:
    """Return a text in lines that fit into a width: broken between words, and inside what is longer than a line."""
    lines = [""]
    for piece, spaced in _pieces(text):
        joined = lines[-1] + (" " if spaced and lines[-1] else "") + piece
        if line(joined, weight, language).width * size <= room:
            lines[-1] = joined
            continue
        if lines[-1]:
            lines.append("")
        for cluster in _clusters(piece):
            if lines[-1] and line(lines[-1] + cluster, weight, language).width * size > room:
                lines.append("")
            lines[-1] += cluster
    return lines


def longest(text: str, *, weight: int = REGULAR, language: str = "") -> float:
    """Return the width of the longest piece that a line does not break, in shares of the size of the letters."""
    return max((line(piece, weight, language).width for piece, _spaced in _pieces(text)), default=0.0)


def _pieces(text: str) -> list[tuple[str, bool]]:
    """Return what a line may be broken between, and whether there is a space before it."""
    found: list[tuple[str, bool]] = []
    for word in text.split():
        spaced = True
        piece = ""
        for cluster in _clusters(word):
            if _is_wide(cluster) and piece:
                found.append((piece, spaced))
                piece, spaced = "", False
            piece += cluster
            if _is_wide(cluster):
                found.append((piece, spaced))
                piece, spaced = "", False
        if piece:
            found.append((piece, spaced))
    return found


def _is_wide(cluster: str) -> bool:
    return any(low <= ord(cluster[0]) <= high for low, high in _WIDE)


def _clusters(text: str) -> list[str]:
    """Split a text into letters with their marks, and emoji with their joiners and colours."""
    found: list[str] = []
    for char in text:
        joins = found and (
            unicodedata.category(char) in {"Mn", "Mc", "Me", "Cf"}
            or 0x1F3FB <= ord(char) <= 0x1F3FF
            or found[-1].endswith(_JOINER)
            or (_is_flag(char) and len(found[-1]) == 1 and _is_flag(found[-1]))
        )
        if joins:
            found[-1] += char
        else:
            found.append(char)
    return found


def _is_flag(char: str) -> bool:
    return 0x1F1E6 <= ord(char) <= 0x1F1FF


def _runs(text: str, language: str) -> list[_Run]:
    han = _han_face(text, language)
    runs: list[_Run] = []
    for cluster, level in _with_levels(text):
        last = runs[-1].font if runs else ""
        font = _font_of_cluster(cluster, last) or _FIRST
        face = han if font == _CJK.name else 0
        if runs and (runs[-1].font, runs[-1].level) == (font, level):
            runs[-1] = _Run(runs[-1].text + cluster, font, face, level)
        else:
            runs.append(_Run(cluster, font, face, level))
    return runs


def _with_levels(text: str) -> list[tuple[str, int]]:
    """Return clusters with their level of direction, by the Unicode Bidirectional Algorithm."""
    levels = _levels(text)
    found, at = [], 0
    for cluster in _clusters(text):
        found.append((cluster, levels[at]))
        at += len(cluster)
    return found


def _levels(text: str) -> list[int]:
    if not text:
        return []
    storage = bidi.get_empty_storage()
    text = "".join(char if unicodedata.bidirectional(char) else _UNKNOWN for char in text)
    storage["base_level"] = bidi.get_base_level(text)
    storage["base_dir"] = ("L", "R")[storage["base_level"]]
    bidi.get_embedding_levels(text, storage)
    for at, char in enumerate(storage["chars"]):
        char["at"] = at
    bidi.explicit_embed_and_overrides(storage)
    bidi.resolve_weak_types(storage)
    bidi.resolve_neutral_types(storage, debug=False)
    bidi.resolve_implicit_levels(storage, debug=False)
    known = {char["at"]: int(char["level"]) for char in storage["chars"]}
    levels: list[int] = []
    for at in range(len(text)):  # what the algorithm leaves out goes with what is before it
        levels.append(known.get(at, levels[-1] if levels else int(storage["base_level"])))
    return levels


def _ordered(runs: Sequence[_Run]) -> list[_Run]:
    """Return runs from the left (rule L2): from the highest level down, neighbours at it are reversed."""
    found = list(runs)
    for level in range(max((run.level for run in found), default=0), 0, -1):
        at = 0
        while at < len(found):
            end = at
            while end < len(found) and found[end].level >= level:
                end += 1
            found[at:end] = found[at:end][::-1]
            at = max(end, at + 1)
    return found


def _font_of_cluster(cluster: str, last: str) -> str | None:
    base = cluster[0]
    if _PICTURE in cluster and _has(_EMOJI, base):
        return _EMOJI
    return _font_of(base, last)


def _font_of(char: str, last: str) -> str | None:
    if last not in {"", _EMOJI} and not char.isalnum() and _has(last, char):
        return last  # a space or a comma goes with the letters before it
    return next((font for font in _fonts() if _has(font, char)), None)


def _invisible(char: str) -> bool:
    return char.isspace() or unicodedata.category(char) == "Cf" or char == _PICTURE


def _han_face(text: str, language: str) -> int:
    if any(0x3040 <= ord(char) <= 0x30FF for char in text):
        return _JAPANESE
    if any(0xAC00 <= ord(char) <= 0xD7FF or 0x1100 <= ord(char) <= 0x11FF for char in text):
        return _KOREAN
    wanted = {"ja": _JAPANESE, "ko": _KOREAN, "zh-hant": _TRADITIONAL, "zh-tw": _TRADITIONAL}
    return wanted.get(language.lower(), _SIMPLE)


@lru_cache(maxsize=1)
def _fonts() -> tuple[str, ...]:
    """Return every font; the first one that has a letter draws it."""
    return (
        _FIRST,
        *(f"NotoSans{script}[wght].ttf" for script in _SCRIPTS),
        _CJK.name,
        _EMOJI,
        "NotoSansSymbols[wght].ttf",
    )


def _has(font: str, char: str) -> bool:
    return ord(char) in _characters(font)


@lru_cache(maxsize=32)
def _characters(font: str) -> Any:
    return _face(font, 0).unicodes


@lru_cache(maxsize=32)
def _face(font: str, index: int) -> Any:
    path = _CJK if font == _CJK.name else _NOTO / font
    return hb.Face(hb.Blob.from_file_path(str(path)), index)


@lru_cache(maxsize=64)
def _font(font: str, index: int, weight: int) -> Any:
    made = hb.Font(_face(font, index))
    made.set_variations({"wght": weight})
    return made


@lru_cache(maxsize=8192)
def _outline(font: str, index: int, weight: int, glyph: int) -> tuple[Curve, ...]:
    made = _font(font, index, weight)
    pen = _Pen(made.face.upem)
    made.draw_glyph_with_pen(glyph, pen)
    return tuple(pen.curves)
