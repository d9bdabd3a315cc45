"""Removing rows of the verified tier: found by their tokens, removed by rewriting the files that hold them.

A class that falls below its least size goes with them: a class too small would point at those who are left.
"""

import datetime as dt
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pyiceberg.io import FileIO
from pyiceberg.manifest import DataFile
from pyiceberg.table import Table as IcebergTable

from exports.lake.catalogue import Lake
from exports.lake.storage import StoredObject
from exports.lake.write import replace_files, snapshot_of, write_files
from exports.policy.verified import QUASI, SENSITIVE, ClassPolicy, holding
from exports.tables import VERIFIED

TOKEN: Final = "userid"  # noqa: S105 - the name of a column
# Columns of the verified table that carry `QUASI`, in its order.
QUASI_COLUMNS: Final = dict(
    zip(
        QUASI,
        ("scannerdevice_zipcode", "scandate", "readingtype", "accesslevel", "type_of_scan", "location_maxcapacity"),
        strict=True,
    )
)
READ_ROWS: Final = 65_536


class NotFoundError(LookupError):
    """Rows that the index names are not where it says."""


@dataclass(frozen=True)
class ObjectChange:
    """A data file that was rewritten: its name under the table and its rows before and after."""

    name: str
    before: int
    after: int


@dataclass(frozen=True)
class Erased:
    """What an erasure did: rows of the holder, rows of classes that fell below `k`, the objects that held them."""

    rows: int
    dropped: int
    objects: tuple[ObjectChange, ...]


def erase_rows(*, lake: Lake, tokens: Mapping[dt.date, Collection[str]], job: str, policy: ClassPolicy) -> Erased:
    """Remove the rows with these tokens, day by day, in one commit.

    Raises `NotFoundError` where a token of a day is in no file of that day. A job that was committed before does
    nothing; its answer then has no objects.
    """
    with lake.writing(VERIFIED):
        table = lake.table(VERIFIED)
        if done := snapshot_of(table, job):
            counts = done.summary.additional_properties if done.summary else {}
            return Erased(int(counts.get("crowdtrace.rows", 0)), int(counts.get("crowdtrace.dropped", 0)), ())
        old: list[DataFile] = []
        new: list[DataFile] = []
        rows = dropped = 0
        changes: list[ObjectChange] = []
        for number, (day, wanted) in enumerate(sorted(tokens.items())):
            erasing = _Day(table, day, pa.array(sorted(wanted), pa.string()), policy)
            for place, (file, found) in enumerate(erasing.affected()):
                kept = write_files(
                    table,
                    erasing.kept(file),
                    folder=f"data/{VERIFIED.partition}={day.isoformat()}",
                    job=f"{job}-{number:04d}-{place:04d}",
                )
                after = sum(each.record_count for each in kept)
                old.append(file)
                new.extend(kept)
                rows += found
                dropped += file.record_count - found - after
                changes.append(ObjectChange(_name(table, file), file.record_count, after))
        if old:
            replace_files(table, old, new, job=job, rows=str(rows), dropped=str(dropped))
    return Erased(rows, dropped, tuple(changes))


class _Day:
    """One day of the table while it is searched: its files, which rows go and which classes go with them."""

    def __init__(self, table: IcebergTable, day: dt.date, tokens: pa.Array, policy: ClassPolicy) -> None:
        self._io, self._tokens, self._policy = table.io, tokens, policy
        scan = table.scan(row_filter=f"{VERIFIED.partition} == '{day.isoformat()}'")
        self._files = [task.file for task in scan.plan_files()]
        self._found = {file.file_path: self._count(file) for file in self._files}
        if sum(self._found.values()) != len(tokens):
            raise NotFoundError(f"{len(tokens) - sum(self._found.values())} rows of {day} are not in its files")
        self._lost = self._lost_classes()

    def _count(self, file: DataFile) -> int:
        return sum(int(pc.sum(self._goes(batch)).as_py() or 0) for batch in _read(self._io, file, [TOKEN]))

    def _goes(self, batch: pa.RecordBatch) -> pa.BooleanArray:
        return pc.is_in(batch[TOKEN], value_set=self._tokens)

    def _lost_classes(self) -> pd.MultiIndex:
        """Classes of the day that no longer hold once the rows are gone."""
        left = pd.concat([_counted(batch) for batch in self._left(_class_columns())], ignore_index=True)
        left = left.groupby([*QUASI, *SENSITIVE], as_index=False, sort=False)["count"].sum()
        classes = pd.MultiIndex.from_frame(left[list(QUASI)].drop_duplicates())
        return classes.difference(holding(left, self._policy, least=self._policy.k), sort=False)

    def _left(self, columns: list[str]) -> Iterator[pa.RecordBatch]:
        for file in self._files:
            for batch in _read(self._io, file, [*columns, TOKEN]):
                yield batch.filter(pc.invert(self._goes(batch)))

    def affected(self) -> Iterator[tuple[DataFile, int]]:
        """Files to rewrite, with the number of the holder's rows in each."""
        for file in self._files:
            found = self._found[file.file_path]
            if found or any(self._in_lost(batch).any() for batch in _read(self._io, file, _class_columns())):
                yield file, found

    def _in_lost(self, batch: pa.RecordBatch) -> np.ndarray:
        if self._lost.empty:
            return np.zeros(batch.num_rows, dtype=bool)
        return np.asarray(pd.MultiIndex.from_frame(_quasi(batch)).isin(self._lost))

    def kept(self, file: DataFile) -> Iterator[pa.RecordBatch]:
        """The rows of a file that stay, in their order."""
        for batch in _read(self._io, file, None):
            left = batch.filter(pc.invert(self._goes(batch)))
            yield left.filter(pa.array(~self._in_lost(left)))


def _class_columns() -> list[str]:
    return [*QUASI_COLUMNS.values(), *SENSITIVE[:4], "result"]


def _quasi(batch: pa.RecordBatch) -> pd.DataFrame:
    return pd.DataFrame(
        {name: batch[column].cast(pa.string()).fill_null("").to_pandas() for name, column in QUASI_COLUMNS.items()}
    )


def _counted(batch: pa.RecordBatch) -> pd.DataFrame:
    frame = _quasi(batch)
    for name in SENSITIVE[:4]:
        frame[name] = batch[name].to_numpy(zero_copy_only=False)
    frame["declined"] = pc.equal(batch["result"], "Declined").to_numpy(zero_copy_only=False)
    return frame.groupby([*QUASI, *SENSITIVE], as_index=False, sort=False).size().rename(columns={"size": "count"})


def _read(io: FileIO, file: DataFile, columns: list[str] | None) -> Iterator[pa.RecordBatch]:
    with io.new_input(file.file_path).open() as stream:
        yield from pq.ParquetFile(stream).iter_batches(batch_size=READ_ROWS, columns=columns)


def _name(table: IcebergTable, file: DataFile) -> str:
    return file.file_path.removeprefix(table.location().rstrip("/") + "/")


@dataclass(frozen=True)
class Proof:
    """Every object that remains was read: how many, and those that still hold one of the tokens."""

    read: int
    holding: tuple[str, ...]


def prove_absence(*, lake: Lake, tokens: Collection[str]) -> Proof:
    """Read every object and version under the verified table and look for the tokens.

    Data files are decoded; everything else is searched as bytes, which the table's metadata is written for.
    """
    objects = lake.storage.objects()
    wanted = pa.array(sorted(tokens), pa.string())
    present = list(objects.versions(lake.location(VERIFIED)))
    found = [each.url for each in present if _holds(objects.read(each), each, wanted)]
    return Proof(len(present), tuple(found))


def _holds(body: bytes, stored: StoredObject, wanted: pa.Array) -> bool:
    if not stored.url.endswith(".parquet"):
        return any(token.encode() in body for token in wanted.to_pylist())
    if stored.is_marker:
        return False
    file = pq.ParquetFile(pa.BufferReader(body))
    return any(
        bool(pc.any(pc.is_in(batch[TOKEN], value_set=wanted)).as_py())
        for batch in file.iter_batches(batch_size=READ_ROWS, columns=[TOKEN])
    )
