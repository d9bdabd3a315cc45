"""Six doors that scan at a running copy and never give up on a scan; then compare with the database.

    python -m tests.doors URL[,URL ...] SCANS [--rate SCANS_A_SECOND] [--patience SECONDS]

A door sends to the servers in turn, and to the other one if it gets no response within `--patience`. This is a separate
process, on the services of the copy's home. It prints `acknowledged N` from time to time, and finally one JSON object:
`{acknowledged, alone, refused, lost, doubled, changed, visits, longest}`. `alone` counts scans without a response to
their first request, which a kiosk decides by itself; `refused` counts other responses by status, 0 for none; `longest`
is in seconds without a response.
"""

import argparse
import http.client
import itertools
import json
import os
import queue
import secrets
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import embedded

DOORS = 6
STEP = 20
WAIT_SECONDS = 0.1
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "crowdtrace.settings")


def ask(address: str, token: str, body: dict[str, Any], patience: float) -> tuple[int, str | None]:
    """Return the status of one response, 0 for none, and its result."""
    headers = {"Authorization": f"Device {token}", "Content-Type": "application/json"}
    connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=patience)
    try:
        connection.request("POST", "/api/v1/scans", json.dumps(body), headers)
        response = connection.getresponse()
        answer = json.loads(response.read())
        return response.status, answer["result"] if response.status == 200 else None
    except (OSError, http.client.HTTPException, ValueError):
        return 0, None
    finally:
        connection.close()


@dataclass
class Outcome:
    """What the doors saw: results by scan_id, the scans that a door decided alone, and the times of responses."""

    results: dict[str, str] = field(default_factory=dict)
    alone: list[str] = field(default_factory=list)
    refused: list[int] = field(default_factory=list)
    times: list[float] = field(default_factory=lambda: [time.monotonic()])

    @property
    def longest(self) -> float:
        """Return the longest time between two responses."""
        return max((after - before for before, after in itertools.pairwise(self.times)), default=0.0)


def scan_all(addresses: list[str], tokens: list[str], shown: list[Any], *, rate: float, patience: float) -> Outcome:
    """Scan every displayed code at a steady rate, until each scan has a response."""
    left: queue.SimpleQueue[Any] = queue.SimpleQueue()
    for number, screen in enumerate(shown):
        left.put((number, screen))
    found = Outcome()
    began = time.monotonic()

    def door(token: str) -> None:
        while True:
            try:
                number, screen = left.get_nowait()
            except queue.Empty:
                return
            threading.Event().wait(max(0.0, began + number / rate - time.monotonic()))
            servers = itertools.cycle(addresses[number % len(addresses) :] + addresses[: number % len(addresses)])
            at = time.time()
            stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at))
            body = {"scan_id": secrets.token_urlsafe(16), "credential": screen(at), "type": "Checkin"}
            body["scanned_at"] = stamp
            status, result = ask(next(servers), token, body, patience)
            if result is None:
                found.alone.append(body["scan_id"])
            while result is None:
                found.refused.append(status)
                threading.Event().wait(WAIT_SECONDS)
                status, result = ask(next(servers), token, body, patience)
            found.results[body["scan_id"]] = result
            found.times.append(time.monotonic())
            if len(found.results) % STEP == 0:
                print(f"acknowledged {len(found.results)}", flush=True)

    threads = [threading.Thread(target=door, args=[token]) for token in tokens]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


def main() -> None:
    """Scan, then compare."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("addresses")
    parser.add_argument("scans", type=int)
    parser.add_argument("--rate", type=float, default=10_000)
    parser.add_argument("--patience", type=float, default=10)
    given = parser.parse_args()
    with embedded.services(embedded.home()):
        from benchmarks.scan import prepare

        town = prepare(given.scans, doors=DOORS)
        addresses = given.addresses.split(",")
        seen = scan_all(addresses, town.tokens, town.shown, rate=given.rate, patience=given.patience)
        from common.tables import close_connections
        from passes.models import Scan, Visit

        close_connections()  # of connections to a database that ended
        rows = list(Scan.objects.filter(venue=town.venue).values_list("scan_id", "approved"))
        kept = dict(rows)
        visits = Visit.objects.filter(venue=town.venue).count()
        found = {
            "acknowledged": len(seen.results),
            "alone": len(seen.alone),
            "refused": Counter(map(str, seen.refused)),
            "lost": sum(name not in kept for name in seen.results),
            "doubled": len(rows) - len(kept) + max(0, visits - sum(kept.values())),
            "changed": sum(kept.get(name) != (result == "Approved") for name, result in seen.results.items()),
            "visits": visits,
            "longest": seen.longest,
        }
        print(json.dumps(found), flush=True)


if __name__ == "__main__":
    main()
