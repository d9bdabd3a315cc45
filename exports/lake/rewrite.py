"""Remove verified rows: find them by their tokens, and rewrite the files that hold them.

A class that falls below its minimum size is removed too, because it could identify the people left in it.
"""

import datetime as dt
import os
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray
from pyiceberg.manifest import DataFile
from pyiceberg.table import Table as IcebergTable

from exports.dataset.tables import VERIFIED
from exports.lake.catalogue import Lake
from exports.lake.storage import StoredObject
from exports.lake.write import folder_of, replace_files, snapshot_of, write_groups
from exports.policy.verified import ANY, QUASI, SENSITIVE, ClassPolicy, holding

TOKEN: Final = "userid"  # noqa: S105 - the name of a column
# Columns of the verified table that carry `QUASI`, in its order.
QUASI_COLUMNS: Final = dict(
    zip(
        QUASI,
        ("scannerdevice_zipcode", "scandate", "readingtype", "accesslevel", "type_of_scan", "location_maxcapacity"),
        strict=True,
    )
)
CLASS_COLUMNS: Final = [*QUASI_COLUMNS.values(), *SENSITIVE[:4], "result"]
# Text columns with few values, dictionary-encoded in the files before and after a rewrite.
TEXTS: Final = [column.name for column in VERIFIED.columns if column.kind == "string" and column.name != TOKEN]
# Up to this many rows of a row group are cut out; beyond that, copying the rest is cheaper than handling more slices.
SLICES: Final = 256
READ_ROWS: Final = 65_536
Places = NDArray[np.int64]
_Given = TypeVar("_Given")
_Made = TypeVar("_Made")
_NO_CLASSES: Final = pd.DataFrame(columns=list(QUASI))
_NO_COUNTS: Final = pd.DataFrame(columns=[*QUASI, *SENSITIVE, "count"]).astype(
    dict.fromkeys(SENSITIVE, bool) | {"count": np.int64}
)


class NotFoundError(LookupError):
    """Rows of the index are missing from their files; `tokens` has their tokens."""

    def __init__(self, tokens: Collection[str]) -> None:
        super().__init__(f"{len(tokens)} rows are not where the index says")
        self.tokens = frozenset(tokens)


@dataclass(frozen=True)
class ObjectChange:
    """A rewritten data file: names under the table and numbers of rows, before and after.

    `renamed` is empty if no row is left. `tokens` has the requested ones that it held, `dropped` those of classes that
    fell below their minimum size.
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
    """The result of an erasure: rows of the holder, rows of classes that fell below `k`, and the objects with them."""

    rows: int
    dropped: int
    objects: tuple[ObjectChange, ...]


def _nothing(_: Erased) -> None:
    """Do nothing before the commit."""


def was_committed(*, lake: Lake, job: str) -> bool:
    """Return whether a job's commit is in the table's history, which is kept until a sweep after the next commit."""
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

    `files` are names under the table; if given, only they are searched. `before_commit` gets the planned result and may
    raise to stop the job. Raise `NotFoundError` if a token of a day is in no file of that day. A job that was
    committed before does nothing; its result then has no objects.
    """
    with lake.writing(VERIFIED):
        table = lake.table(VERIFIED)
        if done := snapshot_of(table, job):
            counts = done.summary.additional_properties if done.summary else {}
            return Erased(int(counts.get("crowdtrace.rows", 0)), int(counts.get("crowdtrace.dropped", 0)), ())
        days = [_Day(table, day, frozenset(wanted), policy, files) for day, wanted in sorted(tokens.items())]
        missing = [token for day in days for token in day.missing]
        if missing:
            raise NotFoundError(missing)
        affected = [
            (file, f"{job}-{number:04d}-{place:04d}")
            for number, day in enumerate(days)
            for place, file in enumerate(day.affected())
        ]
        written = _at_once(lambda each: _rewrite(table, *each), affected)
        changes = tuple(change for change, _ in written)
        rows = sum(len(change.tokens) for change in changes)
        erased = Erased(rows, sum(len(change.dropped) for change in changes), changes)
        before_commit(erased)
        if changes:
            old, new = [file.file for file, _ in affected], [file for _, kept in written for file in kept]
            replace_files(table, old, new, job=job, rows=str(rows), dropped=str(erased.dropped))
    return erased


def _at_once(work: Callable[[_Given], _Made], given: Iterable[_Given]) -> list[_Made]:
    """Do the work on each item in threads: Arrow reads, compresses and writes without Python's lock."""
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        return list(pool.map(work, given))


# Finding --------------------------------------------------------------------------------------------------------------
class _File:
    """A data file and which of its rows to remove, by row group."""

    def __init__(self, table: IcebergTable, day: dt.date, file: DataFile) -> None:
        self.day, self.file, self.name, self._io = day, file, name_of(table, file), table.io
        self.asked: dict[int, Places] = {}
        self.lost: dict[int, Places] = {}
        self.tokens: frozenset[str] = frozenset()
        self.dropped: frozenset[str] = frozenset()

    @contextmanager
    def opened(self) -> Iterator[pq.ParquetFile]:
        """Open the file; texts are read as dictionaries, as they are stored."""
        with self._io.new_input(self.file.file_path).open() as stream:
            yield pq.ParquetFile(stream, read_dictionary=TEXTS)

    def search(self, wanted: pa.Array) -> None:
        """Mark the rows with these tokens; only the column of tokens is read."""
        found: set[str] = set()
        with self.opened() as parquet:
            for number in range(parquet.num_row_groups):
                tokens = parquet.read_row_group(number, columns=[TOKEN])[TOKEN]
                rows = np.flatnonzero(pc.is_in(tokens, value_set=wanted))
                if rows.size:
                    self.asked[number] = rows
                    found.update(tokens.take(rows).to_pylist())
        self.tokens = frozenset(found)

    def touched(self) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Return, for row groups with a requested token, the classes that lose rows and the counts that remain."""
        losing, left = [_NO_CLASSES], [_NO_COUNTS]
        with self.opened() as parquet:
            for number, rows in self.asked.items():
                group = parquet.read_row_group(number, columns=CLASS_COLUMNS)
                of_row, classes = _classes(group)
                losing.append(classes.iloc[np.unique(of_row[rows])])
                left.append(_counted(group, np.delete(np.arange(group.num_rows), rows), of_row, classes))
        return pd.concat(losing), pd.concat(left)

    def counted(self, zips: Collection[str]) -> pd.DataFrame:
        """Return counts of the other row groups that may hold one of these ZIPs."""
        left = [_NO_COUNTS]
        with self.opened() as parquet:
            for number in range(parquet.num_row_groups):
                if number not in self.asked and _may_hold(parquet, number, zips):
                    group = parquet.read_row_group(number, columns=CLASS_COLUMNS)
                    left.append(_counted(group, np.arange(group.num_rows), *_classes(group)))
        return pd.concat(left)

    def lose(self, lost: pd.MultiIndex) -> None:
        """Mark the rows of these classes."""
        zips, dropped = set(lost.get_level_values(QUASI[0])), set()
        with self.opened() as parquet:
            for number in range(parquet.num_row_groups):
                if not _may_hold(parquet, number, zips):
                    continue
                group = parquet.read_row_group(number, columns=[*CLASS_COLUMNS, TOKEN])
                of_row, classes = _classes(group)
                goes = np.asarray(pd.MultiIndex.from_frame(classes).isin(lost))[of_row]
                goes[self.asked.get(number, [])] = False
                rows = np.flatnonzero(goes)
                if rows.size:
                    self.lost[number] = rows
                    dropped.update(group[TOKEN].take(rows).to_pylist())
        self.dropped = frozenset(dropped)

    def kept(self) -> Iterator[pa.Table]:
        """Yield the remaining rows, row group by row group, in their order."""
        nothing = np.array([], dtype=np.int64)
        with self.opened() as parquet:
            for number in range(parquet.num_row_groups):
                rows = np.union1d(self.asked.get(number, nothing), self.lost.get(number, nothing))
                group = parquet.read_row_group(number)
                yield _without(group, rows) if rows.size else group


class _Day:
    """One day of the table: its files, the rows to remove, and the classes removed with them."""

    def __init__(
        self,
        table: IcebergTable,
        date: dt.date,
        tokens: frozenset[str],
        policy: ClassPolicy,
        files: Collection[str] | None,
    ) -> None:
        scan = table.scan(row_filter=f"{VERIFIED.partition} == '{date.isoformat()}'")
        self._files = [_File(table, date, task.file) for task in scan.plan_files()]
        named = [file for file in self._files if files is None or file.name in files]
        wanted = pa.array(sorted(tokens), pa.string())
        _at_once(lambda file: file.search(wanted), named)
        found: frozenset[str] = frozenset().union(*(file.tokens for file in named))
        self.missing = sorted(tokens - found)
        if not self.missing:
            lost = self._lost_classes(policy)
            if not lost.empty:
                _at_once(lambda file: file.lose(lost), self._files)

    def _lost_classes(self, policy: ClassPolicy) -> pd.MultiIndex:
        """Return the classes that lost rows and no longer meet the policy."""
        losing, left = zip(*_at_once(_File.touched, [file for file in self._files if file.asked]), strict=True)
        touched = pd.MultiIndex.from_frame(pd.concat(losing).drop_duplicates())
        zips = set(touched.get_level_values(QUASI[0]))
        parts = pd.concat([*left, *_at_once(lambda file: file.counted(zips), self._files)])
        parts = parts[pd.MultiIndex.from_frame(parts[list(QUASI)]).isin(touched)]
        whole: Any = parts.groupby([*QUASI, *SENSITIVE], as_index=False, sort=False)["count"].sum()
        classes = pd.MultiIndex.from_frame(whole[list(QUASI)].drop_duplicates())
        return classes.difference(holding(whole, policy, least=policy.k), sort=False)

    def affected(self) -> Iterator[_File]:
        """Return the files to rewrite."""
        return (file for file in self._files if file.asked or file.lost)


def _may_hold(parquet: pq.ParquetFile, number: int, zips: Collection[str]) -> bool:
    """Return whether a row group may hold rows of these ZIPs, by its statistics: rows are sorted by ZIP."""
    place = parquet.schema.names.index(QUASI_COLUMNS["zip"])
    known = parquet.metadata.row_group(number).column(place).statistics
    return known is None or not known.has_min_max or any(known.min <= each <= known.max for each in zips)


def _classes(group: pa.Table) -> tuple[NDArray[np.int64], pd.DataFrame]:
    """Return the class of each row, as its position in a frame of classes, whose columns are `QUASI`.

    Values become codes and the codes of a row one number, so that rows are compared without building their texts.
    """
    coded, whole = [], np.zeros(group.num_rows, dtype=np.int64)
    for column in QUASI_COLUMNS.values():
        values = group[column].combine_chunks()
        texts = values if pa.types.is_dictionary(values.type) else values.dictionary_encode()
        known = [*texts.dictionary.cast(pa.string()).to_pylist(), ANY]
        codes = texts.indices.fill_null(len(known) - 1).to_numpy()
        coded.append(np.array(known, dtype=object))
        whole = whole * len(known) + codes
    numbered = pa.array(whole).dictionary_encode()
    rest, frame = numbered.dictionary.to_numpy(), {}
    for name, known in zip(reversed(QUASI), reversed(coded), strict=True):
        rest, codes = np.divmod(rest, len(known))
        frame[name] = known[codes]
    return numbered.indices.to_numpy(), pd.DataFrame(frame, columns=list(QUASI))


def _counted(
    group: pa.Table, rows: NDArray[np.int64], of_row: NDArray[np.int64], classes: pd.DataFrame
) -> pd.DataFrame:
    """Count these rows by class and `SENSITIVE`."""
    yes = [*(group[name] for name in SENSITIVE[:4]), pc.equal(group["result"].cast(pa.string()), "Declined")]
    patterns = sum(np.asarray(column).astype(np.int64) << place for place, column in enumerate(yes))
    counts = np.bincount(((of_row << len(yes)) + patterns)[rows], minlength=len(classes) << len(yes))
    there = np.flatnonzero(counts)
    found = classes.iloc[there >> len(yes)].reset_index(drop=True)
    return found.assign(
        **{name: (there >> place & 1).astype(bool) for place, name in enumerate(SENSITIVE)}, count=counts[there]
    )


# Rewriting ------------------------------------------------------------------------------------------------------------
def _rewrite(table: IcebergTable, file: _File, job: str) -> tuple[ObjectChange, list[DataFile]]:
    """Write the remaining rows of a file to a new one."""
    kept = write_groups(table, file.kept(), folder=folder_of(VERIFIED, file.day), job=job)
    change = ObjectChange(
        day=file.day,
        name=file.name,
        before=file.file.record_count,
        after=sum(each.record_count for each in kept),
        renamed=name_of(table, kept[0]) if kept else "",
        tokens=file.tokens,
        dropped=file.dropped,
    )
    return change, kept


def _without(group: pa.Table, rows: NDArray[np.int64]) -> pa.Table:
    """Return a row group without these rows, and without dictionary entries that only they used."""
    if len(rows) > SLICES:
        stays = np.ones(group.num_rows, dtype=bool)
        stays[rows] = False
        left = group.filter(pa.array(stays))
    else:
        starts, ends = [0, *(rows + 1)], [*rows, group.num_rows]
        left = pa.concat_tables([group.slice(start, end - start) for start, end in zip(starts, ends, strict=True)])
    for place, field_ in enumerate(left.schema):
        if pa.types.is_dictionary(field_.type):
            left = left.set_column(place, field_, _compacted(left.column(place).combine_chunks()))
    return left


def _compacted(texts: pa.DictionaryArray) -> pa.DictionaryArray:
    """Return the same texts with a dictionary of only those that occur, because the file gets the whole dictionary."""
    used = np.bincount(texts.indices.drop_null().to_numpy(), minlength=len(texts.dictionary))
    return texts if used.all() else texts.cast(pa.string()).dictionary_encode()


def name_of(table: IcebergTable, file: DataFile) -> str:
    """Return a data file's name under its table."""
    return file.file_path.removeprefix(table.location().rstrip("/") + "/")


@dataclass(frozen=True)
class Proof:
    """The result of reading every remaining object: their number, and those that still hold one of the tokens."""

    read: int
    holding: tuple[str, ...]


def prove_absence(*, lake: Lake, tokens: Collection[str]) -> Proof:
    """Read every object and version under the verified table and search it for the tokens.

    Data files are decoded; everything else is searched as bytes, since the table's metadata is stored uncompressed.
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
