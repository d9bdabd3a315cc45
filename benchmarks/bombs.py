"""Measure a trivial endpoint while thirty clients send texts that take half a minute to parse, in the same process.

    python -m benchmarks.bombs [--seconds 10] [--clients 30]

It prints latency and CPU of `/healthz` before and during the attack; their ratio is the effect of the attack.
"""

from __future__ import annotations

import argparse
import json
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from benchmarks.homes import measuring_home

BOMB = "SELECT a" + ".f()" * 1600


def main() -> None:
    """Print one JSON object."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--clients", type=int, default=30)
    given = parser.parse_args()
    with measuring_home():
        print(json.dumps(measured(given.seconds, given.clients), indent=2))


def measured(seconds: float, clients: int) -> dict[str, object]:
    """Return milliseconds of the endpoint, the attackers' responses, and CPU of this process for each attack."""
    from django.conf import settings
    from django.test import override_settings

    ended = threading.Event()
    answered: Counter[int] = Counter()
    with override_settings(THROTTLES=dict.fromkeys(settings.THROTTLES, "1000000/second")):
        _latencies(1)
        quiet = _latencies(seconds)
        before = time.process_time()
        with ThreadPoolExecutor(clients) as pool:
            attackers = [pool.submit(_attack, ended) for _ in range(clients)]
            attacked = _latencies(seconds)
            ended.set()
            for each in attackers:
                answered += each.result()
        cpu = time.process_time() - before
    total = sum(answered.values())
    return {
        "quiet_p50_ms": quiet[0],
        "quiet_p99_ms": quiet[1],
        "attacked_p50_ms": attacked[0],
        "attacked_p99_ms": attacked[1],
        "ratio_p50": round(attacked[0] / quiet[0], 2),
        "answers": {str(status): number for status, number in sorted(answered.items())},
        "cpu_ms_an_attack": round(cpu / total * 1e3, 1) if total else None,
    }


def _attack(ended: threading.Event) -> Counter[int]:
    from django.test import Client

    client, answered = Client(headers={"host": "localhost"}), Counter[int]()
    while not ended.is_set():
        response = client.post("/api/v1/queries", {"sql": BOMB, "dialect": "duckdb"}, content_type="application/json")
        answered[response.status_code] += 1
        time.sleep(float(response.headers.get("Retry-After", 0)))
    return answered


def _latencies(seconds: float) -> tuple[float, float]:
    """Return median and 99th percentile in milliseconds, at fifty requests a second."""
    from django.test import Client

    client = Client(headers={"host": "localhost"})
    took, end = [], time.monotonic() + seconds
    while time.monotonic() < end:
        began = time.perf_counter()
        response = client.get("/healthz")
        took.append((time.perf_counter() - began) * 1e3)
        if response.status_code != 200:
            raise SystemExit(f"{response.status_code}: {response.content[:300]!r}")
        time.sleep(0.02)
    p50, p99 = np.percentile(took, [50, 99])
    return round(float(p50), 2), round(float(p99), 2)


if __name__ == "__main__":
    main()
