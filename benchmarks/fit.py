"""Compare the fit of rows with Private-PGM (`mbi`) on the same noisy counts: bias, error and time.

    python -m benchmarks.fit [--rows 5000 30000] [--draws 40] [--areas 20] [--seed 1] [--iterations 1000]

mbi requires jax, and a numpy that no other environment here can have, so it has an environment of its own, which no
lock describes: `python3 -m venv .venv-mbi && .venv-mbi/bin/pip install mbi`, or `CROWDTRACE_MBI` names its Python.
Without it the script says so and ends.
"""

import argparse
import json
import math
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.days import Day, simulated_day
from benchmarks.release import DATE, seeded
from exports.dataset.tables import ANSWERS, states_by_zip3
from exports.policy.domain import CORE, KEEP, RISK_RESULT_ANSWERS, ZIP_RISK_RESULT, Workload, workloads
from exports.policy.draw import Drawn, _draw
from exports.policy.estimates import Estimates
from exports.policy.fit import fit
from exports.policy.noise import variance

ROOT = Path(__file__).resolve().parents[1]
PEER = Path(os.environ.get("CROWDTRACE_MBI") or ROOT / ".venv-mbi" / "bin" / "python")


def drawn_days(day: Day, tables: tuple[Workload, ...], *, draws: int, seed: int) -> list[Drawn]:
    """Return a day drawn many times, with the coin tossed each time, at epsilon 1."""
    rng = np.random.default_rng(seed)
    return [
        _draw(day=DATE, counts=day.toss(rng).exact(tables), tables=tables, budget=1.0, mechanism=seeded(rng))
        for _ in range(draws)
    ]


def measurements(drawn: Drawn) -> list[dict[str, Any]]:
    """Return the noisy core counts as mbi gets them: in counted check-ins, refusals cut as for our fit."""
    counts = Estimates(drawn).counts
    return [
        {
            "axes": [axis.name for axis in table.workload.axes],
            "noisy": (counts[table.workload.name] / KEEP).ravel().tolist(),
            "stddev": math.sqrt(variance(table.scale)) / KEEP,
        }
        for table in drawn.tables
        if table.workload.name in CORE
    ]


def ours(days: Sequence[Drawn]) -> list[dict[str, Any]]:
    """Return the results of our fit for each day, in the form of `fit_mbi`."""
    fit(days[0])
    found = []
    for drawn in days:
        started = time.perf_counter()
        fitted = fit(drawn)
        seconds = time.perf_counter() - started
        answers = {name: float(fitted.answers.take(1, axis=2 + at).sum()) for at, name in enumerate(ANSWERS)}
        areas = fitted.cells.sum(axis=(1, 2)).astype(float).tolist()
        found.append({"seconds": seconds, "total": float(fitted.total), "answers": answers, "areas": areas})
    return found


def signals(days: Sequence[Drawn]) -> list[dict[str, Any]]:
    """Return the unbiased signals of each day, in the form of `fit_mbi`."""
    found = []
    for drawn in days:
        started = time.perf_counter()
        estimates = Estimates(drawn)
        answers = {name: float(estimates.of(name)[0][1]) for name in ANSWERS}
        areas, total = estimates.of("zip")[0].tolist(), estimates.total
        seconds = time.perf_counter() - started
        found.append({"seconds": seconds, "total": total, "answers": answers, "areas": areas})
    return found


def theirs(days: Sequence[Drawn], iterations: int) -> dict[str, Any]:
    """Return the results of mbi for each day, and its version."""
    axes = {axis.name: len(axis.values) for table in days[0].tables for axis in table.workload.axes}
    core = {axis.name for table in days[0].tables if table.workload.name in CORE for axis in table.workload.axes}
    given = {
        "domain": {name: size for name, size in axes.items() if name in core},
        "iterations": iterations,
        "days": [measurements(drawn) for drawn in days],
    }
    script = [str(PEER), str(ROOT / "benchmarks" / "fit_mbi.py")]
    done = subprocess.run(script, input=json.dumps(given), capture_output=True, text=True, check=True)
    return dict(json.loads(done.stdout))


def line(name: str, rows: int, found: Sequence[dict[str, Any]], truth: dict[str, Any]) -> str:
    """Return a line of the table: signed and absolute errors in check-ins, and the time of a day."""
    cells = []
    for answer in ("total", *ANSWERS):
        off = np.array([day["total"] if answer == "total" else day["answers"][answer] for day in found]) - truth[answer]
        cells.append(f"{off.mean():+.0f}, {np.abs(off).mean():.0f}")
    areas = np.abs(np.array([day["areas"] for day in found]) - truth["areas"])[:, 1:]
    seconds = float(np.median([day["seconds"] for day in found]))
    return f"| {rows:,} | {name} | {' | '.join(cells)} | {areas.mean():.1f} | {1000 * seconds:,.0f} |"


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rows", type=int, nargs="+", default=[5000, 30_000])
    parser.add_argument("--draws", type=int, default=40)
    parser.add_argument("--areas", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--iterations", type=int, default=1000)
    options = parser.parse_args(arguments)
    if not PEER.exists():
        print(f"mbi: not compared; there is no {PEER}. Make it: python3 -m venv .venv-mbi, then pip install mbi.")
        return 0
    tables = workloads(zip3=sorted(states_by_zip3())[: options.areas], readings=False)
    named = {table.name: table for table in tables}
    print("Signed and absolute error in check-ins, as means over the draws; ms are the median of a day.")
    print(f"| rows | fit | total | {' | '.join(ANSWERS)} | each area | ms |")
    print("|---:|---|---:|---:|---:|---:|---:|---:|---:|")
    for rows in options.rows:
        day = simulated_day(rows=rows, seed=options.seed, areas=options.areas)
        joint = day.truth(named[RISK_RESULT_ANSWERS])
        truth: dict[str, Any] = {name: float(joint.take(1, axis=2 + at).sum()) for at, name in enumerate(ANSWERS)}
        truth |= {"total": float(joint.sum()), "areas": day.truth(named[ZIP_RISK_RESULT]).sum(axis=(1, 2))}
        days = drawn_days(day, tables, draws=options.draws, seed=options.seed)
        peer = theirs(days, options.iterations)
        print(f"| {rows:,} | truth | {truth['total']:,.0f} | {' | '.join(f'{truth[n]:,.0f}' for n in ANSWERS)} | | |")
        print(line("signals", rows, signals(days), truth))
        print(line("rows", rows, ours(days), truth))
        print(line(f"mbi {peer['version']}", rows, peer["days"], truth), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
