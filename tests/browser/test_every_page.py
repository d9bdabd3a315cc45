"""Gates for every page: they apply to each new page in the URL list, which fails here until it has a case."""

import gzip
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from django.conf import settings as configured
from django.urls import URLPattern, URLResolver, get_resolver
from playwright.sync_api import Page, Response
from pytest_django.fixtures import Settings
from pytest_django.live_server_helper import LiveServer

from tests.browser import gates
from tests.browser.actions import enrol, now
from tests.browser.cases import Case, NoPage, Scene, all_cases
from tests.browser.cases.passes import KIOSK_BYTES
from tests.browser.conftest import OpenContext, shows
from tests.factories import make_venue

CASES: Final = all_cases()
PAGES: Final = {name: case for name, case in CASES.items() if isinstance(case, Case)}
REFUSED: Final = "Failed to load resource: the server responded with a status of 404"


def _named(patterns: list[URLPattern | URLResolver]) -> Iterator[str]:
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            yield from _named(pattern.url_patterns)
        elif pattern.name:
            yield pattern.name


def test_every_page_has_a_case() -> None:
    named = set(_named(get_resolver().url_patterns))
    pages = {name for name in named if name.startswith("page-")}
    assert pages - CASES.keys() == set(), "add a case for each in tests/browser/cases/"
    assert {name for name in CASES if "page-" in name} - named == set(), "these cases have no address"


@pytest.fixture(params=sorted(PAGES), ids=str)
def case(request: pytest.FixtureRequest) -> Case:
    """Open each page in turn, with the fixtures it needs."""
    found = PAGES[request.param]
    if found.needs:
        request.getfixturevalue(found.needs)
    return found


def _open(page: Page, path: str) -> Response:
    response = page.goto(path, wait_until="load")
    assert response is not None
    if page.locator("[data-state]").count():
        page.wait_for_selector("html[data-shown]", state="attached")
    return response


@pytest.mark.django_db(transaction=True)
def test_a_page_keeps_every_gate(
    case: Case, open_context: OpenContext, live_server: LiveServer, settings: Settings
) -> None:
    expected = REFUSED if case.status == 404 else ""
    # The page is loaded twice, in two languages; the second must not come from a service worker's copy of the first.
    context = open_context(reduced_motion="reduce", service_workers="block", expected=expected)
    path = case.visit(Scene(context, live_server.url))
    page = context.new_page()
    loaded: list[Response] = []

    def note(answered: Response) -> None:
        loaded.append(answered)

    page.on("response", note)
    response = _open(page, path)
    assert response.status == case.status
    page.wait_for_load_state("networkidle")
    page.remove_listener("response", note)

    wrong = gates.protected(response) + gates.light(loaded, case.budget_bytes)
    wrong += gates.titled(page) + gates.walkable(page) + gates.accessible(page, "as loaded")
    wrong += gates.fits(page, "as loaded") + gates.still(page) + gates.printable(page)
    for name, way in case.ways:
        way(page)
        wrong += gates.accessible(page, name) + gates.fits(page, name)
    wrong += gates.accessible_states(page)

    settings.LANGUAGES = [*configured.LANGUAGES, ("ar", "Arabic")]
    context.add_cookies([{"name": settings.LANGUAGE_COOKIE_NAME, "value": "ar", "url": live_server.url}])
    _open(page, path)
    wrong += gates.right_to_left(page, "ar")
    assert not wrong, "\n".join(wrong)


# Not a search of the whole checkout, which lists every file of the environments and of npm's packages.
SHEETS: Final = sorted(
    path
    for app in ("crowdtrace", "exports", "risk", "passes", "venues", "common")
    for path in Path(configured.BASE_DIR, app).rglob("*.css")
    if "built" not in path.parts
)
PHYSICAL: Final = re.compile(
    r"(?:margin|padding|border)-(?:left|right)|(?:^|[\s;{])(?:left|right)\s*:|text-align:\s*(?:left|right)|float:"
)


@pytest.mark.parametrize("sheet", SHEETS, ids=lambda path: path.name)
def test_a_style_sheet_names_no_left_and_right(sheet: Path) -> None:
    found = [line.strip() for line in sheet.read_text().splitlines() if PHYSICAL.search(line)]
    assert found == [], "use margin-inline-start and the like: the page may read from right to left"


def test_the_physical_words_are_found() -> None:
    assert all(PHYSICAL.search(line) for line in ("margin-left: 1rem", "  left: 0", "text-align: right", "float: left"))
    assert not any(PHYSICAL.search(line) for line in ("margin-inline-start: 0", "inset-inline: 0", "text-align: start"))


def test_a_url_that_is_not_a_page_states_what_it_returns() -> None:
    reasons: list[Any] = [case.answers for case in CASES.values() if isinstance(case, NoPage)]
    assert all(reasons)


KEPT: Final = """async () => {
  const found = [];
  for (const name of await caches.keys()) found.push(...(await (await caches.open(name)).keys()).map(({ url }) => url));
  return found;
}"""
# The reader of codes. The copy also keeps scripts that few doors load: for browsers without WebAssembly, Ed25519 or
# X25519, and the one that draws the code of a tablet for self check-in.
FALLBACK: Final = re.compile(r"_script\.js")
READER: Final = re.compile(r"/(?:reader\.js|zxing_reader\.wasm)")


@pytest.mark.django_db(transaction=True)
def test_a_door_loads_its_files_once(open_context: OpenContext) -> None:
    page = open_context().new_page()
    loaded: list[Response] = []

    def note(answered: Response) -> None:
        loaded.append(answered)

    page.on("response", note)
    enrol(page, make_venue(now=now()))
    kept: list[str] = page.evaluate(KEPT)
    readers = {url for url in kept if READER.search(url)}
    own = {each.url for each in loaded if each.status == 200 and "/api/" not in each.url} | readers
    own -= {url for url in own if FALLBACK.search(url)}
    sizes = {url: len(gzip.compress(page.request.get(url).body(), 9)) for url in own}  # as the server sends them
    assert any("zxing_reader.wasm" in url for url in sizes)
    assert sum(sizes.values()) <= KIOSK_BYTES, sizes

    loaded.clear()
    page.reload()
    shows(page, "door")
    page.wait_for_selector('[data-slot="connection"]:has-text("Connected")')
    files = [each for each in loaded if "/static/" in each.url]
    assert len(files) >= 4
    assert [each.url for each in files if not each.from_service_worker] == []
