"""Search in the documents: an index of their sections, built once per process; queries stay in the process."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from common.text import words_of
from crowdtrace.site.documents import markdown
from crowdtrace.site.documents.markdown import Document, Heading

MOST_FOUND: Final = 30
MOST_WORDS: Final = 8
EXCERPT: Final = 180
"""Number of characters shown around the first matching word."""
IN_TITLE, IN_HEADING = 12, 6
"""Weight of a match in a title or a heading, compared with one in the text."""
_WORD: Final = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class Found:
    """A section with the searched words; `excerpt`: pieces of its text, and whether each is such a word."""

    name: str
    title: str
    heading: Heading
    excerpt: Sequence[tuple[str, bool]]


@dataclass(frozen=True, slots=True)
class _Entry:
    document: Document
    heading: Heading
    text: str
    title_words: Sequence[str]
    heading_words: Sequence[str]
    text_words: Sequence[str]


def find(asked: str) -> list[Found]:
    """Return the sections that contain every word, each as the beginning of a word; the best first."""
    words = words_of(asked)[:MOST_WORDS]
    if not words:
        return []
    scored = [(_score(entry, words), at, entry) for at, entry in enumerate(_index())]
    best = sorted(((score, at, entry) for score, at, entry in scored if score), key=lambda one: (-one[0], one[1]))
    return [
        Found(entry.document.name, entry.document.title, entry.heading, _excerpt(entry.text, words))
        for _score_of, _at, entry in best[:MOST_FOUND]
    ]


@lru_cache(maxsize=1)
def _index() -> Sequence[_Entry]:
    return [
        _Entry(
            document,
            section.heading,
            section.text,
            words_of(document.title),
            words_of(section.heading.text),
            words_of(section.text),
        )
        for document in map(markdown.document, markdown.names())
        for section in document.sections
    ]


def _score(entry: _Entry, words: Sequence[str]) -> int:
    total = 0
    for word in words:
        in_title, in_heading, in_text = (
            sum(one.startswith(word) for one in where)
            for where in (entry.title_words, entry.heading_words, entry.text_words)
        )
        if not in_title + in_heading + in_text:
            return 0
        total += IN_HEADING * in_heading + min(in_text, 5)
        if entry.heading.level == 1:
            total += IN_TITLE * in_title
    return total


def _excerpt(text: str, words: Sequence[str]) -> list[tuple[str, bool]]:
    """Return the text around the first matching word, in pieces."""
    hits = [found.span() for found in _WORD.finditer(text) if _is_asked(found[0], words)]
    start = max(0, hits[0][0] - EXCERPT // 3) if hits else 0
    if start:
        start = text.find(" ", start) + 1
    end = start + EXCERPT
    if end < len(text):
        end = max(text.rfind(" ", start, end), hits[0][1] if hits else start)
    pieces, at = [("…", False)] if start else [], start
    for low, high in hits:
        if start <= low and high <= end:
            pieces += [(text[at:low], False), (text[low:high], True)]
            at = high
    pieces.append((text[at:end] + ("…" if end < len(text) else ""), False))
    return [piece for piece in pieces if piece[0]]


def _is_asked(word: str, words: Sequence[str]) -> bool:
    return any(one.startswith(asked) for one in words_of(word) for asked in words)
