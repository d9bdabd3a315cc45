"""Storages and catalogues of the dataset's tests: a real PostgreSQL, a local folder, a real S3 server."""

import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from exports.lake.catalogue import Lake
from exports.lake.storage import Storage
from exports.models import Release
from tests.databases import fresh_database
from tests.exports.ledger import ReleasedLake
from tests.exports.s3 import S3Server

DATABASE = "covid-19"


@pytest.fixture
def catalogue_url() -> Iterator[str]:
    """Yield the URL of an empty PostgreSQL database for a catalogue."""
    with fresh_database() as url:
        yield url


@pytest.fixture
def folder(tmp_path: Path) -> Storage:
    """Return a lake's storage in a local folder."""
    return Storage((tmp_path / "lake").as_uri())


@pytest.fixture
def bucket(s3: S3Server, shared_bucket: str) -> Storage:
    """Return a lake's storage under a new prefix of a versioned bucket."""
    return s3.storage(shared_bucket, prefix=secrets.token_hex(6))


@pytest.fixture
def deployment(settings: Any, folder: Storage, catalogue_url: str, tmp_path: Path) -> None:
    """Set the deployment's settings: a separate lake in a folder, with a separate catalogue."""
    settings.LAKE_URL = folder.url
    settings.LAKE_CATALOGUE_URL = catalogue_url
    settings.QUERY_SLOTS = str(tmp_path)
    settings.DATASET_EPSILON = 8.0


@pytest.fixture
def deployment_in_s3(deployment: None, settings: Any, bucket: Storage) -> None:
    """Set the same with a lake in a bucket."""
    settings.LAKE_URL = bucket.url
    settings.LAKE_S3_ENDPOINT = bucket.endpoint
    settings.LAKE_S3_ACCESS_KEY = bucket.access_key
    settings.LAKE_S3_SECRET_KEY = bucket.secret_key


@pytest.fixture(params=["folder", "bucket"])
def storage(request: pytest.FixtureRequest) -> Storage:
    """Return each kind of storage."""
    chosen: Storage = request.getfixturevalue(request.param)
    return chosen


@pytest.fixture
def lake(catalogue_url: str, storage: Storage) -> Iterator[Lake]:
    """Yield a prepared lake, in a folder and in a bucket."""
    with Lake.in_postgres(url=catalogue_url, storage=storage, database=DATABASE) as made:
        made.prepare()
        yield made


@pytest.fixture
def local_lake(catalogue_url: str, folder: Storage) -> Iterator[Lake]:
    """Yield a prepared lake in a folder."""
    with Lake.in_postgres(url=catalogue_url, storage=folder, database=DATABASE) as made:
        made.prepare()
        yield made


@pytest.fixture
def bucket_lake(catalogue_url: str, bucket: Storage) -> Iterator[Lake]:
    """Yield a prepared lake in a bucket."""
    with Lake.in_postgres(url=catalogue_url, storage=bucket, database=DATABASE) as made:
        made.prepare()
        yield made


@pytest.fixture
def released(shared_release: ReleasedLake, db: None, settings: Any, tmp_path: Path) -> ReleasedLake:
    """Return that lake as the deployment's, with its rows in the ledger."""
    settings.LAKE_URL, settings.LAKE_CATALOGUE_URL = shared_release.url, shared_release.catalogue
    settings.QUERY_SLOTS = str(tmp_path)
    Release.objects.bulk_create(shared_release.rows())
    return shared_release
