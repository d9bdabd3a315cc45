"""Measure the published queries on released days, through the engine's process, and what a release costs.

    python -m benchmarks.queries [--rows 1000000] [--days 1] [--repeat 1]

It writes `days` releases of `rows` simulated scans each into a lake and runs both published queries, unchanged, three
times each, like a server, with a process that waits for the next query; only the very first query has to start one.
With `--repeat`, each data file is listed that many times, which costs a reader as much as other files of that size. The
peak of memory is that of this process: draw, fit, deal and write. Bytes per row are those of the columns that a query
names, as Athena would scan and bill them.
"""

import argparse
import datetime as dt
import re
import resource
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as pq

from benchmarks.days import simulated_day
from benchmarks.homes import measuring_home
from exports import conf
from exports.dataset.engines import lookup_rows
from exports.dataset.tables import CROWD_TRACING, DP_COUNTS, ZIP3, states_by_zip3
from exports.engine.engine import Engine, Source
from exports.engine.limits import Limits
from exports.engine.sources import open_sources
from exports.lake.catalogue import Lake
from exports.lake.storage import Storage, local_path
from exports.lake.write import overwrite_day, overwrite_table
from exports.policy.domain import workloads
from exports.policy.draw import draw
from exports.policy.fit import fit
from exports.policy.noise import Counts
from exports.policy.rows import deal, dp_counts

# The last day is the one that the query by state reads; up to 15 days lie in the span of the daily one.
LAST = dt.date(2020, 10, 15)
# Seconds between two queries: people take longer. Meanwhile, the process for the next query loads its libraries.
PAUSE_S = 2.0
QUERIES = Path(__file__).parents[1] / "exports" / "queries"


def counts(rows: int) -> dict[str, Counts]:
    """Return exact counts of a simulated day; its rows are freed when this returns."""
    return simulated_day(rows=rows, seed=1).exact(workloads(zip3=tuple(states_by_zip3()), readings=True))


def release(lake: Lake, day: dt.date, exact: dict[str, Counts]) -> float:
    """Return the seconds from exact counts to committed files."""
    started = time.perf_counter()
    tables = workloads(zip3=tuple(states_by_zip3()), readings=True)
    drawn = draw(day=day, counts=exact, tables=tables, budget=1.0)
    fitted = fit(drawn)
    rows, noisy = deal(drawn, fitted), dp_counts(drawn, fitted)
    overwrite_day(lake=lake, described=DP_COUNTS, day=day, batches=noisy.to_batches, job=f"release-{day}")
    overwrite_day(lake=lake, described=CROWD_TRACING, day=day, batches=rows.batches, job=f"release-{day}")
    return time.perf_counter() - started


def bytes_a_row(sources: Sequence[Source], sql: str) -> float:
    """Return the compressed bytes, per row, of the columns of the crowd table that a query names."""
    [source] = [each for each in sources if each.table is CROWD_TRACING]
    named = {column for column in CROWD_TRACING.names if re.search(rf"\b{column}\b", sql)}
    size = rows = 0
    for file in source.files:
        metadata = pq.read_metadata(local_path(file))
        rows += metadata.num_rows
        groups = (metadata.row_group(number) for number in range(metadata.num_row_groups))
        chunks = (group.column(number) for group in groups for number in range(group.num_columns))
        size += sum(chunk.total_compressed_size for chunk in chunks if chunk.path_in_schema in named)
    return size / rows


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rows", type=int, default=1_000_000, help="scans a day")
    parser.add_argument("--days", type=int, default=1)
    parser.add_argument("--repeat", type=int, default=1, help="number of times that each data file is read")
    options = parser.parse_args(arguments)
    exact = counts(options.rows)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    with tempfile.TemporaryDirectory() as folder, measuring_home():
        storage = Storage((Path(folder) / "lake").as_uri())
        with Lake.in_postgres(url=conf.catalogue_url(), storage=storage, database="covid-19") as lake:
            lake.prepare()
            overwrite_table(lake=lake, described=ZIP3, batches=lookup_rows().to_batches, job="lookup")
            seconds = [release(lake, LAST - dt.timedelta(days=number), exact) for number in range(options.days)]
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
            print(f"release of {options.rows:,} scans: {max(seconds):.1f} s at most, {sum(seconds):.1f} s in all")
            print(f"peak of memory: {peak:.0f} MiB; {before:.0f} MiB before the first release, by the simulation")
            sources = open_sources(lake)
        many = tuple(
            replace(each, files=(*each.files,) * options.repeat) for each in sources if each.table is CROWD_TRACING
        )
        many += tuple(each for each in sources if each.table is not CROWD_TRACING)
        engine = Engine(
            schema="covid-19", sources=many, storage=storage, slots=Path(folder), limits=Limits(seconds=600)
        )
        for path in sorted(QUERIES.glob("*.sql")):
            took = []
            for _ in range(3):
                time.sleep(PAUSE_S)
                started = time.perf_counter()
                answer = engine.run(path.read_text())
                took.append(time.perf_counter() - started)
            rows, size = options.rows * options.days * options.repeat, bytes_a_row(sources, path.read_text())
            print(
                f"{path.name} on {rows:,} rows: {min(took):.2f} s, {max(took):.2f} s at most, "
                f"{answer.table.num_rows} rows, {size:.2f} bytes a row"
            )
    return 0


if __name__ == "__main__":
    sys.exit(main())
