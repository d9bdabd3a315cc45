"""Readers of Iceberg open the tables from only a URL."""

from importlib.resources import files
from pathlib import Path
from typing import Any

import duckdb
import pytest
from django.test import Client
from pyiceberg.catalog import load_catalog
from pyiceberg.exceptions import NoSuchTableError

from exports.dataset.tables import CROWD_TRACING, OPEN_TABLES, VERIFIED, ZIP3
from tests.exports.ledger import ANNOUNCED, FIRST, SECOND, ReleasedLake, announce

pytestmark = pytest.mark.django_db(transaction=True)
ICEBERG = "/api/v1/datasets/covid-19/iceberg"


def reader() -> duckdb.DuckDBPyConnection:
    """Return DuckDB with its own readers of Iceberg and HTTP, and no keys."""
    connection = duckdb.connect(config={"autoinstall_known_extensions": "false"})
    for name in ("avro", "httpfs", "iceberg"):
        [extension] = Path(str(files(f"duckdb_extension_{name}"))).glob(f"extensions/*/{name}.duckdb_extension")
        connection.execute(f"LOAD '{extension}'")
    return connection


def totals(released: ReleasedLake) -> list[tuple[Any, int]]:
    return [(day, released.fitted(day).total) for day in (FIRST, SECOND)]


def test_duckdb_opens_a_table_from_its_address(live_server: Any, released: ReleasedLake) -> None:
    address = f"{live_server.url}{ICEBERG}/{CROWD_TRACING.name}"
    by_day = "SELECT scan_date, count(*) FROM iceberg_scan(?) GROUP BY 1 ORDER BY 1"
    with reader() as connection:
        assert connection.execute(by_day, [address]).fetchall() == totals(released)
        first = f"{address}/metadata/v{released.releases[0].number}.metadata.json"
        assert connection.execute(by_day, [first]).fetchall() == totals(released)[:1]
        states = f"{live_server.url}{ICEBERG}/{ZIP3.name}"
        assert connection.execute("SELECT state FROM iceberg_scan(?) WHERE zip = '021'", [states]).fetchall() == [
            ("MA",)
        ]


def test_pyiceberg_opens_the_lake_from_the_address_of_the_catalogue(live_server: Any, released: ReleasedLake) -> None:
    catalogue = load_catalog("open", type="rest", uri=f"{live_server.url}{ICEBERG}")
    assert catalogue.list_namespaces() == [("covid-19",)]
    assert {name for _, name in catalogue.list_tables("covid-19")} == {table.name for table in OPEN_TABLES}
    rows = catalogue.load_table(("covid-19", CROWD_TRACING.name)).scan(selected_fields=("scan_date",)).to_arrow()
    counted = sorted((row["values"], row["counts"]) for row in rows["scan_date"].value_counts().to_pylist())
    assert counted == totals(released)
    with pytest.raises(NoSuchTableError):
        catalogue.load_table(("covid-19", VERIFIED.name))
    assert not catalogue.namespace_exists("other")


def test_a_lake_in_a_bucket_is_opened_without_its_keys(
    live_server: Any, settings: Any, bucket: Any, catalogue_url: str, tmp_path: Path
) -> None:
    settings.LAKE_URL, settings.LAKE_CATALOGUE_URL, settings.QUERY_SLOTS = bucket.url, catalogue_url, str(tmp_path)
    settings.LAKE_S3_ENDPOINT = bucket.endpoint
    settings.LAKE_S3_ACCESS_KEY, settings.LAKE_S3_SECRET_KEY = bucket.access_key, bucket.secret_key
    release = announce(SECOND, now=ANNOUNCED, size=500)
    with reader() as connection:
        address = f"{live_server.url}{ICEBERG}/{CROWD_TRACING.name}"
        [row] = connection.execute("SELECT count(*) FROM iceberg_scan(?)", [address]).fetchall()
    assert row[0] == release.manifest["rows"]


def test_metadata_names_nothing_of_the_server(client: Client, released: ReleasedLake) -> None:
    number = released.releases[1].number
    for name in (f"v{number}.metadata.json", f"{number}-list.avro", f"{number}-manifest.avro"):
        response = client.get(f"{ICEBERG}/{CROWD_TRACING.name}/metadata/{name}")
        assert response.status_code == 200
        assert b"file:" not in response.content
        assert str(Path(released.url).name).encode() + b"/open" not in response.content
        part = client.get(f"{ICEBERG}/{CROWD_TRACING.name}/metadata/{name}", headers={"Range": "bytes=0-3"})
        assert (part.status_code, part.content) == (206, response.content[:4])


@pytest.mark.parametrize(
    "path",
    [f"{VERIFIED.name}/metadata/version-hint.text", "nothing/metadata/version-hint.text",
     f"{CROWD_TRACING.name}/metadata/v99.metadata.json", f"{CROWD_TRACING.name}/metadata/x",
     f"{CROWD_TRACING.name}/data/2020-10-15/x.parquet", "v1/namespaces/covid-19/tables/nothing"],
)  # fmt: skip
def test_nothing_else_is_found(client: Client, released: ReleasedLake, path: str) -> None:
    assert client.get(f"{ICEBERG}/{path}").status_code == 404
