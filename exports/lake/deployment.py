"""The lake of this deployment, opened from the settings. Its libraries are loaded when it is opened."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING

from django.conf import settings

from exports import conf
from exports.lake.storage import Storage

if TYPE_CHECKING:
    from exports.lake.catalogue import Lake

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


@contextmanager
def deployment_lake() -> Iterator[Lake]:
    """Open the lake for writing; create its tables where they are missing."""
    with lake_as_it_is() as lake:
        lake.prepare()
        yield lake


def lake_as_it_is() -> AbstractContextManager[Lake]:
    """Open the lake without creating anything, as readers and a restore do."""
    from exports.lake.catalogue import Lake

    files, database, glue = storage(), conf.database(), conf.glue_endpoint()
    if glue is None:
        return Lake.in_postgres(url=conf.catalogue_url(), storage=files, database=database)
    return Lake.in_glue(endpoint=glue, storage=files, database=database)
