"""Three warning methods. Each returns scores (people, days): higher is more alarming, as known at the end of the day.

A method uses only what it could know: visits of people with the app, answers, ratings, results once they are known.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from crowdtrace.town.comparators.record import DAY_S, Record
from crowdtrace.town.world.streams import stream
from risk.model import air as airs
from risk.model.answers import FEWEST_PEOPLE, STEP, believed_shares, rounded, spread_over
from risk.model.classes import answer_shares
from risk.model.far import Rooms, Stays, unit_doses
from risk.model.parameters import Parameters
from risk.model.ratings import posterior
from risk.model.shield import expected_hits, weight
from risk.model.visits import KINDS, visits_of

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

WINDOW_DAYS: Final = 14
INFECTIOUS_BEFORE_DAYS: Final = 2
"""Contacts are traced from two days before onset on, as health departments do."""
APP_MINUTES: Final = 15.0
"""Total duration from which the app counts a contact as close."""
APP_UPLOADS: Final = 0.5
"""Share of known cases with the app who upload their keys; our assumption."""
APP_DELAY_DAYS: Final = 1
TRACING_DELAY_DAYS: Final = 2
"""Days from a result to the warning, for an upload and a download or for telephone calls; our assumption."""
REFUSED: Final = (False, False, True, True)
"""No place of a simulated town declares symptoms or positive tests a reason for refusal."""
CHUNK: Final = 1_000
"""Number of visits computed together, small enough that their draws fit in the cache."""


def shield_loss(record: Record, parameters: Parameters, *, known_active_per_person: float) -> Floats:
    """Return the expected hits that still count, ``sum of h*w(age)``: the loss of a shield with any budget."""
    used, hits = visit_hits(record, parameters, known_active_per_person=known_active_per_person)
    return _by_day(record, record.person[used], record.leave_s[used] // DAY_S, hits)


def visit_hits(
    record: Record, parameters: Parameters, *, known_active_per_person: float, already_total: bool = False
) -> tuple[Ints, Floats]:
    """Return the rows of stays of people with the app, and the expected hits of each as the product computes them."""
    used = np.flatnonzero(record.has_app[record.person])
    venues = record.town.venues
    rooms = [
        airs.room_air(
            parameters,
            KINDS[kind],
            volume_m3=float(volume) if known else None,
            air_changes_per_h=float(changes) if known else None,
        )
        for kind, volume, changes, known in zip(
            venues.kind, venues.volume_m3, venues.air_changes_per_h, venues.volume_known, strict=True
        )
    ]
    doses = unit_doses(
        Stays.of(
            venue=record.venue[used],
            arrive_us=record.arrive_s[used] * 1_000_000,
            leave_us=record.leave_s[used] * 1_000_000,
            answer_class=np.zeros(used.size, np.int8),
        ),
        Rooms(
            np.array([room.volume_m3 for room in rooms]),
            np.array([room.removal_rate_per_h(parameters) for room in rooms]),
        ),
    )
    masks = _rated(record, parameters, "masks")[:, record.venue[used]]
    distancing = _rated(record, parameters, "distancing")[:, record.venue[used]]
    shares = _answered(record, parameters, used)
    hits = np.empty(used.size)
    kind = venues.kind[record.venue[used]]
    volume_sd = np.array([room.volume_log_sd for room in rooms])[record.venue[used]]
    air_sd = np.array([room.air_log_sd for room in rooms])[record.venue[used]]
    for at in range(0, used.size, CHUNK):
        part = slice(at, at + CHUNK)
        visits = visits_of(
            segments=[1] * kind[part].size,
            dose_h2_per_m3=spread_over(doses.dose_h2_per_m3[part, 0], shares[part]),
            person_h=spread_over(doses.person_h[part, 0], shares[part]),
            heads=spread_over(doses.heads[part, 0], shares[part]),
            kinds=[KINDS[index] for index in kind[part]],
            age_days=0.0,
            known_active_per_person=known_active_per_person,
            already_total=already_total,
            masks=(masks[0, part], masks[1, part]),
            distancing=(distancing[0, part], distancing[1, part]),
            refused=REFUSED,
            volume_log_sd=volume_sd[part],
            air_log_sd=air_sd[part],
        )
        hits[part] = expected_hits(visits, parameters).by_visit.mean(axis=1)
    return used, hits


def _answered(record: Record, parameters: Parameters, used: Ints) -> Floats:
    """Return shares (stays, 3) of the answer classes with a yes, as on a venue's day: counted, rounded, 0 if few."""
    venue_day = record.venue[used] * record.days + np.minimum(record.arrive_s[used] // DAY_S, record.days - 1)
    people = np.bincount(venue_day, minlength=record.town.venues.size * record.days)
    classes = record.answer_class[used]
    counts = np.stack([np.bincount(venue_day[classes == of], minlength=people.size) for of in (1, 2, 3)], axis=1)
    offsets = stream(record.town.plan.seed, "offsets").integers(0, STEP, counts.shape)
    enough = people >= FEWEST_PEOPLE
    shares = np.zeros(counts.shape)
    usual = answer_shares(parameters.answers)[1:]
    shares[enough] = believed_shares(people[enough], rounded(counts, offsets)[enough], usual)
    return np.where(REFUSED[1:], 0.0, shares)[venue_day]


def contact_tracing_shield(record: Record) -> Floats:
    """Return 100 minus the shield of classical tracing, which is 0 as soon as a known case was present, otherwise 100.

    Contacts are all people with the app who were in one venue at the same time as a later confirmed case, from two days
    before that person's onset on. They are notified two days after the result.
    """
    out = np.zeros((record.has_app.size, record.days))
    for row in np.flatnonzero(record.known_from[record.person] < record.days):
        case = record.person[row]
        day = record.arrive_s[row] // DAY_S
        if day < record.onset_day[case] - INFECTIOUS_BEFORE_DAYS:
            continue
        met = _met(record, int(row), minutes=0.0)
        notified = max(int(record.known_from[case]) + TRACING_DELAY_DAYS, int(day))
        out[np.unique(record.person[met]), notified : day + WINDOW_DAYS] = 100.0
    out[~record.has_app] = 0.0
    return out


def proximity_app(record: Record, *, random: np.random.Generator) -> Floats:
    """Return minutes close to cases that uploaded their keys, within 14 days.

    Both people have the app; of the people in one room, only the close share for the venue's kind is in range; a
    contact counts from 15 minutes on.
    """
    out = np.zeros((record.has_app.size, record.days))
    gives = record.has_app & (random.random(record.has_app.size) < APP_UPLOADS)
    close = np.array([prior.close_share.value for prior in record.town.plan.parameters.priors.values()])
    by_kind = dict(zip(record.town.plan.parameters.priors, close, strict=True))
    for row in np.flatnonzero((record.known_from[record.person] < record.days) & gives[record.person]):
        case, day = record.person[row], record.arrive_s[row] // DAY_S
        if day < record.onset_day[case] - INFECTIOUS_BEFORE_DAYS:
            continue
        met = _met(record, int(row), minutes=APP_MINUTES)
        met = met[record.has_app[record.person[met]]]
        share = by_kind[KINDS[record.town.venues.kind[record.venue[row]]]]
        met = met[random.random(met.size) < share]
        notified = max(int(record.known_from[case]) + APP_DELAY_DAYS, int(day))
        minutes = _overlap_s(record, int(row), met) / 60.0
        for other, length in zip(record.person[met], minutes, strict=True):
            out[other, notified : day + WINDOW_DAYS] += length
    return out


def _rated(record: Record, parameters: Parameters, what: str) -> Floats:
    """Return Beta posteriors (2, venues) of each venue from its ratings of all days."""
    given = record.rated_masks if what == "masks" else record.rated_distancing
    rated = given > 0
    size = record.town.venues.size
    count = np.bincount(record.venue[rated], minlength=size)
    total = np.bincount(record.venue[rated], given[rated], size)
    prior = [getattr(parameters.priors[KINDS[kind]], what) for kind in record.town.venues.kind]
    return np.stack(posterior(prior, total, count))


def _by_day(record: Record, person: Ints, day: Ints, hits: Floats) -> Floats:
    """Return ``sum of h*w(age)`` for each person at the end of each day."""
    daily = np.zeros((record.has_app.size, record.days))
    np.add.at(daily, (person, np.minimum(day, record.days - 1)), hits)
    out = np.zeros_like(daily)
    for age in range(WINDOW_DAYS):
        factor = float(weight(float(age)))
        if age < record.days:
            out[:, age:] += factor * daily[:, : record.days - age]
    return out


def _met(record: Record, row: int, *, minutes: float) -> Ints:
    """Return the rows of stays of others that overlap a stay."""
    same = np.flatnonzero((record.venue == record.venue[row]) & (record.arrive_s < record.leave_s[row]))
    same = same[(record.leave_s[same] > record.arrive_s[row]) & (record.person[same] != record.person[row])]
    return np.asarray(same[_overlap_s(record, row, same) >= minutes * 60.0])


def _overlap_s(record: Record, row: int, others: Ints) -> Floats:
    end = np.minimum(record.leave_s[others], record.leave_s[row])
    return np.asarray(np.maximum(0.0, end - np.maximum(record.arrive_s[others], record.arrive_s[row])), np.float64)
