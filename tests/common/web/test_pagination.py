"""Lists by cursor."""

import datetime as dt
from typing import Any

import pytest
from rest_framework.test import APIClient

from common.models import AuditEntry

pytestmark = [pytest.mark.urls("tests.common.views"), pytest.mark.django_db]

NOON = dt.datetime(2026, 8, 14, 12, tzinfo=dt.UTC)


def entry(minute: int, verb: str = "") -> AuditEntry:
    """Create an entry at a minute past noon."""
    at = NOON + dt.timedelta(minutes=minute)
    return AuditEntry.objects.create(at=at, actor="a", verb=verb or f"verb{minute}", subject="s")


def walk(api: APIClient, address: str | None, link: str) -> list[list[str]]:
    """Return the verbs of each page."""
    pages = []
    while address:
        body: dict[str, Any] = api.get(address).json()
        assert set(body) == {"results", "next", "previous"}
        pages.append([row["verb"] for row in body["results"]])
        address = body[link]
    return pages


def test_pages_cover_the_list_once_in_order(api: APIClient) -> None:
    for minute in range(7):
        entry(minute)
    pages = walk(api, "/api/v1/entries?limit=3", "next")
    assert [len(page) for page in pages] == [3, 3, 1]
    assert [verb for page in pages for verb in page] == [f"verb{minute}" for minute in reversed(range(7))]


def test_rows_of_one_moment_are_all_there(api: APIClient) -> None:
    for number in range(7):
        entry(0, f"same{number}")
    pages = walk(api, "/api/v1/entries?limit=2", "next")
    assert sorted(verb for page in pages for verb in page) == [f"same{number}" for number in range(7)]


def test_going_back_finds_the_first_page(api: APIClient) -> None:
    for minute in range(6):
        entry(minute)
    first = api.get("/api/v1/entries?limit=2").json()
    second = api.get(first["next"]).json()
    assert first["previous"] is None
    assert [row["verb"] for row in api.get(second["previous"]).json()["results"]] == ["verb5", "verb4"]


def test_rows_that_come_meanwhile_shift_nothing(api: APIClient) -> None:
    for minute in range(4):
        entry(minute)
    first = api.get("/api/v1/entries?limit=2").json()
    entry(99)
    assert [row["verb"] for row in api.get(first["next"]).json()["results"]] == ["verb1", "verb0"]


@pytest.mark.parametrize("limit", ["0", "201", "-1", "1.5", "abc", "", "٣", "99999999999999999999"])
def test_a_wrong_limit_is_named(api: APIClient, limit: str) -> None:
    response = api.get(f"/api/v1/entries?limit={limit}")
    assert response.status_code == 400
    assert [error["pointer"] for error in response.json()["errors"]] == ["?limit"]


def test_a_cursor_of_another_list_or_a_changed_one_is_refused(api: APIClient) -> None:
    entry(0)
    entry(1)
    cursor = api.get("/api/v1/entries?limit=1").json()["next"].split("cursor=")[1].split("&")[0]
    for wrong in ("", "x", cursor[:-2], "A" + cursor, "cD0yMDIw", "%ff%fe", cursor.upper()):
        response = api.get(f"/api/v1/entries?cursor={wrong}")
        assert response.status_code == 400
        assert [error["pointer"] for error in response.json()["errors"]] == ["?cursor"]
