-- Record many scans of one device with what they do to visits, all in one statement of the caller.
--
-- The caller decided on facts that it read a moment ago, in memory. Under the locks of the pass rows this function looks
-- whether they still hold, as passes_record_scan does for one: tags of passes that changed meanwhile (another scan, an
-- erasure) are returned, and nothing of them is written. NULL: nothing at all was written, because a row is refused; the
-- caller then records one by one.
--
-- p_scans: rows of scans, `tag` in hex or null, `seen` as many scans of the tag as the facts held. p_visits: `id` null for
-- a new visit with all of `arrived`, `left`, `times_out`; else what a visit that exists is widened to or ended at.
CREATE OR REPLACE FUNCTION passes_record_scans(
    p_venue bigint, p_device bigint, p_scans jsonb, p_visits jsonb, p_since timestamptz
) RETURNS text[] LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    v_changed text[];
BEGIN
    -- Rows stay where they are meanwhile (common.locks.MIXING), and the commit waits for the disk even if all is erased.
    PERFORM pg_advisory_xact_lock_shared(1296652361);
    PERFORM pg_logical_emit_message(true, 'crowdtrace', '');
    BEGIN
        -- In order, so that two batches never wait for each other.
        PERFORM 1 FROM passes_pass
        WHERE tag IN (SELECT decode(asked.tag, 'hex') FROM jsonb_to_recordset(p_scans) AS asked (tag text))
        ORDER BY tag FOR NO KEY UPDATE;

        SELECT coalesce(array_agg(asked.tag), '{}') INTO v_changed
        FROM (SELECT DISTINCT tag, seen FROM jsonb_to_recordset(p_scans) AS scan (tag text, seen bigint)) AS asked
        WHERE asked.tag IS NOT NULL
          AND (NOT EXISTS (SELECT FROM passes_pass WHERE tag = decode(asked.tag, 'hex'))
               OR (SELECT count(*) FROM passes_scan WHERE tag = decode(asked.tag, 'hex')) <> asked.seen);

        INSERT INTO passes_scan (id, scan_id, venue_id, device_id, tag, epoch, type, slot, scanned_at, approved, cause,
                                 kiosk_approved, temperature_f, o2, abuse_score)
        SELECT gen_random_uuid(), scan.scan_id, p_venue, p_device, decode(scan.tag, 'hex'), scan.epoch, scan.type,
               scan.slot, scan.at, scan.approved, scan.cause, scan.kiosk, scan.temperature, scan.o2, NULL
        FROM jsonb_to_recordset(p_scans) AS scan (
            scan_id varchar, tag text, epoch date, type varchar, slot smallint, at timestamptz, approved boolean,
            cause varchar, kiosk boolean, temperature double precision, o2 smallint)
        WHERE scan.tag IS NULL OR scan.tag <> ALL (v_changed);

        INSERT INTO passes_visit (id, tag, venue_id, epoch, arrived_at, left_at, times_out_at)
        SELECT gen_random_uuid(), decode(visit.tag, 'hex'), p_venue, visit.epoch, visit.arrived, visit.left,
               visit.times_out
        FROM jsonb_to_recordset(p_visits) AS visit (
            id uuid, tag text, epoch date, arrived timestamptz, "left" timestamptz, times_out timestamptz)
        WHERE visit.id IS NULL AND visit.tag <> ALL (v_changed);

        UPDATE passes_visit AS kept
        SET arrived_at = least(kept.arrived_at, visit.arrived), times_out_at = greatest(kept.times_out_at, visit.times_out),
            left_at = coalesce(visit.left, kept.left_at)
        FROM jsonb_to_recordset(p_visits) AS visit (
            id uuid, tag text, arrived timestamptz, "left" timestamptz, times_out timestamptz)
        WHERE kept.id = visit.id AND visit.tag <> ALL (v_changed);

        IF p_since IS NOT NULL THEN
            INSERT INTO passes_change (venue_id, since) VALUES (p_venue, p_since);
        END IF;
    EXCEPTION WHEN integrity_constraint_violation OR data_exception THEN
        RETURN NULL;
    END;
    RETURN v_changed;
END
$$;
