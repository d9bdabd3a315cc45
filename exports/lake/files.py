"""The data files of a release, with their download names and digests."""

from __future__ import annotations

import datetime as dt
import hashlib
from typing import TYPE_CHECKING, BinaryIO, Final, TypedDict

from exports.dataset.tables import Table

if TYPE_CHECKING:
    from exports.lake.catalogue import Lake

PART_BYTES: Final = 1 << 20
PARQUET: Final = "application/vnd.apache.parquet"


class StoredFile(TypedDict):
    """One data file. `name` is unique in its release; `path` is its place under the lake."""

    name: str
    table: str
    path: str
    media_type: str
    rows: int
    bytes: int
    sha256: str


def files_of(lake: Lake, described: Table, day: dt.date) -> list[StoredFile]:
    """Return the current files of a day's partition, or of a table without partitions."""
    from pyiceberg.expressions import AlwaysTrue

    rows = f"{described.partition} == '{day.isoformat()}'" if described.partition else AlwaysTrue()
    found = []
    for task in lake.table(described).scan(row_filter=rows).plan_files():
        path = lake.storage.relative(task.file.file_path)
        with lake.storage.open(path) as stream:
            size, digest = _measured(stream)
        found.append(
            StoredFile(
                name=f"{described.name}-{path.rpartition('/')[2]}",
                table=described.name,
                path=path,
                media_type=PARQUET,
                rows=int(task.file.record_count),
                bytes=size,
                sha256=digest,
            )
        )
    return sorted(found, key=lambda file: file["name"])


def _measured(stream: BinaryIO) -> tuple[int, str]:
    digest, size = hashlib.sha256(), 0
    while part := stream.read(PART_BYTES):
        digest.update(part)
        size += len(part)
    return size, digest.hexdigest()
