"""Backfills of doses between folders of a bucket; tested here, next to the S3 server."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from exports.lake.storage import S3Objects, Storage
from tests.risk.backfill.test_backfill import PEERS, read, run, same_bits, town, write


@pytest.fixture
def addresses(bucket: Storage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[str, str]:
    """Return the URLs of a folder with a town and of an empty one; credentials are in AWS's variables."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", bucket.endpoint or "")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", bucket.access_key or "")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", bucket.secret_key or "")
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    source = write(tmp_path / "in", *town(200, 9))
    client = S3Objects(bucket).client
    name, _, prefix = bucket.url.removeprefix("s3://").partition("/")
    for file in source.rglob("*.parquet"):
        client.upload_file(str(file), name, f"{prefix}/in/{file.relative_to(source)}")
    return f"{bucket.url}/in", f"{bucket.url}/out"


def downloaded(bucket: Storage, folder: Path) -> Any:
    client = S3Objects(bucket).client
    name, _, prefix = bucket.url.removeprefix("s3://").partition("/")
    folder.mkdir()
    for found in client.list_objects_v2(Bucket=name, Prefix=f"{prefix}/out/")["Contents"]:
        client.download_file(name, found["Key"], str(folder / Path(found["Key"]).name))
    return read(folder)


@pytest.mark.parametrize("engine", ["local", pytest.param("spark", marks=[pytest.mark.peers, pytest.mark.long])])
def test_a_backfill_goes_from_bucket_to_bucket(
    engine: str, addresses: tuple[str, str], bucket: Storage, tmp_path: Path
) -> None:
    source, target = addresses
    paths = ("--from", source, "--to", target)
    assert run("--engine", engine, "--master", "local[1]", "--python", PEERS, *paths) == {"visits": 200}
    run("--from", str(tmp_path / "in"), "--to", str(tmp_path / "local"))
    assert same_bits(downloaded(bucket, tmp_path / "got"), read(tmp_path / "local"))
