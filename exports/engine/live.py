"""How busy areas were half an hour ago, as bands: the rows of the table `live_crowd`.

Counts of people who are there, not of the release: they are outside its guarantee, and the table says so. What keeps
them from pointing at anyone: only areas with three or more listed venues of verified organisations, whole areas
instead of venues, a band of four instead of a number, fewer than five people always `empty`, and half an hour to an
hour of delay.
"""

import datetime as dt
from typing import Any, Final

from django.db import connection

from common.time import z
from exports.dataset.tables import states_by_zip3
from passes.codec.limits import EPOCH_LENGTH
from risk.scouting.occupancy import band

FEWEST_VENUES: Final = 3
LATE: Final = dt.timedelta(minutes=30)
# No stay is longer than an epoch.
LONGEST_STAY: Final = EPOCH_LENGTH

_INSIDE: Final = """
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
          AND coalesce(visit.left_at, visit.times_out_at) > %(at)s::timestamptz
        GROUP BY visit.venue_id
    )
    SELECT place.zip3, count(*), coalesce(sum(inside.heads), 0)::int, sum(place.most)::float8
    FROM place LEFT JOIN inside ON inside.venue_id = place.id
    GROUP BY place.zip3 HAVING count(*) >= %(fewest)s ORDER BY place.zip3
"""


def counted_at(now: dt.datetime) -> dt.datetime:
    """The end of the last half hour that is old enough to be shown."""
    late = now.astimezone(dt.UTC) - LATE
    return late.replace(minute=late.minute // 30 * 30, second=0, microsecond=0)


def live_crowd(*, now: dt.datetime) -> list[list[Any]]:
    """Rows of the table `live_crowd`."""
    at, states = counted_at(now), states_by_zip3()
    asked: dict[str, Any] = {"zips": sorted(states), "since": at - LONGEST_STAY, "at": at, "fewest": FEWEST_VENUES}
    with connection.cursor() as cursor:
        cursor.execute(_INSIDE, asked)
        found = cursor.fetchall()
    return [[zip3, states[zip3], z(at), venues, band(heads, max(1.0, most))] for zip3, venues, heads, most in found]
