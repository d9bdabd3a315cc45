"""Words that docstrings, comments, documents and names of tests do not use, because plain English has a usual one."""

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from embedded.home import CHECKOUT

# The usual words: anyone who, again, next to, expensive, of it, a number of, then, said (shown, notified), is (is in).
WORDS: Final = re.compile(
    r"\b(?:whoever|anew|beside|dear(?:er|est)?|thereof|so many|in its turn|told|stands(?! for\b))\b", re.IGNORECASE
)
# Parts of names of functions, classes and arguments. Names of columns and of the API stay as they are.
PARTS: Final = {"told", "whoever", "anew", "beside", "dear", "dearer", "dearest", "thereof"}
_HUMP: Final = re.compile(r"(?<=[a-z])(?=[A-Z])")
# Folders whose files are generated or come from elsewhere.
NOT_OURS: Final = {"node_modules", "migrations", "staticfiles"}


def files(suffix: str) -> Iterator[Path]:
    """Yield the files with a suffix in the checkout."""
    for top in sorted(CHECKOUT.iterdir()):
        if top.name.startswith(".") or top.name in NOT_OURS:
            continue
        for file in sorted(top.rglob(f"*{suffix}")) if top.is_dir() else [top]:
            path = file.relative_to(CHECKOUT)
            if file.suffix == suffix and not NOT_OURS & set(path.parts):
                yield file


def prose(source: str) -> Iterator[tuple[int, str]]:
    """Yield line numbers and texts of the docstrings, comments and names of tests in a Python source."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Expr(value=ast.Constant(value=str(text))):
                yield node.lineno, " ".join(text.split())
            case ast.FunctionDef(name=name) if name.startswith("test_"):
                yield node.lineno, name.replace("_", " ")
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string


def unusual_names(source: str) -> list[tuple[int, str]]:
    """Return the line number of each function, class and argument of which a part of the name is in the list."""
    found = []
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
                found.append((node.lineno, name))
            case ast.arg(arg=name):
                found.append((node.lineno, name))
    return [(line, name) for line, name in found if PARTS & set(_HUMP.sub("_", name).lower().split("_"))]


def unusual(texts: Iterator[tuple[int, str]]) -> list[tuple[int, str]]:
    """Return the line number of each text with a word of the list, and the word."""
    return [(line, found[0].lower()) for line, text in texts for found in WORDS.finditer(text)]


def test_docstrings_comments_and_names_use_the_usual_words() -> None:
    sources = {file: file.read_text(encoding="utf-8") for file in files(".py") if file != Path(__file__)}
    assert len(sources) > 500
    found = {str(file): words for file, source in sources.items() if (words := unusual(prose(source)))}
    assert not found
    ours = {file: source for file, source in sources.items() if "tests" not in file.parts}
    assert not {str(file): names for file, source in ours.items() if (names := unusual_names(source))}


def test_documents_use_the_usual_words() -> None:
    texts = {file: file.read_text(encoding="utf-8").splitlines() for file in files(".md")}
    assert CHECKOUT / "README.md" in texts
    assert CHECKOUT / "docs" / "model.md" in texts
    found = {str(file): words for file, lines in texts.items() if (words := unusual(enumerate(lines, start=1)))}
    assert not found


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ('"""Whoever asks."""', [(1, "whoever")]),
        ("x = 1  # It is computed anew.", [(1, "anew")]),
        ('def f():\n    """Return\n    so\n    many."""', [(2, "so many")]),
        ("def test_nobody_is_told():\n    pass", [(1, "told")]),
        ("# A dear query.\n# It stands there.", [(1, "dear"), (2, "stands")]),
        ('"""An empty text stands for all areas, besides the others."""', []),
        ('TEXT = "Whoever asks"', []),
    ],
)
def test_the_search_reads_prose_and_no_other_text(source: str, found: list[tuple[int, str]]) -> None:
    assert unusual(prose(source)) == found


def test_a_name_is_found_by_any_of_its_parts() -> None:
    source = "class SoTold:\n    told_at = 1\n\ndef f(log_told, bedside):\n    beside = 1"
    assert sorted(unusual_names(source)) == [(1, "SoTold"), (4, "log_told")]
