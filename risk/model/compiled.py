"""Compiled loops of the model: the sweep over the stays of many venues and the crowd state of one venue.

Times are int64 microseconds since any epoch, so that person-time is exact and shifting the clock changes nothing.
Four columns (`CHANNELS`): everybody, and of these the people of answer class 1, 2 and 3. The class of people who
answered no four times is what remains; keeping "everybody" apart makes a value that ignores answers bit for bit
independent of them.

Air of a well-mixed room: ``dC/dt = n(t)/V - lambda*C`` per unit emission (1 an hour a head), solved exactly between
events. A stay's integral follows from the mass balance ``lambda * int C = (int n)/V - (C(b) - C(a))`` of the air
that is *not* one's own, where ``int n`` is an exact integer and nothing is a difference of totals over the day.

The two long functions read straight down on purpose: calls between them would be argument lists.

Compiling takes 4-5 s once a machine. The result is cached beside this file, or not at all where that is not
writable (read-only installs); both work.
"""

# ruff: noqa: PLR0912, PLR0915, PLR0917, PLR1714
from __future__ import annotations

import numpy as np

from crowdtrace.common.compiled import compiled

CHANNELS = 4
CLEAR_AFTER = 8.0
"""Air exchanges (removal rate x hours) after which what people left behind counts as gone: exp(-8) = 0.03 %."""
ROUNDING = 1e-9
"""Of air exchanges: who left exactly eight ago counts as gone, however the sum was rounded."""
US_PER_H = 3_600_000_000.0
QUARTER_US = 900_000_000


@compiled
def group_by_venue(venue: np.ndarray, n_venues: int) -> tuple[np.ndarray, np.ndarray]:
    """Counting sort: ``start`` (n_venues + 1) and the rows in order of venue."""
    start = np.zeros(n_venues + 1, np.int64)
    for row in range(venue.size):
        start[venue[row] + 1] += 1
    for v in range(n_venues):
        start[v + 1] += start[v]
    rows = np.empty(venue.size, np.int32)
    place = start[:-1].copy()
    for row in range(venue.size):
        v = venue[row]
        rows[place[v]] = row
        place[v] += 1
    return start, rows


@compiled
def _settle_ties(order: np.ndarray, first: np.ndarray, second: np.ndarray, cls: np.ndarray) -> None:
    """Within equal ``first``: by ``second``, then class; so the result never depends on how rows came."""
    for at in range(1, order.size):
        row = order[at]
        back = at
        while back > 0:
            other = order[back - 1]
            if first[other] != first[row]:
                break
            if second[other] < second[row] or (second[other] == second[row] and cls[other] <= cls[row]):
                break
            order[back] = other
            back -= 1
        order[back] = row


@compiled
def sort_events(
    start: np.ndarray, rows: np.ndarray, arrive: np.ndarray, leave: np.ndarray, cls: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Put ``rows`` of each venue in order of arrival (in place) and gather the columns along.

    Returns the sorted arrivals, departures and classes, and the places in order of departure (all venues together).
    """
    by_departure = np.empty(rows.size, np.int32)
    sorted_arrive = np.empty(rows.size, np.int64)
    sorted_leave = np.empty(rows.size, np.int64)
    sorted_cls = np.empty(rows.size, np.int8)
    for v in range(start.size - 1):
        low, high = start[v], start[v + 1]
        if low == high:
            continue
        here = rows[low:high].copy()
        a = arrive[here]
        b = leave[here]
        c = cls[here]
        order = np.argsort(a, kind="mergesort")
        _settle_ties(order, a, b, c)
        for at in range(order.size):
            rows[low + at] = here[order[at]]
            sorted_arrive[low + at] = a[order[at]]
            sorted_leave[low + at] = b[order[at]]
            sorted_cls[low + at] = c[order[at]]
        order = np.argsort(sorted_leave[low:high], kind="mergesort")
        _settle_ties(order, sorted_leave[low:high], sorted_arrive[low:high], sorted_cls[low:high])
        for at in range(order.size):
            by_departure[low + at] = low + order[at]
    return sorted_arrive, sorted_leave, sorted_cls, by_departure


@compiled
def _decay(x: float) -> tuple[float, float]:
    """``exp(-x)`` and ``1 - exp(-x)``, both to full relative precision, with one transcendental."""
    if x < 0.5:
        gone = -np.expm1(-x)
        return 1.0 - gone, gone
    kept = np.exp(-x)
    return kept, 1.0 - kept


@compiled
def sweep(
    start: np.ndarray,
    rows: np.ndarray,
    by_departure: np.ndarray,
    arrive: np.ndarray,
    leave: np.ndarray,
    cls: np.ndarray,
    previous: np.ndarray,
    volume_m3: np.ndarray,
    removal_per_h: np.ndarray,
    clear_after: float,
    dose: np.ndarray,
    person_us: np.ndarray,
    heads: np.ndarray,
) -> None:
    """Fill ``dose`` (h2/m3), ``person_us`` and ``heads``, each (stays, 4), of what *others* gave to each stay.

    ``arrive``, ``leave``, ``cls`` are sorted by venue and arrival, ``rows`` says where each came from and
    ``by_departure`` lists their places by departure. ``previous`` has the row of the same person's stay before in the
    same venue, or -1; it is empty when nobody has one. Class -1 receives and emits nothing. Departures come before
    arrivals of the same instant.
    """
    linked = previous.size > 0
    place_of = np.empty(previous.size, np.int32)
    session_of = np.zeros(previous.size, np.int32)
    if linked:
        for place in range(rows.size):
            place_of[rows[place]] = place
    c = np.zeros(4)
    s = np.zeros(4, np.int64)
    inside = np.zeros(4, np.int64)
    linger = np.zeros(4, np.int64)
    came = np.zeros(4, np.int64)
    for v in range(start.size - 1):
        low, high = start[v], start[v + 1]
        if low == high:
            continue
        # Of each stay: what there was when it came; then, when it leaves, what others gave to it.
        met_c = np.empty((high - low, 4))
        met_us = np.empty((high - low, 4), np.int64)
        met = np.empty((high - low, 4), np.int32)
        volume = volume_m3[v]
        lam = removal_per_h[v]
        lam_us = lam / US_PER_H
        clear_us = (clear_after - ROUNDING) / lam_us
        steady = 1.0 / (lam * volume)
        for ch in range(4):
            c[ch] = 0.0
            s[ch] = 0
            inside[ch] = 0
            linger[ch] = 0
            came[ch] = 0
        session = 0
        now = arrive[low]
        i = np.int64(low)
        j = np.int64(low)
        e = np.int64(low)
        while j < high:
            out = np.int64(by_departure[j])
            arriving = i < high and arrive[i] < leave[out]
            at = np.int64(i if arriving else out)
            t = arrive[i] if arriving else leave[out]
            if t > now:
                step = t - now
                kept, gone = _decay(lam_us * step)
                for ch in range(4):
                    c[ch] = c[ch] * kept + inside[ch] * steady * gone
                    s[ch] += inside[ch] * step
                now = t
            k = cls[at]
            local = at - low
            if arriving:
                while e < j:
                    left = by_departure[e]
                    if now - leave[left] < clear_us:
                        break
                    gone_k = cls[left]
                    # A stay of no length and one that emits nothing were never counted.
                    if gone_k >= 0 and leave[left] > arrive[left]:
                        linger[0] -= 1
                        if gone_k > 0:
                            linger[gone_k] -= 1
                    e += 1
                i += 1
                if inside[0] == 0 and linger[0] == 0:
                    session += 1
                    for ch in range(4):
                        c[ch] = 0.0
                if linked:
                    session_of[at] = session
                for ch in range(4):
                    met_c[local, ch] = c[ch]
                    met_us[local, ch] = s[ch]
                    met[local, ch] = inside[ch] + linger[ch] - came[ch]
                if k >= 0:
                    inside[0] += 1
                    came[0] += 1
                    if k > 0:
                        inside[k] += 1
                        came[k] += 1
                continue
            j += 1
            length = leave[at] - arrive[at]
            if length == 0:  # neither gives nor takes
                i += 1  # its arrival is the next one: departures of the same instant come first
                for ch in range(4):
                    met_c[local, ch] = 0.0
                    met_us[local, ch] = 0
                    met[local, ch] = 0
                continue
            if k >= 0:
                inside[0] -= 1
                linger[0] += 1
                if k > 0:
                    inside[k] -= 1
                    linger[k] += 1
            _, own_gone = _decay(lam_us * length)
            for ch in range(4):
                is_own = k >= 0 and (ch == 0 or ch == k)
                own_c = steady * own_gone if is_own else 0.0
                others_us = s[ch] - met_us[local, ch] - (length if is_own else 0)
                others = others_us / US_PER_H / volume + met_c[local, ch] - (c[ch] - own_c)
                met[local, ch] += came[ch] - (1 if is_own else 0)
                met_us[local, ch] = others_us
                met_c[local, ch] = others / lam
            if linked:
                before = previous[rows[at]]
                while before >= 0:
                    b = np.int64(place_of[before])
                    if session_of[b] != session_of[at]:
                        break
                    since = arrive[at] - leave[b]
                    kb = cls[b]
                    if kb >= 0 and leave[b] > arrive[b]:
                        kept, _ = _decay(lam_us * since)
                        _, gave = _decay(lam_us * (leave[b] - arrive[b]))
                        own = steady * gave * kept * own_gone / lam
                        head = 1 if since < clear_us else 0
                        met_c[local, 0] -= own
                        met[local, 0] -= head
                        if kb > 0:
                            met_c[local, kb] -= own
                            met[local, kb] -= head
                    before = previous[before]
            for ch in range(4):
                if met[local, ch] <= 0:
                    met_c[local, ch] = 0.0
                    met_us[local, ch] = 0
                elif met_c[local, ch] < 0.0:
                    met_c[local, ch] = 0.0
        for local in range(high - low):
            row = rows[low + local]
            for ch in range(4):
                dose[row, ch] = met_c[local, ch]
                person_us[row, ch] = met_us[local, ch]
                heads[row, ch] = met[local, ch]


@compiled
def crowd_edges(
    arrive: np.ndarray,
    leave: np.ndarray,
    cls: np.ndarray,
    by_departure: np.ndarray,
    first_edge_us: int,
    removal_per_h: np.ndarray,
    volume_m3: float,
    start_concentration: np.ndarray,
    concentration: np.ndarray,
    present: np.ndarray,
    lingering: np.ndarray,
    integral: np.ndarray,
    arrivals: np.ndarray,
    person_h: np.ndarray,
) -> None:
    """Fill the state at each edge (quarters + 1 rows) and the flows of each quarter (quarters rows).

    ``removal_per_h`` has one value a quarter. Stays may begin before the first edge (they are present there, or
    linger) and end after the last; what they emitted before is in ``start_concentration``.
    """
    n = removal_per_h.size
    c = start_concentration.copy()
    inside = np.zeros(4, np.int64)
    linger = np.zeros(4, np.int64)
    i = 0
    j = 0
    e = 0
    # Cumulative removal at a departure, to know when the room is clear although the air may change.
    cleared = np.zeros(by_departure.size)
    now = first_edge_us
    total = 0.0
    while i < arrive.size and arrive[i] < first_edge_us:
        row = i
        i += 1
        if cls[row] >= 0 and leave[row] > arrive[row]:
            inside[0] += 1
            if cls[row] > 0:
                inside[cls[row]] += 1
    while j < by_departure.size and leave[by_departure[j]] <= first_edge_us:
        row = by_departure[j]
        # Before the first edge the air of the first quarter is taken to have been the same.
        cleared[j] = -removal_per_h[0] * (first_edge_us - leave[row]) / US_PER_H
        j += 1
        if cls[row] >= 0 and leave[row] > arrive[row]:
            inside[0] -= 1
            linger[0] += 1
            if cls[row] > 0:
                inside[cls[row]] -= 1
                linger[cls[row]] += 1
    for q in range(n + 1):
        edge = first_edge_us + q * QUARTER_US
        while e < j and total - cleared[e] >= CLEAR_AFTER - ROUNDING:
            row = by_departure[e]
            e += 1
            if cls[row] >= 0 and leave[row] > arrive[row]:
                linger[0] -= 1
                if cls[row] > 0:
                    linger[cls[row]] -= 1
        for ch in range(4):
            if inside[0] == 0 and linger[0] == 0:
                c[ch] = 0.0
            concentration[q, ch] = c[ch]
            present[q, ch] = inside[ch]
            lingering[q, ch] = linger[ch]
        if q == n:
            break
        lam = removal_per_h[q]
        steady = 1.0 / (lam * volume_m3)
        end = edge + QUARTER_US
        while True:
            t = end
            kind = 0
            if j < by_departure.size and leave[by_departure[j]] <= t:
                t = leave[by_departure[j]]
                kind = 2
            if i < arrive.size and arrive[i] < t:
                t = arrive[i]
                kind = 1
            if t > now:
                hours = (t - now) / US_PER_H
                kept, gone = _decay(lam * hours)
                for ch in range(4):
                    source = inside[ch] * steady
                    # int C = source*h + (C - source)*(1-e^-x)/lambda, written so that both parts are non-negative
                    integral[q, ch] += c[ch] * gone / lam + source * (hours - gone / lam)
                    person_h[q, ch] += inside[ch] * hours
                    c[ch] = c[ch] * kept + source * gone
                total += lam * hours
                now = t
            if kind == 0:
                break
            if kind == 1:
                row = i
                i += 1
                k = cls[row]
                if k < 0 or leave[row] == arrive[row]:
                    continue
                while e < j and total - cleared[e] >= CLEAR_AFTER - ROUNDING:
                    gone_row = by_departure[e]
                    e += 1
                    if cls[gone_row] >= 0 and leave[gone_row] > arrive[gone_row]:
                        linger[0] -= 1
                        if cls[gone_row] > 0:
                            linger[cls[gone_row]] -= 1
                if inside[0] == 0 and linger[0] == 0:
                    for ch in range(4):
                        c[ch] = 0.0
                inside[0] += 1
                arrivals[q, 0] += 1
                if k > 0:
                    inside[k] += 1
                    arrivals[q, k] += 1
            else:
                row = by_departure[j]
                cleared[j] = total
                j += 1
                k = cls[row]
                if k < 0 or leave[row] == arrive[row]:
                    continue
                inside[0] -= 1
                linger[0] += 1
                if k > 0:
                    inside[k] -= 1
                    linger[k] += 1
