"""Measure speed and memory of the dose sweep, and CERN CAiMIRA on the same scenarios in the same run.

    python -m benchmarks.dose [--json] [--most 10000000]

Visits a second for 1 thousand to 10 million visits, sorting included and not, on one core; what all cores add; what
four answer classes cost against one; peak memory a visit, inputs included; growth; and CAiMIRA in `.venv-peers`.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FunctionType
from typing import Any

import numba
import numpy as np

ROOT = Path(__file__).resolve().parents[1]
PEERS = ROOT / ".venv-peers" / "bin" / "python"
VISITS_A_VENUE = 1000
SIZES = (1_000, 10_000, 100_000, 1_000_000, 10_000_000)


def town(visits: int, *, in_order: bool, one_class: bool = False) -> tuple[Any, Any]:
    """Return visits of two weeks over venues of all sizes, which differ by a factor of hundreds."""
    from risk.model.far import Rooms, Stays

    rng = np.random.default_rng(20)
    venues = max(1, visits // VISITS_A_VENUE)
    share = rng.pareto(1.5, venues) + 0.1
    venue = rng.choice(venues, visits, p=share / share.sum()).astype(np.int32)
    hour = 3_600_000_000
    arrive = (rng.integers(0, 14, visits) * 24 * hour) + (rng.uniform(8, 20, visits) * hour).astype(np.int64)
    leave = arrive + (np.minimum(rng.gamma(2.0, 0.6, visits), 12.0) * hour).astype(np.int64)
    answer = (
        np.zeros(visits, np.int8) if one_class else rng.choice(4, visits, p=[0.9, 0.06, 0.03, 0.01]).astype(np.int8)
    )
    if in_order:
        order = np.lexsort((arrive, venue))
        venue, arrive, leave, answer = venue[order], arrive[order], leave[order], answer[order]
    rooms = Rooms(rng.uniform(60, 3000, venues), rng.uniform(1.0, 12.0, venues))
    return Stays.of(venue=venue, arrive_us=arrive, leave_us=leave, answer_class=answer), rooms


def timed(visits: int, *, in_order: bool, one_class: bool = False) -> dict[str, float]:
    """Return the best of several runs: seconds of sorting, and of the sweep after it."""
    from risk.model.far import sort_stays, unit_doses

    stays, rooms = town(visits, in_order=in_order, one_class=one_class)
    best_sort = best_sweep = math.inf
    for _ in range(3 if visits >= 1_000_000 else 10):
        began = time.perf_counter()
        order = sort_stays(stays, rooms.volume_m3.size)
        sorted_at = time.perf_counter()
        unit_doses(stays, rooms, order=order)
        done = time.perf_counter()
        best_sort, best_sweep = min(best_sort, sorted_at - began), min(best_sweep, done - sorted_at)
    return {"sort_s": best_sort, "sweep_s": best_sweep}


@contextmanager
def one_column() -> Iterator[None]:
    """Run the same sweep with loops over one column, everybody, if all are in one class: the cost of four columns."""
    from risk.model import compiled

    whole = compiled.sweep
    narrow = FunctionType(whole.py_func.__code__, {**vars(compiled), "CHANNELS": 1})  # type: ignore[attr-defined]
    # Without the cache on disk, which identifies a function by its location and would return the wide one.
    compiled.sweep = numba.njit(nogil=True, error_model="numpy")(narrow)
    try:
        yield
    finally:
        compiled.sweep = whole


def all_cores_against_one(visits: int, cores: int) -> float:
    """Return how many times faster all cores sort and sweep; the best of three turns of each."""
    from risk.model.far import unit_doses

    stays, rooms = town(visits, in_order=False)
    taken: dict[int, list[float]] = {1: [], cores: []}
    for _ in range(3):
        for used, seconds in taken.items():
            began = time.perf_counter()
            unit_doses(stays, rooms, cores=used)
            seconds.append(time.perf_counter() - began)
    return min(taken[1]) / min(taken[cores])


def growth(rows: list[dict[str, float]], speed: str) -> float:
    """Return the exponent of the work from the smallest to the largest size."""
    first, last = rows[0], rows[-1]
    return 1.0 + math.log(first[speed] / last[speed]) / math.log(last["visits"] / first["visits"])


def peak_bytes_a_visit(visits: int) -> float:
    """Return the peak memory of a process that sweeps the visits, minus that of one with a thousand visits."""

    def peak(size: int) -> int:
        code = (
            f"from benchmarks.dose import rss_town\nrss_town({size})\n"
            "print(next(l for l in open('/proc/self/status') if l.startswith('VmHWM')).split()[1])"
        )
        done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
        return 1024 * int(done.stdout)

    return (peak(visits) - peak(1000)) / visits


def rss_town(visits: int) -> None:
    """Create a plain town without temporaries larger than its columns, and sweep it (for the memory measurement)."""
    from risk.model.far import Rooms, Stays, unit_doses

    venues = max(1, visits // VISITS_A_VENUE)
    venue = np.empty(visits, np.int32)
    arrive, leave = np.empty(visits, np.int64), np.empty(visits, np.int64)
    rng = np.random.default_rng(1)
    for at in range(0, visits, 65536):
        part = slice(at, min(visits, at + 65536))
        size = part.stop - part.start
        venue[part] = rng.integers(0, venues, size)
        arrive[part] = rng.integers(0, 14 * 24 * 3_600_000_000, size)
        leave[part] = arrive[part] + rng.integers(0, 4 * 3_600_000_000, size)
    stays = Stays.of(venue=venue, arrive_us=arrive, leave_us=leave, answer_class=np.zeros(visits, np.int8))
    unit_doses(stays, Rooms(np.full(venues, 300.0), np.full(venues, 3.0)))


def against_caimira(venues: int = 20, visits: int = 60) -> dict[str, Any] | None:
    """Return visits a second of both models on the same rooms, and the largest relative difference.

    Return `None` without the peer.
    """
    from risk.model.far import Rooms, Stays, microseconds, unit_doses

    if not PEERS.exists():
        return None
    rng = np.random.default_rng(3)
    scenarios: list[dict[str, Any]] = [
        {
            "volume_m3": float(rng.uniform(60, 3000)),
            "air_changes_per_h": float(rng.uniform(0.5, 10)),
            "visits": [
                [float(a), float(a + d)]
                for a, d in zip(rng.uniform(8, 20, visits).round(3), rng.uniform(0.2, 3, visits).round(3), strict=True)
            ],
        }
        for _ in range(venues)
    ]
    done = subprocess.run(
        [str(PEERS), str(ROOT / "benchmarks" / "dose_caimira.py")],
        input=json.dumps({"venues": scenarios}),
        capture_output=True,
        text=True,
        check=True,
    )
    peer = json.loads(done.stdout)
    spans = np.array([span for scenario in scenarios for span in scenario["visits"]])
    where = np.repeat(np.arange(venues), visits)
    arrive, leave = microseconds(spans[:, 0], "arrive_h"), microseconds(spans[:, 1], "leave_h")
    rooms = Rooms(np.array([s["volume_m3"] for s in scenarios]), np.array(peer["removal_rate_per_h"]))
    # Everybody emits; observers with the same times read the whole air, like the peer.
    both = Stays.of(
        venue=np.concatenate([where, where]),
        arrive_us=np.concatenate([arrive, arrive]),
        leave_us=np.concatenate([leave, leave]),
        answer_class=np.concatenate([np.zeros(arrive.size), np.full(arrive.size, -1)]),
    )
    alone = Stays.of(venue=where, arrive_us=arrive, leave_us=leave, answer_class=np.zeros(arrive.size))
    ours = unit_doses(both, rooms, clear_after=math.inf).dose_h2_per_m3[arrive.size :, 0]
    seconds = math.inf
    for _ in range(20):
        began = time.perf_counter()
        unit_doses(alone, rooms)
        seconds = min(seconds, time.perf_counter() - began)
    theirs = np.concatenate([np.array(row) for row in peer["integrals"]])
    return {
        "caimira": peer["version"],
        "visits": peer["visits"],
        "caimira_visits_per_s": peer["visits"] / peer["seconds"],
        "visits_per_s": arrive.size / seconds,
        "ratio": arrive.size / seconds / (peer["visits"] / peer["seconds"]),
        "largest_relative_difference": float(np.max(np.abs(ours / theirs - 1))),
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--most", type=int, default=SIZES[-1], help="largest number of visits")
    options = parser.parse_args()
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(cores)})
    began = time.perf_counter()
    timed(1000, in_order=True)
    out: dict[str, Any] = {"first_call_s": time.perf_counter() - began, "sizes": []}
    for size in (s for s in SIZES if s <= options.most):
        mixed, ordered = timed(size, in_order=False), timed(size, in_order=True)
        out["sizes"].append(
            {
                "visits": size,
                "sorted_visits_per_s": size / ordered["sweep_s"],
                "visits_per_s_with_sorting": size / (mixed["sort_s"] + mixed["sweep_s"]),
            }
        )
    million = min(1_000_000, options.most)
    four, one = timed(million, in_order=True), timed(million, in_order=True, one_class=True)
    out["four_classes_against_one"] = four["sweep_s"] / one["sweep_s"]
    with one_column():
        alone = timed(million, in_order=True, one_class=True)
    out["four_columns_against_one"] = four["sweep_s"] / alone["sweep_s"]
    out["growth_exponent_sorted"] = growth(out["sizes"], "sorted_visits_per_s")
    out["growth_exponent"] = growth(out["sizes"], "visits_per_s_with_sorting")
    out["peak_bytes_per_visit"] = peak_bytes_a_visit(max(million, 2_000_000))
    out["caimira"] = against_caimira()
    os.sched_setaffinity(0, cores)
    out["cores"] = len(cores)
    out["all_cores_against_one"] = all_cores_against_one(min(5_000_000, options.most), len(cores))
    if options.json:
        print(json.dumps(out))
        return
    print(f"first call (compiling, or loading from the cache): {out['first_call_s']:.1f} s")
    for row in out["sizes"]:
        print(
            f"{row['visits']:>11,} visits: {row['sorted_visits_per_s'] / 1e6:5.2f} million/s sorted, "
            f"{row['visits_per_s_with_sorting'] / 1e6:5.2f} with sorting"
        )
    print(
        f"work grows as visits^{out['growth_exponent']:.2f}, "
        f"after sorting as visits^{out['growth_exponent_sorted']:.2f}"
    )
    print(
        f"the sweep of four classes takes {out['four_columns_against_one']:.2f} times that of one class alone; "
        f"people in four take {out['four_classes_against_one']:.2f} times as long as in one, since all columns exist"
    )
    print(f"peak memory {out['peak_bytes_per_visit']:.0f} bytes a visit, its columns included")
    print(f"{out['cores']} cores take {out['all_cores_against_one']:.2f} times as many visits a second as one")
    peer = out["caimira"]
    if peer is None:
        print("CAiMIRA: not measured; create the second environment first: make environment-peers")
    else:
        print(
            f"CAiMIRA {peer['caimira']}: {peer['caimira_visits_per_s']:,.0f} visits/s against "
            f"{peer['visits_per_s']:,.0f} here, ratio {peer['ratio']:,.0f}; "
            f"largest relative difference {peer['largest_relative_difference']:.1e}"
        )


if __name__ == "__main__":
    main()
