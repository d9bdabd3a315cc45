"""The shield of a holder: from what the owners prove, in a fixed number of statements, out of stored crowd state.

Nothing is computed per arrival: a visit is listed at once, with dose and cost 0 and the reason `pending`, and counted
with the next refresh. Who comes or goes meanwhile changes no shield before that.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Final

import numpy as np
from django.conf import settings
from django.db import connection

from risk import states
from risk.air import Air, air_of
from risk.model import ratings, shield
from risk.model.classes import answer_class, refused_classes
from risk.model.crowd_state import QUARTER_US, edge_after, edge_before, read_stay
from risk.model.far import CLEAR_AFTER, LONGEST_STAY_US, MERGE_GAP_US, RECEIVES_ONLY
from risk.model.hits import BLIND_BELOW
from risk.model.kinds import Kind
from risk.model.parameters import Adaptive, Parameters
from risk.model.visits import Visits, visits_of
from risk.parameters import build
from risk.rounding import down, shown_points, significant
from risk.signals import Signal, signals_of
from risk.states import QUARTERS_AN_HOUR, Crowd, Floats, Ints
from risk.words import Reason, reasons_of

MOST_OWNERS: Final = 1000
_HOUR_US: Final = QUARTERS_AN_HOUR * QUARTER_US


@dataclass(frozen=True, slots=True)
class VisitAnswer:
    """One visit of a shield; ``left`` is None while it lasts, as far as is known."""

    venue: str
    arrived: dt.datetime
    left: dt.datetime | None
    dose: float
    shield_cost: float
    why: list[Reason]


@dataclass(frozen=True, slots=True)
class ShieldAnswer:
    """A shield as shown: rounded once, percents down, costs up to a tenth of a point."""

    shield: int
    low: int
    high: int
    infection_probability: float
    spent: float
    incubating: float
    risklevel: str
    parameters: str
    visits: list[VisitAnswer]


def shield_of(*, owners: Sequence[bytes], budget: float, now: dt.datetime) -> ShieldAnswer:
    """The shield of whoever holds these owners; unknown ones are skipped. No owners: 100. At most five statements."""
    hashes = {hashlib.sha256(owner).digest() for owner in owners}
    parameters, as_of_us = _in_force()
    places, stays = _read_stays(hashes, now) if hashes else ({}, [])
    readings = _read_all(places, stays, parameters, as_of_us)
    counted = [reading for reading in readings if reading.crowd is not None]
    result = shield.shield(_visits(counted, parameters, now), parameters, budget=budget)
    doses = {id(reading): at for at, reading in enumerate(counted)}
    return ShieldAnswer(
        shield=shield.shown_shield(result.shield),
        low=shield.shown_shield(result.low),
        high=shield.shown_shield(result.high),
        infection_probability=down(result.infection_probability, 5),
        spent=down(result.spent, 4),
        incubating=down(result.incubating, 5),
        risklevel=result.risklevel,
        parameters=result.parameters,
        visits=[_answer(reading, result, doses.get(id(reading)), now) for reading in reversed(readings)],
    )


# Statements -----------------------------------------------------------------------------------------------------------
_IN_FORCE: Final = """
    SELECT (SELECT (extract(epoch FROM as_of) * 1000000)::bigint FROM risk_crowdclock),
           latest.dose_scale, latest.hidden_carriers, latest.kind_intensity::text
    FROM (SELECT 1) AS always
    LEFT JOIN (SELECT * FROM risk_parameterset ORDER BY id DESC LIMIT 1) AS latest ON true
"""
_STAYS: Final = """
    SELECT visit.venue_id, visit.tag,
           (extract(epoch FROM visit.arrived_at) * 1000000)::bigint,
           (extract(epoch FROM coalesce(visit.left_at, visit.times_out_at)) * 1000000)::bigint,
           owned.symptoms, owned.diagnosed, owned.contact, owned.near,
           coalesce(asked.refuse_symptoms, false), coalesce(asked.refuse_diagnosed, false),
           coalesce(asked.refuse_contact, false), coalesce(asked.refuse_near, false),
           venue.public_id, venue.kind, venue.volume_m3, venue.air_changes_per_h, left(venue.zip, 3)
    FROM passes_pass AS owned
    JOIN passes_visit AS visit ON visit.tag = owned.tag
    JOIN venues_venue AS venue ON venue.id = visit.venue_id
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
_DAYS: Final = """
    SELECT day.venue_id, day.data
    FROM unnest(%(venues)s::bigint[], %(days)s::date[]) AS wanted (venue_id, day)
    JOIN risk_crowdday AS day ON day.venue_id = wanted.venue_id AND day.day = wanted.day
    ORDER BY day.venue_id, day.day
"""


def _in_force() -> tuple[Parameters, int]:
    """Parameters, and the time up to which crowd state speaks."""
    with connection.cursor() as cursor:
        cursor.execute(_IN_FORCE)
        as_of_us, scale, carriers, intensity = cursor.fetchone()
    if scale is None:
        return build(settings.PATHOGEN, Adaptive()), as_of_us or 0
    factors = tuple(sorted((str(kind), float(factor)) for kind, factor in json.loads(intensity).items()))
    return build(settings.PATHOGEN, Adaptive(scale, carriers, factors)), as_of_us or 0


@dataclass(frozen=True, slots=True)
class _Place:
    venue: str
    facts: tuple[str, float | None, float | None]
    zip3: str


@dataclass(slots=True)
class _Stay:
    """One stay of the holder, back-to-back ones joined. ``person``: number of its pass in the venue."""

    venue: int
    person: bytes
    arrive_us: int
    leave_us: int
    answer_class: int
    refused: tuple[bool, bool, bool, bool]


def _read_stays(hashes: set[bytes], now: dt.datetime) -> tuple[dict[int, _Place], list[_Stay]]:
    with connection.cursor() as cursor:
        cursor.execute(_STAYS, {"owners": list(hashes), "now": now, "zone": settings.DEPLOYMENT_TIME_ZONE})
        rows = cursor.fetchall()
    places = {row[0]: _Place(row[12], tuple(row[13:16]), row[16]) for row in rows}
    stays: list[_Stay] = []
    for row in rows:
        stay = _stay_of(row)
        last = stays[-1] if stays else None
        if last is not None and last.venue == stay.venue and stay.arrive_us - last.leave_us < MERGE_GAP_US:
            last.leave_us = min(max(last.leave_us, stay.leave_us), last.arrive_us + LONGEST_STAY_US)
        else:
            stays.append(stay)
    return places, stays


def _stay_of(row: Sequence[Any]) -> _Stay:
    symptoms, diagnosed, contact, near = row[4:8]
    refuses = refused_classes(symptoms=row[8], diagnosed=row[9], contact=row[10], near=row[11])
    own = int(answer_class(symptoms=symptoms, diagnosed=diagnosed, contact=contact, near=near))
    leave = min(row[3], row[2] + LONGEST_STAY_US)
    return _Stay(row[0], bytes(row[1]), row[2], leave, own, refuses)


# Readings -------------------------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class _Reading:
    """A stay with what the crowd gave to it; ``crowd`` is None where it is not counted yet."""

    place: _Place
    stay: _Stay
    until_us: int
    air: Air
    signal: Signal
    crowd: Crowd | None
    dose: Floats  # (quarters, 4)
    person_h: Floats
    heads: Ints  # (4,)
    first_edge: int


def _read_all(
    places: Mapping[int, _Place], stays: Sequence[_Stay], parameters: Parameters, as_of_us: int
) -> list[_Reading]:
    """Every stay with its dose, oldest first. Three statements."""
    if not stays:
        return []
    days = sorted({(stay.venue, day) for stay in stays for day in _days_of(stay)})
    with connection.cursor() as cursor:
        cursor.execute(_DAYS, {"venues": [venue for venue, _ in days], "days": [day for _, day in days]})
        crowds = {
            venue: [states.unpack(row[1]) for row in of]
            for venue, of in groupby(cursor.fetchall(), key=lambda row: row[0])
        }
    edges = {venue: min(edge_before(stay.arrive_us) for stay in of) for venue, of in _by_venue(stays)}
    airs = air_of(facts={venue: places[venue].facts for venue in edges}, edges=edges, parameters=parameters)
    signals = signals_of((places[stay.venue].zip3, _day(stay.arrive_us)) for stay in stays)
    readings = []
    for venue, of in _by_venue(stays):
        for stay in of:
            signal = signals[places[venue].zip3, _day(stay.arrive_us)]
            readings.append(_read(places[venue], stay, of, airs[venue], signal, crowds.get(venue, []), as_of_us))
    return sorted(readings, key=lambda reading: (reading.stay.arrive_us, reading.place.venue))


def _by_venue(stays: Sequence[_Stay]) -> list[tuple[int, list[_Stay]]]:
    return [(venue, list(of)) for venue, of in groupby(stays, key=lambda stay: stay.venue)]


def _day(time_us: int) -> dt.date:
    return states.day_of(edge_before(time_us))


def _days_of(stay: _Stay) -> list[dt.date]:
    first, last = _day(stay.arrive_us), _day(stay.leave_us)
    return [first + dt.timedelta(days=more) for more in range((last - first).days + 1)]


def _read(  # noqa: PLR0917 - one call
    place: _Place, stay: _Stay, own: Sequence[_Stay], air: Air, signal: Signal, parts: Sequence[Crowd], as_of_us: int
) -> _Reading:
    until = min(stay.leave_us, as_of_us)
    first, last = edge_before(stay.arrive_us), edge_after(until)
    near = [part for part in parts if part.first_edge < last and part.last_edge > first]
    crowd = states.joined(near, first, max(last, first + 1)) if near else None
    # Where nobody arrived in the quarter of one's own arrival, one's own scan came late and is not counted yet.
    if crowd is None or until <= stay.arrive_us or crowd.state.arrivals[0, 0] == 0:
        none = np.zeros((0, 4))
        return _Reading(place, stay, until, air, signal, None, none, none, np.zeros(4, np.int64), first)
    # The holder's own breath, also of earlier stays that may still linger. Read as somebody who gives nothing, since
    # a stay that lasts is in the state up to its expected end and is read up to now.
    clear_us = CLEAR_AFTER / float(crowd.state.removal_rate_per_h.min()) * _HOUR_US
    mine = [each for each in own if each.arrive_us < until and each.leave_us > stay.arrive_us - clear_us]
    reading = read_stay(
        crowd.state,
        arrive_us=stay.arrive_us,
        leave_us=until,
        answer_class=RECEIVES_ONLY,
        earlier=[(each.arrive_us, each.leave_us, each.answer_class) for each in mine],
    )
    heads, blind = _others(crowd, reading.heads, own)
    dose, person_h = np.array(reading.dose_h2_per_m3), np.array(reading.person_h)
    if blind:
        heads[1:], dose[:, 1:], person_h[:, 1:] = 0, 0.0, 0.0
    return _Reading(place, stay, until, air, signal, crowd, dose, person_h, heads, first)


def _others(crowd: Crowd, heads: Ints, own: Sequence[_Stay]) -> tuple[Ints, bool]:
    """Other people (4,), each once, and whether they are too few for their answers to be read."""
    again, returns = crowd.again.sum(axis=0), int(crowd.returns.sum())
    seen: set[bytes] = set()
    for stay in own:
        came_back = stay.person in seen
        seen.add(stay.person)
        if came_back and crowd.first_edge <= edge_before(stay.arrive_us) < crowd.last_edge:
            # One's own coming back is in either sum; taking it from both keeps the count from being too high.
            quarter = edge_before(stay.arrive_us) - crowd.first_edge
            if crowd.again[quarter, 0] > 0:
                again = again - np.array([1, *(stay.answer_class == c for c in (1, 2, 3))], np.int64)
            else:
                returns -= 1
    once = np.maximum(heads - np.maximum(again, 0), 0)
    return once, bool(once[0] - max(0, returns) < BLIND_BELOW)


# Model ----------------------------------------------------------------------------------------------------------------
def _visits(readings: Sequence[_Reading], parameters: Parameters, now: dt.datetime) -> Visits:
    """The model's visits: one segment an hour, with the ratings of the hour."""
    segments: list[int] = []
    dose: list[Floats] = []
    person_h: list[Floats] = []
    rated: list[Ints] = []
    priors: list[tuple[float, float]] = []
    for reading in readings:
        hours = (reading.first_edge + np.arange(len(reading.dose))) // QUARTERS_AN_HOUR
        starts = np.flatnonzero(np.concatenate([[True], hours[1:] != hours[:-1]]))
        prior = parameters.priors[Kind(reading.place.facts[0])]
        segments.append(starts.size)
        dose.append(np.add.reduceat(reading.dose, starts, axis=0))
        person_h.append(np.add.reduceat(reading.person_h, starts, axis=0))
        assert reading.crowd is not None  # noqa: S101 - for the type checker; only counted stays come here
        rated.append(reading.crowd.ratings[starts])
        priors += [(prior.masks, prior.distancing)] * starts.size
    votes = np.concatenate(rated) if rated else np.zeros((0, 3), np.int64)
    means = np.array(priors).reshape(-1, 2)
    airs = [reading.air.at_hour(reading.stay.arrive_us // _HOUR_US) for reading in readings]
    now_us = states.microseconds(now)
    return visits_of(
        segments=segments,
        dose_h2_per_m3=np.concatenate(dose) if dose else np.zeros((0, 4)),
        person_h=np.concatenate(person_h) if person_h else np.zeros((0, 4)),
        masks=ratings.posterior(means[:, 0], votes[:, 1], votes[:, 0]),
        distancing=ratings.posterior(means[:, 1], votes[:, 2], votes[:, 0]),
        heads=np.array([reading.heads for reading in readings], np.float64).reshape(-1, 4),
        age_days=[max(0.0, (now_us - reading.until_us) / (24 * _HOUR_US)) for reading in readings],
        kinds=[Kind(reading.place.facts[0]) for reading in readings],
        known_active_per_person=[reading.signal.known_active_per_person for reading in readings],
        already_total=[reading.signal.already_total for reading in readings],
        refused=np.array([reading.stay.refused for reading in readings], bool).reshape(-1, 4),
        volume_log_sd=[air.volume_log_sd for air in airs],
        air_log_sd=[air.air_log_sd for air in airs],
    )


def _answer(reading: _Reading, result: shield.Shield, at: int | None, now: dt.datetime) -> VisitAnswer:
    stay, crowd = reading.stay, reading.crowd
    air = reading.air.at_hour(stay.arrive_us // _HOUR_US)
    votes = crowd.ratings.max(axis=0) if crowd is not None else np.zeros(3, np.int64)
    prior = reading.air.parameters.priors[Kind(reading.place.facts[0])]
    return VisitAnswer(
        venue=reading.place.venue,
        arrived=_moment(stay.arrive_us),
        left=_moment(stay.leave_us) if stay.leave_us <= states.microseconds(now) else None,
        dose=0.0 if at is None else significant(float(result.dose_quanta[at])),
        shield_cost=0.0 if at is None else shown_points(float(result.cost[at])),
        why=reasons_of(
            counted=at is not None,
            heads=int(reading.heads[0]),
            minutes=max(0, reading.until_us - stay.arrive_us) // 60_000_000,
            votes=(int(votes[0]), int(votes[1]), int(votes[2])),
            prior=prior,
            air=air,
            volume_known=reading.place.facts[1] is not None,
        ),
    )


def _moment(time_us: int) -> dt.datetime:
    return dt.datetime(1970, 1, 1, tzinfo=dt.UTC) + dt.timedelta(microseconds=time_us)
