"""Error responses."""

import errno
import json
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import InternalError
from django.test import Client
from pytest_django.fixtures import Settings
from redis import RedisError
from rest_framework.exceptions import ErrorDetail
from rest_framework.test import APIClient

from common.web import problems
from common.web.problems import FieldError, field_errors, from_exception
from tests.common.conftest import THING

pytestmark = pytest.mark.urls("tests.common.views")

MEMBERS = {"type", "title", "status", "detail", "errors"}


def body_of(response: Any, status: int) -> dict[str, Any]:
    """Return the problem in a response, after checking its form."""
    assert response.status_code == status
    assert response["Content-Type"] == "application/problem+json"
    body: dict[str, Any] = json.loads(response.content)
    assert set(body) == MEMBERS
    assert body["status"] == status
    assert all(set(error) == {"pointer", "detail", "code"} for error in body["errors"])
    return body


@pytest.mark.parametrize("path", ["/api", "/api/", "/api/v1/nothing", "/api/v9/x/y", "/.well-known/nothing"])
@pytest.mark.parametrize("debug", [False, True])
@pytest.mark.parametrize("method", ["get", "post", "delete"])
def test_an_unknown_address_of_the_api_is_a_problem(
    api: APIClient, settings: Settings, path: str, debug: bool, method: str
) -> None:
    settings.DEBUG = debug
    body = body_of(getattr(api, method)(path), 404)
    assert body["type"] == "/problems/not-found"


def test_an_unknown_page_says_what_to_do_in_the_readers_language(client: Client) -> None:
    response = client.get("/nowhere")
    assert response.status_code == 404
    assert response["Content-Type"].startswith("text/html")
    assert "There is nothing at this address" in response.content.decode()
    spanish = client.get("/nowhere", headers={"Accept-Language": "es"})
    assert '<html lang="es"' in spanish.content.decode()
    assert "No hay nada en esta dirección" in spanish.content.decode()


def test_a_method_that_is_not_offered_names_those_that_are(api: APIClient) -> None:
    response = api.delete("/api/v1/things")
    body_of(response, 405)
    assert "POST" in response["Allow"]
    for path in ("/healthz", "/readyz"):
        assert api.post(path)["Allow"] == "GET, HEAD"


def test_another_content_type_is_refused(api: APIClient) -> None:
    for content_type in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "x"):
        response = api.generic("POST", "/api/v1/things", "a=1", content_type=content_type)
        body_of(response, 415)


def test_a_media_type_that_is_not_supported_is_refused(api: APIClient) -> None:
    body_of(api.get("/api/v1/search", headers={"Accept": "image/png"}), 406)


def test_an_unknown_caller_learns_which_scheme_to_use(api: APIClient) -> None:
    for headers in (
        {},
        {"Authorization": "Device wrong"},
        {"Authorization": "Device"},
        {"Authorization": "Basic YTpi"},
    ):
        response = api.get("/api/v1/door", headers=headers)
        body_of(response, 401)
        assert response["WWW-Authenticate"] == 'Device realm="crowdtrace"'


def test_wrong_fields_are_named_by_pointer(api: APIClient) -> None:
    thing = THING | {"answers": {"symptoms": "no", "fever~/x": 1}, "count": 101, "extra": None}
    errors = body_of(api.post("/api/v1/things", thing, format="json"), 400)["errors"]
    assert {(error["pointer"], error["code"]) for error in errors} == {
        ("/answers/symptoms", "invalid"),
        ("/answers/fever~0~1x", "unknown"),
        ("/count", "max_value"),
        ("/extra", "unknown"),
    }


def test_a_missing_field_and_a_body_that_is_no_object_are_named(api: APIClient) -> None:
    errors = body_of(api.post("/api/v1/rows", {}, format="json"), 400)["errors"]
    assert errors == [{"pointer": "/verb", "detail": "This field is required.", "code": "required"}]
    assert body_of(api.post("/api/v1/rows", [1], format="json"), 400)["errors"][0]["pointer"] == ""


def test_wrong_query_parameters_are_named_with_a_question_mark(api: APIClient) -> None:
    errors = body_of(api.get("/api/v1/search?near=12&zip=1&zip=2&page=3"), 400)["errors"]
    assert {(error["pointer"], error["code"]) for error in errors} == {
        ("?near", "max_value"),
        ("?zip", "repeated"),
        ("?zip", "invalid"),
        ("?page", "unknown"),
    }


def test_a_nul_in_the_address_is_refused(api: APIClient) -> None:
    for path in ("/api/v1/search?zip=%00", "/api/v1/nothing%00", "/api/v1/search?%00=1"):
        body_of(api.get(path), 400)
    assert api.get("/nowhere%00").status_code == 400
    named = body_of(api.get("/api/v1/search?page=1&zip=9%00&%00=1&a+b=%00"), 400)["errors"]
    assert [error["pointer"] for error in named] == ["?zip", "?", "?a b"]


@pytest.mark.parametrize("debug", [False, True])
def test_a_server_error_reveals_nothing(api: APIClient, settings: Settings, debug: bool) -> None:
    settings.DEBUG = debug
    canary = "canary-58231"
    for how in ("row", "chain", "missing"):
        response = api.post("/api/v1/crash", {"how": how, "secret": canary}, format="json")
        body = body_of(response, 500)
        assert body["errors"] == []
        assert b"canary" not in response.content
        assert b"Traceback" not in response.content
    page = Client(raise_request_exception=False).get("/pages/plain/canary-1", headers={"Authorization": "canary-2"})
    assert page.status_code == 500
    assert b"canary" not in page.content
    plain = api.get("/api/v1/plain/canary-1", headers={"Authorization": "canary-2"})
    assert plain.status_code == 500
    assert b"canary" not in plain.content


def test_an_unreachable_database_is_a_temporary_error(api: APIClient) -> None:
    response = api.post("/api/v1/crash", {"how": "database", "secret": "canary-1"}, format="json")
    body_of(response, 503)
    assert int(response["Retry-After"]) > 0
    assert b"canary" not in response.content


class ReadOnly(Exception):
    """What PostgreSQL says after it stopped being the primary server."""

    sqlstate = "25006"


def test_a_full_disk_a_demoted_database_and_an_unreachable_store_are_temporary_errors() -> None:
    demoted = InternalError()
    demoted.__cause__ = ReadOnly()
    for trouble in (OSError(errno.ENOSPC, "no space"), OSError(errno.EDQUOT, "no quota"), demoted, RedisError()):
        problem = problems.from_exception(trouble)
        assert isinstance(problem, problems.Unavailable)
        assert int(problem.headers["Retry-After"]) > 0
    assert problems.from_exception(OSError(errno.EACCES, "not allowed")) is None
    assert problems.from_exception(InternalError()) is None


def test_an_internal_error_is_sent_as_a_signal() -> None:
    with pytest.raises(RuntimeError):
        APIClient().post("/api/v1/crash", {"how": "row", "secret": "x"}, format="json")


def test_checks_of_models_name_their_fields() -> None:
    problem = from_exception(ValidationError({"zip": ValidationError("no", code="unknown"), "__all__": ["a", "b"]}))
    assert problem is not None
    assert problem.errors == [
        FieldError("/zip", "no", "unknown"),
        FieldError("", "a", "invalid"),
        FieldError("", "b", "invalid"),
    ]


def test_errors_of_lists_carry_the_index() -> None:
    detail = {"scans": [{}, {"type": [ErrorDetail("bad", code="choice")]}], "non_field_errors": [ErrorDetail("x")]}
    assert field_errors(detail) == [FieldError("/scans/1/type", "bad", "choice"), FieldError("", "x", "invalid")]
    assert field_errors([ErrorDetail("y", code="c")]) == [FieldError("", "y", "c")]


def test_an_answer_lists_a_bounded_number_of_errors() -> None:
    problem = problems.Invalid(errors=[FieldError(f"/{at}", "x") for at in range(5000)])
    assert len(problem.body()["errors"]) == problems.MAX_ERRORS


@pytest.mark.parametrize("kind", problems.KINDS, ids=lambda kind: kind.slug)
def test_every_kind_of_problem_is_explained_at_its_address(kind: type[problems.Problem], client: Client) -> None:
    page = client.get(kind().body()["type"])
    assert page.status_code == 200
    assert str(kind.title) in page.content.decode()


def test_every_kind_is_listed_once() -> None:
    def below(kind: type[problems.Problem]) -> set[type[problems.Problem]]:
        return {kind}.union(*(below(sub) for sub in kind.__subclasses__() if sub.__module__ == problems.__name__))

    assert set(problems.KINDS) == below(problems.Problem) - {problems.Problem}
    assert len({kind.slug for kind in problems.KINDS}) == len(problems.KINDS)


def test_an_unknown_kind_of_problem_is_not_found(client: Client) -> None:
    assert client.get("/problems/nonsense").status_code == 404


def test_the_error_for_a_form_without_its_token_says_to_reload_the_page() -> None:
    response = Client(enforce_csrf_checks=True).post("/pages/login")
    assert response.status_code == 403
    assert "load the page again" in response.content.decode()


def test_a_page_that_is_asked_too_often_says_when_to_come_back(client: Client, settings: Settings) -> None:
    settings.THROTTLES = settings.THROTTLES | {"login": "2/minute"}
    assert [client.post("/pages/login").status_code for _ in range(3)] == [200, 200, 429]
    refused = client.post("/pages/login")
    assert int(refused["Retry-After"]) >= 1
    assert "Too many requests" in refused.content.decode()
