"""Write a closed day: one job overwrites one partition in one commit.

Files are named by job and number and written in a fixed order, so a job that is killed and retried writes the same
files; readers see the state before or after the commit, never in between.
"""

import datetime as dt
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq
from pyiceberg.exceptions import CommitFailedException, CommitStateUnknownException
from pyiceberg.expressions import AlwaysTrue, BooleanExpression
from pyiceberg.io import FileIO
from pyiceberg.io.pyarrow import parquet_file_to_data_file, schema_to_pyarrow
from pyiceberg.manifest import DataFile
from pyiceberg.table import Table as IcebergTable
from pyiceberg.table.snapshots import Snapshot

from exports.dataset.tables import VERIFIED, Table
from exports.lake.catalogue import Lake

JOB: Final = "crowdtrace.job"
COMMIT_TRIES: Final = 5
# Readers skip row groups by their statistics: small enough to skip ZIPs, large enough to compress.
ROW_GROUP_ROWS: Final = 131_072
# A file of about this many rows is 5 to 30 MB, which Athena splits well.
FILE_ROWS: Final = 2_097_152
# Verified rows: an erasure rewrites whole files, so a file has only two row groups, about 5 MB.
VERIFIED_FILE_ROWS: Final = 262_144
# Level of zstd. Random tokens take most of the bytes, so higher levels gain nothing and take half as long again.
COMPRESSION_LEVEL: Final = 1
# The only column of unique values: the writer would try a dictionary and abandon it.
UNLIKE: Final = "userid"

Batches = Callable[[], Iterable[pa.RecordBatch]]


@dataclass(frozen=True)
class Written:
    """The result of a job: its snapshot, files and rows. `repeated`: it was already committed."""

    snapshot: int
    files: tuple[str, ...]
    rows: int
    repeated: bool


def _nothing(_: list[DataFile]) -> None:
    """Do nothing before the commit."""


@dataclass(frozen=True)
class _Place:
    """The rows that a job replaces, and the folder of its files under that of the table."""

    rows: str | BooleanExpression
    folder: str
    before_commit: Callable[[list[DataFile]], None] = _nothing


def folder_of(described: Table, day: dt.date) -> str:
    """Return the folder of a day's files under that of the table."""
    return f"data/{described.partition}={day.isoformat()}"


def overwrite_day(
    *,
    lake: Lake,
    described: Table,
    day: dt.date,
    batches: Batches,
    job: str,
    before_commit: Callable[[list[DataFile]], None] = _nothing,
) -> Written:
    """Replace the partition of `day` by the batches, which must be sorted and all of that day.

    A job that was already committed does nothing and returns `repeated`; `batches` is called again on a retry.
    `before_commit` gets the written files, and may raise to stop the job.
    """
    place = _Place(f"{described.partition} == '{day.isoformat()}'", folder_of(described, day), before_commit)
    with lake.writing(described):
        return _overwrite(lake, described, place, batches, job)


def overwrite_table(*, lake: Lake, described: Table, batches: Batches, job: str) -> Written:
    """Replace all rows of a table without partitions."""
    with lake.writing(described):
        return _overwrite(lake, described, _Place(AlwaysTrue(), "data"), batches, job)


def _overwrite(lake: Lake, described: Table, place: _Place, batches: Batches, job: str) -> Written:
    for attempt in range(1, COMMIT_TRIES + 1):
        table = lake.table(described)
        if done := snapshot_of(table, job):
            return _written(table, done, repeated=True)
        new = write_files(table, batches(), folder=place.folder, job=job, file_rows=rows_a_file(described))
        place.before_commit(new)
        replaced = [task.file for task in table.scan(row_filter=place.rows).plan_files()]
        try:
            replace_files(table, replaced, new, job=job)
        except (CommitFailedException, CommitStateUnknownException):
            if attempt == COMMIT_TRIES:
                raise
            continue
        table = lake.table(described)
        done = snapshot_of(table, job)
        if done is None:
            raise LookupError(f"the commit of job {job} is not in the table")
        return _written(table, done, repeated=False)
    raise AssertionError("unreachable")


def replace_files(table: IcebergTable, old: Iterable[DataFile], new: Iterable[DataFile], **summary: str) -> None:
    """Replace data files by others in one snapshot; `job` is stored in its summary as `crowdtrace.job`."""
    properties = {f"crowdtrace.{name}": value for name, value in summary.items()}
    with (
        table.transaction() as transaction,
        transaction.update_snapshot(snapshot_properties=properties).overwrite() as change,
    ):
        for file in old:
            change.delete_data_file(file)
        for file in new:
            change.append_data_file(file)


def snapshot_of(table: IcebergTable, job: str) -> Snapshot | None:
    """Return the snapshot that a job committed, if the table still has it."""
    for snapshot in reversed(table.metadata.snapshots):
        if snapshot.summary is not None and snapshot.summary.additional_properties.get(JOB) == job:
            return snapshot
    return None


def _written(table: IcebergTable, snapshot: Snapshot, *, repeated: bool) -> Written:
    """Return the files and rows that the job's snapshot added."""
    added = [
        entry.data_file
        for manifest in snapshot.manifests(table.io)
        if manifest.added_snapshot_id == snapshot.snapshot_id
        for entry in manifest.fetch_manifest_entry(table.io)
        if entry.snapshot_id == snapshot.snapshot_id
    ]
    files = tuple(sorted(file.file_path for file in added))
    return Written(snapshot.snapshot_id, files, sum(file.record_count for file in added), repeated)


def rows_a_file(described: Table) -> int:
    """Return the maximum number of rows of a table's files."""
    return VERIFIED_FILE_ROWS if described is VERIFIED else FILE_ROWS


def write_files(
    table: IcebergTable, batches: Iterable[pa.RecordBatch], *, folder: str, job: str, file_rows: int = FILE_ROWS
) -> list[DataFile]:
    """Write batches to Parquet files named `job-NNNNN.parquet` under the table's folder; without rows, write none.

    A file is complete once it has `file_rows`.
    """
    schema = schema_to_pyarrow(table.schema())
    paths = []
    for number, part in enumerate(_parts(batches, file_rows)):
        path = _path(table, folder, job, number)
        _write_file(table.io, path, _grouped(part, schema), schema)
        paths.append(path)
    return [parquet_file_to_data_file(table.io, table.metadata, path) for path in paths]


def write_groups(table: IcebergTable, groups: Iterable[pa.Table], *, folder: str, job: str) -> list[DataFile]:
    """Write tables to one file, named as by `write_files`, each a row group; texts may come as dictionaries.

    Dictionaries are written as they are, so the caller must have removed unused entries.
    """
    filled = (group for group in groups if group.num_rows)
    first = next(filled, None)
    if first is None:
        return []
    path, schema = _path(table, folder, job, 0), _with_dictionaries(schema_to_pyarrow(table.schema()), first.schema)
    _write_file(table.io, path, (group.cast(schema) for group in chain([first], filled)), schema)
    return [parquet_file_to_data_file(table.io, table.metadata, path)]


def _path(table: IcebergTable, folder: str, job: str, number: int) -> str:
    return f"{table.location()}/{folder}/{job}-{number:05d}.parquet"


def _with_dictionaries(schema: pa.Schema, given: pa.Schema) -> pa.Schema:
    """Return the schema, with the same texts dictionary-encoded as in `given`."""
    return pa.schema(
        [
            each.with_type(given.field(each.name).type) if pa.types.is_dictionary(given.field(each.name).type) else each
            for each in schema
        ]
    )


def _parts(batches: Iterable[pa.RecordBatch], rows: int) -> Iterator[Iterator[pa.RecordBatch]]:
    """Yield runs of batches of about `rows` rows; consume each before the next."""
    source = (batch for batch in batches if batch.num_rows)
    for first in source:
        yield _until(chain([first], source), rows)


def _until(batches: Iterator[pa.RecordBatch], rows: int) -> Iterator[pa.RecordBatch]:
    for batch in batches:
        yield batch
        rows -= batch.num_rows
        if rows <= 0:
            return


def _write_file(io: FileIO, path: str, groups: Iterable[pa.Table], schema: pa.Schema) -> None:
    with io.new_output(path).create(overwrite=True) as stream, _parquet_writer(stream, schema) as writer:
        for group in groups:
            writer.write_table(group, row_group_size=group.num_rows)


def _grouped(batches: Iterator[pa.RecordBatch], schema: pa.Schema) -> Iterator[pa.Table]:
    """Yield batches combined to row groups."""
    waiting: list[pa.RecordBatch] = []
    for batch in batches:
        waiting.append(batch)
        if sum(each.num_rows for each in waiting) >= ROW_GROUP_ROWS:
            yield pa.Table.from_batches(waiting).cast(schema)
            waiting.clear()
    if waiting:
        yield pa.Table.from_batches(waiting).cast(schema)


def _parquet_writer(stream: Any, schema: pa.Schema) -> Any:
    return pq.ParquetWriter(
        stream,
        schema,
        compression="zstd",
        compression_level=COMPRESSION_LEVEL,
        use_dictionary=[name for name in schema.names if name != UNLIKE],
        store_schema=False,
    )
