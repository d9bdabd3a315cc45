"""SQL of this app that reads tables of `passes` and `venues`, a dependency that imports do not show.

Only this file of the app may name another app's table (`tests/common/test_structure.py`). Everything else goes through
models, services and selectors. These statements are SQL because they read a whole day, all current visits, or areas.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from django.conf import settings
from django.db import connection

from exports.policy.domain import (
    CAPACITY_BANDS,
    DURATION_EDGES,
    LIMIT_BANDS,
    OXYGEN_EDGES,
    TEMPERATURE_EDGES,
)
from passes.codec import Cause
from passes.limits import FASTEST_SURVEY_S

# Causes that depend on the pass alone. Any other cause depends on other visitors, the clock, the door or its device.
# What is released of a pass must depend on that pass alone, so a scan with such a cause counts as Approved.
OWN_FAULTS: Final = frozenset({Cause.REVOKED, Cause.ROTATING_REQUIRED, Cause.PRIVATE_DOOR, Cause.TEMPERATURE, Cause.O2})

# One row for each pass that was scanned or refused, as codes of the domain's axes. Columns of the first Checkin scan
# are null for a refusal, which counts as Refused, Checkin, Personal, Public, in its own hour. `approved` and `cause`
# are the server's own verdict, even if an offline kiosk decided otherwise. Two kinds of passes are left out, neither of
# which depends on other visitors: those whose questions were answered too fast, and those first scanned by a device on
# a day that the operator excluded before it closed.
_ROWS: Final = """
CREATE TEMPORARY TABLE release_rows ON COMMIT DROP AS
WITH scan AS (
  SELECT s.*, s.approved OR NOT s.cause = ANY(%(own_faults)s::text[]) AS clean FROM passes_scan s
  WHERE s.epoch BETWEEN %(first_day)s AND %(day)s AND s.tag IS NOT NULL
), placed AS (
  SELECT s.*, rank() OVER (PARTITION BY s.tag ORDER BY s.scanned_at) AS place FROM scan s WHERE s.type = 'Checkin'
), first_scan AS (
  -- Scans of one second are one: which of them was approved, and which a replay, depends on who else was there.
  SELECT s.tag, min(s.scanned_at) AS scanned_at, bool_or(s.clean) AS clean, min(s.temperature_f) AS temperature_f,
    min(s.o2) AS o2, min(s.device_id) AS device_id
  FROM placed s WHERE s.place = 1 GROUP BY s.tag
), checked_out AS (
  SELECT DISTINCT s.tag FROM scan s WHERE s.type = 'Checkout' AND s.clean
), level AS (
  SELECT * FROM unnest(%(zips)s::text[], %(levels)s::text[]) WITH ORDINALITY AS t(zip3, levels, place)
)
SELECT
  {own}
  p.counted,
  level.place::int - 1 AS zip,
  substr(level.levels, 1 + 8 * p.symptoms::int + 4 * p.diagnosed::int + 2 * p.contact::int + p.near::int, 1)::int
    AS risklevel,
  verdict.outcome,
  least(verdict.outcome, 1) AS result,
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
  AND o.verified_at <= coalesce(%(frozen_at)s::timestamptz, 'infinity')
JOIN level ON level.zip3 = CASE WHEN left(v.zip, 3) = ANY(%(zips)s::text[]) THEN left(v.zip, 3) ELSE '' END
LEFT JOIN first_scan f ON f.tag = p.tag AND p.go
CROSS JOIN LATERAL (
  SELECT CASE WHEN NOT p.go THEN 2 WHEN f.clean THEN 0 ELSE 1 END AS outcome
) verdict
LEFT JOIN checked_out c ON c.tag = p.tag AND p.go
LEFT JOIN venues_device device ON device.id = f.device_id
LEFT JOIN venues_door door ON door.id = device.door_id
LEFT JOIN venues_requirements q ON q.id = v.requirements_id
LEFT JOIN passes_rating r ON r.pass_row_id = p.id
LEFT JOIN exports_leftoutday lo ON lo.device_id = f.device_id AND lo.day = p.epoch
WHERE p.epoch BETWEEN %(first_day)s AND %(day)s AND (f.tag IS NOT NULL OR NOT p.go)
  AND p.survey_seconds >= %(fastest)s AND lo.id IS NULL
"""

# Columns that identify the pass: for real rows, never for counts. The order is by a hash, so it reveals nothing.
_OWN: Final = "p.tag, p.owner_hash, sha256(%(salt)s::bytea || p.tag) AS place,"

# The planner has no statistics of a day that was just written: it assumes an empty day and joins its rows one by one,
# which took minutes instead of a second. So nested loops are disabled, and whole days are joined by hash.
HASHED: Final = "SET LOCAL enable_nestloop = off"


def make_rows(
    cursor: Any,
    *,
    day: dt.date,
    levels: Mapping[str, Sequence[int]],
    salt: bytes | None = None,
    first_day: dt.date | None = None,
    frozen_at: dt.datetime | None = None,
) -> None:
    """Create the temporary table `release_rows` in this transaction: a row for each scanned or refused pass of a day.

    With `first_day`, of all days from it to `day`; with `frozen_at`, at venues that were verified by then. `levels` has
    the class of each pattern of answers by 3-digit ZIP, including the empty text. With `salt`, rows also have `tag`,
    `owner_hash` and `place`, their order by a salted hash.
    """
    zips = sorted(levels)
    values: dict[str, Any] = {
        "day": day,
        "first_day": first_day or day,
        "frozen_at": frozen_at,
        "zone": settings.DEPLOYMENT_TIME_ZONE,
        "zips": zips,
        "levels": ["".join(map(str, levels[zip3])) for zip3 in zips],
        "own_faults": sorted(OWN_FAULTS),
        "capacity": list(CAPACITY_BANDS),
        "limit": list(LIMIT_BANDS),
        "duration": list(DURATION_EDGES),
        "fastest": FASTEST_SURVEY_S,
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
    cursor.execute(_ROWS.format(own=_OWN if salt is not None else ""), values)
    cursor.execute("SET LOCAL enable_nestloop = on")


_AREAS: Final = """
    SELECT DISTINCT left(venue.zip, 3) FROM venues_venue AS venue
    JOIN venues_organisation AS organisation
      ON organisation.id = venue.organisation_id AND organisation.verified_at IS NOT NULL
    WHERE venue.closed_at IS NULL OR venue.closed_at >= %(since)s
    ORDER BY 1
"""


def areas_with_verified_venues(*, since: dt.date) -> list[str]:
    """Return the 3-digit ZIPs of venues of verified organisations that are open, or were open on the day `since`."""
    with connection.cursor() as cursor:
        cursor.execute(_AREAS, {"since": since})
        return [zip3 for (zip3,) in cursor.fetchall()]


_HEADS: Final = """
    WITH place AS (
        SELECT venue.id, left(venue.zip, 3) AS zip3, asked.capacity * asked.enforced_limit_percent / 100.0 AS most
        FROM venues_venue AS venue
        JOIN venues_organisation AS organisation
          ON organisation.id = venue.organisation_id AND organisation.verified_at IS NOT NULL
        JOIN venues_requirements AS asked ON asked.id = venue.requirements_id
        WHERE venue.closed_at IS NULL AND venue.listed AND left(venue.zip, 3) = ANY(%(zips)s::text[])
    ), inside AS (
        SELECT visit.venue_id, count(*) AS heads FROM passes_visit AS visit
        WHERE visit.arrived_at > %(since)s::timestamptz AND visit.arrived_at <= %(at)s::timestamptz
          AND coalesce(visit.left_at, visit.times_out_at) > %(at)s::timestamptz AND NOT visit.kept_out
        GROUP BY visit.venue_id
    )
    SELECT place.zip3, count(*), coalesce(sum(inside.heads), 0)::int, sum(place.most)::float8
    FROM place LEFT JOIN inside ON inside.venue_id = place.id
    GROUP BY place.zip3 HAVING count(*) >= %(fewest)s ORDER BY place.zip3
"""


class Area(NamedTuple):
    """Open listed venues of verified organisations in a 3-digit ZIP, people inside, and their enforced capacity."""

    zip3: str
    venues: int
    heads: int
    most: float


def heads_by_area(*, zips: Sequence[str], since: dt.datetime, at: dt.datetime, fewest: int) -> list[Area]:
    """Return the people inside at the time `at`, by 3-digit ZIP of `zips`, for areas with at least `fewest` venues.

    `since`: the earliest arrival of people who may still be inside.
    """
    with connection.cursor() as cursor:
        cursor.execute(_HEADS, {"zips": list(zips), "since": since, "at": at, "fewest": fewest})
        return [Area(*row) for row in cursor.fetchall()]


LEFT_OUT: Final = """
    SELECT span.day, count(DISTINCT scan.tag)
    FROM unnest(%(days)s::date[], %(starts)s::timestamptz[], %(ends)s::timestamptz[]) AS span (day, first, last)
    JOIN exports_leftoutday AS out ON out.day = span.day
    JOIN venues_device AS device ON device.id = out.device_id
    JOIN venues_door AS door ON door.id = device.door_id
    JOIN passes_scan AS scan
      ON scan.venue_id = door.venue_id AND scan.scanned_at >= span.first AND scan.scanned_at < span.last
     AND scan.device_id = out.device_id AND scan.epoch = out.day
    WHERE scan.type = 'Checkin' AND scan.scanned_at = (
        SELECT min(first.scanned_at) FROM passes_scan AS first WHERE first.tag = scan.tag AND first.type = 'Checkin')
    GROUP BY span.day
"""
"""The number of passes of each day that were first scanned by a device whose day is left out of the release.

Scans are found by place and time, for which there is an index.
"""

# Figures for the people who run a venue -------------------------------------------------------------------------------
# Each column depends on the pass alone, not on other visitors. So a pass that was declined because the venue was full
# or closed, or because its code was already used, counts as a visit; and a refusal counts only if the answers were the
# reason, not an invitation that others had used up.
OWNER_DAY: Final = """
    WITH rules AS (
        SELECT venue.id, venue.public_id, asked.*
        FROM venues_venue AS venue
        LEFT JOIN LATERAL (
            SELECT version.refuse_symptoms, version.refuse_diagnosed, version.refuse_contact, version.refuse_near
            FROM venues_requirements AS version WHERE version.venue_id = venue.id
            ORDER BY version.created_at <= %(frozen)s DESC,
                     CASE WHEN version.created_at <= %(frozen)s THEN -version.version ELSE version.version END
            LIMIT 1
        ) AS asked ON true
        WHERE venue.public_id = ANY(%(venues)s::text[])
    ), first_scan AS (
        SELECT DISTINCT ON (scan.tag) scan.tag, scan.cause, scan.slot
        FROM passes_scan AS scan
        WHERE scan.epoch = %(day)s AND scan.type = 'Checkin' AND scan.tag IS NOT NULL
        ORDER BY scan.tag, scan.scanned_at, scan.id
    ), ended AS (
        SELECT rules.public_id,
               CASE WHEN NOT pass.go THEN 2 WHEN first_scan.cause = ANY(%(own)s::text[]) THEN 1 ELSE 0 END AS outcome,
               coalesce((first_scan.slot - 1) / 60, 0) AS hour
        FROM passes_pass AS pass
        JOIN rules ON rules.id = pass.venue_id
        LEFT JOIN first_scan ON first_scan.tag = pass.tag AND pass.go
        WHERE pass.epoch = %(day)s AND pass.counted AND pass.survey_seconds >= %(fastest)s
          AND CASE WHEN pass.go THEN first_scan.tag IS NOT NULL
              ELSE pass.symptoms AND rules.refuse_symptoms OR pass.diagnosed AND rules.refuse_diagnosed
                OR pass.contact AND rules.refuse_contact OR pass.near AND rules.refuse_near END
    )
    SELECT public_id, outcome, hour, count(*) FROM ended GROUP BY public_id, outcome, hour
"""
OWNER_RATINGS: Final = """
    SELECT venue.public_id, rating.masks, rating.distancing, count(*)
    FROM passes_rating AS rating
    JOIN passes_pass AS pass ON pass.id = rating.pass_row_id
    JOIN venues_venue AS venue ON venue.id = pass.venue_id
    WHERE pass.epoch BETWEEN %(first)s AND %(last)s AND pass.counted AND pass.survey_seconds >= %(fastest)s
      AND venue.public_id = ANY(%(venues)s::text[])
    GROUP BY venue.public_id, rating.masks, rating.distancing
"""
