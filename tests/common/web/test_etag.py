"""Conditional requests."""

from collections.abc import Callable
from typing import Any

import pytest
from rest_framework.test import APIClient

from common.web.etag import entity_tag
from common.web.renderers import JSONRenderer

pytestmark = pytest.mark.urls("tests.common.views")


def test_a_client_that_has_the_response_already_gets_304(api: APIClient) -> None:
    first = api.get("/api/v1/search?zip=02139")
    assert first.status_code == 200
    assert first["Cache-Control"] == "private, no-cache"
    for header in (first["ETag"], f'"other", {first["ETag"]}', f"W/{first['ETag']}", "*"):
        again = api.get("/api/v1/search?zip=02139", headers={"If-None-Match": header})
        assert again.status_code == 304
        assert again.content == b""
        assert again["ETag"] == first["ETag"]
        assert "Content-Security-Policy" in again


def test_another_answer_has_another_tag(api: APIClient) -> None:
    first, second = api.get("/api/v1/search?zip=02139"), api.get("/api/v1/search?zip=02140")
    assert first["ETag"] != second["ETag"]
    response = api.get("/api/v1/search?zip=02140", headers={"If-None-Match": first["ETag"]})
    assert response.status_code == 200
    assert response.json() == {"zip": "02140"}


def test_an_indent_that_is_asked_for_gives_no_second_text_to_one_tag(api: APIClient) -> None:
    plain = api.get("/api/v1/search?zip=02139")
    indented = api.get("/api/v1/search?zip=02139", headers={"Accept": "application/json; indent=4"})
    assert (plain.content, plain["ETag"]) == (indented.content, indented["ETag"])


def test_an_answer_is_written_once_and_its_tag_is_that_of_its_value(
    api: APIClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = []
    original: Callable[..., bytes] = JSONRenderer.render

    def counted(self: JSONRenderer, data: Any, *args: Any, **kwargs: Any) -> bytes:
        written.append(data)
        return original(self, data, *args, **kwargs)

    monkeypatch.setattr(JSONRenderer, "render", counted)
    answer = api.get("/api/v1/search?zip=02139")
    assert written == [{"zip": "02139"}]
    assert answer["ETag"] == entity_tag({"zip": "02139"})


def test_errors_carry_no_tag(api: APIClient) -> None:
    assert "ETag" not in api.get("/api/v1/search?zip=x")


def test_answers_without_a_tag_are_not_stored(api: APIClient) -> None:
    assert api.get("/api/v1/nothing")["Cache-Control"] == "no-store"


def test_an_update_passes_only_for_the_version_that_was_read(api: APIClient) -> None:
    tag = api.get("/api/v1/versioned")["ETag"]
    body = {"verb": "second"}

    def put(header: str | None) -> tuple[int, str]:
        headers = {} if header is None else {"If-Match": header}
        response = api.put("/api/v1/versioned", body, format="json", headers=headers)
        return response.status_code, response.json().get("type", "")

    assert put(tag) == (200, "")
    assert put(f'"x", {tag}') == (200, "")
    assert put("*") == (200, "")
    assert put(None) == (428, "/problems/precondition-required")
    assert put('"x"') == (412, "/problems/precondition-failed")
    assert put(f"W/{tag}") == (412, "/problems/precondition-failed")
    assert put("nonsense") == (412, "/problems/precondition-failed")
