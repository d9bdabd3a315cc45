"""Measure time and memory of publishing a day of verified rows, by the number of passes.

    python -m benchmarks.verified [--rows 1000000 10000000]

It runs in a temporary home. Passes and scans are created inside PostgreSQL, whose indexes and foreign keys are removed
meanwhile. Memory is the peak of a separate process for each size, so that sizes can be compared.
"""

import argparse
import datetime as dt
import resource
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import django
from django.core.management import call_command

from benchmarks.homes import measuring_home

FIRST = dt.date(2026, 5, 14)
VENUES = 200
_PASSES = """
    INSERT INTO passes_pass (id, tag, venue_id, epoch, owner_hash, symptoms, diagnosed, contact, near, survey_seconds,
                             go, revoked, counted)
    SELECT lpad(to_hex(n), 32, '0')::uuid, decode(lpad(to_hex(n), 32, '0'), 'hex'),
           (SELECT min(id) FROM venues_venue) + n %% %(venues)s, %(day)s, sha256(convert_to('owner' || n, 'UTF8')),
           random() < 0.05, random() < 0.02, random() < 0.1, random() < 0.1, 5 + (random() * 60)::int, true, false, true
    FROM generate_series(1, %(rows)s) AS n
"""
_SCANS = """
    INSERT INTO passes_scan (id, scan_id, venue_id, tag, epoch, type, slot, scanned_at, approved, cause, abuse_score)
    SELECT id, encode(tag, 'hex'), venue_id, tag, epoch, 'Checkin', 600,
           epoch + interval '7 hours' + random() * interval '14 hours', approved,
           CASE WHEN approved THEN '' ELSE 'temperature' END, 0
    FROM (SELECT *, random() < 0.95 AS approved FROM passes_pass) AS pass
"""
_KEYS = """
    SELECT format('ALTER TABLE %1$I DROP CONSTRAINT %2$I', conrelid::regclass, conname),
           format('ALTER TABLE %1$I ADD CONSTRAINT %2$I %3$s', conrelid::regclass, conname, pg_get_constraintdef(oid))
    FROM pg_constraint WHERE contype = 'f' AND conrelid IN ('passes_pass'::regclass, 'passes_scan'::regclass)
"""
_INDEXES = """
    SELECT format('DROP INDEX %I', indexrelid::regclass), pg_get_indexdef(indexrelid)
    FROM pg_index WHERE indrelid IN ('passes_pass'::regclass, 'passes_scan'::regclass)
    AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid)
"""


@contextmanager
def bare_tables(cursor: Any) -> Iterator[None]:
    """Remove indexes and foreign keys meanwhile: creating them together afterwards takes a tenth of the time."""
    statements = [pair for asked in (_KEYS, _INDEXES) for pair in cursor.execute(asked) or cursor.fetchall()]
    for drop, _ in statements:
        cursor.execute(drop)
    yield
    for _, make in statements:
        cursor.execute(make)


def fill(day: dt.date, rows: int) -> None:
    """Create a day of passes over venues of many ZIPs, each scanned once."""
    from django.db import connection

    from exports.dataset.tables import states_by_zip3
    from tests.factories import make_organisation, make_venue
    from venues.models import Venue

    if not Venue.objects.exists():
        organisation, zips = make_organisation(), sorted(states_by_zip3())
        for number in range(VENUES):
            make_venue(organisation=organisation, name=f"Place {number}", zip_code=zips[number * 4])
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE passes_pass, passes_scan, exports_verifiedfile, exports_indexentry CASCADE")
        with bare_tables(cursor):
            cursor.execute(_PASSES, {"rows": rows, "day": day, "venues": VENUES})
            cursor.execute(_SCANS)
        cursor.execute("ANALYZE passes_pass, passes_scan")


def publish(date: dt.date) -> None:
    """Publish the day, and print time and memory."""
    from exports.release.verified import publish_day

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    clock, cpu = time.perf_counter(), time.process_time()
    day = publish_day(day=date, now=dt.datetime.combine(date, dt.time(6), dt.UTC) + dt.timedelta(days=3))
    took = f"{time.perf_counter() - clock:.1f} s, {time.process_time() - cpu:.1f} s CPU here"
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{day.rows:,} rows, {day.dropped:,} left out: {took}, peak {peak:.0f} MiB ({before:.0f} at the start)")


def main(arguments: Sequence[str] | None = None) -> int:
    """Print one line per size."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rows", type=int, nargs="+", default=[1_000_000, 10_000_000])
    parser.add_argument("--publish", type=dt.date.fromisoformat, help="only publish this day of the existing database")
    options = parser.parse_args(arguments)
    if options.publish:
        django.setup()
        publish(options.publish)
        return 0
    with measuring_home():
        call_command("migrate", verbosity=0)
        for number, rows in enumerate(options.rows):
            day = FIRST + dt.timedelta(days=number)
            fill(day, rows)
            subprocess.run([sys.executable, "-m", "benchmarks.verified", "--publish", day.isoformat()], check=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
