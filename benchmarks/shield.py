"""Measure a shield over 14 days and 60 visits, among a million visits, with its floor (`benchmarks.floors`).

python -m benchmarks.shield [--visits 1000000] [--venues 1000] [--requests 300]
"""

from __future__ import annotations

import argparse
import hashlib
import json

import numpy as np

from benchmarks.towns import town

VISITS_OF_ONE = 60


def main() -> None:
    """Print one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--visits", type=int, default=1_000_000)
    parser.add_argument("--venues", type=int, default=1_000)
    parser.add_argument("--requests", type=int, default=300)
    given = parser.parse_args()
    with town(venues=given.venues, visits=given.visits):
        from common.time import utc_now
        from risk.crowd.refresh import refresh_crowd

        refresh_crowd(now=utc_now())
        print(json.dumps(measured(given.visits, given.requests), indent=2))


def measured(visits: int, requests: int) -> dict[str, float]:
    """Return the figures of shields of holders with random visits."""
    from benchmarks.floors import TimedRequest, measure
    from passes.codec.identity import encode_base64url

    rng = np.random.default_rng(1)

    def owners() -> list[str]:
        numbers = rng.integers(1, visits, VISITS_OF_ONE)
        return [encode_base64url(hashlib.sha256(b"owner%d" % number).digest()) for number in numbers]

    return measure([TimedRequest("POST", "/api/v1/shield", {"owners": owners()}) for _ in range(requests + 5)])


if __name__ == "__main__":
    main()
