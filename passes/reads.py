"""The statements of this app that read a table of `venues`; nowhere else does SQL name one.

The import checker sees no table, so they are kept here: look at this file before changing a column of that app.
"""

from typing import Final

from venues.selectors import DEVICE, by_invitation_sql

_DAY_START: Final = "%(day_start)s::timestamptz"
_DAY_END: Final = "%(day_end)s::timestamptz"
# A pass has few scans, so one scan through them (`mine`) gives four results. A scan admitted its visitor if the kiosk's
# result, or the server's if there is none, is an approval. `stay` is the latest visit that had begun by the scan's
# time, otherwise the earliest one: nothing sorts before a visit that has begun.
_FACTS: Final = """
    SELECT known.approved, pass.revoked, pass.tag IS NOT NULL,
           mine.seen, mine.slot_used, mine.slot_let_in, mine.last_slot, mine.next_checkout,
           stay.id, stay.arrived_at, stay.left_at, stay.times_out_at,
           CASE WHEN LIMIT_OF_HEADS IS NULL THEN 0 ELSE (
               SELECT count(*) FROM (
                   (SELECT 1 FROM passes_visit AS visit
                    WHERE visit.venue_id = VENUE_ID AND visit.left_at IS NULL AND visit.times_out_at > %(at)s
                      AND visit.arrived_at <= %(at)s LIMIT LIMIT_OF_HEADS)
                   UNION ALL
                   (SELECT 1 FROM passes_visit AS visit
                    WHERE visit.venue_id = VENUE_ID AND visit.left_at > %(at)s
                      AND visit.arrived_at <= %(at)s LIMIT LIMIT_OF_HEADS)) AS inside) END,
           IS_PRIVATE AND INVITED
    FROM (VALUES (1)) AS one
    LEFT JOIN passes_scan AS known ON known.venue_id = VENUE_ID AND known.scan_id = %(scan_id)s
    LEFT JOIN passes_pass AS pass ON pass.tag = %(tag)s AND pass.venue_id = VENUE_ID AND pass.go
    LEFT JOIN LATERAL (
        SELECT count(*) AS seen,
               bool_or(scan.type = %(type)s AND scan.slot = %(slot)s
                       AND (scan.approved OR coalesce(scan.kiosk_approved, false))) AS slot_used,
               bool_or(scan.type = %(type)s AND scan.slot = %(slot)s
                       AND coalesce(scan.kiosk_approved, scan.approved)) AS slot_let_in,
               max(scan.slot) FILTER (WHERE scan.type = %(type)s
                       AND coalesce(scan.kiosk_approved, scan.approved)) AS last_slot,
               min(scan.scanned_at) FILTER (WHERE scan.type = 'Checkout' AND scan.scanned_at > %(at)s
                       AND coalesce(scan.kiosk_approved, scan.approved)) AS next_checkout
        FROM passes_scan AS scan WHERE scan.tag = %(tag)s
    ) AS mine ON true
    LEFT JOIN LATERAL (
        SELECT visit.id, visit.arrived_at, visit.left_at, visit.times_out_at
        FROM passes_visit AS visit WHERE visit.tag = %(tag)s
        ORDER BY visit.arrived_at <= %(at)s DESC,
                 CASE WHEN visit.arrived_at <= %(at)s THEN %(at)s - visit.arrived_at
                      ELSE visit.arrived_at - %(at)s END
        LIMIT 1
    ) AS stay ON true
"""


def _facts(*, venue: str, limit: str, private: str) -> str:
    invited = by_invitation_sql(venue=venue, start=_DAY_START, end=_DAY_END)
    parts = {"VENUE_ID": venue, "LIMIT_OF_HEADS": limit, "IS_PRIVATE": private, "INVITED": invited}
    sql = _FACTS
    for name, text in parts.items():
        sql = sql.replace(name, text)
    return sql


SCAN_FACTS: Final = _facts(venue="%(venue)s", limit="%(limit)s::integer", private="%(private)s")
"""All facts of one scan at a venue."""
_PEOPLE_LIMIT: Final = "greatest(1, device.capacity * device.enforced_limit_percent / 100)"  # as `people_limit` rounds
_LIMIT: Final = f"(CASE WHEN %(count_heads)s THEN {_PEOPLE_LIMIT} END)"
_THERE: Final = _facts(venue="device.venue_id", limit=_LIMIT, private="device.access = 'Private'")
DEVICE_AND_FACTS: Final = f"SELECT device.*, facts.* FROM ({DEVICE}) AS device CROSS JOIN LATERAL ({_THERE}) AS facts"  # noqa: S608 - constants
"""The device of a token, and all facts of one scan at its venue, in one round trip."""

_INVITED: Final = by_invitation_sql(venue="%(venue)s", start="day.start", end='day."end"')
_DAYS_BY_INVITATION: Final = f"""
    ARRAY(SELECT {_INVITED}
          FROM unnest(%(day_starts)s::timestamptz[], %(day_ends)s::timestamptz[])
               WITH ORDINALITY AS day (start, "end", place) ORDER BY day.place)
"""  # noqa: S608 - constants
DAYS_BY_INVITATION: Final = f"SELECT {_DAYS_BY_INVITATION}"
"""Which of some days are by invitation at a venue."""
# All scans and visits of each pass: `passes.ledger` computes from them what the statement above queries.
_BATCH_FACTS: Final = """
    SELECT (SELECT coalesce(jsonb_object_agg(scan.scan_id, scan.approved), '{}')::text FROM passes_scan AS scan
            WHERE scan.venue_id = %(venue)s AND scan.scan_id = ANY(%(scan_ids)s::text[])),
           (SELECT coalesce(jsonb_agg(jsonb_build_array(
                       encode(pass.tag, 'hex'), pass.revoked,
                       (SELECT coalesce(jsonb_agg(jsonb_build_array(
                                   scan.type, scan.slot, extract(epoch FROM scan.scanned_at), scan.approved,
                                   scan.kiosk_approved)), '[]')
                        FROM passes_scan AS scan WHERE scan.tag = pass.tag),
                       (SELECT coalesce(jsonb_agg(jsonb_build_array(
                                   visit.id, extract(epoch FROM visit.arrived_at), extract(epoch FROM visit.left_at),
                                   extract(epoch FROM visit.times_out_at))), '[]')
                        FROM passes_visit AS visit WHERE visit.tag = pass.tag))), '[]')::text
            FROM passes_pass AS pass
            WHERE pass.tag = ANY(%(tags)s::bytea[]) AND pass.venue_id = %(venue)s AND pass.go),
           (SELECT count(*) FROM (
                (SELECT 1 FROM passes_visit AS visit
                 WHERE visit.venue_id = %(venue)s AND visit.left_at IS NULL AND visit.times_out_at > %(first)s
                   AND visit.arrived_at <= %(last)s LIMIT %(most)s)
                UNION ALL
                (SELECT 1 FROM passes_visit AS visit
                 WHERE visit.venue_id = %(venue)s AND visit.left_at > %(first)s
                   AND visit.arrived_at <= %(last)s LIMIT %(most)s)) AS around),
           DAYS_BY_INVITATION
"""
BATCH_FACTS: Final = _BATCH_FACTS.replace("DAYS_BY_INVITATION", _DAYS_BY_INVITATION)
"""What a batch is decided on: answers to known scan ids, passes with scans and visits, how many heads were inside at
any time of the batch (up to `most`), and which days are by invitation."""
_CHECKIN_FACTS: Final = """
    SELECT venue.id,
           coalesce(asked.refuse_symptoms, false), coalesce(asked.refuse_diagnosed, false),
           coalesce(asked.refuse_contact, false), coalesce(asked.refuse_near, false),
           INVITED,
           EXISTS (SELECT FROM passes_pass WHERE tag = %(tag)s)
           OR EXISTS (SELECT FROM passes_pass WHERE owner_hash = %(owner_hash)s)
           OR EXISTS (SELECT FROM passes_tombstone WHERE mark IN (%(pass_mark)s, %(owner_mark)s)),
           EXISTS (SELECT FROM passes_pass WHERE tag = %(tag)s AND NOT revoked),
           spent.body_hash, spent.go
    FROM venues_venue AS venue
    JOIN venues_organisation AS organisation ON organisation.id = venue.organisation_id
    LEFT JOIN LATERAL (
        SELECT version.* FROM venues_requirements AS version
        WHERE version.venue_id = venue.id
        ORDER BY version.created_at <= %(opened)s DESC,
                 CASE WHEN version.created_at <= %(opened)s THEN -version.version ELSE version.version END
        LIMIT 1
    ) AS asked ON true
    LEFT JOIN passes_spentticket AS spent ON spent.nonce_hash = %(nonce_hash)s
    WHERE venue.public_id = %(venue)s AND venue.closed_at IS NULL AND organisation.closed_at IS NULL
"""
CHECKIN_FACTS: Final = _CHECKIN_FACTS.replace(
    "INVITED", by_invitation_sql(venue="venue.id", start=_DAY_START, end=_DAY_END)
)
"""What a check-in is judged on: the venue's rules on answers as they stood when check-in for the epoch opened (the
first version for an earlier time), whether the day is by invitation, and what is known of anchor, owner and ticket."""
