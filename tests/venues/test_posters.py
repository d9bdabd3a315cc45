"""Posters: letters of every script, nothing off the page, both paper sizes, every language, the code for guests."""

import io
import re
import struct
import unicodedata
from collections.abc import Callable
from typing import Any

import pypdf
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import translation
from PIL import ExifTags, Image
from reportlab.lib.pagesizes import A4, LETTER

from common.time import utc_now
from tests import factories
from tests.venues.conftest import World
from venues import lettering
from venues.lettering import BOLD, REGULAR
from venues.logos import clean_logo
from venues.models import Organisation
from venues.posters import Poster, cannot_draw, poster_pdf
from venues.services.events import invitation_code, make_invitation

As = Callable[[str], Client]
LINK = "https://crowd.example/venues/v_abc1234567"
NAMES = {
    "emoji": "Anna's 🎂 party 👨‍👩‍👧 🇺🇸 ❤️ 1️⃣ 👍🏽",
    "Hebrew": "קפה הפינה 12 (ירושלים)",
    "Arabic": "مقهى الزاوية ٢٤",
    "Persian and Urdu": "گفتگو پٹھان ڈاکٹر",
    "Chinese": "咖啡館 转角咖啡",
    "Japanese": "東京カフェ「おおきに」",
    "Korean": "모퉁이 식당",
    "Hindi": "कोने की दुकान",
    "Thai": "ร้านมุมถนน",
    "Greek, Cyrillic, Armenian, Georgian": "Γωνία Угол Անկյուն კუთხე",
    "Vietnamese": "Quán cà phê Nguyễn Huệ",
    "Amharic, Khmer, Burmese": "ካፌ កាហ្វេ ကော်ဖီ",
    "signs": "Café № 5 — “Ünïon” ½ · € ₿ ™ ★ ♥ ✓ → ∞",
    "letters for show": "𝕳𝖊𝖑𝖑𝖔 Ⓗ ﬁsh",
}


def pdf(title: str = "The Corner", **given: Any) -> pypdf.PageObject:
    poster = Poster(title=title, address=LINK, shown_address=LINK.partition("://")[2], **given)
    (page,) = pypdf.PdfReader(io.BytesIO(poster_pdf(poster))).pages
    return page


def letters(page: pypdf.PageObject) -> list[tuple[float, float]]:
    """Yield every point of an outline."""
    content = page.get_contents().get_data().decode("latin-1")  # type: ignore[union-attr]
    found: list[tuple[float, float]] = []
    for numbers in re.findall(r"((?:-?[\d.]+ ){2,6})[mlc]\b", content):
        flat = [float(number) for number in numbers.split()]
        found.extend(zip(flat[::2], flat[1::2], strict=True))
    return found


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
def test_every_letter_of_a_name_has_an_outline(name: str) -> None:
    assert cannot_draw(name) == []
    shaped = lettering.line(name, BOLD)
    blank = [one for one in shaped.letters if not one.outline]
    assert len(blank) <= sum(char.isspace() or unicodedata.category(char) == "Cf" for char in name)
    assert pdf(name)


def test_characters_without_a_font_are_named_before_printing() -> None:
    assert cannot_draw("a\U0001e900b\U00013000") == ["\U0001e900", "\U00013000"]


@pytest.mark.parametrize("unknown", ["\uffff", "\U0010ffff", "\u0378"])
def test_a_character_that_unicode_does_not_know_is_named_and_printed_around(unknown: str) -> None:
    assert cannot_draw(f"a{unknown}b") == [unknown]
    assert pdf(f"a{unknown}b")


def test_letters_are_in_the_order_in_which_they_are_read() -> None:
    def x_of(text: str) -> list[float]:
        return [round(one.x, 3) for one in lettering.line(text).letters]

    hebrew = lettering.line("אב")
    assert hebrew.letters[0].outline == lettering.line("ב").letters[0].outline, "the last letter is the left one"
    mixed = lettering.line("אב 12")
    assert mixed.letters[0].outline == lettering.line("1").letters[0].outline, "a number after it is left of it"
    assert mixed.letters[1].outline == lettering.line("2").letters[0].outline, "and is itself read from the left"
    assert x_of("ab") == sorted(x_of("ab"))
    brackets = lettering.line("(א)")
    assert brackets.letters[0].outline == lettering.line("(").letters[0].outline, "brackets turn round"


def test_arabic_letters_join() -> None:
    word = "محمد"
    alone = {lettering.line(char).letters[0].outline for char in word}
    assert len(alone & {one.outline for one in lettering.line(word).letters}) == 0


def test_a_character_of_japan_and_of_china_is_drawn_as_it_is_there() -> None:
    japanese, chinese = lettering.line("直の"), lettering.line("直")
    assert japanese.letters[0].outline != chinese.letters[0].outline


@pytest.mark.parametrize("paper", [A4, LETTER])
@pytest.mark.parametrize("title", ["W" * 120, "Donaudampfschifffahrtsgesellschaft" * 3, "漢" * 120, "🎂" * 120,
                                   "נ" * 120, "word " * 24])  # fmt: skip
def test_nothing_leaves_the_page(title: str, paper: tuple[float, float]) -> None:
    name = {A4: "a4", LETTER: "letter"}[paper]
    page = pdf(title, lines=(title, "June 5, 2026, 19:00 – June 12, 2026, 20:00"), verified=False, paper=name,
               code="7h3k-q2m4-xz0a")  # fmt: skip
    assert [round(float(side)) for side in page.mediabox[2:]] == [round(side) for side in paper]
    for x, y in letters(page):
        assert 0 <= x <= paper[0]
        assert 0 <= y <= paper[1]


def test_a_line_breaks_between_words_and_in_what_is_longer_than_a_line() -> None:
    assert lettering.wrapped("one two", 10, 1000) == ["one two"]
    assert len(lettering.wrapped("漢字漢字漢字", 10, 35)) == 2
    for one in lettering.wrapped("x" * 60 + " y", 10, 100, weight=REGULAR):
        assert lettering.line(one).width * 10 <= 100
    families = "👨‍👩‍👧" * 3
    assert set(lettering.wrapped(families, 10, 14)) == {"👨‍👩‍👧"}, "what joins is not torn apart"


@pytest.mark.parametrize("language", ["en", "es"])
def test_a_poster_speaks_every_language_and_the_active_one_first(language: str) -> None:
    with translation.override(language):
        text = pdf("The Corner").extract_text()
    english, spanish = text.find("Check in before you enter"), text.find("Registre su entrada antes de pasar")
    assert -1 not in {english, spanish}
    assert (english < spanish) == (language == "en")
    assert "The Corner" in text


@pytest.mark.parametrize("verified", [True, False])
def test_the_printed_poster_says_what_is_not_verified(verified: bool) -> None:
    assert ("Not verified" in pdf(verified=verified).extract_text()) == (not verified)


@pytest.mark.django_db
def test_places_with_a_zip_code_have_letter_paper_and_both_papers_can_be_requested(world: World, as_: As) -> None:
    def size(query: str) -> list[int]:
        content = as_("viewer").get(f"/owner/venues/{world.venue.public_id}/poster.pdf{query}").content
        return [round(float(side)) for side in pypdf.PdfReader(io.BytesIO(content)).pages[0].mediabox[2:]]

    assert size("") == size("?paper=letter") == size("?paper=papyrus") == [612, 792]
    assert size("?paper=a4") == [595, 842]


@pytest.mark.django_db
def test_the_poster_of_an_unverified_place_is_marked(world: World, as_: As) -> None:
    Organisation.objects.update(verified_at=None)
    for address in (f"/owner/venues/{world.venue.public_id}", f"/owner/events/{world.event.public_id}"):
        make_invitation(event=world.event, actor="owner", now=utc_now())
        content = as_("viewer").get(f"{address}/poster.pdf").content
        assert "Not verified" in pypdf.PdfReader(io.BytesIO(content)).pages[0].extract_text()
        mark = as_("viewer").get(f"{address}/code").content.decode().partition("data-unverified")[0][-90:]
        assert "no-print" not in mark, "the code page is printed with it too"


@pytest.mark.django_db
def test_the_poster_of_an_event_by_invitation_has_all_days_and_the_code_to_type(world: World, as_: As) -> None:
    event = factories.make_event(
        venue=world.venue, name="Fair", now=utc_now(), starts_at=utc_now() + factories.HOUR,
        ends_at=utc_now() + 50 * factories.HOUR,
    )  # fmt: skip
    code = invitation_code(make_invitation(event=event, actor="owner", now=utc_now()))
    content = as_("viewer").get(f"/owner/events/{event.public_id}/poster.pdf").content
    text = pypdf.PdfReader(io.BytesIO(content)).pages[0].extract_text()
    assert "-".join((code[:4], code[4:8], code[8:])) in text
    for moment in (event.starts_at, event.ends_at):
        assert f"{moment.astimezone(world.venue.zone):%H:%M}" in text
    assert " – " in text


# A logo --------------------------------------------------------------------------------------------------------------
def picture(kind: str = "PNG", size: tuple[int, int] = (300, 100)) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, "teal").save(out, kind)
    return out.getvalue()


def upload(client: Client, wanted: str, data: bytes, **more: str) -> Any:
    sent = {"for": wanted, "paper": "a4", "logo": SimpleUploadedFile("logo.png", data)}
    return client.post("/owner/poster", sent | more)


@pytest.mark.django_db
@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_a_logo_is_drawn_on_the_poster_and_kept_nowhere(kind: str, world: World, as_: As) -> None:
    make_invitation(event=world.event, actor="owner", now=utc_now())
    for wanted in (world.venue.public_id, world.event.public_id):
        answer = upload(as_("viewer"), wanted, picture(kind))
        (page,) = pypdf.PdfReader(io.BytesIO(answer.content)).pages
        assert [drawn.image.size for drawn in page.images if drawn.image] == [(300, 100)]
    plain = as_("viewer").get(f"/owner/venues/{world.venue.public_id}/poster.pdf").content
    assert not pypdf.PdfReader(io.BytesIO(plain)).pages[0].images


def test_a_picture_of_a_camera_is_drawn_the_right_way_up() -> None:
    out, notes = io.BytesIO(), Image.Exif()
    notes[ExifTags.Base.Orientation] = 6  # a quarter turn
    Image.new("RGB", (30, 10), "teal").save(out, "JPEG", exif=notes)
    with Image.open(io.BytesIO(clean_logo(out.getvalue()))) as drawn:
        assert drawn.size == (10, 30)


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
@pytest.mark.parametrize(
    "note",
    [
        struct.pack("<HHII", ExifTags.Base.XResolution, 2, 4, 0x41414141),  # text where a fraction belongs
        struct.pack("<HHII", ExifTags.Base.Make, 5, 1, 38),  # a fraction where text belongs
        struct.pack("<HHII", ExifTags.Base.ImageWidth, 2, 4, 0x41414141),  # text where a number belongs
        struct.pack("<HHII", ExifTags.Base.ImageWidth, 99, 2**32 - 1, 2**32 - 1),  # of no kind, and endless
    ],
)
def test_a_picture_with_damaged_notes_of_a_camera_is_drawn_the_right_way_up(note: bytes, kind: str) -> None:
    turned = struct.pack("<HHIHH", ExifTags.Base.Orientation, 3, 1, 6, 0)
    notes = b"Exif\0\0II*\0" + struct.pack("<IH", 8, 2) + turned + note + struct.pack("<III", 0, 1, 1)
    out = io.BytesIO()
    Image.new("RGB", (30, 10), "teal").save(out, kind, exif=notes)
    with Image.open(io.BytesIO(clean_logo(out.getvalue()))) as drawn:
        assert drawn.size == (10, 30)


def test_a_grey_picture_of_16_bits_keeps_its_greys() -> None:
    out = io.BytesIO()
    Image.new("I;16", (1000, 10), 0x8080).save(out, "PNG")
    with Image.open(io.BytesIO(clean_logo(out.getvalue()))) as drawn:
        assert drawn.getpixel((0, 0)) == (0x80, 0x80, 0x80)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "data",
    [b"", b"no picture", picture()[:60], picture(size=(4001, 1)), b"<svg xmlns='http://www.w3.org/2000/svg'/>",
     picture("GIF"), picture() + b"x" * 1024 * 1024],
)  # fmt: skip
def test_a_file_that_is_not_a_small_picture_is_refused_in_the_form(data: bytes, world: World, as_: As) -> None:
    page = upload(as_("viewer"), world.venue.public_id, data)
    assert set(page.context["form"].errors) == {"logo"}


@pytest.mark.django_db
def test_a_poster_of_others_is_not_there(world: World, as_: As) -> None:
    for wanted in (world.venue.public_id, world.event.public_id, "", "x"):
        assert upload(as_("other"), wanted, picture()).status_code == 404
        assert as_("other").get("/owner/poster", {"for": wanted}).status_code == 404
