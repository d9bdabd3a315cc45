"""Removing rows of the verified tier: found by their tokens, removed by rewriting the files that hold them.

A class that falls below its least size goes with them: a class too small would point at those who are left.
"""

import datetime as dt
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

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
    """Rows that the index names are not where it says: `tokens`."""

    def __init__(self, tokens: Collection[str]) -> None:
        super().__init__(f"{len(tokens)} rows are not where the index says")
        self.tokens = frozenset(tokens)


@dataclass(frozen=True)
class ObjectChange:
    """A data file that is rewritten: names under the table and rows, before and after.

    `renamed` is empty where nothing is left. `tokens` are those asked for that it held, `dropped` those of classes
    that fell below their least size.
    """

    day: dt.date
    name: str
    before: int
    after: int
    renamed: str
    tokens: frozenset[str] = field(repr=False)
    dropped: frozenset[str] = field(repr=False)


@dataclass(frozen=True)
class Erased:
    """What an erasure did: rows of the holder, rows of classes that fell below `k`, the objects that held them."""

    rows: int
    dropped: int
    objects: tuple[ObjectChange, ...]


def _nothing(_: Erased) -> None:
    """Nobody wants to know."""


def was_committed(*, lake: Lake, job: str) -> bool:
    """Whether a job's commit is in the table; it is until a sweep after the next commit."""
    return snapshot_of(lake.table(VERIFIED), job) is not None


def erase_rows(
    *,
    lake: Lake,
    tokens: Mapping[dt.date, Collection[str]],
    job: str,
    policy: ClassPolicy,
    files: Collection[str] | None = None,
    before_commit: Callable[[Erased], None] = _nothing,
) -> Erased:
    """Remove the rows with these tokens, day by day, in one commit.

    `files` are names under the table: where given, tokens are looked for in no others. `before_commit` is told what is
    about to happen; what it raises stops it. Raises `NotFoundError` where a token of a day is in no file of that day.
    A job that was committed before does nothing; its answer then has no objects.
    """
    with lake.writing(VERIFIED):
        table = lake.table(VERIFIED)
        if done := snapshot_of(table, job):
            counts = done.summary.additional_properties if done.summary else {}
            return Erased(int(counts.get("crowdtrace.rows", 0)), int(counts.get("crowdtrace.dropped", 0)), ())
        old: list[DataFile] = []
        new: list[DataFile] = []
        changes: list[ObjectChange] = []
        days = [_Day(table, day, frozenset(wanted), policy, files) for day, wanted in sorted(tokens.items())]
        missing = [token for day in days for token in day.missing]
        if missing:
            raise NotFoundError(missing)
        for number, day in enumerate(days):
            for place, file in enumerate(day.affected()):
                dropped: set[str] = set()
                kept = write_files(
                    table,
                    day.kept(file, dropped),
                    folder=f"data/{VERIFIED.partition}={day.date.isoformat()}",
                    job=f"{job}-{number:04d}-{place:04d}",
                    file_rows=file.record_count,
                )
                old.append(file)
                new.extend(kept)
                changes.append(_change(table, day, file, kept, dropped))
        rows = sum(len(change.tokens) for change in changes)
        erased = Erased(rows, sum(len(change.dropped) for change in changes), tuple(changes))
        before_commit(erased)
        if old:
            replace_files(table, old, new, job=job, rows=str(rows), dropped=str(erased.dropped))
    return erased


def _change(table: IcebergTable, day: "_Day", file: DataFile, kept: list[DataFile], dropped: set[str]) -> ObjectChange:
    return ObjectChange(
        day=day.date,
        name=name_of(table, file),
        before=file.record_count,
        after=sum(each.record_count for each in kept),
        renamed=name_of(table, kept[0]) if kept else "",
        tokens=day.held_by(file),
        dropped=frozenset(dropped),
    )


class _Day:
    """One day of the table while it is searched: its files, which rows go and which classes go with them."""

    def __init__(
        self,
        table: IcebergTable,
        date: dt.date,
        tokens: frozenset[str],
        policy: ClassPolicy,
        files: Collection[str] | None,
    ) -> None:
        self.date = date
        self._io, self._policy = table.io, policy
        scan = table.scan(row_filter=f"{VERIFIED.partition} == '{date.isoformat()}'")
        self._files = [task.file for task in scan.plan_files()]
        self._wanted = pa.array(sorted(tokens), pa.string())
        self._held = {
            file.file_path: self._search(file) for file in self._files if files is None or name_of(table, file) in files
        }
        found: frozenset[str] = frozenset().union(*self._held.values())
        self.missing = sorted(tokens - found)
        self._lost = pd.MultiIndex.from_frame(pd.DataFrame(columns=list(QUASI)))
        if not self.missing:
            self._lost = self._lost_classes()

    def _search(self, file: DataFile) -> frozenset[str]:
        return frozenset(
            token
            for batch in _read(self._io, file, [TOKEN])
            for token in batch[TOKEN].filter(self._goes(batch)).to_pylist()
        )

    def held_by(self, file: DataFile) -> frozenset[str]:
        """The tokens asked for that a file holds."""
        return self._held.get(file.file_path, frozenset())

    def _goes(self, batch: pa.RecordBatch) -> pa.BooleanArray:
        return pc.is_in(batch[TOKEN], value_set=self._wanted)

    def _lost_classes(self) -> pd.MultiIndex:
        """Classes of the day that no longer hold once the rows are gone."""
        parts = pd.concat([_counted(batch) for file in self._files for batch in self._left(file)], ignore_index=True)
        left: Any = parts.groupby([*QUASI, *SENSITIVE], as_index=False, sort=False)["count"].sum()
        classes = pd.MultiIndex.from_frame(left[list(QUASI)].drop_duplicates())
        return classes.difference(holding(left, self._policy, least=self._policy.k), sort=False)

    def _left(self, file: DataFile) -> Iterator[pa.RecordBatch]:
        """What classes are made of, without the rows that go; tokens are read only where there are some."""
        if not self.held_by(file):
            yield from _read(self._io, file, _class_columns())
            return
        for batch in _read(self._io, file, [*_class_columns(), TOKEN]):
            yield batch.filter(pc.invert(self._goes(batch)))

    def affected(self) -> Iterator[DataFile]:
        """Files to rewrite."""
        for file in self._files:
            if self.held_by(file) or self._has_lost(file):
                yield file

    def _has_lost(self, file: DataFile) -> bool:
        return not self._lost.empty and any(
            self._in_lost(batch).any() for batch in _read(self._io, file, _class_columns())
        )

    def _in_lost(self, batch: pa.RecordBatch) -> np.ndarray:
        if self._lost.empty:
            return np.zeros(batch.num_rows, dtype=bool)
        return np.asarray(pd.MultiIndex.from_frame(_quasi(batch)).isin(self._lost))

    def kept(self, file: DataFile, dropped: set[str]) -> Iterator[pa.RecordBatch]:
        """The rows of a file that stay, in their order; tokens that go with their class are added to `dropped`."""
        for batch in _read(self._io, file, None):
            left = batch.filter(pc.invert(self._goes(batch)))
            lost = pa.array(self._in_lost(left))
            dropped.update(left[TOKEN].filter(lost).to_pylist())
            yield left.filter(pc.invert(lost))


def _class_columns() -> list[str]:
    return [*QUASI_COLUMNS.values(), *SENSITIVE[:4], "result"]


def _quasi(batch: pa.RecordBatch) -> pd.DataFrame:
    return pd.DataFrame(
        {name: batch[column].cast(pa.string()).fill_null("").to_pandas() for name, column in QUASI_COLUMNS.items()}
    )


def _counted(batch: pa.RecordBatch) -> pd.DataFrame:
    columns = {name: batch[column].cast(pa.string()).fill_null("") for name, column in QUASI_COLUMNS.items()}
    columns |= {name: batch[name] for name in SENSITIVE[:4]} | {"declined": pc.equal(batch["result"], "Declined")}
    groups = pa.table(columns).group_by([*QUASI, *SENSITIVE]).aggregate([([], "count_all")])
    return groups.to_pandas().rename(columns={"count_all": "count"})


def _read(io: FileIO, file: DataFile, columns: list[str] | None) -> Iterator[pa.RecordBatch]:
    with io.new_input(file.file_path).open() as stream:
        yield from pq.ParquetFile(stream).iter_batches(batch_size=READ_ROWS, columns=columns)


def name_of(table: IcebergTable, file: DataFile) -> str:
    """A data file's name under its table."""
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
