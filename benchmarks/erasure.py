"""Measure how long erasure from the verified tier takes, compared with the naive way in the same run.

    python -m benchmarks.erasure [--rows 10000000] [--days 10] [--holders 1 1000]

Ours knows from the index which file holds a row (one look-up by primary key per holder, not included in these figures),
checks whether the row's class is still large enough, and rewrites that file. The other two have no index and check no
class: they read the tokens of every file of every day, and rewrite the files with a match. The naive way does so in
Arrow, the best that its interface allows, and writes as ours does. The peer, S3 Find and Forget, passes each row group
through pandas (`delete_from_table` in its `parquet_handler.py`; its search, a query by Athena, reads the same as the
naive way here). All are given in CPU seconds of this process and in elapsed seconds. Then follows what only ours does:
the sweep of everything unreachable, and the proof that reads every remaining object.
"""

import argparse
import datetime as dt
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from benchmarks.homes import measuring_home
from exports import conf
from exports.dataset.engines import arrow_schema
from exports.dataset.tables import VERIFIED
from exports.lake.catalogue import Lake
from exports.lake.rewrite import erase_rows, name_of, prove_absence
from exports.lake.storage import Storage
from exports.lake.sweep import sweep
from exports.lake.write import overwrite_day, replace_files, write_files
from exports.policy.verified import ClassPolicy

FIRST = dt.date(2020, 10, 1)
BATCH = 65_536
Tokens = Mapping[dt.date, list[str]]


def batches(day: dt.date, rows: int, rng: np.random.Generator) -> Iterator[pa.RecordBatch]:
    """Yield the rows of one day in classes of a few thousand, with random tokens."""
    schema = arrow_schema(VERIFIED)
    for start in range(0, rows, BATCH):
        count = min(BATCH, rows - start)
        raw = rng.bytes(16 * count).hex()
        made = {
            "scandate": pa.array(np.array([f"{day}T{hour:02d}:30:00.000Z" for hour in (3, 9, 15, 21)])).take(
                pa.array(rng.integers(0, 4, count))
            ),
            "scannerdevice_zipcode": pa.repeat(f"{100 + start * 90 // max(rows, 1)}00", count),
            "userid": pa.array([raw[at : at + 32] for at in range(0, 32 * count, 32)]),
            "type_of_scan": pa.array(["Checkin", "Checkout"]).take(pa.array(rng.integers(0, 2, count))),
            "accesslevel": pa.repeat("Public", count),
            "readingtype": pa.repeat("Gate", count),
            "risklevel": pa.repeat("Low", count),
            "result": pa.array(["Approved", "Declined"]).take(pa.array((rng.random(count) < 0.05).astype(int))),
            "duration": pa.array(rng.integers(5, 90, count)),
            "scan_date": pa.repeat(pa.scalar(day, pa.date32()), count),
        }
        made |= {name: pa.array(rng.random(count) < 0.05) for name in ("symptoms", "diagnosed", "contact", "near")}
        columns = [
            made[field.name].cast(field.type) if field.name in made else pa.nulls(count, field.type) for field in schema
        ]
        yield pa.RecordBatch.from_arrays(columns, schema=schema)


def chosen(lake: Lake, holders: int, rng: np.random.Generator) -> tuple[Tokens, set[str]]:
    """Return tokens of random rows by day, and the files that hold them: what the index would return."""
    table = lake.table(VERIFIED)
    tasks = list(table.scan().plan_files())
    tokens: dict[dt.date, list[str]] = {}
    files = set()
    for place in rng.integers(0, len(tasks), holders):
        file = tasks[place].file
        parquet = pq.ParquetFile(file.file_path.removeprefix("file://"))
        number = int(rng.integers(0, parquet.num_row_groups))
        group = parquet.read_row_group(number, columns=["userid", "scan_date"])
        row = int(rng.integers(0, group.num_rows))
        tokens.setdefault(group["scan_date"][row].as_py(), []).append(group["userid"][row].as_py())
        files.add(name_of(table, file))
    return {day: sorted(set(found)) for day, found in tokens.items()}, files


Rewritten = Callable[[pq.ParquetFile, pa.Array], Iterator[pa.RecordBatch]]


def in_arrow(parquet: pq.ParquetFile, wanted: pa.Array) -> Iterator[pa.RecordBatch]:
    """Yield the remaining rows, by a mask."""
    for batch in parquet.iter_batches(batch_size=BATCH):
        yield batch.filter(pc.invert(pc.is_in(batch["userid"], wanted)))


def in_pandas(parquet: pq.ParquetFile, wanted: pa.Array) -> Iterator[pa.RecordBatch]:
    """Yield the remaining rows, each row group through a pandas frame."""
    tokens = wanted.to_pylist()
    for number in range(parquet.num_row_groups):
        group = parquet.read_row_group(number)
        frame = group.to_pandas()
        left = pa.Table.from_pandas(frame[~frame["userid"].isin(tokens)], schema=group.schema, preserve_index=False)
        yield from left.to_batches()


def scan_and_rewrite(lake: Lake, tokens: Tokens, job: str, rewritten: Rewritten) -> None:
    """Find rows by reading all tokens of all files; forget them by rewriting the files with a match."""
    table = lake.table(VERIFIED)
    wanted = pa.array(sorted(token for found in tokens.values() for token in found))
    old, new = [], []
    for number, task in enumerate(table.scan().plan_files()):
        path = task.file.file_path.removeprefix("file://")
        if not pc.any(pc.is_in(pq.read_table(path, columns=["userid"], partitioning=None)["userid"], wanted)).as_py():
            continue
        kept = rewritten(pq.ParquetFile(path), wanted)
        old.append(task.file)
        new.extend(write_files(table, kept, folder=f"data/{job}", job=f"{job}-{number}", file_rows=1 << 40))
    replace_files(table, old, new, job=job)


def without_index(lake: Lake, holders: int, rng: np.random.Generator, rewritten: Rewritten) -> str:
    """Erase random holders without an index, and return how long it took."""
    tokens, _ = chosen(lake, holders, rng)
    took = timed(partial(scan_and_rewrite, lake, tokens, f"{rewritten.__name__}-{holders}", rewritten))
    sweep(lake=lake, described=VERIFIED)
    return took


def timed(work: Callable[[], object]) -> str:
    """Return CPU seconds and elapsed seconds."""
    cpu, clock = time.process_time(), time.perf_counter()
    work()
    return f"{time.process_time() - cpu:.1f} s CPU, {time.perf_counter() - clock:.1f} s"


def measure(lake: Lake, holders: int, rng: np.random.Generator) -> None:
    """Erase random holders by the index, then as many others in each of the other ways, and print all."""
    tokens, files = chosen(lake, holders, rng)
    ours = timed(
        partial(erase_rows, lake=lake, tokens=tokens, job=f"ours-{holders}", policy=ClassPolicy(), files=files)
    )
    gone = [token for found in tokens.values() for token in found]
    swept = timed(partial(sweep, lake=lake, described=VERIFIED))
    proven = timed(partial(prove_absence, lake=lake, tokens=gone))
    print(f"{holders:,} holders: find and forget {ours}; sweep {swept}; proof {proven}")
    print(f"  naive, in Arrow: {without_index(lake, holders, rng, in_arrow)}", flush=True)
    print(f"  as the peer, through pandas: {without_index(lake, holders, rng, in_pandas)}", flush=True)


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--days", type=int, default=10)
    parser.add_argument("--holders", type=int, nargs="+", default=[1, 1000])
    options = parser.parse_args(arguments)
    rng = np.random.default_rng(1)
    with tempfile.TemporaryDirectory() as folder, measuring_home():
        storage = Storage((Path(folder) / "lake").as_uri())
        with Lake.in_postgres(url=conf.catalogue_url(), storage=storage, database="covid-19") as lake:
            lake.prepare()
            for number in range(options.days):
                day = FIRST + dt.timedelta(days=number)
                rows = partial(batches, day, options.rows // options.days, rng)
                overwrite_day(lake=lake, described=VERIFIED, day=day, batches=rows, job=f"v-{day}")
            print(f"{options.rows:,} rows in {options.days} days", flush=True)
            for holders in options.holders:
                measure(lake, holders, rng)
    return 0


if __name__ == "__main__":
    sys.exit(main())
