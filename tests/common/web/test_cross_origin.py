"""Open data is for pages of any origin, and nothing else is."""

import pytest
from django.test import Client
from django.urls import get_resolver

from common.web.cross_origin import is_open

OTHER = {"Origin": "https://notebook.example"}
OPEN = ["/api/schema/", "/api/v1/datasets", "/api/v1/datasets/covid-19/releases", "/api/v1/radar",
        "/api/v1/radar/feed.atom", "/api/v1/datasets/covid-19/feed.atom", "/api/v1/queries"]  # fmt: skip


@pytest.mark.django_db
@pytest.mark.parametrize("path", OPEN)
def test_open_addresses_are_read_by_any_origin_without_credentials(client: Client, path: str) -> None:
    response = client.get(path, headers=OTHER)
    assert response["Access-Control-Allow-Origin"] == "*"
    assert "Access-Control-Allow-Credentials" not in response
    assert response["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert "ETag" in response["Access-Control-Expose-Headers"]


def test_a_preflight_is_answered_before_anything_is_run(client: Client) -> None:
    asked = OTHER | {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type"}
    response = client.options("/api/v1/queries", headers=asked)
    assert (response.status_code, response["Access-Control-Allow-Origin"]) == (204, "*")
    assert "POST" in response["Access-Control-Allow-Methods"]
    assert "Content-Type" in response["Access-Control-Allow-Headers"]


@pytest.mark.django_db
@pytest.mark.parametrize("method", ["get", "post", "options"])
@pytest.mark.parametrize(
    "path",
    ["/", "/api/v1/shield", "/api/v1/passes", "/api/v1/owner/venues", "/api/v1/erasures", "/api/v1/venues",
     "/api/v1/datasetsx", "/api/v1/verified", "/athena", "/log-in"],
)  # fmt: skip
def test_nothing_else_is(client: Client, method: str, path: str) -> None:
    asked = OTHER | {"Access-Control-Request-Method": "POST"}
    response = getattr(client, method)(path, headers=asked)
    assert not [name for name in response.headers if name.lower().startswith("access-control")]
    assert response["Cross-Origin-Resource-Policy"] == "same-origin"


def test_every_open_address_is_one_of_the_dataset_or_the_radar() -> None:
    patterns = [str(pattern.pattern) for pattern in get_resolver().url_patterns]
    found = {pattern for pattern in patterns if is_open(f"/{pattern}")}
    assert all("datasets" in each or "radar" in each or "queries" in each for each in found)


@pytest.mark.django_db
def test_an_error_is_read_by_other_origins_too(client: Client) -> None:
    response = client.post("/api/v1/queries", {"sql": "x"}, content_type="application/json", headers=OTHER)
    assert (response.status_code, response["Access-Control-Allow-Origin"]) == (400, "*")
