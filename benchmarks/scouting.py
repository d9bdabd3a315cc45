"""Measure scouting among ten thousand venues: one card, and searches of twenty and fifty, each with its floor.

Fifty is the most that a search returns; `benchmarks.floors` explains the floor.

python -m benchmarks.scouting [--venues 10000]
"""

from __future__ import annotations

import argparse
import json
import time

import numpy as np

from benchmarks.towns import town


def main() -> None:
    """Print one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--venues", type=int, default=10_000)
    parser.add_argument("--requests", type=int, default=200)
    given = parser.parse_args()
    with town(venues=given.venues, visits=10 * given.venues):
        print(json.dumps(prepared() | measured(given.venues, given.requests), indent=2))


def prepared() -> dict[str, object]:
    """Run what the schedule does before: crowd, then cards until all have their costs; then once with nothing to do."""
    from common.time import utc_now
    from risk.crowd.refresh import refresh_crowd
    from risk.scouting.curves import refresh_cards

    refresh_crowd(now=utc_now())
    runs: list[tuple[int, float]] = []
    while not runs or runs[-1][0]:
        start = time.perf_counter()
        runs.append((refresh_cards(now=utc_now()), round(time.perf_counter() - start, 2)))
    return {
        "cards_at_a_refresh": runs[0][0],
        "refresh_s": runs[0][1],
        "refreshes": len(runs) - 1,
        "all_refreshes_s": round(sum(seconds for _count, seconds in runs[:-1]), 2),
        "refresh_of_nothing_s": runs[-1][1],
    }


def measured(venues: int, requests: int) -> dict[str, object]:
    """Return the figures of one card, and of searches by place and by words."""
    from benchmarks.floors import TimedRequest, measure

    rng = np.random.default_rng(1)
    times = range(requests + 5)
    return {
        "venues": venues,
        "card": measure([TimedRequest("GET", f"/api/v1/venues/v_{rng.integers(1, venues):010d}") for _ in times]),
        "search_of_20_by_zip": measure(
            [TimedRequest("GET", f"/api/v1/venues?zip={rng.choice(['94110', '10001', '77002'])}") for _ in times]
        ),
        "search_of_50_by_zip": measure(
            [
                TimedRequest("GET", f"/api/v1/venues?limit=50&zip={rng.choice(['94110', '10001', '77002'])}")
                for _ in times
            ]
        ),
        "search_of_20_by_words": measure(
            [TimedRequest("GET", f"/api/v1/venues?q=place+{rng.integers(1, 99)}") for _ in times]
        ),
    }


if __name__ == "__main__":
    main()
