"""Six doors that scan at a running copy and never give up on a scan; then compare with the database.

    python -m tests.doors URL SCANS

This is a separate process, on the services of the copy's home. It prints `acknowledged N` from time to time, and
finally one JSON object: `{acknowledged, unanswered, lost, doubled, changed, visits, longest}`. `unanswered` counts
requests that failed and were sent again, `longest` is in seconds without a response.
"""

import http.client
import itertools
import json
import os
import queue
import secrets
import sys
import threading
import time
from typing import Any
from urllib.parse import urlsplit

import embedded

DOORS = 6
STEP = 20
WAIT_SECONDS = 0.1
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "crowdtrace.settings")


def ask(address: str, token: str, body: dict[str, Any]) -> str | None:
    """Return one response, or `None`."""
    headers = {"Authorization": f"Device {token}", "Content-Type": "application/json"}
    connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=10)
    try:
        connection.request("POST", "/api/v1/scans", json.dumps(body), headers)
        response = connection.getresponse()
        answer = json.loads(response.read())
        return answer["result"] if response.status == 200 else None
    except (OSError, http.client.HTTPException, ValueError):
        return None
    finally:
        connection.close()


def scan_all(address: str, tokens: list[str], shown: list[Any]) -> tuple[dict[str, str], int, float]:
    """Return the acknowledged results by scan_id, requests without an answer, and the longest time between two."""
    left: queue.SimpleQueue[Any] = queue.SimpleQueue()
    for screen in shown:
        left.put(screen)
    results: dict[str, str] = {}
    times, failed = [time.monotonic()], [0] * len(tokens)

    def door(number: int, token: str) -> None:
        while True:
            try:
                screen = left.get_nowait()
            except queue.Empty:
                return
            at = time.time()
            stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at))
            body = {"scan_id": secrets.token_urlsafe(16), "credential": screen(at), "type": "Checkin"}
            while (result := ask(address, token, body | {"scanned_at": stamp})) is None:
                failed[number] += 1
                threading.Event().wait(WAIT_SECONDS)
            results[body["scan_id"]] = result
            times.append(time.monotonic())
            if len(results) % STEP == 0:
                print(f"acknowledged {len(results)}", flush=True)

    threads = [threading.Thread(target=door, args=each) for each in enumerate(tokens)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results, sum(failed), max(after - before for before, after in itertools.pairwise(times))


def main(address: str, scans: int) -> None:
    """Scan, then compare."""
    with embedded.services(embedded.home()):
        from benchmarks.scan import prepare

        town = prepare(scans, doors=DOORS)
        results, failed, longest = scan_all(address, town.tokens, town.shown)
        from common.tables import let_go
        from passes.models import Scan, Visit

        let_go()  # of connections to a database that ended
        rows = list(Scan.objects.filter(venue=town.venue).values_list("scan_id", "approved"))
        kept = dict(rows)
        found = {
            "acknowledged": len(results),
            "unanswered": failed,
            "lost": sum(name not in kept for name in results),
            "doubled": len(rows) - len(kept),
            "changed": sum(kept.get(name) != (result == "Approved") for name, result in results.items()),
            "visits": Visit.objects.filter(venue=town.venue).count(),
            "longest": longest,
        }
        print(json.dumps(found), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
