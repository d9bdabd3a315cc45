"""Exact counts of a day, made by PostgreSQL: rows never leave it, and the counts live until they are drawn from."""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
from django.conf import settings
from django.db import connection
from django.db.models import Q
from psycopg import sql

from common.time import deployment_zone
from exports.policy.domain import (
    CAPACITY_BANDS,
    DURATION_EDGES,
    LIMIT_BANDS,
    OXYGEN_EDGES,
    PASSES,
    TEMPERATURE_EDGES,
    Workload,
)
from exports.policy.noise import Counts
from passes.codec.epochs import epoch_end, last_ended_day
from passes.codec.limits import EPOCH_LENGTH, VISIT_RETENTION
from venues.models import Organisation

# One line a pass that was scanned or refused, as the codes of the domain's axes. What is of the first Checkin scan is
# null for a refusal, which counts as Declined, Checkin, Personal, Public, in its own hour.
ROWS: Final = """
CREATE TEMPORARY TABLE release_rows ON COMMIT DROP AS
WITH first_scan AS (
  SELECT DISTINCT ON (s.tag) s.tag, s.approved, s.scanned_at, s.temperature_f, s.o2, s.device_id
  FROM passes_scan s
  WHERE s.epoch = %(day)s AND s.type = 'Checkin' AND s.tag IS NOT NULL
  ORDER BY s.tag, s.scanned_at, s.id
), checked_out AS (
  SELECT DISTINCT s.tag FROM passes_scan s
  WHERE s.epoch = %(day)s AND s.type = 'Checkout' AND s.approved AND s.tag IS NOT NULL
), level AS (
  SELECT * FROM unnest(%(zips)s::text[], %(levels)s::text[]) WITH ORDINALITY AS t(zip3, levels, place)
)
SELECT
  {own}
  p.counted,
  level.place::int - 1 AS zip,
  substr(level.levels, 1 + 8 * p.symptoms::int + 4 * p.diagnosed::int + 2 * p.contact::int + p.near::int, 1)::int
    AS risklevel,
  (NOT (p.go AND f.approved))::int AS result,
  p.symptoms::int AS symptoms,
  p.diagnosed::int AS diagnosed,
  p.contact::int AS contact,
  p.near::int AS near,
  CASE
    WHEN f.tag IS NULL THEN coalesce(p.refused_hour, 12)
    WHEN (f.scanned_at AT TIME ZONE %(zone)s)::date > p.epoch THEN 23
    ELSE extract(hour FROM f.scanned_at AT TIME ZONE %(zone)s)::int
  END AS hour,
  (c.tag IS NOT NULL)::int AS type_of_scan,
  (coalesce(door.access, 'Public') = 'Public')::int AS accesslevel,
  (coalesce(device.kind, 'Personal') = 'Personal')::int AS readingtype,
  width_bucket(coalesce(q.capacity, 0)::int, %(capacity)s::int[]) - 1 AS location_maxcapacity,
  width_bucket(coalesce(q.enforced_limit_percent, 0)::int, %(limit)s::int[]) - 1 AS location_capacity_enforcedlimit,
  coalesce(r.masks, 0)::int AS m_score,
  coalesce(r.distancing, 0)::int AS s_score,
  least(greatest(width_bucket(p.survey_seconds::int, %(duration)s::int[]), 1), %(durations)s) - 1 AS duration,
  -- greatest() passes over null, which must stay apart as 0.
  CASE WHEN f.temperature_f IS NULL THEN 0
    ELSE least(greatest(width_bucket(f.temperature_f::float8, %(temp)s::float8[]), 1), %(temps)s) END AS temp,
  CASE WHEN f.o2 IS NULL THEN 0
    ELSE least(greatest(width_bucket(f.o2::int, %(o2)s::int[]), 1), %(o2s)s) END AS o2
FROM passes_pass p
JOIN venues_venue v ON v.id = p.venue_id
JOIN venues_organisation o ON o.id = v.organisation_id AND o.verified_at IS NOT NULL
JOIN level ON level.zip3 = CASE WHEN left(v.zip, 3) = ANY(%(zips)s::text[]) THEN left(v.zip, 3) ELSE '' END
LEFT JOIN first_scan f ON f.tag = p.tag AND p.go
LEFT JOIN checked_out c ON c.tag = p.tag AND p.go
LEFT JOIN venues_device device ON device.id = f.device_id
LEFT JOIN venues_door door ON door.id = device.door_id
LEFT JOIN venues_requirements q ON q.id = v.requirements_id
LEFT JOIN passes_rating r ON r.pass_row_id = p.id
WHERE p.epoch = %(day)s AND (f.tag IS NOT NULL OR NOT p.go)
"""

# A day that was written a moment ago is not in the planner's statistics: it takes the day for empty and joins its rows
# one by one, which took minutes instead of a second. Whole days are joined by hash, whatever it believes.
HASHED: Final = "SET LOCAL enable_nestloop = off"

# What also leads to the pass: for real rows, never for counts. The order is by a hash, so that it tells nothing.
OWN: Final = "p.tag, p.owner_hash, sha256(%(salt)s::bytea || p.tag) AS place,"


def exact_counts(*, day: dt.date, tables: Sequence[Workload], levels: Mapping[str, Sequence[int]]) -> dict[str, Counts]:
    """Exact counts of a day in the shape of each table; to be called inside a transaction.

    `levels` has the class of each pattern of answers by 3-digit ZIP (`risklevels.levels_by_zip3`), for the empty text
    too. Counts are of marked passes, in the table `passes` of all.
    """
    with connection.cursor() as cursor:
        make_rows(cursor, day=day, levels=levels)
        return {table.name: _count(cursor, table) for table in tables}


# The purge may begin while a release runs; it does not come so much earlier.
MARGIN: Final = dt.timedelta(days=1)


def rows_may_be_gone(*, day: dt.date, now: dt.datetime) -> bool:
    """Whether the purge may have taken rows of a day by `now`: of any organisation that counts and was there then.

    Each ages by its own clock. A day of which no organisation is known any more ages by the real one.
    """
    zone = deployment_zone()
    ended = epoch_end(day, zone)
    begun = ended - EPOCH_LENGTH
    there = Organisation.objects.exclude(verified_at=None).filter(
        Q(closed_at=None) | Q(closed_at__gt=begun), created_at__lt=ended
    )
    clocks = {until or now for until in there.values_list("simulated_until", flat=True).distinct()} or {now}
    return any(day <= last_ended_day(clock + MARGIN - VISIT_RETENTION, zone) for clock in clocks)


def make_rows(cursor: Any, *, day: dt.date, levels: Mapping[str, Sequence[int]], salt: bytes | None = None) -> None:
    """Make the temporary table `release_rows` of a day, for the transaction; with `salt` it has `OWN` too."""
    zips = sorted(levels)
    values: dict[str, Any] = {
        "day": day,
        "zone": settings.DEPLOYMENT_TIME_ZONE,
        "zips": zips,
        "levels": ["".join(map(str, levels[zip3])) for zip3 in zips],
        "capacity": list(CAPACITY_BANDS),
        "limit": list(LIMIT_BANDS),
        "duration": list(DURATION_EDGES),
        "durations": len(DURATION_EDGES) - 1,
        "temp": list(TEMPERATURE_EDGES),
        "temps": len(TEMPERATURE_EDGES) - 1,
        "o2": list(OXYGEN_EDGES),
        "o2s": len(OXYGEN_EDGES) - 1,
    }
    if salt is not None:
        values["salt"] = salt
    cursor.execute("DROP TABLE IF EXISTS release_rows")
    cursor.execute(HASHED)
    cursor.execute(ROWS.format(own=OWN if salt is not None else ""), values)
    cursor.execute("SET LOCAL enable_nestloop = on")


def _count(cursor: Any, table: Workload) -> Counts:
    """One table's counts: PostgreSQL groups, only cells cross over."""
    counts = np.zeros(table.shape, dtype=np.int64)
    columns = sql.SQL(", ").join([*(sql.Identifier(axis.name) for axis in table.axes), sql.SQL("count(*)")])
    marked = sql.SQL("" if table.name == PASSES else "WHERE counted")
    groups = sql.SQL(", ").join(sql.SQL(str(place)) for place in range(1, len(table.axes) + 1))
    grouped = sql.SQL("GROUP BY {}").format(groups) if table.axes else sql.SQL("")
    query = sql.SQL("SELECT {} FROM release_rows {} {}").format(columns, marked, grouped)
    cursor.execute(query)
    for *place, number in cursor.fetchall():
        counts[tuple(place)] = number
    return counts
