-- How many visits at a venue hold an instant: arrived by then, not left by then. Counting stops at `p_most`.
CREATE OR REPLACE FUNCTION passes_occupancy(p_venue bigint, p_at timestamptz, p_most integer) RETURNS bigint
LANGUAGE sql STABLE AS $$
    SELECT count(*) FROM (
        (SELECT 1 FROM passes_visit
         WHERE venue_id = p_venue AND left_at IS NULL AND times_out_at > p_at AND arrived_at <= p_at LIMIT p_most)
        UNION ALL
        (SELECT 1 FROM passes_visit
         WHERE venue_id = p_venue AND left_at > p_at AND arrived_at <= p_at LIMIT p_most)
    ) AS inside
$$;

-- Record one scan with what it does to the visit of its pass, in one statement of the caller.
--
-- The caller decided on facts that it read a moment ago. Under the lock of the pass row this function looks whether
-- they still hold: it answers 'again' where they do not (another scan of the pass, the same scan_id, an erasure came
-- between) and writes nothing. Near the people limit it takes the venue's lock and counts heads once more: it answers
-- 'full' where the last place is gone, and records the scan as declined for that. Else it answers 'done'.
--
-- Each statement of a volatile function sees what was committed before it began, so reads after a lock are fresh.
CREATE OR REPLACE FUNCTION passes_record_scan(
    p_scan_id varchar, p_venue bigint, p_device bigint, p_tag bytea, p_epoch date, p_type varchar, p_slot smallint,
    p_at timestamptz, p_approved boolean, p_cause varchar, p_kiosk boolean,
    p_temperature double precision, p_o2 smallint,
    p_scans_seen bigint,             -- scans of this pass that the facts were read from
    p_effect varchar,                -- start, restart, continue, end, none
    p_visit uuid,                    -- the visit that is continued or ended
    p_left timestamptz,              -- a Checkout that came before its Checkin
    p_times_out timestamptz,         -- end of the stay if nobody checks out
    p_limit integer                  -- heads that may be inside; null: not near the limit
) RETURNS text LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    v_approved boolean := p_approved;
    v_cause varchar := p_cause;
    v_effect varchar := p_effect;
    v_answer text := 'done';
BEGIN
    -- Rows stay where they are meanwhile (common.locks.MIXING): one that is being mixed would look deleted.
    PERFORM pg_advisory_xact_lock_shared(1296652361);
    IF p_tag IS NOT NULL THEN
        PERFORM 1 FROM passes_pass WHERE tag = p_tag FOR NO KEY UPDATE;
        IF NOT FOUND THEN
            -- Erased: nothing is kept. An empty message to nobody makes the commit wait for the disk like any other, so
            -- that the time of a red light does not tell an erased pass from the rest.
            PERFORM pg_logical_emit_message(true, 'crowdtrace', '');
            RETURN 'again';
        END IF;
        IF (SELECT count(*) FROM passes_scan WHERE tag = p_tag) <> p_scans_seen THEN
            RETURN 'again';
        END IF;
    END IF;
    IF p_limit IS NOT NULL AND v_effect IN ('start', 'restart') THEN
        PERFORM pg_advisory_xact_lock(1668547584, hashint8(p_venue));
        IF passes_occupancy(p_venue, p_at, p_limit) >= p_limit THEN
            v_approved := false;
            v_cause := 'full';
            v_effect := 'none';
            v_answer := 'full';
        END IF;
    END IF;

    INSERT INTO passes_scan (id, scan_id, venue_id, device_id, tag, epoch, type, slot, scanned_at, approved, cause,
                             kiosk_approved, temperature_f, o2, abuse_score)
    VALUES (gen_random_uuid(), p_scan_id, p_venue, p_device, p_tag, p_epoch, p_type, p_slot, p_at, v_approved, v_cause,
            p_kiosk, p_temperature, p_o2, NULL)
    ON CONFLICT DO NOTHING;
    IF NOT FOUND THEN
        RETURN 'again';
    END IF;

    CASE v_effect
        WHEN 'start', 'restart' THEN
            INSERT INTO passes_visit (id, tag, venue_id, epoch, arrived_at, left_at, times_out_at)
            VALUES (gen_random_uuid(), p_tag, p_venue, p_epoch, p_at, p_left, p_times_out);
        WHEN 'continue' THEN
            UPDATE passes_visit
            SET arrived_at = least(arrived_at, p_at), times_out_at = greatest(times_out_at, p_times_out)
            WHERE id = p_visit;
        WHEN 'end' THEN
            UPDATE passes_visit SET left_at = p_at WHERE id = p_visit;
        ELSE
            RETURN v_answer;
    END CASE;
    INSERT INTO passes_change (venue_id, since) VALUES (p_venue, p_at);
    RETURN v_answer;
END
$$;
