"""The documents as pages: safe, readable, and without broken links."""

import re
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urldefrag

import pytest
from django.conf import settings
from django.test import Client

from common.time import utc_now
from crowdtrace.site.documents import markdown
from crowdtrace.site.documents.claims import CLAIMS
from crowdtrace.site.documents.search import find
from embedded.home import CHECKOUT
from passes.ticket_keys import make_ticket_keys, open_fingerprints


class _Page(HTMLParser):
    """The anchors and links of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.links: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        if name := found.get("id"):
            self.ids.append(name)
        self.links += [found[key] or "" for key in ("href", "src") if key in found and tag != "link"]


def _is_ours(link: str) -> bool:
    return not re.match(r"[a-z]+:", link) and not link.startswith("//")


@pytest.mark.django_db
@pytest.mark.parametrize("name", markdown.names())
def test_every_link_of_a_document_leads_somewhere(client: Client, name: str) -> None:
    pages: dict[str, _Page] = {}
    here = f"/docs/{name}"
    pages[here] = _Page(client.get(here).content.decode())
    for link in markdown.document(name).links:
        if not _is_ours(link):
            continue
        path, fragment = urldefrag(link)
        path = path or here
        if path not in pages:
            response = client.get(path)
            assert response.status_code == 200, link
            pages[path] = _Page(response.content.decode() if "html" in response["Content-Type"] else "")
        assert not fragment or fragment in pages[path].ids, link


@pytest.mark.django_db
def test_every_document_is_on_the_list_and_opens(client: Client) -> None:
    listed = _Page(client.get("/docs").content.decode()).links
    for name in markdown.names():
        assert f"/docs/{name}" in listed
        found = markdown.document(name)
        assert found.title != name, "a document begins with a heading of the first level"
        assert "</script" not in found.body


def test_the_name_of_a_documents_file_leads_to_its_page(client: Client) -> None:
    response = client.get("/docs/hosts.md")
    assert (response.status_code, response["Location"]) == (301, "/docs/hosts")
    assert client.get("/docs/nothing.md", follow=True).status_code == 404


@pytest.mark.parametrize("name", markdown.names())
def test_anchors_of_a_document_are_its_own(name: str) -> None:
    ids = _Page(markdown.document(name).body).ids
    assert len(ids) == len(set(ids))


def test_markup_in_a_document_is_text() -> None:
    text = "# T\n\n<script>alert(1)</script>\n\n<img src=x onerror=alert(1)>\n\n[x](javascript:alert(1)) | `<b>`\n"
    body = markdown.render("t", text).body
    assert "<script" not in body
    assert "<img" not in body
    assert 'href="javascript' not in body
    assert "&lt;b&gt;" in body


def test_a_table_is_named_after_its_heading_and_scrolls_in_its_box() -> None:
    body = markdown.render("t", "# T\n\n## Rows & more\n\n| | a |\n|---|---|\n| b | c |\n").body
    assert '<div class="scroll" tabindex="0" role="region" aria-label="Rows &amp; more"><table>' in body
    assert "<th></th>" not in body


def test_same_headings_get_anchors_of_their_own() -> None:
    found = markdown.render("t", "# T\n\n## Why\n\n## Why\n\n#### deep\n")
    assert [(each.level, each.anchor) for each in found.headings] == [(2, "why"), (2, "why-1")]


@pytest.mark.parametrize(
    ("here", "target", "leads"),
    [
        ("model", "protocol.md#2-epochs", "/docs/protocol#2-epochs"),
        ("decisions/0001-embedded-services", "../operators.md", "/docs/operators"),
        ("model", "plots/room.svg", "/docs/files/plots/room.svg"),
        ("hosts", "../CONTRIBUTING.md", "/docs/contributing"),
        ("contributing", "docs/model.md", "/docs/model"),
        ("model", "decisions/", "/docs"),
        ("model", "/api/docs/", "/api/docs/"),
        ("model", "#top", "#top"),
        ("model", "https://example.org/x.md", "https://example.org/x.md"),
    ],
)
def test_a_link_leads_to_a_page_of_the_site(here: str, target: str, leads: str) -> None:
    assert markdown.address(here, target) == leads


def test_decisions_are_numbered_without_a_gap_and_have_date_and_status() -> None:
    files = sorted((CHECKOUT / "docs" / "decisions").glob("*"))
    assert [file.name[:5] for file in files] == [f"{number:04}-" for number in range(1, len(files) + 1)]
    for file in files:
        head = file.read_text().split("\n\n")[1]
        assert re.fullmatch(r"- Date: 20\d\d-\d\d-\d\d\n- Status: (accepted|replaced by \[\d{4}\]\(.+\))", head), (
            file.name
        )


def test_every_decision_is_linked_from_a_document_that_it_concerns() -> None:
    pages = [CHECKOUT / "README.md", CHECKOUT / "CONTRIBUTING.md", *(CHECKOUT / "docs").glob("*.md")]
    linked = {name for page in pages for name in re.findall(r"decisions/(\d{4}-[\w-]+\.md)", page.read_text())}
    assert linked == {file.name for file in (CHECKOUT / "docs" / "decisions").glob("*.md")}


def test_every_picture_of_the_documents_is_shown_by_a_page() -> None:
    pages = (CHECKOUT / "README.md", CHECKOUT / "CONTRIBUTING.md", *(CHECKOUT / "docs").rglob("*.md"))
    shown = {
        (page.parent / target).resolve()
        for page in pages
        for target in re.findall(r"!\[[^]]*\]\(([^)]+)\)", page.read_text())
    }
    pictures = {file for file in (CHECKOUT / "docs").rglob("*") if file.suffix in {".png", ".webp", ".svg", ".jpg"}}
    assert pictures
    assert pictures == {file for file in shown if file.is_relative_to(CHECKOUT / "docs")}


@pytest.mark.django_db
@pytest.mark.parametrize(
    "path",
    [
        "/docs/none",
        "/docs/../README",
        "/docs/files/../settings.py",
        "/docs/files/plots/model.py",
        "/docs/files/%2e%2e/README.md",
    ],
)
def test_nothing_but_documents_is_served(client: Client, path: str) -> None:
    assert client.get(path).status_code == 404


@pytest.mark.django_db
def test_the_privacy_page_states_every_claim_and_names_tests_that_exist(client: Client) -> None:
    page = _Page(client.get("/privacy").content.decode())
    assert {f"P{number}" for number in range(1, 15)} <= set(page.ids)
    for claim in (each for each in CLAIMS if each.test):
        path = Path(settings.BASE_DIR) / claim.test
        assert path.is_file(), claim.test
        assert claim.number in path.read_text(), f"{claim.test} says nothing of {claim.number}"


def test_the_document_on_privacy_has_every_claim_and_names_tests_that_exist() -> None:
    text = (CHECKOUT / "docs" / "privacy.md").read_text(encoding="utf-8")
    assert {claim.number for claim in CLAIMS} == set(re.findall(r"^\| (P\d+) ", text, re.MULTILINE))
    named = re.findall(r"`(tests/[\w/.]+)`", text)
    assert len(named) > 20
    assert not [name for name in named if not (CHECKOUT / name).is_file()]


@pytest.mark.django_db
def test_the_privacy_page_shows_the_ticket_keys_of_open_days(client: Client) -> None:
    assert "Ticket keys" not in client.get("/privacy").content.decode()
    make_ticket_keys(utc_now())
    page = client.get("/privacy").content.decode()
    shown = open_fingerprints(utc_now())
    assert len(shown) >= 1
    assert all(f"<code>{fingerprint}</code>" in page for _epoch, fingerprint in shown)


@pytest.mark.parametrize("name", markdown.names())
def test_no_document_brings_a_style_that_the_policy_refuses(name: str) -> None:
    assert not re.search(r"<[^>]+\sstyle=", markdown.document(name).body)


def test_the_alignment_of_a_column_is_a_class() -> None:
    body = markdown.render("t", "# T\n\n| a | b | c |\n|--:|:-:|:--|\n| 1 | 2 | 3 |\n").body
    assert '<td class="is-number">1</td>' in body
    assert '<td class="is-centred">2</td>' in body
    assert "<td>3</td>" in body


def test_the_search_finds_sections_by_the_beginnings_of_their_words() -> None:
    found = find("Enrolment DEVICE")
    assert found
    assert any(one.name == "hosts" for one in found)
    words = {text.lower() for one in found for text, asked in one.excerpt if asked}
    assert words
    assert all(word.startswith(("enrolment", "device")) for word in words)
    assert find("tickets")[0].heading.text.lower().find("ticket") >= 0, "a heading counts more than a text"
    assert find("zzzz") == find("") == find("…") == []


@pytest.mark.django_db
def test_the_page_of_a_search_leads_to_the_sections_and_says_when_there_is_none(client: Client) -> None:
    page = _Page(client.get("/docs", {"q": "erasure"}).content.decode())
    leads = [link for link in page.links if link.startswith("/docs/")]
    assert len(leads) > 3
    for link in leads[:5]:
        path, fragment = urldefrag(link)
        assert not fragment or fragment in _Page(client.get(path).content.decode()).ids
    assert "No results." in client.get("/docs", {"q": "<zzzz>"}).content.decode()
    assert "&lt;zzzz&gt;" in client.get("/docs", {"q": "<zzzz>"}).content.decode()
