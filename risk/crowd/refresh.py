"""Keep crowd state up to date: take the changes that doors and visitors queued, and recompute the venues concerned.

The queue (`passes.models.Change`) holds, for each venue, the earliest time at which something changed. Its rows are
taken with ``DELETE ... RETURNING`` in the transaction that reads the visits and writes the state: a change that is
committed later stays in the queue for the next refresh, and a refresh that fails puts back what it took. Only one
refresh runs at a time.

State before the change is kept, and the computation continues from there with everybody who was present recently. The
result is the same as if computed from the start, for late scans, repeated changes and erasures, and running it again
changes nothing. Answers are not part of it: the columns of classes are 0, and a shield reads the answers of a day from
`risk.crowd.answers`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any, Final

import numpy as np
from django.db import connection, transaction

from common.locks import CROWD, hold
from risk.crowd import venue_days
from risk.crowd.air import Air, Facts, air_of, measure
from risk.crowd.coverage import Coverage, settle_coverage
from risk.crowd.parameters import settle_parameters
from risk.crowd.venue_days import QUARTERS_AN_HOUR, Crowd, Floats, Ints
from risk.model.crowd_state import QUARTER_H, QUARTER_US, crowd_state, edge_after
from risk.model.far import CLEAR_AFTER, LONGEST_STAY_US, MERGE_GAP_US
from risk.model.parameters import Parameters
from risk.models import CrowdClock
from risk.reads import FIRST_ARRIVALS, TAKE_CHANGES, VENUE_FACTS, VENUES_WITH_NEW_FACTS, VISITS_SINCE

VENUES_AT_ONCE: Final = 250
"""Number of venues whose visits are in memory at one time."""
ON_ITS_WAY: Final = dt.timedelta(seconds=10)
"""Time that a scan may take to be committed; state describes only the time before that."""
LOOK_BACK: Final = 28 * 4
"""Quarters before a change whose visitors still matter: a pass lives 28 hours, and air clears sooner."""
KNOWN_AHEAD: Final = 28 * 4
_HOUR_US: Final = QUARTERS_AN_HOUR * QUARTER_US
_EVER: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


@dataclass(frozen=True, slots=True)
class Refreshed:
    """The result of a refresh."""

    venues: int
    visits: int
    days: int


def refresh_crowd(*, now: dt.datetime) -> Refreshed:
    """Update crowd state with everything committed so far. Safe to repeat and to run concurrently."""
    with transaction.atomic():
        hold(CROWD)
        parameters = settle_parameters(now=now)
        coverage = settle_coverage(parameters=parameters, now=now)
        total = _refresh(_wanted(parameters) | dict.fromkeys(coverage.changed, _EVER), parameters, coverage, now)
        _wind_clock(parameters, now)
    return total


def recompute_crowd(*, venues: Sequence[int], now: dt.datetime) -> Refreshed:
    """Recompute everything stored for these venues, from the first visit on."""
    with transaction.atomic():
        hold(CROWD)
        parameters = settle_parameters(now=now)
        coverage = settle_coverage(parameters=parameters, now=now)
        return _refresh(dict.fromkeys(sorted(coverage.changed.union(venues)), _EVER), parameters, coverage, now)


def _refresh(
    wanted: Mapping[int, dt.datetime], parameters: Parameters, coverage: Coverage, now: dt.datetime
) -> Refreshed:
    venues = visits = days = 0
    places = sorted(wanted)
    for at in range(0, len(places), VENUES_AT_ONCE):
        since = {venue: wanted[venue] for venue in places[at : at + VENUES_AT_ONCE]}
        batch = _Batch.read(since, parameters, coverage, now)
        venues, visits, days = venues + len(batch.rooms), visits + batch.visits, days + batch.write()
    return Refreshed(venues, visits, days)


# What changed -----------------------------------------------------------------------------------------------------
_NEW_PARAMETERS: Final = """
    SELECT DISTINCT day.venue_id FROM risk_crowdday AS day
    WHERE NOT EXISTS (SELECT 1 FROM risk_crowdclock WHERE parameters = %s)
"""


def _wanted(parameters: Parameters) -> dict[int, dt.datetime]:
    """Return the venues to compute, each with the earliest time at which something changed."""
    with connection.cursor() as cursor:
        cursor.execute(TAKE_CHANGES)
        since: dict[int, dt.datetime] = dict(cursor.fetchall())
        cursor.execute(f"{VENUES_WITH_NEW_FACTS} UNION {_NEW_PARAMETERS}", [parameters.version])
        return since | {venue: _EVER for (venue,) in cursor.fetchall()}


def _wind_clock(parameters: Parameters, now: dt.datetime) -> None:
    """Advance the clock. It never goes back: a simulated past is computed alongside the present."""
    clock = CrowdClock.objects.first()
    as_of = now - ON_ITS_WAY if clock is None else max(clock.as_of, now - ON_ITS_WAY)
    CrowdClock.objects.update_or_create(id=1, defaults={"as_of": as_of, "parameters": parameters.version})


# Rooms and their visits -----------------------------------------------------------------------------------------------
@dataclass(slots=True)
class _Stays:
    """Stays of one venue, by pass and time, with short absences closed. ``rated`` (n, 2): masks, distancing, or 0."""

    arrive_us: Ints
    leave_us: Ints
    person: Ints
    rated: Ints

    def inside_at(self, times_us: Ints) -> Floats:
        """Return the number of check-ins inside at each time."""
        came = np.searchsorted(np.sort(self.arrive_us), times_us, side="right")
        return np.asarray(came - np.searchsorted(np.sort(self.leave_us), times_us, side="right"), np.float64)


@dataclass(slots=True)
class _Room:
    """One venue to compute from an edge on. ``before``: its state of the days around that edge."""

    venue: int
    first_edge: int
    facts: Facts
    air: Air
    stays: _Stays
    before: list[Crowd] = field(default_factory=list)

    def computed(self) -> Crowd | None:
        """Return the state from `first_edge` on, joined to that day's earlier state; `None` if nobody ever came."""
        midnight = self.first_edge // venue_days.QUARTERS_A_DAY * venue_days.QUARTERS_A_DAY
        parts = [
            part.between(max(part.first_edge, midnight), min(part.last_edge, self.first_edge))
            for part in self.before
            if part.first_edge < self.first_edge and part.last_edge > midnight
        ]
        last_us = int(self.stays.leave_us.max(initial=0))
        if edge_after(last_us) > self.first_edge:
            parts.append(self._from_first_edge(edge_after(last_us)))
        return venue_days.joined(parts, parts[0].first_edge, parts[-1].last_edge) if parts else None

    def _from_first_edge(self, last_edge: int) -> Crowd:
        stays, first = self.stays, self.first_edge
        since = first - LOOK_BACK
        rates = self.air.rates(since, last_edge)
        state = crowd_state(
            arrive_us=stays.arrive_us,
            leave_us=stays.leave_us,
            answer_class=np.zeros(stays.person.size, np.int8),
            volume_m3=self.air.belief.volume_m3,
            removal_rate_per_h=rates[LOOK_BACK:],
            first_edge=first,
            last_edge=last_edge,
            concentration_per_m3=venue_days.concentration_at(self.before, first, rates[:LOOK_BACK]),
        )
        again, returns = _comings_back(stays, since, first, rates)
        return Crowd(state, again, returns, _rating_sums(stays, first, last_edge))


def _comings_back(stays: _Stays, since: int, first: int, rates: Floats) -> tuple[Ints, Ints]:
    """Return arrivals (q, 4) of passes that still linger, and (q,) of passes that had been there and had cleared."""
    quarters = since + rates.size - first
    again, returns = np.zeros((quarters, 4), np.int64), np.zeros(quarters, np.int64)
    later = np.flatnonzero(stays.person[1:] == stays.person[:-1]) + 1 if stays.person.size else np.zeros(0, np.int64)
    at = stays.arrive_us[later] // QUARTER_US - first
    later, at = later[at >= 0], at[at >= 0]
    # Whether a person's breath has cleared is decided at edges, from the removal between two times (the exponent).
    edges = np.arange(since, since + rates.size + 1) * QUARTER_US
    removed = np.concatenate([[0.0], np.cumsum(rates) * QUARTER_H])
    since_left = np.interp((at + first) * QUARTER_US, edges, removed) - np.interp(
        stays.leave_us[later - 1], edges, removed
    )
    lingers = since_left < CLEAR_AFTER
    np.add.at(again[:, 0], at[lingers], 1)
    np.add.at(returns, at[~lingers], 1)
    return again, returns


def _rating_sums(stays: _Stays, first: int, last: int) -> Ints:
    """Return count and sums (q, 3) of the ratings given by the people of each hour, equal in all quarters of the hour.

    Each person counts once.
    """
    sums = np.zeros((last - first, 3), np.int64)
    rows = np.flatnonzero((stays.rated[:, 0] > 0) & (stays.leave_us > first * QUARTER_US))
    voices = {
        (int(stays.person[row]), hour): row
        for row in rows
        for hour in range(stays.arrive_us[row] // _HOUR_US, (stays.leave_us[row] - 1) // _HOUR_US + 1)
    }
    for (_person, hour), row in voices.items():
        a = max(0, hour * QUARTERS_AN_HOUR - first)
        b = (hour + 1) * QUARTERS_AN_HOUR - first
        sums[a : max(a, b)] += (1, *stays.rated[row])
    return sums


# Many venues in few statements ----------------------------------------------------------------------------------------
_BEFORE: Final = """
    SELECT day.venue_id, day.data
    FROM unnest(%(venues)s::bigint[], %(days)s::date[]) AS wanted (venue_id, day)
    JOIN risk_crowdday AS day ON day.venue_id = wanted.venue_id AND day.day BETWEEN wanted.day - 2 AND wanted.day
    ORDER BY day.venue_id, day.day
"""
_CLEAR: Final = """
    DELETE FROM risk_crowdday AS day USING unnest(%(venues)s::bigint[], %(days)s::date[]) AS wanted (venue_id, day)
    WHERE day.venue_id = wanted.venue_id AND day.day >= wanted.day
"""
_WRITE: Final = """
    INSERT INTO risk_crowdday (venue_id, day, data)
    SELECT * FROM unnest(%(venues)s::bigint[], %(days)s::date[], %(data)s::bytea[])
"""
_CARDS: Final = """
    INSERT INTO risk_venuecard
        (venue_id, kind, volume_m3, air_changes_per_h, verified, inside_from, inside, basis, curve, usual, usual_at)
    SELECT fresh.*, ''::bytea, ''::bytea, ''::bytea, NULL
    FROM unnest(%(venues)s::bigint[], %(kinds)s::text[], %(volumes)s::float8[], %(airs)s::float8[],
                %(verified)s::boolean[], %(edges)s::bigint[], %(inside)s::bytea[]) AS fresh
    ON CONFLICT (venue_id) DO UPDATE SET kind = EXCLUDED.kind, volume_m3 = EXCLUDED.volume_m3,
        air_changes_per_h = EXCLUDED.air_changes_per_h, verified = EXCLUDED.verified,
        inside_from = EXCLUDED.inside_from, inside = EXCLUDED.inside
"""


@dataclass(slots=True)
class _Batch:
    """Venues that are computed together."""

    rooms: list[_Room]
    visits: int
    now: dt.datetime

    @classmethod
    def read(
        cls, since: Mapping[int, dt.datetime], parameters: Parameters, coverage: Coverage, now: dt.datetime
    ) -> _Batch:
        """Read everything that the venues' state depends on."""
        with connection.cursor() as cursor:
            facts = {venue: Facts(*rest) for venue, *rest in _rows(cursor, VENUE_FACTS, [list(since)])}
            firsts = dict(_rows(cursor, FIRST_ARRIVALS, [[venue for venue in facts if since[venue] == _EVER]]))
            edges = {venue: _hour_edge(firsts.get(venue, since[venue])) for venue in facts}
            stays = _read_stays(cursor, edges)
            before = _read_before(cursor, {venue: edge for venue, edge in edges.items() if since[venue] != _EVER})
        measure(
            venues={venue: edges[venue] for venue in facts},
            facts=facts,
            inside=lambda venue, times_us: stays.get(venue, _NOBODY).inside_at(times_us),
            adoption=coverage.at,
            parameters=parameters,
        )
        airs = air_of(facts=facts, edges=edges, parameters=parameters)
        rooms = [
            _Room(venue, edges[venue], fact, airs[venue], stays.get(venue, _NOBODY), before.get(venue, []))
            for venue, fact in facts.items()
        ]
        return cls(rooms, sum(stay.person.size for stay in stays.values()), now)

    def write(self) -> int:
        """Compute and store all states, and return the number of days written."""
        rows: list[tuple[int, dt.date, bytes]] = []
        inside: list[bytes] = []
        present = venue_days.microseconds(self.now) // QUARTER_US
        for room in self.rooms:
            crowd = room.computed()
            if crowd is None:
                inside.append(b"")
                continue
            rows.extend((room.venue, day, venue_days.pack(part)) for day, part in venue_days.split(crowd))
            ahead = crowd.state.present[max(0, present - crowd.first_edge) :, 0][:KNOWN_AHEAD]
            inside.append(ahead.astype("<i4").tobytes() if crowd.first_edge <= present else b"")
        with connection.cursor() as cursor:
            venues = [room.venue for room in self.rooms]
            # A venue computed from its first visit on has no older state.
            days = [venue_days.day_of(room.first_edge) if room.before else _EVER.date() for room in self.rooms]
            cursor.execute(_CLEAR, {"venues": venues, "days": days})
            if rows:
                columns = [list(column) for column in zip(*rows, strict=True)]
                cursor.execute(_WRITE, dict(zip(("venues", "days", "data"), columns, strict=True)))
            cursor.execute(
                _CARDS,
                {
                    "venues": venues,
                    "kinds": [room.facts.kind for room in self.rooms],
                    "volumes": [room.facts.volume_m3 for room in self.rooms],
                    "airs": [room.facts.air_changes_per_h for room in self.rooms],
                    "verified": [room.facts.verified for room in self.rooms],
                    "edges": [present] * len(venues),
                    "inside": inside,
                },
            )
        return len(rows)


def _rows(cursor: Any, statement: str, parameters: Any) -> Iterator[Any]:
    cursor.execute(statement, parameters)
    return iter(cursor.fetchall())


def _hour_edge(moment: dt.datetime) -> int:
    """Return the edge at the start of the hour, because ratings belong to whole hours."""
    return venue_days.microseconds(moment) // _HOUR_US * QUARTERS_AN_HOUR


def _read_stays(cursor: Any, edges: Mapping[int, int]) -> dict[int, _Stays]:
    since = [venue_days.moment_of(edge - LOOK_BACK) for edge in edges.values()]
    rows = _rows(cursor, VISITS_SINCE, {"venues": list(edges), "since": since})
    return {venue: _stays_of(list(of_venue)) for venue, of_venue in groupby(rows, key=lambda row: row[0])}


def _read_before(cursor: Any, edges: Mapping[int, int]) -> dict[int, list[Crowd]]:
    days = [venue_days.day_of(edge) for edge in edges.values()]
    rows = _rows(cursor, _BEFORE, {"venues": list(edges), "days": days})
    return {
        venue: [venue_days.unpack(row[1]) for row in parts] for venue, parts in groupby(rows, key=lambda row: row[0])
    }


def _stays_of(rows: list[Any]) -> _Stays:
    """Return the stays of one venue in order of pass and arrival, with gaps under 15 minutes closed.

    No stay is longer than a pass is valid.
    """
    _venues, tags, arrived, left, masks, distancing = zip(*rows, strict=True)
    marks = np.frombuffer(b"".join(bytes(tag) for tag in tags), "<u8").reshape(len(rows), -1)
    arrive = np.array(arrived, np.int64)
    leave = np.minimum(np.array(left, np.int64), arrive + LONGEST_STAY_US)
    other = np.concatenate([[True], (marks[1:] != marks[:-1]).any(axis=1)])
    person = np.cumsum(other)
    starts = np.flatnonzero(other | np.concatenate([[True], arrive[1:] - leave[:-1] >= MERGE_GAP_US]))
    ends = np.minimum(np.maximum.reduceat(leave, starts), arrive[starts] + LONGEST_STAY_US)
    return _Stays(
        arrive[starts],
        ends,
        person[starts],
        np.stack([np.array(masks, np.int64), np.array(distancing, np.int64)], axis=1)[starts],
    )


_NOBODY: Final = _Stays(
    np.zeros(0, np.int64),
    np.zeros(0, np.int64),
    np.zeros(0, np.int64),
    np.zeros((0, 2), np.int64),
)
