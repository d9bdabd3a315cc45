"""Seconds that a simulated town takes: generated alone, and lived through the real services of a home of its own.

python -m benchmarks.simulate [--visitors 7500] [--venues 100] [--days 14]
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from crowdtrace.common import embedded
from crowdtrace.site.town.plan import TownPlan
from crowdtrace.site.town.town import Town

ROOT = Path(__file__).resolve().parents[1]
START = dt.date(2026, 3, 2)
AIM_SECONDS = 60.0


def generate(plan: TownPlan) -> tuple[int, float]:
    """Visits of people with the app, and seconds, without any database."""
    began = time.perf_counter()
    town, visits = Town(plan), 0
    for _ in range(plan.days):
        visits += int(town.people.has_app[town.next_day().stays.person].sum())
    return visits, time.perf_counter() - began


def live(plan: TownPlan) -> tuple[int, float]:
    """Visits written by the command, and seconds of the whole command, services already standing."""
    home = Path(tempfile.mkdtemp(prefix="crowdtrace-simulate-"))
    os.environ["CROWDTRACE_HOME"] = str(home)
    try:
        with embedded.services(embedded.home()):
            subprocess.run([sys.executable, "manage.py", "migrate", "-v0"], cwd=ROOT, check=True)
            sizes = [f"--{name}={getattr(plan, name)}" for name in ("visitors", "venues", "days", "seed", "start")]
            began = time.perf_counter()
            done = subprocess.run(
                [sys.executable, "manage.py", "simulate", *sizes, f"--truth-out={home / 'truth'}"],
                cwd=ROOT,
                check=True,
                capture_output=True,
                text=True,
            )
            return int(json.loads(done.stdout)["visits"]), time.perf_counter() - began
    finally:
        embedded.destroy(home)


def main() -> None:
    """Print one line a figure."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name, value in (("visitors", 7500), ("venues", 100), ("days", 14)):
        parser.add_argument(f"--{name}", type=int, default=value)
    given = parser.parse_args()
    plan = TownPlan(visitors=given.visitors, venues=given.venues, days=given.days, seed=5, start=START)
    visits, seconds = generate(plan)
    print(f"generated: {visits} visits in {seconds:.1f} s")
    visits, seconds = live(plan)
    print(f"through the services: {visits} visits in {seconds:.1f} s; aim: 100,000 in {AIM_SECONDS:.0f} s")


if __name__ == "__main__":
    main()
