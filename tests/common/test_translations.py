"""The texts of this room in every language."""

import ast
import gettext
import re
from pathlib import Path

import pytest
from django.utils import translation

from crowdtrace.common import problems

LOCALE = Path(problems.__file__).parent / "locale"


@pytest.mark.parametrize("source", sorted(LOCALE.glob("*/LC_MESSAGES/django.po")), ids=lambda path: path.parts[-3])
def test_what_is_served_is_what_translators_wrote_and_whole(source: Path) -> None:
    pairs = re.findall(r'^msgid (".*")\nmsgstr (".*")$', source.read_text(), re.MULTILINE)
    written = {ast.literal_eval(text): ast.literal_eval(told) for text, told in pairs}
    written.pop("", None)
    assert len(written) > 50
    assert all(written.values())
    with source.with_suffix(".mo").open("rb") as compiled:
        served = gettext.GNUTranslations(compiled)
    assert {text: served.gettext(text) for text in written} == written
    for text, told in written.items():
        assert sorted(re.findall(r"%\(\w+\)\w|{\w+}", text)) == sorted(re.findall(r"%\(\w+\)\w|{\w+}", told))


@pytest.mark.parametrize("kind", problems.KINDS, ids=lambda kind: kind.slug)
def test_every_kind_of_problem_speaks_spanish(kind: type[problems.Problem]) -> None:
    with translation.override("en"):
        english = kind().body()
    with translation.override("es"):
        spanish = kind().body()
    assert spanish["title"] != english["title"]
    assert spanish["detail"] != english["detail"]
    assert spanish["type"] == english["type"]
