"""Scouting cards among ten thousand venues: one card, and a search of twenty.

python -m benchmarks.scouting [--venues 10000]
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable

import numpy as np

from benchmarks.towns import town


def main() -> None:
    """Print one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--venues", type=int, default=10_000)
    parser.add_argument("--requests", type=int, default=200)
    given = parser.parse_args()
    with town(venues=given.venues, visits=10 * given.venues):
        print(json.dumps(_measure(given.venues, given.requests), indent=2))


def _measure(venues: int, requests: int) -> dict[str, object]:
    from django.test import Client

    from crowdtrace.common.time import utc_now
    from risk.crowd import refresh_crowd
    from risk.scouting import refresh_cards

    refresh_crowd(now=utc_now())
    start = time.perf_counter()
    prepared = refresh_cards(now=utc_now(), most=400)
    prepare_s = time.perf_counter() - start
    while refresh_cards(now=utc_now(), most=400):
        pass
    client, rng = Client(headers={"host": "localhost"}), np.random.default_rng(1)

    def p(ask: Callable[[], str]) -> dict[str, float]:
        times = []
        for _ in range(requests + 5):
            path = ask()
            start = time.perf_counter()
            assert client.get(path).status_code == 200
            times.append((time.perf_counter() - start) * 1e3)
        p50, p99 = np.percentile(times[5:], [50, 99])
        return {"p50_ms": round(float(p50), 1), "p99_ms": round(float(p99), 1)}

    return {
        "venues": venues,
        f"prepare_{prepared}_cards_s": round(prepare_s, 2),
        "card": p(lambda: f"/api/v1/venues/v_{rng.integers(1, venues):010d}"),
        "search_of_20_by_zip": p(lambda: f"/api/v1/venues?zip={rng.choice(['94110', '10001', '77002'])}"),
        "search_of_20_by_words": p(lambda: f"/api/v1/venues?q=place+{rng.integers(1, 99)}"),
    }


if __name__ == "__main__":
    main()
