"""The query page and the map with a script: names completed, queries kept, lines chosen, places read by keyboard."""

from urllib.parse import urlencode

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import OpenContext
from tests.exports.ledger import ReleasedLake

pytestmark = pytest.mark.django_db(transaction=True)
SIGNALS = (
    "SELECT scan_date, value, stderr FROM aspirevc_crowd_tracing_signals "
    "WHERE geo_type = 'nation' AND signal = 'checkins' AND time_value NOT LIKE '%W%' ORDER BY 1"
)


def test_the_answer_is_reached_drawn_with_its_interval_and_remembered(
    open_context: OpenContext, released: ReleasedLake
) -> None:
    page = open_context().new_page()
    page.goto("/data/sql?" + urlencode({"sql": SIGNALS}))
    expect(page.locator("#answer")).to_be_focused()
    expect(page.locator(".u-legend")).to_contain_text("value · interval")
    page.click("[data-choice] summary")
    page.check("[data-lines] label:has-text('stderr') input")
    expect(page.locator(".u-legend")).to_contain_text("stderr")
    page.goto("/data/sql")
    page.click("[data-history-list] a")
    expect(page.locator("#sql")).to_have_value(SIGNALS)
    page.click("[data-history-clear]")
    expect(page.locator("[data-history]")).to_be_hidden()


def test_names_are_completed_by_keyboard(open_context: OpenContext, released: ReleasedLake) -> None:
    page = open_context().new_page()
    page.goto("/data/sql")
    page.fill("#sql", "")
    page.locator("#sql").press_sequentially("SELECT risk")
    expect(page.locator("[data-names] [role=option]").first).to_have_text("risklevel")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Tab")
    expect(page.locator("#sql")).to_have_value("SELECT risklevel")
    expect(page.locator("#sql")).to_be_focused()


def test_places_of_the_map_are_reached_read_out_and_enlarged_by_keyboard(
    open_context: OpenContext, released: ReleasedLake
) -> None:
    page = open_context().new_page()
    page.goto("/data/map")
    svg = page.locator(".us-map").first
    page.locator(".us-map [tabindex='0']").focus()
    first = page.locator(".said").inner_text()
    assert any(letter.isdigit() for letter in first)
    page.keyboard.press("ArrowRight")
    expect(page.locator(".said")).not_to_have_text(first)
    before = svg.get_attribute("viewBox")
    page.click(".zoom button >> nth=0")
    expect(svg).not_to_have_attribute("viewBox", before or "")
    page.click(".zoom button >> nth=2")
    expect(svg).to_have_attribute("viewBox", before or "")
