"""The texts of every app in every language: complete, compiled, and with the same placeholders."""

import ast
import gettext
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from django.apps import apps
from django.conf import settings
from django.utils import translation
from django.utils.translation.template import templatize

from common.web import problems
from embedded.home import CHECKOUT

APPS: Final = tuple(
    str(Path(config.path).relative_to(CHECKOUT))
    for config in apps.get_app_configs()
    if Path(config.path).is_relative_to(CHECKOUT) and ".venv" not in config.path
)
# They have no catalogue until they have a text.
WITHOUT_TEXTS: Final[set[str]] = set()
OTHERS: Final = tuple(code for code, _ in settings.LANGUAGES if code != "en")
CALLS: Final = {
    "_",
    "gettext",
    "gettext_lazy",
    "gettext_noop",
    "ngettext",
    "ngettext_lazy",
    "pgettext",
    "pgettext_lazy",
}
PLURAL: Final = {"ngettext", "ngettext_lazy"}
# Django turns a template into calls of gettext, with the rest of the page crossed out around them.
QUOTED: Final = r"""u?'(?:[^'\\]|\\.)*'|u?"(?:[^"\\]|\\.)*\""""
CALL: Final = re.compile(rf"""\b\w*gettext\((?:[^'"()]|{QUOTED})*\)| _\((?:{QUOTED})\)""")
PLACES: Final = re.compile(r"%\(\w+\)[\w.]+?|{\w+}|%%|</?\w+[^>]*>")

Text = tuple[str, ...]


def _texts(tree: ast.AST) -> Iterator[Text]:
    """Yield what a source passes to gettext: a text, or a singular and its plural."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        name = getattr(node.func, "id", getattr(node.func, "attr", ""))
        if name in CALLS:
            given = [each.value for each in node.args if isinstance(each, ast.Constant) and isinstance(each.value, str)]
            if given:
                context = len(given) > 1 and name.startswith("p")
                yield tuple(given[:2]) if name in PLURAL else (given[1] if context else given[0],)


def texts_of(app: str) -> set[Text]:
    """Return every text of an app's code and templates."""
    found: set[Text] = set()
    for path in (CHECKOUT / app).rglob("*.py"):
        found.update(_texts(ast.parse(path.read_text())))
    for path in (*(CHECKOUT / app).rglob("*.html"), *(CHECKOUT / app).rglob("*.txt")):
        if "templates" in path.parts:
            for call in CALL.findall(templatize(path.read_text())):
                found.update(_texts(ast.parse(call.strip())))
    return found


def catalogue(app: str, language: str) -> gettext.GNUTranslations:
    with (CHECKOUT / app / "locale" / language / "LC_MESSAGES" / "django.mo").open("rb") as compiled:
        return gettext.GNUTranslations(compiled)


def translations(catalogue: gettext.GNUTranslations, text: Text) -> list[str]:
    """Return a text in the catalogue's language, in all its forms; empty if it has none."""
    known: dict[object, str] = catalogue._catalog  # type: ignore[attr-defined]
    forms = [known.get((text[0], 0), ""), known.get((text[0], 1), "")] if len(text) > 1 else [known.get(text[0], "")]
    return forms if all(forms) else []


@pytest.mark.parametrize("language", OTHERS)
@pytest.mark.parametrize("app", APPS)
def test_every_text_of_an_app_is_translated(app: str, language: str) -> None:
    served, texts = catalogue(app, language), texts_of(app)
    assert bool(texts) is (app not in WITHOUT_TEXTS)
    assert not sorted(text for text in texts if text[0].strip() and not translations(served, text))


@pytest.mark.parametrize("language", OTHERS)
@pytest.mark.parametrize("app", APPS)
def test_a_translation_has_the_same_places_to_fill_in(app: str, language: str) -> None:
    served = catalogue(app, language)
    for text in texts_of(app):
        for form in translations(served, text):
            assert sorted(PLACES.findall(form)) == sorted(PLACES.findall(text[-1])), text


@pytest.mark.parametrize("language", OTHERS)
@pytest.mark.parametrize("app", APPS)
def test_pages_show_the_text_of_translators(app: str, language: str) -> None:
    source = CHECKOUT / app / "locale" / language / "LC_MESSAGES" / "django.po"
    assert "#, fuzzy" not in source.read_text()
    served = catalogue(app, language)
    written = re.findall(r'^msgid (".+")\nmsgstr (".+")$', source.read_text(), re.MULTILINE)
    assert {ast.literal_eval(text): ast.literal_eval(form) for text, form in written} == {
        ast.literal_eval(text): served.gettext(ast.literal_eval(text)) for text, _ in written
    }


@pytest.mark.parametrize("kind", problems.KINDS, ids=lambda kind: kind.slug)
def test_every_kind_of_problem_speaks_spanish(kind: type[problems.Problem]) -> None:
    with translation.override("en"):
        english = kind().body()
    with translation.override("es"):
        spanish = kind().body()
    assert spanish["title"] != english["title"]
    assert spanish["detail"] != english["detail"]
    assert spanish["type"] == english["type"]
