"""Measure seconds of a simulated town: generated only, and run through the real services of a temporary home.

python -m benchmarks.simulate [--visitors 7500] [--venues 100] [--days 14]
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import embedded
from crowdtrace.town.world.plan import TownPlan
from crowdtrace.town.world.town import Town

ROOT = Path(__file__).resolve().parents[1]
START = dt.date(2026, 3, 2)
AIM_SECONDS = 60.0


def generate(plan: TownPlan) -> tuple[int, float]:
    """Return visits of people with the app, and seconds, without any database."""
    began = time.perf_counter()
    town, visits = Town(plan), 0
    for _ in range(plan.days):
        visits += int(town.people.has_app[town.next_day().stays.person].sum())
    return visits, time.perf_counter() - began


def live(plan: TownPlan) -> tuple[int, float, float]:
    """Return visits written by the command, its elapsed and its CPU seconds, with services already running."""
    home = Path(tempfile.mkdtemp(prefix="crowdtrace-simulate-"))
    os.environ["CROWDTRACE_HOME"] = str(home)
    try:
        with embedded.services(embedded.home()):
            subprocess.run([sys.executable, "manage.py", "migrate", "-v0"], cwd=ROOT, check=True)
            sizes = [f"--{name}={getattr(plan, name)}" for name in ("visitors", "venues", "days", "seed", "start")]
            began, used = time.perf_counter(), _processor_seconds()
            done = subprocess.run(
                [sys.executable, "manage.py", "simulate", *sizes, f"--truth-out={home / 'truth'}"],
                cwd=ROOT,
                check=True,
                capture_output=True,
                text=True,
            )
            visits = int(json.loads(done.stdout)["visits"])
            return visits, time.perf_counter() - began, _processor_seconds() - used
    finally:
        embedded.destroy(home)


def _processor_seconds() -> float:
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    return spent.ru_utime + spent.ru_stime


def main() -> None:
    """Print one line per figure."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name, value in (("visitors", 7500), ("venues", 100), ("days", 14)):
        parser.add_argument(f"--{name}", type=int, default=value)
    given = parser.parse_args()
    plan = TownPlan(visitors=given.visitors, venues=given.venues, days=given.days, seed=5, start=START)
    visits, seconds = generate(plan)
    print(f"generated: {visits} visits in {seconds:.1f} s")
    visits, seconds, used = live(plan)
    print(
        f"through the services: {visits} visits in {seconds:.1f} s ({60 * visits / seconds:,.0f} a minute), of which "
        f"{used:.1f} s of CPU without the database; aim: 100,000 in {AIM_SECONDS:.0f} s on two cores at rest"
    )


if __name__ == "__main__":
    main()
