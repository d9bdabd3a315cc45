"""The lake of this deployment, opened from the settings. Its libraries are loaded when it is opened."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from django.conf import settings

from exports import conf
from exports.lake.errors import reaching_the_lake
from exports.lake.storage import RESPONDS_S, Storage

if TYPE_CHECKING:
    from exports.lake.catalogue import Lake

ROLE_SECONDS: Final = 1800
"""Credentials of an assumed role last an hour, the longest that Amazon allows a role that assumes another."""
Snapshots = frozenset[tuple[str, str]]
"""Name and snapshot of each open table, hashable."""


def storage() -> Storage:
    """Return the storage that holds the lake's files."""
    return Storage(
        url=settings.LAKE_URL,
        endpoint=getattr(settings, "LAKE_S3_ENDPOINT", ""),
        region=getattr(settings, "LAKE_S3_REGION", "us-east-1"),
        access_key=getattr(settings, "LAKE_S3_ACCESS_KEY", ""),
        secret_key=getattr(settings, "LAKE_S3_SECRET_KEY", ""),
    )


def responds() -> bool:
    """Return, within `RESPONDS_S`, whether the storage of the lake responds.

    A thread of its own asks: names, several addresses and network file systems may each wait longer than that.
    """
    files, found = storage(), list[bool]()
    asking = threading.Thread(target=lambda: found.append(files.objects().responds(files.url)), daemon=True)
    asking.start()
    asking.join(RESPONDS_S)
    return bool(found and found[0])


def verified_storage(*, reader: str) -> Storage:
    """Return the storage for reads of an approved organisation: with the role of its readers, if there is one.

    The session is named after the reader, so that Amazon's own access log names it too.
    """
    role, files = conf.verified_role(), storage()
    return _assumed(role, files, reader, time.monotonic() // ROLE_SECONDS) if role else files


@lru_cache(maxsize=64)
def _assumed(role: str, files: Storage, reader: str, _period: float) -> Storage:
    """Assume the role, once per reader and period, which is half the lifetime of the credentials."""
    import boto3
    from botocore.config import Config

    given = {"aws_access_key_id": files.access_key, "aws_secret_access_key": files.secret_key}
    client = boto3.client(
        "sts",
        region_name=files.region,
        config=Config(connect_timeout=5, read_timeout=10, retries={"total_max_attempts": 2}),
        **{name: value for name, value in given.items() if value},
    )
    found = client.assume_role(RoleArn=role, RoleSessionName=f"crowdtrace-{reader}", DurationSeconds=2 * ROLE_SECONDS)
    keys = found["Credentials"]
    return replace(
        files,
        access_key=keys["AccessKeyId"],
        secret_key=keys["SecretAccessKey"],
        session_token=keys["SessionToken"],
    )


@contextmanager
def deployment_lake() -> Iterator[Lake]:
    """Open the lake for writing; create missing tables."""
    with lake_as_it_is() as lake:
        lake.prepare()
        yield lake


@contextmanager
def lake_as_it_is() -> Iterator[Lake]:
    """Open the lake without creating anything, as readers and a restore do.

    Raise `LakeAwayError` if the bucket or the catalogue does not respond, now or while the lake is used.
    """
    with reaching_the_lake(), _opened() as lake:
        yield lake


def _opened() -> AbstractContextManager[Lake]:
    from exports.lake.catalogue import Lake

    files, database, glue = storage(), conf.database(), conf.glue_endpoint()
    if glue is None:
        return Lake.in_postgres(url=conf.catalogue_url(), storage=files, database=database)
    return Lake.in_glue(endpoint=glue, storage=files, database=database)
