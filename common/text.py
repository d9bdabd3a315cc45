"""Text that people enter: names in their stored form, and words as a search compares them. Pure.

A name is displayed next to others and trusted by its appearance. It is therefore stored in one form (NFC, Unicode
Standard Annex 15), without characters that are invisible or change the direction of the text around them (Unicode
Technical Report 36, sections 2.5 and 2.10): two names that differ only in such a character would look alike. Marks may
not pile up on a letter either.
"""

import re
import unicodedata
from typing import Final

_JOINERS: Final = "\u200c\u200d"
_EMOJI_STYLES: Final = "\ufe0e\ufe0f"
# Visible format characters: signs that precede Arabic, Syriac and Kaithi digits.
_SEEN_FORMATS: Final = frozenset(
    "\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd"
)
# Invisible characters that Unicode classifies as letters, marks or symbols.
_INVISIBLE: Final = frozenset(
    "\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u2800\u3164\uffa0"
    + "".join(map(chr, (*range(0xFE00, 0xFE10), *range(0xFFF0, 0xFFF9), *range(0xE0000, 0xE1000))))
)
MOST_MARKS: Final = 4
"""Largest number of marks on one letter: no language uses more (Unicode Technical Standard 39, section 5.4)."""
_NONE: Final = ""
_APOSTROPHES: Final = re.compile("['`\u00b4\u02b9\u02bb\u02bc\u2018\u2019\u2032\uff07]")
_LETTERS: Final = str.maketrans(
    {"ø": "o", "đ": "d", "ð": "d", "ł": "l", "ħ": "h", "ı": "i", "ŧ": "t", "æ": "ae", "œ": "oe", "þ": "th"}
)
"""Letters that Unicode does not decompose, as people without the key write them."""
_DIGRAPHS: Final = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ø": "oe", "å": "aa"})
"""The same letters as written in German and in Danish or Norwegian."""


def clean_name(text: str) -> str:
    """Return a name in its stored form: NFC, single spaces, nothing invisible, nothing that changes direction."""
    while (cleaner := _cleaner(text)) != text:  # a removal may make its neighbours invisible
        text = cleaner
    return text


def _cleaner(text: str) -> str:
    composed = unicodedata.normalize("NFC", text)
    kept = [one for at, one in enumerate(composed) if one.isspace() or _is_seen(composed, at)]
    # Normalise again: a character between a letter and its accent may have been removed.
    return _without_towers(unicodedata.normalize("NFC", " ".join("".join(kept).split())))


def fold(text: str) -> str:
    """Return a text without the differences that a search ignores: case, accents, width, ß against ss."""
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFC", text).casefold()).casefold()
    bare = "".join(one for one in plain if unicodedata.category(one) not in {"Mn", "Cf"})
    return bare.translate(_LETTERS)


def words_of(text: str) -> list[str]:
    """Return the words of a text as a search compares them, in order; an apostrophe does not end a word."""
    joined = _APOSTROPHES.sub(_NONE, text)
    return "".join(one if one.isalnum() else " " for one in fold(joined)).split()


def searchable(name: str) -> str:
    """Return every word that finds a name, each once, including ``ue`` for ``ü`` and both parts of ``O'Brien``."""
    spellings = (name, _APOSTROPHES.sub(" ", name), unicodedata.normalize("NFC", name).lower().translate(_DIGRAPHS))
    return " ".join(dict.fromkeys(word for spelling in spellings for word in words_of(spelling)))


def _without_towers(text: str) -> str:
    """Remove marks piled up on one letter, which would be drawn over the text around the name."""
    kept, marks = [], 0
    for one in text:
        if unicodedata.category(one) in {"Mn", "Me"}:
            marks += 1
        elif one not in _JOINERS:
            marks = 0
        # A joiner needs a following character, so it is removed if a mark would be.
        if marks < MOST_MARKS or (marks == MOST_MARKS and one not in _JOINERS):
            kept.append(one)
    return "".join(kept)


def _is_seen(text: str, at: int) -> bool:
    """Return whether a character of a text is visible: joiners and emoji styles are if they change the rendering."""
    one = text[at]
    before, after = text[at - 1 : at] if at else "", text[at + 1 : at + 2]
    if one in _JOINERS:
        return (_joins(before) and _joins(after)) or (one == _JOINERS[1] and _is_emoji(before) and _is_emoji(after))
    if one in _EMOJI_STYLES:
        return (_is_emoji(before) and before not in _EMOJI_STYLES) or (before != "" and before in "0123456789#*")
    if one in _INVISIBLE:
        return False
    return unicodedata.category(one) not in {"Cc", "Cf", "Cs", "Zl", "Zp"} or one in _SEEN_FORMATS


def _joins(one: str) -> bool:
    """Return whether a character's script uses joiners to choose a letter's form: Arabic to Sinhala, Khmer."""
    lies = "\u0600" <= one <= "\u0dff" or "\u1780" <= one <= "\u18af"
    return lies and one not in _INVISIBLE and unicodedata.category(one)[0] in "LM"


def _is_emoji(one: str) -> bool:
    if one == "\ufe0f":
        return True
    return one != "" and one not in _INVISIBLE and unicodedata.category(one) in {"So", "Sk", "Me"}
