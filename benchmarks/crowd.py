"""Measure crowd state and shields with a million visits in 14 days: first computation, increment, one shield.

The increment is that of five minutes.

python -m benchmarks.crowd [--visits 1000000] [--venues 1000]
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
    parser.add_argument("--visits", type=int, default=1_000_000)
    parser.add_argument("--venues", type=int, default=1_000)
    parser.add_argument("--shields", type=int, default=300)
    given = parser.parse_args()
    with town(venues=given.venues, visits=given.visits):
        print(json.dumps(_measure(given.visits, given.shields), indent=2))


def _measure(visits: int, shields: int) -> dict[str, object]:
    from django.db import connection

    from common.time import utc_now
    from risk.crowd.refresh import refresh_crowd
    from risk.shield.answer import shield_of

    start = time.perf_counter()
    first = refresh_crowd(now=utc_now())
    whole_s = time.perf_counter() - start
    # Five minutes of the same stream of visits: their venues changed from this hour on.
    increment = visits * 5 // (14 * 24 * 60)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO passes_change (venue_id, since) SELECT venue_id, date_trunc('hour', arrived_at) "
            "FROM passes_visit ORDER BY arrived_at DESC LIMIT %s",
            [increment],
        )
    start = time.perf_counter()
    second = refresh_crowd(now=utc_now())
    increment_s = time.perf_counter() - start
    rng = np.random.default_rng(1)
    times = []
    for _ in range(shields + 5):
        owners = [_owner(int(number)) for number in rng.integers(1, visits, 60)]
        start = time.perf_counter()
        shield_of(owners=owners, budget=0.01, now=utc_now())
        times.append((time.perf_counter() - start) * 1e3)
    p50, p99 = np.percentile(times[5:], [50, 99])
    return {
        "visits": first.visits,
        "venue_days": first.days,
        "from_scratch_s": round(whole_s, 2),
        "increment_venues": second.venues,
        "increment_s": round(increment_s, 3),
        "shield_60_visits_p50_ms": round(float(p50), 1),
        "shield_60_visits_p99_ms": round(float(p99), 1),
    }


def _owner(number: int) -> bytes:
    import hashlib

    return hashlib.sha256(f"owner{number}".encode()).digest()


if __name__ == "__main__":
    main()
