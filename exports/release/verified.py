"""The verified tier: real rows of marked passes of a closed day, for approved organisations.

    open -> classes -> index -> write -> announce

Rows stream from PostgreSQL into Parquet, so memory does not grow with the day. The erasure index is committed before
the files, so every visible row can be erased. Tokens are derived from a random key of the day: a resumed step computes
the same ones, and once the key is deleted they cannot be linked to passes. Erasures wait meanwhile.
"""

import datetime as dt
import logging
import secrets
from collections.abc import Iterable, Iterator
from typing import Any, Final

import numpy as np
import pandas as pd
import psycopg
import pyarrow as pa
import pyarrow.csv
from django.db import connection, transaction
from pyiceberg.manifest import DataFile

from common import audit
from common.crypto import decrypt, encrypt
from common.logs import kind_of
from exports import conf
from exports.dataset.tables import ANSWERS, VERIFIED, states_by_zip3
from exports.hashes import index_hash
from exports.lake.catalogue import Lake
from exports.lake.deployment import deployment_lake
from exports.lake.rewrite import was_committed
from exports.lake.write import folder_of, overwrite_day, rows_a_file
from exports.locks import VERIFIED_TIER, holding
from exports.models import Release, Step, VerifiedDay, VerifiedFile
from exports.policy.domain import Axis, workloads
from exports.policy.verified import LADDER, QUASI, SENSITIVE, generalise_by_zip
from exports.policy.verified_rows import CODES, QUASI_AXES, RowMaker, token
from exports.reads import make_rows
from exports.release.counts import rows_may_be_gone
from exports.release.risklevels import levels_on
from exports.release.thresholds import class_policy
from exports.selectors import VERIFIED_TRIES, covered_days

log = logging.getLogger(__name__)

PURPOSE: Final = "verified tokens"
KEY_BYTES: Final = 32
# Bytes read from PostgreSQL at a time; a row takes about 150.
BLOCK_BYTES: Final = 8 << 20
# Combinations whose classes are decided at a time; one takes about 500 bytes. Fewer ZIPs at a time are slower.
PART_ROWS: Final = 50_000
DONE: Final = VerifiedDay.Step.ANNOUNCED


class RowsGoneError(Exception):
    """Rows of a day may be purged by now, so the rest would be published as if it were complete."""

    def __init__(self) -> None:
        super().__init__("rows were past their term before they could be published; nothing is published")


def publish_waiting(*, now: dt.datetime, again: dt.date | None = None) -> list[VerifiedDay]:
    """Publish the verified rows of every waiting released day, oldest first; a failed day keeps waiting.

    After `VERIFIED_TRIES` failures, a day waits until an operator names it in `again`. A day that was not started while
    its rows existed, for example because of a restore, stays a gap.
    """
    if not conf.publishes_verified_rows():
        return []
    released = covered_days(Release.objects.filter(step=Step.ANNOUNCED).only("day", "days"))
    over = set(VerifiedDay.objects.filter(step=DONE).values_list("day", flat=True))
    given_up = set(VerifiedDay.objects.filter(tries__gte=VERIFIED_TRIES).values_list("day", flat=True)) - {again}
    begun = {*VerifiedDay.objects.values_list("day", flat=True), again}
    published = []
    for day in sorted(released - over - given_up):
        if day not in begun and rows_may_be_gone(day=day, now=now):
            continue
        try:
            published.append(publish_day(day=day, now=now))
        except Exception as error:
            log.exception("the verified rows of %s were not published", day)
            _fail(day, error)
    return published


def _fail(day: dt.date, error: Exception) -> None:
    """Record the failed step and only the kind of error, because its message might contain rows."""
    row = VerifiedDay.objects.filter(day=day).first()
    if row is not None:
        order = list(VerifiedDay.Step)
        step = order[order.index(VerifiedDay.Step(row.step)) + 1]
        row.failure = f"step {step}: {error if isinstance(error, RowsGoneError) else kind_of(error)}"
        row.save(update_fields=["failure"])


def publish_day(*, day: dt.date, now: dt.datetime) -> VerifiedDay:
    """Publish one day's verified rows, or resume at the step that failed."""
    with holding(VERIFIED_TIER):
        key = encrypt(PURPOSE, secrets.token_bytes(KEY_BYTES))
        row, _ = VerifiedDay.objects.get_or_create(day=day, defaults={"token_key": key})
        if row.step == DONE:
            return row
        row.tries += 1
        row.save(update_fields=["tries"])
        with deployment_lake() as lake:
            settle(lake=lake, row=row)
            if row.step == VerifiedDay.Step.OPENED:
                if rows_may_be_gone(day=day, now=now):
                    raise RowsGoneError
                _write(lake, row)
        _announce(row, now)
    return row


def settle(*, lake: Lake, row: VerifiedDay) -> None:
    """Settle a day that was interrupted between index and commit: mark it written, or delete its index."""
    if row.step != VerifiedDay.Step.INDEXED:
        return
    if was_committed(lake=lake, job=row.job):
        row.step = VerifiedDay.Step.WRITTEN
    else:
        VerifiedFile.objects.filter(day=row.day).delete()
        row.step = VerifiedDay.Step.OPENED
    row.save(update_fields=["step"])


@transaction.atomic
def _announce(row: VerifiedDay, now: dt.datetime) -> None:
    row.step, row.token_key, row.announced_at, row.failure = DONE, None, now, ""
    row.save()
    audit.record(actor="system", verb="verified.published", subject=row.day.isoformat(), rows=row.rows, now=now)


# Writing --------------------------------------------------------------------------------------------------------------
def _write(lake: Lake, row: VerifiedDay) -> None:
    """Decide the classes, stream the rows and commit them; each step reads the temporary table of the day."""
    zips = ("", *sorted(states_by_zip3()))
    levels = levels_on(day=row.day, zip3=zips).by_zip3
    axes = {axis.name: axis for table in workloads(zip3=zips[1:], readings=True) for axis in table.axes}
    key = decrypt(PURPOSE, bytes(row.token_key or b""))
    with transaction.atomic(), connection.cursor() as cursor:
        make_rows(cursor, day=row.day, levels=levels, salt=secrets.token_bytes(KEY_BYTES))
        row.rows, row.dropped = _classify(cursor, axes)
        maker = RowMaker(row.day, axes, levels)
        with _Index(row) as index:
            overwrite_day(
                lake=lake,
                described=VERIFIED,
                day=row.day,
                batches=lambda: index.entered(_stream(cursor) if row.rows else iter(()), maker, key),
                job=row.job,
                before_commit=index.commit,
            )
    row.step = VerifiedDay.Step.WRITTEN
    row.save(update_fields=["step"])


_GROUPS: Final = ", ".join([*QUASI_AXES, *ANSWERS, "result"])
_CLASSES: Final = ", ".join(QUASI_AXES)


def _classify(cursor: Any, axes: dict[str, Axis]) -> tuple[int, int]:
    """Create the temporary table `verified_classes`, a step for each combination; return rows published and dropped."""
    cursor.execute("DROP TABLE IF EXISTS verified_groups, verified_classes")
    cursor.execute(
        f"CREATE TEMPORARY TABLE verified_groups ON COMMIT DROP AS SELECT {_GROUPS}, count(*) AS passes "  # noqa: S608
        f"FROM release_rows WHERE counted GROUP BY {_GROUPS}"
    )
    columns = ", ".join(f"{name} int" for name in QUASI_AXES)
    cursor.execute(f"CREATE TEMPORARY TABLE verified_classes ({columns}, step int) ON COMMIT DROP")
    cursor.execute("SELECT zip, count(*) FROM verified_groups GROUP BY zip ORDER BY zip")
    parts = _gathered(cursor.fetchall())
    policy, published, dropped = class_policy(), 0, 0
    codes = {name: {value: code for code, value in enumerate(axes[name].values)} for name in QUASI_AXES}
    for made in generalise_by_zip((_counts(cursor, axes, part) for part in parts), policy):
        published, dropped = published + made.published, made.dropped
        with cursor.copy(f"COPY verified_classes ({_CLASSES}, step) FROM STDIN") as copy:
            for combination, step in zip(made.classes.index, made.classes["step"], strict=True):
                texts = zip(QUASI_AXES, combination, strict=True)
                copy.write_row([*(codes[name][text] for name, text in texts), int(step)])
    return published, dropped


def _gathered(zips: Iterable[tuple[int, int]]) -> list[list[int]]:
    """Split ZIPs, given with their numbers of combinations, into parts of at least one ZIP that fit into memory."""
    parts: list[list[int]] = []
    held = PART_ROWS
    for place, combinations in zips:
        if held + combinations > PART_ROWS:
            parts.append([])
            held = 0
        parts[-1].append(place)
        held += combinations
    return parts


def _counts(cursor: Any, axes: dict[str, Axis], zips: list[int]) -> pd.DataFrame:
    """Return counts of these ZIPs in the format of `exports.policy.verified`."""
    cursor.execute(f"SELECT {_GROUPS}, passes FROM verified_groups WHERE zip = ANY(%s)", [zips])  # noqa: S608
    found = pd.DataFrame(cursor.fetchall(), columns=[*QUASI, *SENSITIVE, "count"])
    for quasi, name in zip(QUASI, QUASI_AXES, strict=True):
        found[quasi] = np.array(axes[name].values, dtype=object)[found[quasi].to_numpy()]
    for name in SENSITIVE:
        found[name] = found[name].astype(bool)
    return found


_ROWS: Final = f"""
    COPY (
      SELECT encode(tag, 'hex'), encode(owner_hash, 'hex'), step, {", ".join(CODES)}
      FROM release_rows JOIN verified_classes USING ({_CLASSES}) WHERE counted
      ORDER BY CASE WHEN step = {len(LADDER) - 1} THEN 0 ELSE zip END, place
    ) TO STDOUT (FORMAT csv)
"""  # noqa: S608


def _stream(cursor: Any) -> Iterator[pa.RecordBatch]:
    """Yield the day's rows as codes, in their published order.

    Arrow's own CSV stream would read 32 blocks ahead; this one reads only the next.
    """
    names = ["tag", "owner_hash", "step", *CODES]
    kinds = {name: pa.string() for name in names[:2]} | {name: pa.int64() for name in names[2:]}
    with cursor.copy(_ROWS) as copy:
        for block in _blocks(copy):
            yield from pyarrow.csv.read_csv(
                pa.BufferReader(block),
                read_options=pyarrow.csv.ReadOptions(column_names=names, block_size=len(block), use_threads=False),
                convert_options=pyarrow.csv.ConvertOptions(column_types=kinds),
            ).to_batches()


def _blocks(rows: Iterable[bytes | bytearray | memoryview]) -> Iterator[bytes]:
    """Join rows of a COPY, which libpq returns one by one, into blocks of `BLOCK_BYTES`."""
    waiting, size = [], 0
    for row in rows:
        waiting.append(bytes(row))
        size += len(waiting[-1])
        if size >= BLOCK_BYTES:
            yield b"".join(waiting)
            waiting, size = [], 0
    if waiting:
        yield b"".join(waiting)


class _Index:
    """The day's erasure index, written while rows are streamed: one transaction on a separate connection."""

    def __init__(self, row: VerifiedDay) -> None:
        self._row = row
        self._connection: psycopg.Connection[Any] | None = None
        self._names: list[str] = []
        self._in_file: list[int] = []

    def __enter__(self) -> "_Index":
        return self

    def __exit__(self, *_: object) -> None:
        if self._connection is not None:
            self._connection.close()  # without a commit, everything is rolled back

    def _begin(self) -> list[int]:
        """Replace the day's files in the index by new ones; return their ids."""
        self.__exit__()
        self._connection = psycopg.connect(conf.database_url())
        run, day = self._connection.execute, self._row.day
        run(
            "DELETE FROM exports_indexentry USING exports_verifiedfile AS file WHERE file_id = file.id AND day = %s",
            [day],
        )
        run("DELETE FROM exports_verifiedfile WHERE day = %s", [day])
        folder, files = folder_of(VERIFIED, day), -(-self._row.rows // rows_a_file(VERIFIED))
        self._names = [f"{folder}/{self._row.job}-{number:05d}.parquet" for number in range(files)]
        self._in_file = [0]
        insert = "INSERT INTO exports_verifiedfile (day, name) VALUES (%s, %s) RETURNING id"
        return [run(insert, [day, name]).fetchall()[0][0] for name in self._names]

    def entered(self, batches: Iterator[pa.RecordBatch], maker: RowMaker, key: bytes) -> Iterator[pa.RecordBatch]:
        """Yield the rows of these codes, and add each to the index under its future file."""
        files = self._begin()
        assert self._connection is not None  # noqa: S101 - begun
        statement = "COPY exports_indexentry (index_hash, file_id, token) FROM STDIN (FORMAT binary)"
        with self._connection.cursor() as cursor, cursor.copy(statement) as copy:
            copy.set_types(["bytea", "int8", "bytea"])
            for batch in batches:
                if self._in_file[-1] >= rows_a_file(VERIFIED):
                    self._in_file.append(0)
                file = files[len(self._in_file) - 1]
                tokens = [token(key, bytes.fromhex(tag)) for tag in batch["tag"].to_pylist()]
                for owner, made in zip(batch["owner_hash"].to_pylist(), tokens, strict=True):
                    copy.write_row((index_hash(bytes.fromhex(owner)), file, made))
                self._in_file[-1] += batch.num_rows
                codes = {name: batch[name].to_numpy() for name in CODES}
                yield maker.batch(codes, batch["step"].to_numpy(), [made.hex() for made in tokens])

    def commit(self, files: list[DataFile]) -> None:
        """Commit the index, just before the files; raise `LookupError` if it does not match them."""
        row, held = self._row, [(file.file_path.rsplit("/", 1)[-1], file.record_count) for file in files]
        entered = zip((name.rsplit("/", 1)[-1] for name in self._names), self._in_file, strict=False)
        if self._connection is None or held != list(entered) or sum(self._in_file) != row.rows:
            raise LookupError("the index does not match the files")
        run = self._connection.execute
        unused = "DELETE FROM exports_verifiedfile WHERE day = %s AND NOT name = ANY(%s)"
        run(unused, [row.day, self._names[: len(held)]])
        run(
            "UPDATE exports_verifiedday SET step = 'index', rows = %s, dropped = %s WHERE id = %s",
            [row.rows, row.dropped, row.pk],
        )
        self._connection.commit()
