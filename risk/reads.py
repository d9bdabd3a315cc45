"""Every statement of this app that reads tables of `passes` and `venues`; no other file names them in SQL.

The import checker cannot see tables, so the statements are collected here: check this file before changing a column of
those apps. They are plain SQL for speed: each is one pass over many venues or stays.
"""

from typing import Final

# Crowd state ----------------------------------------------------------------------------------------------------------
TAKE_CHANGES: Final = """
    WITH taken AS (DELETE FROM passes_change RETURNING venue_id, since)
    SELECT venue_id, min(since) FROM taken GROUP BY venue_id
"""
"""Takes the queue of changes: each venue with the earliest time at which something changed."""
VENUES_WITH_NEW_FACTS: Final = """
    SELECT venue.id FROM venues_venue AS venue
    JOIN venues_organisation AS organisation ON organisation.id = venue.organisation_id
    JOIN risk_venuecard AS card ON card.venue_id = venue.id
    WHERE (venue.kind, venue.volume_m3, venue.air_changes_per_h, organisation.verified_at IS NOT NULL)
          IS DISTINCT FROM (card.kind, card.volume_m3, card.air_changes_per_h, card.verified)
"""
"""Venues whose facts differ from those used for their crowd state, or that were verified in the meantime."""
VENUE_FACTS: Final = """
    SELECT venue.id, venue.kind, venue.volume_m3, venue.air_changes_per_h, organisation.verified_at IS NOT NULL
    FROM venues_venue AS venue JOIN venues_organisation AS organisation ON organisation.id = venue.organisation_id
    WHERE venue.id = ANY(%s::bigint[])
"""
"""Kind, volume and air of venues, and whether they are verified."""
FIRST_ARRIVALS: Final = """
    SELECT wanted.venue_id, min(visit.arrived_at)
    FROM unnest(%s::bigint[]) AS wanted (venue_id)
    JOIN passes_visit AS visit ON visit.venue_id = wanted.venue_id GROUP BY wanted.venue_id
"""
"""The first arrival at each venue."""
VISITS_SINCE: Final = """
    SELECT visit.venue_id, visit.tag,
           (extract(epoch FROM visit.arrived_at) * 1000000)::bigint,
           (extract(epoch FROM coalesce(visit.left_at, visit.times_out_at)) * 1000000)::bigint,
           coalesce(rating.masks, 0), coalesce(rating.distancing, 0)
    FROM unnest(%(venues)s::bigint[], %(since)s::timestamptz[]) AS wanted (venue_id, since)
    JOIN passes_visit AS visit ON visit.venue_id = wanted.venue_id
         AND visit.arrived_at > wanted.since - interval '28 hours'
         AND coalesce(visit.left_at, visit.times_out_at) > wanted.since AND NOT visit.kept_out
    LEFT JOIN passes_pass AS owned ON owned.tag = visit.tag
    LEFT JOIN passes_rating AS rating ON rating.pass_row_id = owned.id
    ORDER BY visit.venue_id, visit.tag, visit.arrived_at
"""
"""Visits that last beyond an instant of their venue and are not kept out, with the rating of their pass."""

# Answers --------------------------------------------------------------------------------------------------------------
ANSWERS_OF_DAYS: Final = """
    WITH came AS (
        SELECT venue_id, tag, (min(arrived_at) AT TIME ZONE 'UTC')::date AS day
        FROM passes_visit WHERE arrived_at > %(since)s::date - 2 AND NOT kept_out GROUP BY venue_id, tag
    )
    SELECT came.venue_id, venue.public_id, came.day, count(*),
           count(*) FILTER (WHERE (owned.contact OR owned.near) AND NOT owned.symptoms AND NOT owned.diagnosed),
           count(*) FILTER (WHERE owned.symptoms AND NOT owned.diagnosed),
           count(*) FILTER (WHERE owned.diagnosed)
    FROM came
    JOIN venues_venue AS venue ON venue.id = came.venue_id
    LEFT JOIN passes_pass AS owned ON owned.tag = came.tag
    WHERE came.day >= %(since)s AND came.day < %(today)s
      AND NOT EXISTS (
          SELECT 1 FROM risk_answeredday AS known WHERE known.venue_id = came.venue_id AND known.day = came.day
      )
    GROUP BY came.venue_id, venue.public_id, came.day HAVING count(*) >= %(fewest)s
    ORDER BY came.venue_id, came.day
"""
"""Passes that came first to a venue on each ended day without answers yet, and the number in each class."""

# Adoption -------------------------------------------------------------------------------------------------------------
COUNTS_OF_DAYS: Final = """
    SELECT counted.venue_id, venue.public_id, counted.day, counted.counted_at, counted.people,
           (SELECT count(DISTINCT visit.tag) FROM passes_visit AS visit
            WHERE visit.venue_id = counted.venue_id AND visit.arrived_at <= counted.counted_at
              AND visit.arrived_at > counted.counted_at - interval '28 hours'
              AND coalesce(visit.left_at, visit.times_out_at) > counted.counted_at AND NOT visit.kept_out)
    FROM (
        SELECT DISTINCT ON (venue_id, (counted_at AT TIME ZONE 'UTC')::date)
               venue_id, (counted_at AT TIME ZONE 'UTC')::date AS day, counted_at, people
        FROM venues_presencecount
        WHERE counted_at >= %(since)s::date::timestamp AT TIME ZONE 'UTC'
          AND counted_at < %(today)s::date::timestamp AT TIME ZONE 'UTC'
        ORDER BY venue_id, (counted_at AT TIME ZONE 'UTC')::date, people DESC, counted_at
    ) AS counted
    JOIN venues_venue AS venue ON venue.id = counted.venue_id
    WHERE NOT EXISTS (
        SELECT 1 FROM risk_countedday AS known WHERE known.venue_id = counted.venue_id AND known.day = counted.day
    )
    ORDER BY counted.venue_id, counted.day
"""
"""The count with the most people of each ended day without one yet, and the check-ins inside that are not kept out."""
DAYS_OF_READINGS: Final = """
    SELECT reading.venue_id, (reading.measured_at AT TIME ZONE 'UTC')::date AS day, reading.device_id,
           (extract(epoch FROM reading.measured_at) * 1000000)::bigint, reading.co2_ppm,
           venue.kind, venue.volume_m3, venue.air_changes_per_h, organisation.verified_at IS NOT NULL
    FROM risk_airreading AS reading
    JOIN venues_venue AS venue ON venue.id = reading.venue_id AND venue.air_changes_per_h IS NOT NULL
    JOIN venues_organisation AS organisation ON organisation.id = venue.organisation_id
    WHERE reading.measured_at >= %(since)s::date::timestamp AT TIME ZONE 'UTC'
      AND reading.measured_at < %(today)s::date::timestamp AT TIME ZONE 'UTC'
      AND NOT EXISTS (
          SELECT 1 FROM risk_seenday AS known
          WHERE known.venue_id = reading.venue_id AND known.day = (reading.measured_at AT TIME ZONE 'UTC')::date
      )
    ORDER BY reading.venue_id, day, reading.device_id, reading.measured_at
"""
"""Readings of CO2 on ended days that no estimate was made of, at venues that declare their fresh air."""
ADOPTION_EVIDENCE: Final = """
    SELECT venue.id, organisation.verified_at IS NOT NULL, venue.check_in_share, counted.people, counted.shown,
           seen.per_check_in, seen.log_sd, own.share, own.low, own.high, own.source
    FROM venues_venue AS venue
    JOIN venues_organisation AS organisation ON organisation.id = venue.organisation_id
    LEFT JOIN risk_venueadoption AS own ON own.venue_id = venue.id
    LEFT JOIN LATERAL (
        SELECT array_agg(day.people ORDER BY day.day) AS people, array_agg(day.shown ORDER BY day.day) AS shown
        FROM risk_countedday AS day
        JOIN venues_presencecount AS entered
             ON entered.venue_id = day.venue_id AND entered.counted_at = day.counted_at AND entered.people = day.people
        WHERE day.venue_id = venue.id AND day.day >= %(since)s
    ) AS counted ON true
    LEFT JOIN LATERAL (
        SELECT array_agg(day.per_check_in ORDER BY day.day) AS per_check_in,
               array_agg(day.log_sd ORDER BY day.day) AS log_sd
        FROM risk_seenday AS day
        WHERE day.venue_id = venue.id AND day.day >= %(since)s AND day.per_check_in IS NOT NULL
          AND day.air_changes_per_h = venue.air_changes_per_h AND day.volume_m3 IS NOT DISTINCT FROM venue.volume_m3
    ) AS seen ON true
    WHERE venue.check_in_share IS NOT NULL OR counted.people IS NOT NULL OR seen.log_sd IS NOT NULL
          OR own.venue_id IS NOT NULL
    ORDER BY venue.id
"""
"""What is known of adoption at venues, and what is stored; those without either are left out."""

# Self-reports ---------------------------------------------------------------------------------------------------------
REPORTED_STAYS: Final = """
    SELECT visit.venue_id,
           (extract(epoch FROM visit.arrived_at) * 1000000)::bigint,
           (extract(epoch FROM coalesce(visit.left_at, visit.times_out_at)) * 1000000)::bigint
    FROM passes_pass AS owned JOIN passes_visit AS visit ON visit.tag = owned.tag
    WHERE owned.owner_hash = %(owner)s AND owned.survey_seconds >= %(fastest)s
      AND owned.epoch BETWEEN %(day)s::date - %(before)s::int AND %(day)s::date + %(after)s::int
    ORDER BY visit.arrived_at
"""
"""Stays of the pass that a report names, within the days around its test.

A stay that is kept out counts, because others decide on that too: the host of a door could push everybody else out and
see whether the one who is left reports. A pass that was answered in no time has none; that depends on the pass alone.
"""

# Shields --------------------------------------------------------------------------------------------------------------
OWNED_STAYS: Final = """
    SELECT visit.venue_id, visit.tag,
           (extract(epoch FROM visit.arrived_at) * 1000000)::bigint,
           (extract(epoch FROM coalesce(visit.left_at, visit.times_out_at)) * 1000000)::bigint,
           coalesce(asked.refuse_symptoms, false), coalesce(asked.refuse_diagnosed, false),
           coalesce(asked.refuse_contact, false), coalesce(asked.refuse_near, false),
           venue.public_id, venue.kind, venue.volume_m3, venue.air_changes_per_h,
           organisation.verified_at IS NOT NULL, left(venue.zip, 3), own.share, own.low, own.high, NOT visit.kept_out
    FROM passes_pass AS owned
    JOIN passes_visit AS visit ON visit.tag = owned.tag
    JOIN venues_venue AS venue ON venue.id = visit.venue_id
    JOIN venues_organisation AS organisation ON organisation.id = venue.organisation_id
    LEFT JOIN risk_venueadoption AS own ON own.venue_id = venue.id
    LEFT JOIN LATERAL (
        SELECT version.* FROM venues_requirements AS version
        WHERE version.venue_id = visit.venue_id
        ORDER BY version.created_at <= (owned.epoch::timestamp AT TIME ZONE %(zone)s) - interval '24 hours' DESC,
                 CASE WHEN version.created_at <= (owned.epoch::timestamp AT TIME ZONE %(zone)s) - interval '24 hours'
                      THEN -version.version ELSE version.version END
        LIMIT 1
    ) AS asked ON true
    WHERE owned.owner_hash = ANY(%(owners)s::bytea[])
      AND visit.arrived_at > %(now)s::timestamptz - interval '16 days'
    ORDER BY visit.venue_id, visit.arrived_at
"""
"""Stays of a holder's passes, with the requirements frozen for their day and the facts of their venue."""

# Scouting -------------------------------------------------------------------------------------------------------------
COST_BASES: Final = """
    SELECT venue.id, venue.kind, venue.volume_m3, venue.air_changes_per_h, organisation.verified_at IS NOT NULL,
           left(venue.zip, 3),
           coalesce(card.rated, 0), coalesce(card.rated_masks, 0), coalesce(card.rated_distancing, 0),
           coalesce(asked.refuse_symptoms, false), coalesce(asked.refuse_diagnosed, false),
           coalesce(asked.refuse_contact, false), coalesce(asked.refuse_near, false),
           air.air_changes_per_h, air.air_log_sd, card.basis, own.share, own.low, own.high
    FROM venues_venue AS venue
    JOIN venues_organisation AS organisation ON organisation.id = venue.organisation_id
    LEFT JOIN venues_requirements AS asked ON asked.id = venue.requirements_id
    LEFT JOIN risk_airhour AS air ON air.venue_id = venue.id AND air.hour = date_trunc('hour', %(now)s::timestamptz)
    LEFT JOIN risk_venuecard AS card ON card.venue_id = venue.id
    LEFT JOIN risk_venueadoption AS own ON own.venue_id = venue.id
    WHERE venue.closed_at IS NULL AND (%(all)s OR venue.id = ANY(%(venues)s::bigint[]))
"""
"""Inputs of the cost of a stay at each open venue, with the basis of its stored curve."""
STORE_CURVES: Final = """
    INSERT INTO risk_venuecard
        (venue_id, basis, curve, kind, volume_m3, air_changes_per_h, verified, inside_from, inside, usual, usual_at)
    SELECT fresh.id, fresh.basis, fresh.curve, venue.kind, venue.volume_m3, venue.air_changes_per_h,
           organisation.verified_at IS NOT NULL, 0, ''::bytea, ''::bytea, NULL
    FROM unnest(%(venues)s::bigint[], %(bases)s::bytea[], %(curves)s::bytea[]) AS fresh (id, basis, curve)
    JOIN venues_venue AS venue ON venue.id = fresh.id
    JOIN venues_organisation AS organisation ON organisation.id = venue.organisation_id
    ON CONFLICT (venue_id) DO UPDATE SET basis = EXCLUDED.basis, curve = EXCLUDED.curve
"""
"""Stores curves of cost with the venue's facts used for them."""
PREPARED_VENUES: Final = """
    SELECT wanted.id, coalesce(card.curve, ''::bytea), coalesce(card.usual, ''::bytea), coalesce(card.inside_from, 0),
           coalesce(card.inside, ''::bytea), coalesce(card.rated, 0), coalesce(card.rated_masks, 0),
           coalesce(card.rated_distancing, 0), air.air_changes_per_h, air.air_log_sd, event.starts, event.ends,
           own.share, own.low, own.high, own.source
    FROM unnest(%(venues)s::bigint[]) AS wanted (id)
    LEFT JOIN risk_venuecard AS card ON card.venue_id = wanted.id
    LEFT JOIN risk_venueadoption AS own ON own.venue_id = wanted.id
    LEFT JOIN risk_airhour AS air ON air.venue_id = wanted.id AND air.hour = date_trunc('hour', %(now)s::timestamptz)
    LEFT JOIN LATERAL (
        SELECT array_agg(event.starts_at ORDER BY event.starts_at, event.id) AS starts,
               array_agg(event.ends_at ORDER BY event.starts_at, event.id) AS ends
        FROM venues_event AS event
        WHERE event.venue_id = wanted.id AND event.cancelled_at IS NULL
          AND event.starts_at < %(until)s::timestamptz AND event.ends_at > %(now)s::timestamptz
    ) AS event ON true
"""
"""Stored inputs of venues' cards: curve, usual crowd, people inside, ratings, air and events."""
_GLANCE: Final = """
    venue.id, venue.public_id, venue.name, venue.zip, venue.kind, venue.time_zone, asked.hours::text,
    asked.capacity * asked.enforced_limit_percent / 100.0,
    EXISTS (SELECT 1 FROM venues_event AS event WHERE event.venue_id = venue.id AND event.cancelled_at IS NULL
            AND event.starts_at <= %(now)s::timestamptz + %(lead)s AND event.ends_at > %(now)s::timestamptz),
    coalesce(substring(card.curve FROM %(from)s FOR %(bytes)s), ''::bytea),
    CASE WHEN %(edge)s BETWEEN card.inside_from AND card.inside_from + length(card.inside) / 4 - 1
         THEN substring(card.inside FROM 4 * (%(edge)s - card.inside_from)::int + 1 FOR 4) ELSE ''::bytea END,
    CASE WHEN length(card.usual) > 0
         THEN substring(card.usual FROM 4 * (%(slots)s::jsonb ->> venue.time_zone)::int + 1 FOR 4) ELSE ''::bytea END,
    (SELECT own.share FROM risk_venueadoption AS own WHERE own.venue_id = venue.id)
"""
"""Inputs of the cost of an hour from now, and whether a place is open; `slots`: hour of the week by time zone."""
NEARBY_VENUES: Final = """
    SELECT wanted.number, other.*
    FROM unnest(%(kinds)s::text[], %(zips)s::text[]) WITH ORDINALITY AS wanted (kind, zip, number)
    CROSS JOIN LATERAL (
        SELECT GLANCE
        FROM (SELECT venue.id FROM venues_venue AS venue
              JOIN venues_organisation AS organisation ON organisation.id = venue.organisation_id
              WHERE left(venue.zip, 3) = left(wanted.zip, 3) AND venue.kind = wanted.kind
                AND venue.listed AND venue.closed_at IS NULL AND organisation.closed_at IS NULL
                AND organisation.verified_at IS NOT NULL
              ORDER BY venue.zip = wanted.zip DESC, venue.id LIMIT %(most)s) AS first
        JOIN venues_venue AS venue ON venue.id = first.id
        JOIN venues_requirements AS asked ON asked.id = venue.requirements_id
        JOIN risk_venuecard AS card ON card.venue_id = venue.id AND length(card.curve) > 0
        ORDER BY venue.zip = wanted.zip DESC, venue.id
    ) AS other
""".replace("GLANCE", _GLANCE)
"""Listed, verified venues of the same kind and 3-digit ZIP as each given one, those of the same ZIP first."""
GLANCES: Final = """
    SELECT GLANCE
    FROM unnest(%(venues)s::bigint[]) AS wanted (id)
    JOIN venues_venue AS venue ON venue.id = wanted.id
    JOIN venues_requirements AS asked ON asked.id = venue.requirements_id
    LEFT JOIN risk_venuecard AS card ON card.venue_id = venue.id
""".replace("GLANCE", _GLANCE)
"""The same for given venues; without a curve if none is prepared."""
