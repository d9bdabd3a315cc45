"""Compute the shield of a holder who proves ownership, in a fixed number of statements, from stored crowd state.

Nothing is computed when people arrive: a visit is listed at once, with dose and cost 0 and the reason `pending`, and
counted at the next refresh. People who come or go in the meantime change no shield before that.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from django.conf import settings
from django.db import connection
from django.utils.translation import get_language

from common.privacy import FEWEST_SHOWN
from risk.crowd import venue_days
from risk.crowd.air import Facts, air_of
from risk.crowd.cases import Signal, default_signal, signals_of
from risk.crowd.parameters import adaptive_of, build
from risk.crowd.venue_days import QUARTERS_AN_HOUR, Ints
from risk.model import classes, ratings, shield
from risk.model.air import RoomAir
from risk.model.answers import believed_shares, spread_over
from risk.model.classes import answer_shares, refused_classes
from risk.model.comparison import Comparison, comparison, suggested_profile
from risk.model.crowd_state import QUARTER_US, edge_before
from risk.model.far import LONGEST_STAY_US, MERGE_GAP_US
from risk.model.kinds import Kind, KindPrior
from risk.model.parameters import Adaptive, Parameters
from risk.model.readings import OwnStays, Readings, read_stays
from risk.model.renewal import ordinary_fortnight
from risk.model.rounding import down, shown_points, shown_shield, significant, up
from risk.model.shield import expected_hits
from risk.model.uncertainty import draws_of
from risk.model.visits import KINDS, NO_VISITS, Visits, visits_of
from risk.reads import OWNED_STAYS
from risk.shield.reasons import Reason, reasons_of

_HOUR_US: Final = QUARTERS_AN_HOUR * QUARTER_US
FORTNIGHT_US: Final = 14 * 24 * _HOUR_US


@dataclass(frozen=True, slots=True)
class VisitAnswer:
    """One visit of a shield; ``left`` is `None` while no departure is known."""

    venue: str
    arrived: dt.datetime
    left: dt.datetime | None
    dose: float
    shield_cost: float
    why: list[Reason]
    infection_probability: float
    like: Comparison | None


@dataclass(frozen=True, slots=True)
class Surroundings:
    """The context of a shield.

    It is the prevalence where the holder was, the chance of infection of an ordinary fortnight there, and the profile
    whose budget such a fortnight does not use up.
    """

    prevalence: float
    ordinary_probability: float
    suggested_profile: str


@dataclass(frozen=True, slots=True)
class ShieldAnswer:
    """A shield as displayed: rounded once, percent down, spent budget up, costs to a tenth of a point."""

    shield: int
    low: int
    high: int
    infection_probability: float
    spent: float
    incubating: float
    risklevel: str
    parameters: str
    visits: list[VisitAnswer]
    like: Comparison | None
    dearest: int | None
    around: Surroundings


def shield_of(
    *,
    owners: Sequence[bytes],
    budget: float,
    now: dt.datetime,
    own_mask: float | None = None,
    susceptibility: float = 1.0,
) -> ShieldAnswer:
    """Return the shield of the holder of these owners; skip unknown ones.

    Without owners it is 100. Five statements at most. ``own_mask``: share of the time that the holder wears a mask; by
    default that of the crowd. ``susceptibility``: the holder's own, relative to the average visitor.
    """
    hashes = {hashlib.sha256(owner).digest() for owner in owners}
    parameters, as_of_us = _in_force()
    places, stays = _read_stays(hashes, now) if hashes else ({}, [])
    if not stays:
        return _shown(shield.shield(NO_VISITS, parameters, budget=budget), [], parameters, [default_signal()])
    known = _read_all(places, stays, parameters, as_of_us)
    counted = np.flatnonzero(known.readings.counted)
    visits = _visits(known, counted, now) if counted.size else NO_VISITS
    result = shield.shield(visits, parameters, budget=budget, own_mask=own_mask, susceptibility=susceptibility)
    rows: dict[int, int] = {int(at): row for row, at in enumerate(counted)}
    latest = sorted(range(len(stays)), key=lambda at: (stays[at].arrive_us, known.places[at].venue), reverse=True)
    language = get_language() or ""
    prevalence = _prevalence(parameters, known.signals)
    answers = [_answer(known, at, rows.get(at), result, parameters, prevalence[at], now, language) for at in latest]
    return _shown(result, answers, parameters, known.signals)


@dataclass(frozen=True, slots=True)
class Fortnight:
    """The exposure of a holder over 14 days at places that are verified.

    Expected hits by venue kind, (kinds in the order of `KINDS`,), the mean share of people who were infectious at the
    visits, and the number of visits that are counted. Other places are left out, since anyone can set one up, with any
    crowd: for learning they are elsewhere.
    """

    hits: npt.NDArray[np.float64]
    prevalence: float
    visits: int


def fortnight_of(
    *, owner_hashes: set[bytes], until: dt.datetime, parameters: Parameters, now: dt.datetime
) -> Fortnight:
    """Return the visits that began in the 14 days before ``until``, under given parameters; five statements at most."""
    _, as_of_us = _in_force()
    places, stays = _read_stays(owner_hashes, now)
    last_us = venue_days.microseconds(until)
    stays = [
        one for one in stays if last_us - FORTNIGHT_US <= one.arrive_us < last_us and places[one.venue].facts.verified
    ]
    none = np.zeros(len(KINDS))
    if not stays:
        return Fortnight(none, 0.0, 0)
    known = _read_all(places, stays, parameters, as_of_us)
    counted = np.flatnonzero(known.readings.counted)
    prevalence = float(_prevalence(parameters, known.signals).mean())
    if not counted.size:
        return Fortnight(none, prevalence, 0)
    visits = _visits(known, counted, now)
    hits = none.copy()
    np.add.at(hits, visits.kind, expected_hits(visits, parameters).by_visit.mean(axis=1))
    return Fortnight(hits, prevalence, int(counted.size))


def _shown(
    result: shield.Shield, visits: list[VisitAnswer], parameters: Parameters, signals: Sequence[Signal]
) -> ShieldAnswer:
    prevalence = float(_prevalence(parameters, signals).mean())
    chances = [visit.infection_probability for visit in visits]
    return ShieldAnswer(
        shield=shown_shield(result.shield),
        low=shown_shield(result.low),
        high=shown_shield(result.high),
        infection_probability=down(result.infection_probability, 5),
        spent=up(result.spent, 4),
        incubating=down(result.incubating, 5),
        risklevel=result.risklevel,
        parameters=result.parameters,
        visits=visits,
        like=comparison(parameters, result.infection_probability, prevalence),
        dearest=chances.index(max(chances)) if any(chances) else None,
        around=Surroundings(
            prevalence=significant(prevalence),
            ordinary_probability=significant(-math.expm1(-ordinary_fortnight(parameters, prevalence))),
            suggested_profile=suggested_profile(parameters, prevalence),
        ),
    )


def _prevalence(parameters: Parameters, signals: Sequence[Signal]) -> npt.NDArray[np.float64]:
    """Return the mean estimate of the share of people who are infectious, for each signal."""
    found = classes.prevalence(
        [signal.known_active_per_person for signal in signals],
        draws_of(parameters),
        already_total=[signal.already_total for signal in signals],
    )
    return np.asarray(found.mean(axis=1))


# Statements -----------------------------------------------------------------------------------------------------------
_IN_FORCE: Final = """
    SELECT (SELECT (extract(epoch FROM as_of) * 1000000)::bigint FROM risk_crowdclock),
           latest.dose_scale, latest.hidden_carriers, latest.kind_intensity::text, latest.learned::text
    FROM (SELECT 1) AS always
    LEFT JOIN (SELECT * FROM risk_parameterset ORDER BY id DESC LIMIT 1) AS latest ON true
"""
_DAYS: Final = """
    SELECT day.venue_id, day.day, day.data, said.positive, said.reports, answered.people, answered.shown
    FROM unnest(%(venues)s::bigint[], %(days)s::date[]) AS wanted (venue_id, day)
    JOIN risk_crowdday AS day ON day.venue_id = wanted.venue_id AND day.day = wanted.day
    LEFT JOIN risk_reportedday AS said ON said.venue_id = day.venue_id AND said.day = day.day
    LEFT JOIN risk_answeredday AS answered ON answered.venue_id = day.venue_id AND answered.day = day.day
    ORDER BY day.venue_id, day.day
"""


def _in_force() -> tuple[Parameters, int]:
    """Return the parameters, and the time up to which crowd state is computed."""
    with connection.cursor() as cursor:
        cursor.execute(_IN_FORCE)
        as_of_us, scale, carriers, intensity, learned = cursor.fetchone()
    if scale is None:
        return build(settings.PATHOGEN, Adaptive()), as_of_us or 0
    adaptive = adaptive_of(scale, carriers, json.loads(intensity), json.loads(learned))
    return build(settings.PATHOGEN, adaptive), as_of_us or 0


@dataclass(frozen=True, slots=True)
class _Place:
    venue: str
    facts: Facts
    zip3: str
    adoption: tuple[float, float, float]
    """Median, low and high where the venue has an estimate of its own, otherwise NaN."""

    @property
    def kind(self) -> Kind:
        """Return the kind of the venue."""
        return Kind(self.facts.kind)


@dataclass(slots=True)
class _Stay:
    """One stay of the holder, with back-to-back ones joined. ``person``: number of its pass in the venue.

    ``in_state``: whether crowd state contains it.
    """

    venue: int
    person: bytes
    arrive_us: int
    leave_us: int
    refused: tuple[bool, bool, bool, bool]
    in_state: bool


def _read_stays(hashes: set[bytes], now: dt.datetime) -> tuple[dict[int, _Place], list[_Stay]]:
    with connection.cursor() as cursor:
        cursor.execute(OWNED_STAYS, {"owners": list(hashes), "now": now, "zone": settings.DEPLOYMENT_TIME_ZONE})
        rows = cursor.fetchall()
    places = {row[0]: _Place(row[8], Facts(*row[9:13]), row[13], _adoption(row[14:17])) for row in rows}
    stays: list[_Stay] = []
    for row in rows:
        stay = _stay_of(row)
        last = stays[-1] if stays else None
        joins = last is not None and (last.venue, last.in_state) == (stay.venue, stay.in_state)
        if last is not None and joins and stay.arrive_us - last.leave_us < MERGE_GAP_US:
            last.leave_us = min(max(last.leave_us, stay.leave_us), last.arrive_us + LONGEST_STAY_US)
        else:
            stays.append(stay)
    return places, stays


def _adoption(row: Sequence[float | None]) -> tuple[float, float, float]:
    share, low, high = (math.nan if value is None else value for value in row)
    return share, low, high


def _stay_of(row: Sequence[Any]) -> _Stay:
    refuses = refused_classes(symptoms=row[4], diagnosed=row[5], contact=row[6], near=row[7])
    leave = min(row[3], row[2] + LONGEST_STAY_US)
    return _Stay(row[0], bytes(row[1]), row[2], leave, refuses, row[17])


# Readings -------------------------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class _Known:
    """The holder's stays, by venue and arrival, with everything their hits depend on; row i is stay i."""

    stays: Sequence[_Stay]
    places: Sequence[_Place]
    priors: Sequence[KindPrior]
    until_us: Ints
    airs: Sequence[RoomAir]
    signals: Sequence[Signal]
    readings: Readings
    shares: npt.NDArray[np.float64]


def _read_all(places: Mapping[int, _Place], stays: Sequence[_Stay], parameters: Parameters, as_of_us: int) -> _Known:
    """Read every stay with what the crowd contributed to it, in three statements."""
    days = sorted({(stay.venue, day) for stay in stays for day in _days_of(stay)})
    with connection.cursor() as cursor:
        cursor.execute(_DAYS, {"venues": [venue for venue, _ in days], "days": [day for _, day in days]})
        rows = cursor.fetchall()
    table = venue_days.table_of([(row[0], row[2], (row[3], row[4]) if row[4] else None) for row in rows])
    edges = {venue: min(edge_before(stay.arrive_us) for stay in of) for venue, of in _by_venue(stays)}
    airs = air_of(facts={venue: places[venue].facts for venue in edges}, edges=edges, parameters=parameters)
    at = [(places[stay.venue].zip3, _day(stay.arrive_us)) for stay in stays]
    signals = signals_of(at)
    own = _own(stays, as_of_us)
    return _Known(
        stays,
        [places[stay.venue] for stay in stays],
        [parameters.priors[places[stay.venue].kind] for stay in stays],
        own.until_us,
        [airs[stay.venue].at_hour(stay.arrive_us // _HOUR_US) for stay in stays],
        [signals[each] for each in at],
        read_stays(table, own),
        _shares(stays, {(row[0], row[1]): (row[5], row[6]) for row in rows if row[5]}, parameters),
    )


def _shares(
    stays: Sequence[_Stay], said: Mapping[tuple[int, dt.date], tuple[int, list[int]]], parameters: Parameters
) -> npt.NDArray[np.float64]:
    """Return shares (stays, 3) of the classes of yes among visitors of each stay's day; 0 where not read."""
    shares = np.zeros((len(stays), 3))
    of_stays = [said.get((stay.venue, _day(stay.arrive_us))) for stay in stays]
    rows = [at for at, of in enumerate(of_stays) if of is not None]
    if rows:
        people, shown = zip(*(of for of in of_stays if of is not None), strict=True)
        shares[rows] = believed_shares(people, shown, answer_shares(parameters.answers)[1:])
    # People who are not admitted are not present, whatever is usual elsewhere.
    return np.where([stay.refused[1:] for stay in stays], 0.0, shares)


def _own(stays: Sequence[_Stay], as_of_us: int) -> OwnStays:
    """Return the columns of the stays. A present stay is in the state up to its expected end, and is read up to now."""
    seen: set[tuple[int, bytes]] = set()
    came_back = []
    for stay in stays:
        came_back.append((stay.venue, stay.person) in seen)
        if stay.in_state:
            seen.add((stay.venue, stay.person))
    leave = np.array([stay.leave_us for stay in stays], np.int64)
    return OwnStays(
        venue=np.array([stay.venue for stay in stays], np.int64),
        arrive_us=np.array([stay.arrive_us for stay in stays], np.int64),
        leave_us=leave,
        until_us=np.minimum(leave, as_of_us),
        answer_class=np.zeros(len(stays), np.int8),
        came_back=np.array(came_back, np.bool_),
        in_state=np.array([stay.in_state for stay in stays], np.bool_),
    )


def _by_venue(stays: Sequence[_Stay]) -> list[tuple[int, list[_Stay]]]:
    return [(venue, list(of)) for venue, of in groupby(stays, key=lambda stay: stay.venue)]


def _day(time_us: int) -> dt.date:
    return venue_days.day_of(edge_before(time_us))


def _days_of(stay: _Stay) -> list[dt.date]:
    first, last = _day(stay.arrive_us), _day(stay.leave_us)
    return [first + dt.timedelta(days=more) for more in range((last - first).days + 1)]


# Model ----------------------------------------------------------------------------------------------------------------
def _visits(known: _Known, counted: Ints, now: dt.datetime) -> Visits:
    """Return the counted stays as visits of the model: one segment for each hour, with the ratings of the hour."""
    read = known.readings
    stay = np.repeat(np.arange(len(known.stays)), np.diff(read.start))
    hour = (read.first_edge[stay] + np.arange(stay.size) - read.start[stay]) // QUARTERS_AN_HOUR
    rows = np.flatnonzero(read.counted[stay])
    turns = (stay[rows][1:] != stay[rows][:-1]) | (hour[rows][1:] != hour[rows][:-1])
    starts = np.flatnonzero(np.concatenate([[rows.size > 0], turns]))
    of = stay[rows[starts]]
    usual = np.array([(prior.masks, prior.distancing) for prior in known.priors])
    votes = read.ratings[rows[starts]]
    votes = np.where(votes[:, :1] >= FEWEST_SHOWN, votes, 0)  # as on cards: one person's rating is never visible
    now_us = venue_days.microseconds(now)
    return visits_of(
        segments=np.bincount(of, minlength=len(known.stays))[counted].tolist(),
        dose_h2_per_m3=spread_over(np.add.reduceat(read.dose_h2_per_m3[rows, 0], starts), known.shares[of]),
        person_h=spread_over(np.add.reduceat(read.person_h[rows, 0], starts), known.shares[of]),
        masks=ratings.posterior(usual[of, 0], votes[:, 1], votes[:, 0]),
        distancing=ratings.posterior(usual[of, 1], votes[:, 2], votes[:, 0]),
        heads=spread_over(read.heads[counted, 0], known.shares[counted]),
        age_days=np.maximum(0.0, (now_us - known.until_us[counted]) / (24 * _HOUR_US)),
        kinds=[known.places[at].kind for at in counted],
        known_active_per_person=[known.signals[at].known_active_per_person for at in counted],
        already_total=[known.signals[at].already_total for at in counted],
        refused=np.array([known.stays[at].refused for at in counted], bool),
        volume_log_sd=[known.airs[at].volume_log_sd for at in counted],
        air_log_sd=[known.airs[at].air_log_sd for at in counted],
        reported_h2_per_m3=np.add.reduceat(read.reported_h2_per_m3[rows], starts),
        reported_h=np.add.reduceat(read.reported_h[rows], starts),
        reporters=read.reporters[counted],
        adoption=[known.places[at].adoption for at in counted],
    )


def _answer(  # noqa: PLR0917 - one call
    known: _Known,
    at: int,
    row: int | None,
    result: shield.Shield,
    parameters: Parameters,
    prevalence: float,
    now: dt.datetime,
    language: str,
) -> VisitAnswer:
    """Return stay ``at`` as displayed; ``row`` is its index among the counted stays, if it is one."""
    stay, place, read = known.stays[at], known.places[at], known.readings
    votes = read.ratings[read.start[at] : read.start[at + 1]].max(axis=0).tolist()
    chance = 0.0 if row is None else float(result.chance[row])
    return VisitAnswer(
        venue=place.venue,
        arrived=_moment(stay.arrive_us),
        left=_moment(stay.leave_us) if stay.leave_us <= venue_days.microseconds(now) else None,
        dose=0.0 if row is None else significant(float(result.dose_quanta[row])),
        shield_cost=0.0 if row is None else shown_points(float(result.cost[row])),
        why=reasons_of(
            counted=row is not None,
            others=int(read.others[at]),
            minutes=max(0, int(known.until_us[at]) - stay.arrive_us) // 60_000_000,
            votes=(votes[0], votes[1], votes[2]),
            prior=known.priors[at],
            air=known.airs[at],
            volume_known=place.facts.volume_m3 is not None,
            adoption=None if math.isnan(place.adoption[0]) else place.adoption[0],
            language=language,
        ),
        infection_probability=significant(chance),
        like=comparison(parameters, chance, prevalence),
    )


def _moment(time_us: int) -> dt.datetime:
    return dt.datetime(1970, 1, 1, tzinfo=dt.UTC) + dt.timedelta(microseconds=time_us)
