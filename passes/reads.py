"""The statement of this app that reads a table of `venues`; nowhere else does SQL name one.

The import checker sees no table, so it is kept here: look at this file before changing a column of that app.
"""

from typing import Final

# Scans of one pass are few, so one look through them (`mine`) answers four questions. A scan let its visitor through
# if the kiosk's result, or where there is none the server's, is an approval. `stay` is the latest visit that had begun
# by the scan's time, else the earliest one: nothing sorts before a visit that has begun.
SCAN_FACTS: Final = """
    SELECT known.approved, pass.revoked, pass.tag IS NOT NULL,
           mine.seen, mine.slot_used, mine.slot_let_in, mine.last_slot, mine.next_checkout,
           stay.id, stay.arrived_at, stay.left_at, stay.times_out_at,
           CASE WHEN %(limit)s::integer IS NULL THEN 0 ELSE (
               SELECT count(*) FROM (
                   (SELECT 1 FROM passes_visit AS visit
                    WHERE visit.venue_id = %(venue)s AND visit.left_at IS NULL AND visit.times_out_at > %(at)s
                      AND visit.arrived_at <= %(at)s LIMIT %(limit)s)
                   UNION ALL
                   (SELECT 1 FROM passes_visit AS visit
                    WHERE visit.venue_id = %(venue)s AND visit.left_at > %(at)s
                      AND visit.arrived_at <= %(at)s LIMIT %(limit)s)) AS inside) END,
           %(private)s AND EXISTS (
               SELECT FROM venues_event AS event
               WHERE event.venue_id = %(venue)s AND event.cancelled_at IS NULL AND event.invitation_needed
                 AND event.starts_at >= %(day_start)s AND event.starts_at < %(day_end)s)
    FROM (VALUES (1)) AS one
    LEFT JOIN passes_scan AS known ON known.venue_id = %(venue)s AND known.scan_id = %(scan_id)s
    LEFT JOIN passes_pass AS pass ON pass.tag = %(tag)s AND pass.venue_id = %(venue)s AND pass.go
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
