"""A bucket that does not respond: whatever reads it says so with 503, and what does not read it goes on."""

import json
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import pytest
from django.test import Client
from django.urls import URLResolver, get_resolver

from common.time import utc_now
from embedded.network import free_port
from embedded.processes import wait_until
from exports.dataset.tables import CROWD_TRACING
from exports.models import Release
from tests.exports.ledger import ANNOUNCED, SECOND, announce
from tests.factories import make_user
from tests.live import PATIENCE_S

pytestmark = pytest.mark.django_db
ONE = "/api/v1/datasets/covid-19"
COUNT = 'SELECT count(*) AS n FROM "covid-19"."aspirevc_crowd_tracing"'


@pytest.fixture
def gone(settings: Any, deployment_in_s3: None) -> Release:
    """Release a day to a bucket, then let nothing listen at its address."""
    release = announce(SECOND, now=ANNOUNCED, size=100)
    settings.LAKE_S3_ENDPOINT = f"http://127.0.0.1:{free_port()}"
    return release


def test_what_reads_the_lake_responds_with_503(client: Client, gone: Release) -> None:
    number, table = gone.number, CROWD_TRACING.name
    [file, *_] = gone.manifest["files"]
    read = [
        f"/api/v1/queries?{urlencode({'sql': COUNT})}",
        f"/api/v1/queries?{urlencode({'sql': COUNT, 'format': 'csv'})}",
        f"{ONE}/releases/{SECOND}/files/{file['name']}",
        f"{ONE}/releases/{SECOND}/files/{table}-whole.parquet",
        f"{ONE}/iceberg/{table}/metadata/v{number}.metadata.json",
        f"{ONE}/iceberg/{table}/metadata/version-hint.text",
        f"{ONE}/iceberg/{table}/data/{SECOND}/{file['name']}",
        f"{ONE}/iceberg/v1/namespaces/covid-19/tables/{table}",
        "/data/tables/zip-areas.csv",
    ]
    found = {address: client.get(address) for address in read}
    assert {address: response.status_code for address, response in found.items()} == dict.fromkeys(read, 503)
    assert all("Retry-After" in response for response in found.values())
    assert not any(b"127.0.0.1" in response.content for response in found.values()), "it names the bucket's address"


def test_what_does_not_read_the_lake_goes_on(client: Client, gone: Release) -> None:
    others = [
        "/data",
        "/data/map",
        "/data/sql",
        "/api/v1/datasets",
        ONE,
        f"{ONE}/releases",
        f"{ONE}/releases/{SECOND}",
        f"{ONE}/releases/{SECOND}/profile",
        f"{ONE}/signals",
        f"{ONE}/daily.csv",
        f"{ONE}/datapackage.json",
        f"{ONE}/croissant.json",
        f"{ONE}/feed.atom",
        f"{ONE}/iceberg/v1/config",
    ]
    assert {address: client.get(address).status_code for address in others} == dict.fromkeys(others, 200)


@pytest.mark.django_db(transaction=True)
def test_a_query_by_athenas_protocol_fails_and_says_why(client: Client, gone: Release) -> None:
    def call(operation: str, **body: Any) -> Any:
        headers = {"X-Amz-Target": f"AmazonAthena.{operation}"}
        return json.loads(client.post("/athena", body, content_type="application/json", headers=headers).content)

    begun = call("StartQueryExecution", QueryString=COUNT)

    def status() -> dict[str, str]:
        found = call("GetQueryExecution", QueryExecutionId=begun["QueryExecutionId"])
        return dict(found["QueryExecution"]["Status"])

    assert wait_until(lambda: "CompletionDateTime" in status(), seconds=PATIENCE_S)
    assert status()["State"] == "FAILED"
    assert "the lake cannot be read" in status()["StateChangeReason"]


def test_no_url_responds_with_an_error_of_ours(client: Client, gone: Release) -> None:
    """Every URL is read, except those that name a row of an owner."""
    operator = make_user(username="olga", is_staff=True, is_superuser=True, now=utc_now())
    client.force_login(operator)
    client.raise_request_exception = False
    values = {"name": "covid-19", "table": CROWD_TRACING.name, "day": str(SECOND), "space": "covid-19", "slug": "other"}
    file = gone.manifest["files"][0]["name"]

    def filled(address: str) -> str:
        named = values | {"file": "version-hint.text" if "metadata" in address else file}
        return re.sub(r"<\w+:(\w+)>", lambda found: named.get(found[1], "1"), address)

    addresses = {"/" + filled(address) for address in _addresses(get_resolver()) if "(?P" not in address}
    assert len(addresses) > 100
    found = {address: client.get(address).status_code for address in sorted(addresses)}
    assert {address: status for address, status in found.items() if status >= 500 and status != 503} == {}
    assert list(found.values()).count(503) >= 5, "some of them read the lake"


def _addresses(resolver: URLResolver, before: str = "") -> Iterator[str]:
    for each in resolver.url_patterns:
        address = before + re.sub(r"^\^|\\Z$|\$$", "", str(each.pattern))
        if isinstance(each, URLResolver):
            yield from _addresses(each, address)
        else:
            yield address
