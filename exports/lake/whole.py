"""Whole tables as one Parquet file each, as of a release: for readers who want everything in one download.

They are copies of the lake's files, created after a release and removed after the next one. Those of an older release
are created on request.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, BinaryIO, Final

from exports.dataset.tables import OPEN_TABLES, Table, Zone
from exports.lake.files import PARQUET, StoredFile

if TYPE_CHECKING:
    import pyarrow as pa

    from exports.lake.catalogue import Lake
    from exports.lake.storage import Storage

# In the zone that anyone may read and the release may write.
FOLDER: Final = f"{Zone.OPEN.value}/whole"
WHOLE: Final = "-whole.parquet"
ROW_GROUP_ROWS: Final = 131_072


def held_files(storage: Storage, number: int) -> list[StoredFile]:
    """Return the whole files of a release, by the number of its announcement; empty if they do not exist."""
    try:
        with storage.open(_list(number)) as stream:
            found: list[StoredFile] = json.loads(stream.read())
    except FileNotFoundError:
        return []
    return found


def make_files(lake: Lake, snapshots: Mapping[str, str], number: int) -> list[StoredFile]:
    """Write the whole tables of a release, and their list last, so that a list names only complete files."""
    tables = [described for described in OPEN_TABLES if described.name in snapshots]
    made = [_make(lake, described, int(snapshots[described.name]), number) for described in tables]
    lake.storage.write(_list(number), json.dumps(made).encode())
    return made


def _list(number: int) -> str:
    return f"{FOLDER}/{number}.json"


def _make(lake: Lake, described: Table, snapshot: int, number: int) -> StoredFile:
    import pyarrow.parquet as pq
    from pyiceberg.io import load_file_io

    from exports.dataset.engines import arrow_schema

    path = f"{FOLDER}/{number}/{described.name}.parquet"
    address, schema = lake.storage.at(path), arrow_schema(described)
    output = load_file_io(lake.storage.catalogue_properties(), address).new_output(address)
    rows = 0
    with output.create(overwrite=True) as stream, pq.ParquetWriter(stream, schema, compression="zstd") as writer:
        for batch in _batches(lake, described, snapshot):
            writer.write_batch(batch.cast(schema), row_group_size=ROW_GROUP_ROWS)
            rows += batch.num_rows
    with lake.storage.open(path) as written:
        size, digest = _measured(written)
    return StoredFile(
        name=f"{described.name}{WHOLE}",
        table=described.name,
        path=path,
        media_type=PARQUET,
        rows=rows,
        bytes=size,
        sha256=digest,
    )


def _batches(lake: Lake, described: Table, snapshot: int) -> Iterator[pa.RecordBatch]:
    """Yield the rows of a table, file by file in the order of days."""
    import pyarrow.parquet as pq

    tasks = lake.table(described).scan(snapshot_id=snapshot).plan_files()
    for path in sorted(task.file.file_path for task in tasks):
        with lake.storage.open(lake.storage.relative(path)) as stream:
            yield from pq.ParquetFile(stream).iter_batches(ROW_GROUP_ROWS, columns=list(described.names))


def _measured(stream: BinaryIO) -> tuple[int, str]:
    digest, size = hashlib.sha256(), 0
    while part := stream.read(1 << 20):
        digest.update(part)
        size += len(part)
    return size, digest.hexdigest()


def remove_others(storage: Storage, number: int) -> int:
    """Remove the whole files of all releases but one; return the number of objects removed."""
    objects = storage.objects()
    kept = (storage.at(_list(number)), storage.at(FOLDER, str(number), ""))
    old: list[Any] = [each for each in objects.versions(storage.at(FOLDER)) if not each.url.startswith(kept)]
    objects.remove(old)
    return len(old)
