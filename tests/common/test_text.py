"""Names as they are stored, and words as a search compares them."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.text import clean_name, fold, searchable, words_of

CAFE, DECOMPOSED = "Caf\u00e9", "Cafe\u0301"


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        (DECOMPOSED, CAFE),
        ("  The \t Corner\n", "The Corner"),
        ("The\u00a0Corner\u2003Bar", "The Corner Bar"),
        ("The\u200bCor\u00adner\ufeff", "TheCorner"),
        ("\u202eroC ehT", "roC ehT"),
        ("\u2066The\u2069 \u200fCorner\u061c", "The Corner"),
        ("The\u200dCorner", "TheCorner"),
        ("e\u200b\u0301", "\u00e9"),
        ("\u3164\u2800\u115f", ""),
        ("Tag\U000e0041ged", "Tagged"),
        ("\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645", "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645"),
        ("\U0001f469\u200d\U0001f373 Lunch \u2764\ufe0f", "\U0001f469\u200d\U0001f373 Lunch \u2764\ufe0f"),
        ("Bar\ufe0f", "Bar"),
        ("\ufe0f\ufe0e", ""),
        ("\u2764\ufe0f\ufe0e", "\u2764\ufe0f"),
        ("\ufe0f\u200d\U0001f469", "\U0001f469"),
        ("B" + "\u033f" * 60 + "ar", "B" + "\u033f" * 4 + "ar"),
        ("\u0e01\u0e33\u0e49 \u05d1\u05bc\u05b8\u0591", "\u0e01\u0e33\u0e49 \u05d1\u05b8\u05bc\u0591"),
        ("\u05d1\u05d9\u05ea \u05e7\u05e4\u05d4", "\u05d1\u05d9\u05ea \u05e7\u05e4\u05d4"),
    ],
)
def test_a_name_is_stored_in_one_form_without_what_nobody_sees(typed: str, stored: str) -> None:
    assert clean_name(typed) == stored


@given(st.text() | st.text("a\u0915\u0301\u0323\u093c\u094d\u200c\u200d\ufe0f\u20e3\U0001f469 "))
def test_a_clean_name_stays_as_it_is_and_turns_no_direction(text: str) -> None:
    once = clean_name(text)
    assert clean_name(once) == once == unicodedata.normalize("NFC", once)
    assert once == " ".join(once.split())
    assert not set(once) & set("\u200b\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\u2066\u2067\u2068\u2069\ufeff")


@pytest.mark.parametrize(
    ("name", "typed"),
    [
        (CAFE, "cafe"),
        (CAFE, DECOMPOSED),
        (DECOMPOSED, CAFE),
        (CAFE, "CAFÉ"),
        ("Straße", "strasse"),
        ("STRASSE", "straße"),
        ("Müller", "muller"),
        ("Müller", "mueller"),
        ("Smørrebrød", "smorrebrod"),
        ("Smørrebrød", "smoerrebroed"),
        ("Łódź", "lodz"),
        ("İstanbul", "istanbul"),
        ("Ｆｕｌｌ", "full"),
        ("ΣΊΣΥΦΟΣ", "σισυφος"),
        ("КАФЕ", "кафе"),
        ("O’Brien's", "obriens"),
        ("O'Brien's", "brien"),
        ("Peña", "pena"),
        ("7-Eleven", "eleven"),
        ("ﬁsh", "fish"),
    ],
)
def test_a_name_is_found_however_its_letters_are_typed(name: str, typed: str) -> None:
    assert set(words_of(typed)) <= set(searchable(name).split())


@given(st.text())
def test_folding_knows_no_unicode_form_and_no_case(text: str) -> None:
    assert fold(unicodedata.normalize("NFD", text)) == fold(unicodedata.normalize("NFC", text))
    assert fold(clean_name(text)) == fold(clean_name(unicodedata.normalize("NFD", text)))


@given(st.text())
def test_every_word_of_a_name_finds_it(text: str) -> None:
    assert set(words_of(clean_name(text))) <= set(searchable(clean_name(text)).split())
