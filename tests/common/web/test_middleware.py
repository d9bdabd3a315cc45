"""Headers and body limits."""

import json
from io import BytesIO
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.core.wsgi import get_wsgi_application
from django.test import Client
from django.utils import translation
from pytest_django.fixtures import Settings
from rest_framework.test import APIClient

from tests.common.conftest import THING
from tests.common.web.test_problems import body_of

pytestmark = [pytest.mark.urls("tests.common.views"), pytest.mark.django_db]

KIB = 1024
HEADERS = {
    "Content-Security-Policy",
    "Permissions-Policy",
    "Referrer-Policy",
    "Cross-Origin-Opener-Policy",
    "Cross-Origin-Resource-Policy",
    "X-Content-Type-Options",
    "X-Frame-Options",
}


@pytest.mark.parametrize(
    "path", ["/api/v1/search", "/api/v1/nothing", "/nowhere", "/healthz", "/static/common/plain.css", "/problems/gone"]
)
def test_every_answer_carries_the_security_headers(client: Client, path: str) -> None:
    response = client.get(path)
    response.close()
    assert set(response.headers) >= HEADERS
    assert "script-src 'self'" in response["Content-Security-Policy"]
    assert "camera=(self)" in response["Permissions-Policy"]
    assert "geolocation=()" in response["Permissions-Policy"]


def test_refusals_and_server_errors_have_them_too(api: APIClient) -> None:
    large = api.post("/api/v1/things", b"x" * 65 * KIB, content_type="application/json")
    fault = api.post("/api/v1/crash", {"how": "row", "secret": "x"}, format="json")
    for response in (large, fault, api.get("/api/v1/door")):
        assert set(response.headers) >= HEADERS
        assert response["Cache-Control"] == "no-store"


@pytest.mark.parametrize("earlier", ["en", "es"])
def test_a_refused_body_is_answered_in_the_language_of_its_request_not_of_an_earlier_one(
    api: APIClient, earlier: str
) -> None:
    large = b"x" * 65 * KIB
    with translation.override(earlier):
        own = {
            language: api.post(
                "/api/v1/things", large, content_type="application/json", headers={"Accept-Language": language}
            )
            for language in ("en", "es")
        }
    assert body_of(own["en"], 413)["title"] == "The request is too large"
    assert body_of(own["es"], 413)["title"] == "La solicitud es demasiado grande"


def padded(size: int) -> str:
    """Return a valid body of a size."""
    return json.dumps(THING).ljust(size)


def test_a_body_at_the_limit_passes_and_one_byte_more_does_not(api: APIClient) -> None:
    assert api.generic("POST", "/api/v1/things", padded(64 * KIB), "application/json").status_code == 200
    body_of(api.generic("POST", "/api/v1/things", padded(64 * KIB + 1), "application/json"), 413)


def test_an_address_may_have_a_limit_of_its_own(api: APIClient, settings: Settings) -> None:
    settings.BODY_LIMIT_BYTES_BY_PATH = {"/api/v1/things": 2048 * KIB}
    assert api.generic("POST", "/api/v1/things", padded(2048 * KIB), "application/json").status_code == 200
    body_of(api.generic("POST", "/api/v1/things", padded(2048 * KIB + 1), "application/json"), 413)
    body_of(api.generic("POST", "/api/v1/rows", padded(65 * KIB), "application/json"), 413)


def test_a_large_form_of_a_page_gets_a_page(client: Client) -> None:
    response = client.post("/pages/login", b"a=" + b"x" * 65 * KIB, content_type="application/x-www-form-urlencoded")
    assert response.status_code == 413
    assert "The request is too large" in response.content.decode()


def call(body: bytes, **environ: str) -> tuple[str, dict[str, str], bytes]:
    """Call the application as a web server does; a chunked body has no length and ends where the stream ends."""
    started: list[Any] = []
    environ = {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": "/api/v1/things",
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "HTTP_HOST": "localhost",
        "CONTENT_TYPE": "application/json",
        "wsgi.url_scheme": "http",
    } | environ
    full: dict[str, Any] = environ | {"wsgi.input": BytesIO(body), "wsgi.errors": BytesIO()}
    result = get_wsgi_application()(full, lambda status, headers, *_: started.append((status, dict(headers))))  # type: ignore[arg-type]
    status, headers = started[0]
    return status[:3], headers, b"".join(result)


def test_a_chunked_body_is_read_up_to_the_limit() -> None:
    assert call(padded(300).encode(), HTTP_TRANSFER_ENCODING="chunked")[0] == "200"
    assert call(padded(64 * KIB).encode(), HTTP_TRANSFER_ENCODING="chunked")[0] == "200"
    status, headers, _ = call(padded(64 * KIB + 1).encode(), HTTP_TRANSFER_ENCODING="chunked")
    assert (status, headers["Content-Type"]) == ("413", "application/problem+json")


def test_a_wrong_length_is_refused() -> None:
    for length in ("-1", "1e3", "ten", "9" * 5000):
        assert call(b"{}", CONTENT_LENGTH=length)[0] in ("400", "413")


def test_a_batch_of_scans_may_be_two_mebibytes() -> None:
    assert django_settings.BODY_LIMIT_BYTES == 64 * KIB
    assert django_settings.BODY_LIMIT_BYTES_BY_PATH["/api/v1/scans/batch"] == 2048 * KIB


def test_answers_at_a_door_carry_the_same_headers_whatever_the_cause(api: APIClient) -> None:
    known, other = ({"Authorization": f"Device {token}"} for token in ("good1", "good2"))
    seen = [dict(api.get("/api/v1/door", headers=headers).headers) for headers in (known, other, known)]
    for headers in seen:
        assert headers.pop("RateLimit")
    assert seen[0] == seen[1] == seen[2]
