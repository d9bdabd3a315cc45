"""A database with a large town, filled by plain SQL: for benchmarks of reading, not of checking in."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from benchmarks.homes import measuring_home

if TYPE_CHECKING:
    from django.db.backends.utils import CursorWrapper

_FILL = """
INSERT INTO venues_organisation (public_id, name, kind, created_at, verified_at)
VALUES ('o_0000000000', 'Town', 'commercial', now() - interval '60 days', now() - interval '60 days');
INSERT INTO venues_venue (public_id, organisation_id, name, words, kind, zip, time_zone, volume_m3, listed, unmanned,
    alert_percent, created_at)
SELECT 'v_' || lpad(i::text, 10, '0'), (SELECT id FROM venues_organisation), 'Place ' || i, 'place ' || i,
       (ARRAY['restaurant', 'bar', 'retail', 'gym', 'office', 'worship'])[1 + i % 6],
       (ARRAY['94110', '94601', '10001', '60601', '77002'])[1 + i % 5], 'UTC', 100 + i % 900, true, false,
       90, now() - interval '60 days'
FROM generate_series(1, {venues}) AS i;
INSERT INTO venues_requirements (venue_id, version, created_at, refuse_symptoms, refuse_diagnosed, refuse_contact,
    refuse_near, capacity, enforced_limit_percent, rotating_code, hours)
SELECT id, 1, created_at, true, true, false, false, 200, 100, true,
       ('[' || rtrim(repeat(format('[[%s,%s]],', 30 * (id % 20), 1440 - 30 * (id % 11)), 7), ',') || ']')::jsonb
FROM venues_venue;
UPDATE venues_venue SET requirements_id = asked.id FROM venues_requirements AS asked
WHERE asked.venue_id = venues_venue.id;
CREATE TEMPORARY TABLE made AS
SELECT gen_random_uuid() AS id, sha256(('tag' || i)::bytea) AS tag, sha256(('owner' || i)::bytea) AS owner,
       (SELECT min(id) FROM venues_venue) + (i::bigint * 7919) % {venues} AS venue_id,
       now() - random() * interval '14 days' AS arrived, random() AS r, i
FROM generate_series(1, {visits}) AS i;
INSERT INTO passes_pass (id, tag, venue_id, epoch, owner_hash, symptoms, diagnosed, contact, near, survey_seconds, go,
    revoked, counted)
SELECT id, substring(tag FROM 1 FOR 16), venue_id, arrived::date, sha256(owner), r < 0.02, false, r > 0.95, false, 20,
       true, false, true FROM made;
INSERT INTO passes_visit (id, tag, venue_id, epoch, arrived_at, left_at, times_out_at)
SELECT gen_random_uuid(), substring(tag FROM 1 FOR 16), venue_id, arrived::date, arrived,
       arrived + interval '20 minutes' + r * interval '90 minutes', arrived + interval '3 hours' FROM made;
INSERT INTO passes_rating (pass_row_id, masks, distancing)
SELECT id, 1 + floor(random() * 5), 1 + floor(random() * 5) FROM made WHERE i % 5 = 0;
INSERT INTO passes_change (venue_id, since) SELECT venue_id, min(arrived) FROM made GROUP BY venue_id;
ANALYZE;
"""


@contextmanager
def town(*, venues: int, visits: int) -> Iterator[None]:
    """Create a temporary home with a migrated and filled database, and remove it afterwards."""
    with measuring_home():
        from django.core.management import call_command
        from django.db import connection

        call_command("migrate", verbosity=0)
        fill(venues=venues, visits=visits)
        yield
        connection.close()


@contextmanager
def without_indexes(cursor: CursorWrapper, *tables: str) -> Iterator[None]:
    """Drop indexes and keys of tables, and create them at the end; for millions of rows with random keys.

    An insert into a large index with a random key reads and writes a page of its own.
    """
    cursor.execute(
        "SELECT conrelid::regclass, conname, pg_get_constraintdef(oid) FROM pg_constraint"
        " WHERE contype IN ('p', 'u', 'f') AND (conrelid::regclass::text = ANY(%(all)s)"
        " OR confrelid::regclass::text = ANY(%(all)s)) ORDER BY contype = 'f' DESC",
        {"all": list(tables)},
    )
    constraints = cursor.fetchall()
    for table, name, _ in constraints:
        cursor.execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
    cursor.execute("SELECT indexname, indexdef FROM pg_indexes WHERE tablename = ANY(%s)", [list(tables)])
    indexes = cursor.fetchall()
    for name, _ in indexes:
        cursor.execute(f"DROP INDEX {name}")
    yield
    cursor.execute("SET maintenance_work_mem = '1GB'")
    for _, definition in indexes:
        cursor.execute(definition)
    for table, name, definition in reversed(constraints):
        cursor.execute(f"ALTER TABLE {table} ADD CONSTRAINT {name} {definition}")


def fill(*, venues: int, visits: int) -> None:
    """Fill the database in use, which must have no organisation yet, with the town."""
    from django.db import connection

    with connection.cursor() as cursor, without_indexes(cursor, "passes_pass", "passes_visit", "passes_rating"):
        for statement in _FILL.format(venues=venues, visits=visits).split(";\n"):
            if statement.strip():
                cursor.execute(statement)
