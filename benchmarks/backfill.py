"""Doses of visits in a folder of Parquet: the local engine on one core and on all, and Spark, in the same run.

    python -m benchmarks.backfill [--visits 2000000]

Visits a second from reading the files to writing them; Spark's without the start of its JVM is given too.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PEERS = Path(os.environ.get("CROWDTRACE_PEERS") or ROOT / ".venv-peers" / "bin" / "python")


def write_town(folder: Path, visits: int) -> None:
    """Write visits in eight files, and their rooms."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    from benchmarks.dose import town

    stays, rooms = town(visits, in_order=False)
    names = np.array([f"v_{number:06d}" for number in range(rooms.volume_m3.size)], object)
    table = pa.table(
        {
            "venue": pa.array(names[stays.venue], pa.string()),
            "visit": np.arange(visits),
            "arrive_us": stays.arrive_us,
            "leave_us": stays.leave_us,
            "answer_class": stays.answer_class,
        }
    )
    for part in ("visits", "rooms"):
        (folder / part).mkdir(parents=True)
    size = -(-visits // 8)
    for number in range(8):
        pq.write_table(table.slice(number * size, size), folder / "visits" / f"{number}.parquet")
    air = {"venue": names, "volume_m3": rooms.volume_m3, "removal_rate_per_h": rooms.removal_rate_per_h}
    pq.write_table(pa.table(air), folder / "rooms" / "all.parquet")


def seconds_on_spark(source: Path, target: Path, cores: int) -> float:
    """Return the seconds of a whole job, its start included."""
    own = {"PYTHONPATH": str(ROOT), "PYSPARK_PYTHON": str(PEERS), "PYSPARK_DRIVER_PYTHON": str(PEERS)}
    job = [str(PEERS), "-m", "risk.backfill.spark", "--from", str(source), "--to", str(target)]
    began = time.perf_counter()
    subprocess.run([*job, "--master", f"local[{cores}]"], env=os.environ | own, check=True, capture_output=True)
    return time.perf_counter() - began


def main() -> None:
    """Print one line per engine."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--visits", type=int, default=2_000_000)
    visits = parser.parse_args().visits
    from risk.backfill.folders import Folder
    from risk.backfill.local import backfill

    cores = len(os.sched_getaffinity(0))
    with tempfile.TemporaryDirectory(prefix="crowdtrace-bench-") as folder:
        large, small = Path(folder) / "large", Path(folder) / "small"
        write_town(large, visits)
        write_town(small, 1000)
        backfill(Folder(str(small)), Folder(f"{folder}/warm"), cores=1)
        took: dict[str, float] = {}
        for used in (1, cores):
            began = time.perf_counter()
            backfill(Folder(str(large)), Folder(f"{folder}/local-{used}"), cores=used)
            took[f"local, {used} cores"] = time.perf_counter() - began
        if PEERS.exists():
            start = seconds_on_spark(small, Path(folder) / "spark-small", cores)
            took[f"Spark, local[{cores}]"] = seconds_on_spark(large, Path(folder) / "spark", cores)
            took[f"Spark, local[{cores}], without its start"] = took[f"Spark, local[{cores}]"] - start
        first = next(iter(took.values()))
        for name, seconds in took.items():
            sys.stdout.write(f"{name:36} {seconds:7.2f} s {visits / seconds:12,.0f} visits/s {first / seconds:6.2f}\n")


if __name__ == "__main__":
    main()
