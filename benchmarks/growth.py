"""Measure how requests and tasks grow with the number of visits that the database holds.

Fourteen days of visits to 1,000 places, to more where each would have over 300 a day; each visit has a pass, a scan and
a stay. Requests go to a real server (granian with two workers), four clients at once; CPU is that of the web server and
of PostgreSQL with both Valkeys, as in `benchmarks.scan`. Tasks run in this process. What is new is the same share of
every size, one day of fourteen, so a task that grows only with it takes the same time for a thousand rows.

    python -m benchmarks.growth [--sizes 10000 1000000] [--seconds 3]

Twenty million take 20 GB, ten minutes to fill and hours to mix and purge: `--sizes 20000000`.
"""

from __future__ import annotations

import argparse
import asyncio
import datetime as dt
import hashlib
import os
import random
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import psutil

import embedded
from benchmarks import scan, tickets, towns
from benchmarks.scan import DOORS, Figures, Watched, drive, request, settle, start_server, wait_for
from embedded.network import free_port
from embedded.processes import Record
from passes.codec.identity import encode_base64url

CLIENTS: Final = 4
WARM_SECONDS: Final = 2
A_SECOND: Final = {"scan": 120, "check-in": 400, "draw": 1}
"""As many are prepared as four clients could use, because responses to scans are delayed."""
VISITS_A_VENUE: Final = 300 * 14
SHIELD_VISITS: Final = 30
_SCANS: Final = """
    INSERT INTO passes_scan (id, scan_id, venue_id, tag, epoch, type, slot, scanned_at, approved, cause,
        abuse_score)
    SELECT gen_random_uuid(), encode(tag, 'hex'), venue_id, tag, epoch, 'Checkin', 600, arrived_at, true, 'approved', 0
    FROM passes_visit
"""
Next = Callable[[], bytes | None]


def get(path: str) -> bytes:
    """Return the bytes of one GET on a persistent connection."""
    return f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()


def owner(number: int) -> str:
    """Return the owner of a visit, as `benchmarks.towns` makes it."""
    return encode_base64url(hashlib.sha256(f"owner{number}".encode()).digest())


def fill(visits: int) -> list[str]:
    """Fill the database; return public ids of places."""
    from django.db import connection

    from venues.models import Venue

    towns.fill(venues=max(1_000, visits // VISITS_A_VENUE), visits=visits)
    with connection.cursor() as cursor:
        with towns.without_indexes(cursor, "passes_scan"):
            cursor.execute(_SCANS)
        cursor.execute("VACUUM (ANALYZE)")
    return list(Venue.objects.values_list("public_id", flat=True)[:1_000])


def endpoints(visits: int, seconds: float, places: list[str]) -> dict[str, Next]:
    """Return what makes the next request of each endpoint."""
    lasting = seconds + WARM_SECONDS
    load = tickets.prepare(1, int(A_SECOND["check-in"] * lasting))
    town = scan.prepare(int(A_SECOND["scan"] * lasting))
    rng, doors = random.Random(visits), iter(range(10**9))
    screens, erased = iter(town.shown), iter(range(1, visits))

    def next_scan() -> bytes | None:
        screen = next(screens, None)
        if screen is None:
            return None
        at = time.time()
        body = {"scan_id": rng.randbytes(12).hex(), "credential": screen(at), "type": "Checkin"}
        body["scanned_at"] = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at))
        return request("/api/v1/scans", body, f"Device {town.tokens[next(doors) % DOORS]}")

    checkins = iter(load.checkins)
    return {
        "scan": next_scan,
        "check-in": lambda: next(checkins, None),
        "shield": lambda: request(
            "/api/v1/shield", {"owners": [owner(rng.randrange(1, visits)) for _ in range(SHIELD_VISITS)]}
        ),
        "place": lambda: get(f"/api/v1/venues/{rng.choice(places)}"),
        "search": lambda: get(f"/api/v1/venues?q=place+{rng.randrange(9)}&limit=20"),
        "rating": lambda: request("/api/v1/ratings", {"owner": owner(next(erased)), "masks": 4, "distancing": 3}),
        "erasure": lambda: request("/api/v1/erasures", {"owners": [owner(next(erased))]}),
    }


def tasks(visits: int) -> Iterator[tuple[str, float, int]]:
    """Yield name, seconds, and rows that were new, of each task."""
    from django.db import connection

    from common.purge import purge_expired
    from common.time import utc_now
    from exports.release import closed_days, plans
    from passes.models import Mixed
    from passes.services.mixing import mix_rows
    from risk.crowd.refresh import refresh_crowd

    now = utc_now()
    day = closed_days.closed_until(now)

    def timed(act: Callable[[], Any]) -> tuple[float, Any]:
        began = time.perf_counter()
        found = act()
        return time.perf_counter() - began, found

    refresh_crowd(now=now)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO passes_change (venue_id, since) SELECT venue_id, min(arrived_at) FROM passes_visit"
            " WHERE arrived_at > %s GROUP BY venue_id",
            [now - dt.timedelta(minutes=5)],
        )
        recent = cursor.rowcount
    yield "crowd, places of five minutes", timed(lambda: refresh_crowd(now=now))[0], recent
    plans.freeze_ahead(now=now)
    closed_days.mark_served(days={day})
    yield "release of a day", timed(lambda: closed_days.release_day(day=day, now=now))[0], visits // 14
    with connection.cursor() as cursor:  # all is mixed, and then the rows of one day are written
        cursor.execute("SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint")
        Mixed.objects.update_or_create(id=1, defaults={"horizon": cursor.fetchall()[0][0], "own": []})
        written = 0
        for table in ("passes_pass", "passes_scan", "passes_visit"):
            cursor.execute(f"UPDATE {table} SET epoch = epoch WHERE epoch = %s", [now.date() - dt.timedelta(days=1)])
            written += cursor.rowcount
    yield "mixing of a day", timed(mix_rows)[0], written
    purge_expired(now=now)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM")
    took, gone = timed(lambda: purge_expired(now=now + dt.timedelta(days=2)))
    rows = sum(gone.values())
    yield "purge of a day", took, rows
    with connection.cursor() as cursor:
        for table in ("passes_pass", "passes_scan", "passes_visit"):
            cursor.execute(f"EXPLAIN DELETE FROM {table} WHERE epoch <= %s", [(now - dt.timedelta(days=16)).date()])
            print("   ", *(line.strip() for (line,) in cursor.fetchall()[:3]))
        yield "vacuum after it", timed(lambda: cursor.execute("VACUUM"))[0], rows


def measure(visits: int, seconds: float, home: Path) -> None:
    """Fill, measure and print one size."""
    began = time.perf_counter()
    places = fill(visits)
    asked = endpoints(visits, seconds, places)
    print(f"{visits:,} visits, filled in {time.perf_counter() - began:.0f} s", flush=True)
    port = free_port()
    server = start_server(port)
    try:
        asyncio.run(wait_for(port))
        records = [Record.read(home / "run" / f"{name}.json") for name in ("postgres", "valkey", "limits")]
        watched = Watched(psutil.Process(server.pid), [psutil.Process(one.pid) for one in records if one is not None])
        print(f"{'':32}{'req/s':>8}{'p50 ms':>9}{'p99 ms':>9}{'CPU ms':>9}{'stores ms':>11}")
        for name, next_request in asked.items():
            drive(port, watched, next_request, seconds=WARM_SECONDS, clients=CLIENTS)
            settle(watched)
            report(name, drive(port, watched, next_request, seconds=seconds, clients=CLIENTS))
    finally:
        server.terminate()
        server.wait(20)
    for name, took, rows in tasks(visits):
        print(f"{name:32}{took:8.2f} s for {rows:,} new, {took / max(rows, 1) * 1e6:.0f} ms a thousand", flush=True)


def report(name: str, found: Figures) -> None:
    """Print one line."""
    print(
        f"{name:32}{found.per_second:8.0f}{found.p50_ms:9.1f}{found.p99_ms:9.1f}{found.cpu_ms:9.2f}{found.stores_ms:11.2f}",
        flush=True,
    )


def main() -> None:
    """Run each size in a temporary home of its own."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[10_000, 1_000_000])
    parser.add_argument("--seconds", type=float, default=3)
    args = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "benchmarks.scan_floor_settings")
    for visits in args.sizes:
        if (child := os.fork()) == 0:  # the settings are read once a process
            with tempfile.TemporaryDirectory(prefix="crowdtrace-bench-") as folder:
                os.environ["CROWDTRACE_HOME"] = str(Path(folder) / "home")
                home = embedded.home()
                try:
                    with embedded.services(home):
                        import django

                        django.setup()
                        from django.core.management import call_command

                        call_command("migrate", interactive=False, verbosity=0)
                        measure(visits, args.seconds, home)
                finally:
                    embedded.destroy(home)
            os._exit(0)
        os.waitpid(child, 0)


if __name__ == "__main__":
    main()
