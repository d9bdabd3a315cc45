"""The documents of `docs/` as pages: rendered once per process, with links rewritten to pages of the site."""

import html
import posixpath
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import Final
from urllib.parse import urlsplit

from django.conf import settings
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from markdown_it import MarkdownIt
from markdown_it.token import Token

# Documents outside `docs/`, by the name of their page.
OUTSIDE: Final = {"contributing": "CONTRIBUTING.md", "changes": "CHANGELOG.md"}
# Audience of each document, in the order of the list; a document that is missing here is listed under "More".
AUDIENCES: Final[tuple[tuple[Promise, tuple[str, ...]], ...]] = (
    (_("For visitors"), ("visitors", "privacy")),
    (_("For places and hosts"), ("hosts",)),
    (
        _("For researchers"),
        ("researchers", "accuracy", "athena", "dialect", "benchmark", "simulation", "model", "radar", "comparison"),
    ),
    (_("For operators"), ("operators", "scaling", "reliability", "dpia")),
    (_("For programmers"), ("tutorial", "protocol", "contributing", "architecture", "changes")),
)
FILES: Final = {".svg": "image/svg+xml", ".png": "image/png", ".webp": "image/webp", ".jpg": "image/jpeg"}
SHALLOWEST, DEEPEST = 2, 3


@dataclass(frozen=True)
class Heading:
    """An entry of a table of contents."""

    level: int
    text: str
    anchor: str


@dataclass(frozen=True)
class Section:
    """The text below one heading, for the search."""

    heading: Heading
    text: str


@dataclass(frozen=True)
class Document:
    """A document as a page."""

    name: str
    title: str
    body: str
    headings: tuple[Heading, ...]
    links: tuple[str, ...]
    sections: tuple[Section, ...] = ()


@dataclass(frozen=True)
class Shelf:
    """The documents for one audience."""

    title: Promise
    documents: tuple[Document, ...]


def folder() -> Path:
    """Return the folder of the documents."""
    return Path(settings.BASE_DIR) / "docs"


@lru_cache(maxsize=1)
def names() -> tuple[str, ...]:
    """Return the name of every document: its path in `docs/` without `.md`."""
    inside = sorted(path.relative_to(folder()).with_suffix("").as_posix() for path in folder().rglob("*.md"))
    return (*inside, *OUTSIDE)


@lru_cache(maxsize=128)
def document(name: str) -> Document:
    """Return the document of that name. Raise `KeyError` for an unknown one."""
    if name not in names():
        raise KeyError(name)
    path = Path(settings.BASE_DIR) / OUTSIDE[name] if name in OUTSIDE else folder() / f"{name}.md"
    return render(name, path.read_text(encoding="utf-8"))


def shelves() -> tuple[Shelf, ...]:
    """Return all documents, by audience."""
    known = names()
    named = {name for _title, group in AUDIENCES for name in group}
    decisions = tuple(name for name in known if name.startswith("decisions/"))
    rest = tuple(name for name in known if name not in named and name not in decisions)
    groups = (*AUDIENCES, (_("More"), rest), (_("Decisions"), decisions))
    found = [Shelf(title, tuple(document(name) for name in group if name in known)) for title, group in groups]
    return tuple(shelf for shelf in found if shelf.documents)


def file(name: str) -> tuple[bytes, str]:
    """Return a picture of the documents and its media type. Raise `KeyError` if there is none of that name."""
    kind = FILES.get(PurePosixPath(name).suffix)
    path = (folder() / name).resolve()
    if kind is None or not path.is_relative_to(folder().resolve()) or not path.is_file():
        raise KeyError(name)
    return path.read_bytes(), kind


def render(name: str, text: str) -> Document:
    """Render CommonMark with tables; HTML inside the text is shown as text and never interpreted."""
    parser = MarkdownIt("commonmark", {"html": False}).enable("table")
    tokens = parser.parse(text)
    anchors = Counter[str]()
    headings = []
    links: list[str] = []
    for place, token in enumerate(tokens):
        if token.type == "heading_open":
            heading = _heading(token, tokens[place + 1], anchors)
            token.attrSet("id", heading.anchor)
            headings.append(heading)
        for child in token.children or ():
            _lead(name, child, links)
        _align_by_class(token)
    sections = _sections(tokens, headings)
    _name_tables(tokens, headings)
    title = next((heading.text for heading in headings if heading.level == 1), name)
    listed = tuple(each for each in headings if SHALLOWEST <= each.level <= DEEPEST)
    body = _boxed(parser.renderer.render(tokens, parser.options, {}))
    return Document(name, title, body, listed, tuple(links), sections)


def _sections(tokens: Sequence[Token], headings: Sequence[Heading]) -> tuple[Section, ...]:
    found: list[tuple[Heading, list[str]]] = []
    above = iter(headings)
    in_heading = False
    for token in tokens:
        if token.type in {"heading_open", "heading_close"}:
            in_heading = token.type == "heading_open"
            if in_heading:
                found.append((next(above), []))
        elif found and not in_heading and token.type in {"inline", "fence", "code_block"}:
            found[-1][1].append(_words(token))
    return tuple(Section(heading, " ".join(" ".join(parts).split())) for heading, parts in found)


def _words(token: Token) -> str:
    if not token.children:
        return token.content
    return "".join(" " if child.type in {"softbreak", "hardbreak"} else child.content for child in token.children)


def _align_by_class(token: Token) -> None:
    """Express the alignment of a cell as a class, because the Content-Security-Policy forbids inline styles."""
    style = str(token.attrs.pop("style", ""))
    if "right" in style:
        token.attrSet("class", "is-number")
    elif "center" in style:
        token.attrSet("class", "is-centred")


def _heading(opening: Token, inline: Token, anchors: Counter[str]) -> Heading:
    text = "".join(child.content for child in inline.children or () if child.type in {"text", "code_inline"})
    anchor = slug(text)
    anchors[anchor] += 1
    if anchors[anchor] > 1:
        anchor = f"{anchor}-{anchors[anchor] - 1}"
    return Heading(int(opening.tag[1:]), text, anchor)


def slug(text: str) -> str:
    """Return the anchor of a heading, as GitHub generates it, so that links work in both places."""
    return re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-")


def _lead(name: str, token: Token, links: list[str]) -> None:
    """Rewrite a link or a picture to its URL on the site."""
    attribute = {"link_open": "href", "image": "src"}.get(token.type)
    if attribute is None:
        return
    target = address(name, str(token.attrGet(attribute) or ""))
    token.attrSet(attribute, target)
    if attribute == "src":
        token.attrSet("loading", "lazy")
    links.append(target)


def address(name: str, target: str) -> str:
    """Return the URL on the site of a link in the document `name`."""
    parts = urlsplit(target)
    if parts.scheme or parts.netloc or not parts.path or parts.path.startswith("/"):
        return target
    here = "" if name in OUTSIDE else posixpath.join("docs", posixpath.dirname(name))
    path = posixpath.normpath(posixpath.join(here, parts.path))
    fragment = f"#{parts.fragment}" if parts.fragment else ""
    outside = {file_name: page for page, file_name in OUTSIDE.items()}
    if path in outside:
        return reverse("page-doc", args=[outside[path]]) + fragment
    inside = path.removeprefix("docs/")
    if inside.endswith(".md"):
        return reverse("page-doc", args=[inside.removesuffix(".md")]) + fragment
    if PurePosixPath(inside).suffix in FILES:
        return reverse("page-doc-file", args=[inside])
    return reverse("page-docs") + fragment


def _name_tables(tokens: Sequence[Token], headings: Sequence[Heading]) -> None:
    """Label each table with the heading above it, for screen readers that jump from table to table."""
    above = iter(headings)
    last = ""
    for token in tokens:
        if token.type == "heading_open":
            last = next(above).text
        elif token.type == "table_open":
            token.attrSet("aria-label", last)


def _boxed(markup: str) -> str:
    """Put wide tables and code into a box that scrolls separately and can be focused with the keyboard."""
    names = Counter[str]()

    def box(found: re.Match[str]) -> str:
        names[found[1]] += 1
        label = html.escape(html.unescape(found[1])) + (f" ({names[found[1]]})" if names[found[1]] > 1 else "")
        return f'<div class="scroll" tabindex="0" role="region" aria-label="{label}"><table>'

    markup = re.sub(r'<table aria-label="([^"]*)">', box, markup).replace("</table>", "</table></div>")
    # A header cell without text is not a header.
    markup = re.sub(r"<th([^>]*)></th>", r"<td\1></td>", markup)
    return markup.replace("<pre>", '<pre tabindex="0">')
