"""The random prompt: a coin on the phone, plain words, a way to decline, and a result marked as prompted."""

import json

import pytest
from playwright.sync_api import Page
from pytest_django.fixtures import Settings

from tests.browser.actions import check_in, now
from tests.browser.conftest import shows, stored_rows
from tests.factories import make_venue

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def visitor(phone: Page, settings: Settings) -> Page:
    """Make a phone with a pass, on a deployment that prompts everybody."""
    settings.ASKED_SHARE = 1.0
    check_in(phone, make_venue(now=now()))
    phone.goto("/me")
    shows(phone, "home")
    return phone


def sent(page: Page) -> list[dict[str, object]]:
    """Return a list that collects the bodies of the reports that the phone sends."""
    bodies: list[dict[str, object]] = []
    page.on(
        "request", lambda one: bodies.append(json.loads(one.post_data or "{}")) if "/diagnoses" in one.url else None
    )
    return bodies


def report(page: Page, result: str) -> None:
    page.goto("/test-result")
    shows(page, "ask")
    page.check(f"input[value={result}]")
    page.click("[data-form=test] [type=submit]")
    shows(page, result)


def test_a_prompted_visitor_reports_once_and_the_report_is_marked(visitor: Page) -> None:
    bodies = sent(visitor)
    visitor.click("[data-when=asked] a[role=button]")
    shows(visitor, "ask")
    assert visitor.locator("[data-when=asked]").is_visible()
    report(visitor, "negative")
    report(visitor, "negative")
    assert [body["prompted"] for body in bodies] == [True, False]
    visitor.goto("/me")
    shows(visitor, "home")
    assert not visitor.locator("[data-when=asked]").is_visible()


def test_a_visitor_who_declines_is_not_asked_again_and_nothing_is_sent(visitor: Page) -> None:
    requests: list[str] = []
    visitor.on("request", lambda one: requests.append(one.method))
    visitor.click("[data-do=decline]")
    visitor.wait_for_selector("[data-when=asked]", state="hidden")
    assert "POST" not in requests
    visitor.reload()
    shows(visitor, "home")
    assert not visitor.locator("[data-when=asked]").is_visible()


def test_declining_on_the_page_of_results_leaves_an_ordinary_report(visitor: Page) -> None:
    bodies = sent(visitor)
    visitor.goto("/test-result")
    shows(visitor, "ask")
    visitor.click("[data-do=decline]")
    visitor.wait_for_selector("[data-when=declined]")
    visitor.check("input[value=positive]")
    visitor.click("[data-form=test] [type=submit]")
    shows(visitor, "positive")
    assert [body["prompted"] for body in bodies] == [False]


def test_a_visitor_who_reports_unprompted_was_not_picked(phone: Page, settings: Settings) -> None:
    settings.ASKED_SHARE = 1.0
    check_in(phone, make_venue(now=now()))
    bodies = sent(phone)
    report(phone, "positive")
    assert [body["prompted"] for body in bodies] == [False]


def test_nobody_is_asked_before_a_pass_or_where_the_deployment_asks_nobody(phone: Page, settings: Settings) -> None:
    settings.ASKED_SHARE = 1.0
    phone.goto("/me")
    phone.click('[data-do="make"]')
    phone.click('[data-do="later"]')
    shows(phone, "home")
    assert not phone.locator("[data-when=asked]").is_visible()
    settings.ASKED_SHARE = 0.0
    check_in(phone, make_venue(now=now()))
    phone.goto("/me")
    shows(phone, "home")
    assert not phone.locator("[data-when=asked]").is_visible()
    assert [row["asks"] for row in stored_rows(phone, "settings") if isinstance(row, dict) and "asks" in row] == [False]
