"""Compiled loops of the model: the sweep over the stays of many venues, and the crowd state of one venue.

Times are int64 microseconds since any epoch, so that person-time is exact and shifting the clock changes nothing. There
are four columns (`CHANNELS`): everybody, and of these the people of answer class 1, 2 and 3. The class of people who
answered no four times is the remainder. A separate column for everybody makes every value that ignores answers
independent of them, bit for bit.

Air of a well-mixed room: ``dC/dt = n(t)/V - lambda*C`` per unit emission (1 per hour and head), solved exactly between
events. A stay's integral follows from the mass balance ``lambda * int C = (int n)/V - (C(b) - C(a))`` of the air that
the visitor did *not* exhale, where ``int n`` is an exact integer and nothing is a difference of totals over the day.

The two sweeps are long functions on purpose: calls between their parts would need long argument lists.

Compiling all loops takes about 20 s of CPU once for each machine. The result is cached next to this file, or not at all
if that is not writable (read-only installs); both work.
"""

# ruff: noqa: PLR0912, PLR0915, PLR0917, PLR1714
from __future__ import annotations

import numpy as np

from common.compiled import compiled

CHANNELS = 4
CLEAR_AFTER = 8.0
"""Air exchanges (removal rate x hours) after which the breath of a departed person counts as gone: exp(-8) = 0.03 %."""
ROUNDING = 1e-9
"""Tolerance, in air exchanges: a person who left exactly eight ago counts as gone, whatever the rounding."""
US_PER_H = 3_600_000_000.0
QUARTER_US = 900_000_000
QUARTER_H = 0.25
LONGEST_MEMORY_US = 48 * 3_600_000_000
"""The holder's stays that began longer ago have cleared: a stay lasts 28 hours at most, and air clears within a day."""


@compiled
def group_by_venue(venue: np.ndarray, n_venues: int) -> tuple[np.ndarray, np.ndarray]:
    """Sort by counting: return ``start`` (n_venues + 1) and the rows in order of venue."""
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
    """Order rows with equal ``first`` by ``second``, then class: the result never depends on the input's order."""
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
    start: np.ndarray,
    rows: np.ndarray,
    arrive: np.ndarray,
    leave: np.ndarray,
    cls: np.ndarray,
    sorted_arrive: np.ndarray,
    sorted_leave: np.ndarray,
    sorted_cls: np.ndarray,
    by_departure: np.ndarray,
) -> None:
    """Put ``rows`` of each venue in order of arrival (in place) and gather the columns along.

    ``start`` bounds the venues to sort: all, or a run of neighbours, whose places are those among all. Fills the sorted
    arrivals, departures and classes, and the places in order of departure.
    """
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


@compiled
def _decay(x: float) -> tuple[float, float]:
    """Return ``exp(-x)`` and ``1 - exp(-x)``, both to full relative precision, with one transcendental function."""
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
    """Fill ``dose`` (h2/m3), ``person_us`` and ``heads``, each (stays, 4), with what *others* contributed to each stay.

    ``arrive``, ``leave``, ``cls`` are sorted by venue and arrival, ``rows`` says where each came from and
    ``by_departure`` lists their places by departure. ``previous`` has the row of the same person's stay before in the
    same venue, or -1; it is empty when nobody has one. Class -1 receives and emits nothing. Departures come before
    arrivals of the same instant.

    ``start``, ``volume_m3`` and ``removal_per_h`` are those of all venues or of a run of neighbours; everything else
    is that of all.
    """
    linked = previous.size > 0
    first = start[0]
    place_of = np.empty(previous.size, np.int32)
    session_of = np.zeros(start[-1] - first if linked else 0, np.int32)
    if linked:
        for place in range(first, start[-1]):
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
        # For each stay: the state at its arrival; then, at its departure, what others contributed to it.
        met_c = np.empty((high - low, 4))
        met_us = np.empty((high - low, 4), np.int64)
        met = np.empty((high - low, 4), np.int32)
        volume = volume_m3[v]
        lam = removal_per_h[v]
        lam_us = lam / US_PER_H
        clear_us = (clear_after - ROUNDING) / lam_us
        steady = 1.0 / (lam * volume)
        for ch in range(CHANNELS):
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
                for ch in range(CHANNELS):
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
                    # A stay of no length, and one that emits nothing, were never counted.
                    if gone_k >= 0 and leave[left] > arrive[left]:
                        linger[0] -= 1
                        if gone_k > 0:
                            linger[gone_k] -= 1
                    e += 1
                i += 1
                if inside[0] == 0 and linger[0] == 0:
                    session += 1
                    for ch in range(CHANNELS):
                        c[ch] = 0.0
                if linked:
                    session_of[at - first] = session
                for ch in range(CHANNELS):
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
            if length == 0:  # neither emits nor receives
                i += 1  # its arrival is the next one, since departures of the same time come first
                for ch in range(CHANNELS):
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
            for ch in range(CHANNELS):
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
                    if session_of[b - first] != session_of[at - first]:
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
            for ch in range(CHANNELS):
                if met[local, ch] <= 0:
                    met_c[local, ch] = 0.0
                    met_us[local, ch] = 0
                elif met_c[local, ch] < 0.0:
                    met_c[local, ch] = 0.0
        for local in range(high - low):
            row = rows[low + local]
            for ch in range(CHANNELS):
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

    ``removal_per_h`` has one value for each quarter. Stays may begin before the first edge (they are present there, or
    linger) and end after the last; what they emitted earlier is in ``start_concentration``.
    """
    n = removal_per_h.size
    c = start_concentration.copy()
    inside = np.zeros(4, np.int64)
    linger = np.zeros(4, np.int64)
    i = 0
    j = 0
    e = 0
    # Cumulative removal at a departure, to know when the room has cleared even if the air changes.
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
        # Before the first edge, the removal rate of the first quarter is assumed.
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
        for ch in range(CHANNELS):
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
                for ch in range(CHANNELS):
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
                    for ch in range(CHANNELS):
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


@compiled
def add_segments(visit: np.ndarray, amount: np.ndarray, factor: np.ndarray, total: np.ndarray) -> None:
    """Add to each visit's ``total`` (n, c, draws) its segments' ``amount`` (m, c) times ``factor`` (m, draws)."""
    for segment in range(visit.size):
        for ch in range(amount.shape[1]):
            here = amount[segment, ch]
            if here != 0.0:
                for draw in range(factor.shape[1]):
                    total[visit[segment], ch, draw] += here * factor[segment, draw]


@compiled
def _between(total: float, left: float, right: float, from_h: float, to_h: float) -> float:
    """Return the part of a quarter's total between two times in it: `crowd_state._part` for one number."""
    if from_h == 0.0 and to_h == QUARTER_H:
        return total
    limit = 3.0 * total / QUARTER_H
    left, right = min(left, limit), min(right, limit)
    x, y = from_h / QUARTER_H, to_h / QUARTER_H
    until_x = total * x * x * (3.0 - 2.0 * x) + QUARTER_H * left * x * (1.0 - x) ** 2
    until_x -= QUARTER_H * right * x * x * (1.0 - x)
    until_y = total * y * y * (3.0 - 2.0 * y) + QUARTER_H * left * y * (1.0 - y) ** 2
    until_y -= QUARTER_H * right * y * y * (1.0 - y)
    return max(until_y - until_x, 0.0)


@compiled
def _window(
    first: int, last: int, part_from: int, part_to: int, parts: tuple[np.ndarray, ...], columns: tuple[np.ndarray, ...]
) -> tuple[float, tuple[np.ndarray, ...], tuple[np.ndarray, ...], np.ndarray]:
    """Return quarters ``first`` to ``last`` of a venue, joined from the parts that touch them.

    Where there is no part, nobody was present. Return the volume (0 if no part touches them), (removal rates,
    concentration, integral, person-hours), (present, lingering) and the counts of each quarter.
    """
    part_first, part_quarters, part_flow, part_edge, part_volume = parts
    flow_floats, flow_counts, edge_floats, edge_counts = columns
    n = last - first
    volume, rates = 0.0, np.empty(n)
    c, integral, hours = np.zeros((n + 1, 4)), np.zeros((n, 4)), np.zeros((n, 4))
    present, lingering = np.zeros((n + 1, 4), np.int64), np.zeros((n + 1, 4), np.int64)
    counts = np.zeros((n, 12), np.int64)
    for part in range(part_from, part_to):
        begins = part_first[part]
        a, b = max(first, begins), min(last, begins + part_quarters[part])
        if a >= b:
            continue
        if volume == 0.0:
            volume = part_volume[part]
            for q in range(n):
                rates[q] = flow_floats[part_flow[part], 0]
        for q in range(a, b):
            at, to = part_flow[part] + q - begins, q - first
            rates[to] = flow_floats[at, 0]
            for ch in range(CHANNELS):
                integral[to, ch] = flow_floats[at, 1 + ch]
                hours[to, ch] = flow_floats[at, 5 + ch]
            for column in range(12):
                counts[to, column] = flow_counts[at, column]
        for q in range(a, b + 1):
            at, to = part_edge[part] + q - begins, q - first
            for ch in range(CHANNELS):
                c[to, ch] = edge_floats[at, ch]
                present[to, ch] = edge_counts[at, ch]
                lingering[to, ch] = edge_counts[at, 4 + ch]
    return volume, (rates, c, integral, hours), (present, lingering), counts


@compiled
def _own_stays(
    stay: int, own_from: int, own_to: int, stays: tuple[np.ndarray, ...]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return arrival, departure and class of the holder's stays in the state that a stay can meet, itself included."""
    arrive, leave, until, cls, _came_back, in_state = stays
    meets = np.empty(own_to - own_from, np.int64)
    mine = 0
    for own in range(own_from, own_to):
        if in_state[own] and arrive[own] < until[stay] and arrive[own] > arrive[stay] - LONGEST_MEMORY_US:
            meets[mine] = own
            mine += 1
    return arrive[meets[:mine]], leave[meets[:mine]], cls[meets[:mine]]


@compiled
def _rates_since(
    began: int,
    first: int,
    part_from: int,
    part_to: int,
    parts: tuple[np.ndarray, ...],
    flow_floats: np.ndarray,
    rates: np.ndarray,
) -> np.ndarray:
    """Return removal rates from ``began`` on; unknown ones take the rate of the window's first quarter."""
    part_first, part_quarters, part_flow, _part_edge, _part_volume = parts
    since = np.empty(first - began + rates.size)
    for q in range(since.size):
        since[q] = rates[max(0, q + began - first)]
    for part in range(part_from, part_to):
        begins = part_first[part]
        for q in range(max(began, begins), min(first, begins + part_quarters[part])):
            since[q - began] = flow_floats[part_flow[part] + q - begins, 0]
    return since


@compiled
def _take_out_own(
    arrive: np.ndarray,
    leave: np.ndarray,
    cls: np.ndarray,
    began: int,
    first: int,
    since: np.ndarray,
    volume: float,
    floats: tuple[np.ndarray, ...],
    edges: tuple[np.ndarray, ...],
) -> np.ndarray:
    """Remove the holder's own breath and presence from a window in place; return the holder's arrivals (n, 4)."""
    _rates, c, integral, hours = floats
    present, lingering = edges
    long, skip = since.size, first - began
    own_c, own_integral, own_hours = np.zeros((long + 1, 4)), np.zeros((long, 4)), np.zeros((long, 4))
    own_present, own_lingering = np.zeros((long + 1, 4), np.int64), np.zeros((long + 1, 4), np.int64)
    own_arrivals = np.zeros((long, 4), np.int64)
    crowd_edges(
        arrive,
        leave,
        cls,
        np.arange(arrive.size).astype(np.int32),  # joined stays of one person end in the order in which they began
        began * QUARTER_US,
        since,
        volume,
        np.zeros(4),
        own_c,
        own_present,
        own_lingering,
        own_integral,
        own_arrivals,
        own_hours,
    )
    for q in range(long + 1 - skip):
        for ch in range(CHANNELS):
            c[q, ch] = max(c[q, ch] - own_c[skip + q, ch], 0.0)
            present[q, ch] -= own_present[skip + q, ch]
            lingering[q, ch] = max(lingering[q, ch] - own_lingering[skip + q, ch], 0)
    for q in range(long - skip):
        for ch in range(CHANNELS):
            integral[q, ch] = max(integral[q, ch] - own_integral[skip + q, ch], 0.0)
            hours[q, ch] = max(hours[q, ch] - own_hours[skip + q, ch], 0.0)
    return own_arrivals[skip:]


@compiled
def _comings_back(
    first: int, own_from: int, own_to: int, stays: tuple[np.ndarray, ...], counts: np.ndarray
) -> tuple[np.ndarray, int]:
    """Return arrivals that add no head: of others who linger, by class, and of others who came back later."""
    arrive, _leave, _until, cls, came_back, in_state = stays
    again, returns = np.zeros(4, np.int64), 0
    for q in range(counts.shape[0]):
        returns += counts[q, 8]
        for ch in range(CHANNELS):
            again[ch] += counts[q, 4 + ch]
    for own in range(own_from, own_to):
        q = arrive[own] // QUARTER_US - first
        if in_state[own] and came_back[own] and 0 <= q < counts.shape[0]:
            # The holder's own return is in one of the sums; subtracting it from both keeps the count from being too
            # high.
            if counts[q, 4] > 0:
                again[0] -= 1
                if cls[own] > 0:
                    again[cls[own]] -= 1
            else:
                returns -= 1
    return again, max(0, returns)


@compiled
def read_stays(
    part_from: np.ndarray,
    part_to: np.ndarray,
    own_from: np.ndarray,
    own_to: np.ndarray,
    parts: tuple[np.ndarray, ...],
    columns: tuple[np.ndarray, ...],
    stays: tuple[np.ndarray, ...],
    windows: tuple[np.ndarray, ...],
    blind_below: int,
    out: tuple[np.ndarray, ...],
) -> None:
    """Fill the fields of `readings.Readings` for every stay of one holder.

    ``part_from``, ``part_to``: the parts of crowd state of each stay's venue; ``own_from``, ``own_to``: the holder's
    stays there. The tuples are columns of `readings.Table`, `readings.OwnStays` and `readings.Readings`.
    """
    arrive, _leave, until, _cls, _came_back, in_state = stays
    starts, firsts, lasts = windows
    counted, blind, heads, others, dose, person_h, ratings = out
    for stay in range(arrive.size):
        first, last, row = firsts[stay], lasts[stay], starts[stay]
        n = last - first
        volume, floats, edges, counts = _window(first, last, part_from[stay], part_to[stay], parts, columns)
        # If nobody arrived in the quarter of the holder's arrival, the holder's scan came late and is not counted yet.
        if volume == 0.0 or until[stay] <= arrive[stay] or (in_state[stay] and counts[0, 0] == 0):
            continue
        counted[stay] = True
        own_arrive, own_leave, own_class = _own_stays(stay, own_from[stay], own_to[stay], stays)
        began = min(first, own_arrive[0] // QUARTER_US) if own_arrive.size else first
        since = _rates_since(began, first, part_from[stay], part_to[stay], parts, columns[0], floats[0])
        own_arrivals = _take_out_own(own_arrive, own_leave, own_class, began, first, since, volume, floats, edges)
        _rates, c, integral, hours = floats
        present, lingering = edges
        others[stay] = present[0, 0]
        for q in range(n):
            others[stay] += counts[q, 0] - own_arrivals[q, 0]
        for ch in range(CHANNELS):
            met = present[0, ch] + lingering[0, ch]
            for q in range(n):
                met += counts[q, ch] - own_arrivals[q, ch]
            heads[stay, ch] = max(met, 0)
            if met <= 0:
                continue
            for q in range(n):
                from_h = (arrive[stay] - first * QUARTER_US) / US_PER_H if q == 0 else 0.0
                to_h = (until[stay] - (last - 1) * QUARTER_US) / US_PER_H if q == n - 1 else QUARTER_H
                dose[row + q, ch] = _between(integral[q, ch], c[q, ch], c[q + 1, ch], from_h, to_h)
                person_h[row + q, ch] = _between(
                    hours[q, ch], float(present[q, ch]), float(present[q + 1, ch]), from_h, to_h
                )
        # Other people, each once: a person who comes back adds no head, whether the holder or somebody else.
        again, returns = _comings_back(first, own_from[stay], own_to[stay], stays, counts)
        for q in range(n):
            for column in range(3):
                ratings[row + q, column] = counts[q, 9 + column]
        for ch in range(CHANNELS):
            heads[stay, ch] = max(heads[stay, ch] - max(again[ch], 0), 0)
        # Nobody can say whether people who left earlier and linger are among the others as well.
        others[stay] = max(others[stay] - max(again[0], 0) - returns, 0)
        if others[stay] < blind_below:
            blind[stay] = True
            for ch in range(1, 4):
                heads[stay, ch] = 0
                for q in range(row, row + n):
                    dose[q, ch] = 0.0
                    person_h[q, ch] = 0.0


@compiled
def read_reports(
    part_from: np.ndarray,
    part_to: np.ndarray,
    parts: tuple[np.ndarray, ...],
    columns: tuple[np.ndarray, ...],
    stays: tuple[np.ndarray, ...],
    windows: tuple[np.ndarray, ...],
    read: tuple[np.ndarray, ...],
    out: tuple[np.ndarray, ...],
) -> None:
    """Fill the fields of `readings.Readings` about people who reported a positive test, stay by stay.

    The air is the same as everybody's, with the reporters as the only source, from the first quarter in the table on.
    """
    part_first, part_quarters, part_flow, part_reports = parts
    flow_floats, reported, part_volume = columns
    arrive, until = stays
    starts, firsts, lasts = windows
    counted, blind, dose, person_h, heads = read
    reporters, reported_dose, reported_h = out
    for stay in range(arrive.size):
        if not counted[stay] or blind[stay]:
            continue
        first, last, row = firsts[stay], lasts[stay], starts[stay]
        c, lam, now = 0.0, 0.0, np.int64(0)
        for part in range(part_from[stay], part_to[stay]):
            begins, ends = part_first[part], min(last, part_first[part] + part_quarters[part])
            if begins >= last or begins < first - LONGEST_MEMORY_US // QUARTER_US:
                continue
            if ends > first:
                reporters[stay] += part_reports[part]
            c *= np.exp(-lam * QUARTER_H * (begins - now))
            for q in range(begins, ends):
                at = part_flow[part] + q - begins
                lam = flow_floats[at, 0]
                kept, gone = _decay(lam * QUARTER_H)
                source = reported[at] / (lam * part_volume[part])
                integral, after = c * gone / lam + source * (QUARTER_H - gone / lam), c * kept + source * gone
                if q >= first:
                    to = row + q - first
                    from_h = (arrive[stay] - first * QUARTER_US) / US_PER_H if q == first else 0.0
                    to_h = (until[stay] - (last - 1) * QUARTER_US) / US_PER_H if q == last - 1 else QUARTER_H
                    inside = reported[at] * (to_h - from_h)
                    reported_dose[to] = min(_between(integral, c, after, from_h, to_h), dose[to, 0])
                    reported_h[to] = min(inside, person_h[to, 0])
                c = after
            now = ends
        reporters[stay] = min(reporters[stay], heads[stay, 0])
