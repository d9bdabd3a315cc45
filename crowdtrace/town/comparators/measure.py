"""Alarms at an equal rate, compared with actual infections."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from crowdtrace.town.comparators.record import Record

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

FIRST_DAY: Final = 5
"""Days at the start that are not evaluated, because a warning needs earlier days."""


@dataclass(frozen=True, slots=True)
class Score:
    """Results of one warning method over the evaluated person-days of people with the app.

    A person carries an infection at a venue from its day until the day of onset (for those without symptoms, the day
    when they would have appeared).

    ``alarm_rate``: share with an alarm. ``sensitivity``: share with an alarm, of the days on which somebody carries;
    for random alarms it equals the alarm rate. ``silent_sensitivity``: the same for those whose infector had no
    symptoms. ``precision``: share of alarms on days on which the person carries. ``lead_days``: mean days from the
    first alarm after an infection to onset, of those who had one (nan if nobody had). ``warned``: share of people
    infected at a venue who had an alarm between infection and onset; ``silent_warned``: of those whose infector had no
    symptoms. ``people``: share of all people with the app who had an alarm on any evaluated day.
    """

    alarm_rate: float
    sensitivity: float
    silent_sensitivity: float
    precision: float
    lead_days: float
    warned: float
    silent_warned: float
    people: float


def alarm_rate(record: Record, scores: Floats, threshold: float) -> float:
    """Return the share of evaluated person-days of people with the app whose score is above a threshold."""
    return float((_judged(record, scores) > threshold).mean())


def alarms_at_rate(record: Record, scores: Floats, rate: float, *, random: np.random.Generator) -> Bools:
    """Return the most alarming person-days, as many as the rate says; ties are broken at random.

    If fewer have any score at all, the others get no alarm: a method that knows nothing raises none.
    """
    tie_breaker = random.random(scores.shape)
    rows = np.flatnonzero(record.has_app)
    values = scores[rows, FIRST_DAY:]
    count = round(rate * values.size)
    order = np.lexsort((tie_breaker[rows, FIRST_DAY:].ravel(), -values.ravel()))[:count]
    chosen = np.zeros(values.size, bool)
    chosen[order] = values.ravel()[order] > 0.0
    out = np.zeros(scores.shape, bool)
    out[rows, FIRST_DAY:] = chosen.reshape(values.shape)
    return out


def measure(record: Record, alarms: Bools) -> Score:
    """Evaluate alarms (people, days)."""
    used = np.flatnonzero(record.has_app & record.at_venue)
    used = used[(record.infected_day[used] >= FIRST_DAY) & (record.infected_day[used] < record.days)]
    onset = np.ceil(record.onset_day[used]).astype(np.int64)
    lead = np.full(used.size, np.nan)
    for at, person in enumerate(used):
        first = int(record.infected_day[person])
        hits = np.flatnonzero(alarms[person, first : min(int(onset[at]), record.days)])
        if hits.size:
            lead[at] = record.onset_day[person] - (first + hits[0] + 1)  # an alarm comes at the end of its day
    rows = np.flatnonzero(record.has_app)
    raised, carrying = alarms[rows, FIRST_DAY:], _carrying(record)[rows, FIRST_DAY:]
    return Score(
        alarm_rate=float(raised.mean()),
        sensitivity=_mean(raised[carrying]),
        silent_sensitivity=_mean(raised[carrying & record.silent_infector[rows, None]]),
        precision=_mean(carrying[raised]),
        lead_days=_mean(lead[np.isfinite(lead)]),
        warned=_mean(np.isfinite(lead)),
        silent_warned=_mean(np.isfinite(lead[record.silent_infector[used]])),
        people=_mean(np.asarray(raised.any(axis=1))),
    )


def _carrying(record: Record) -> Bools:
    """Return the person-days on which somebody carries an infection from a venue without symptoms yet."""
    days = np.arange(record.days)[None, :]
    begun = days >= record.infected_day[:, None]
    return np.asarray(record.at_venue[:, None] & begun & (days < record.onset_day[:, None]))


def _judged(record: Record, scores: Floats) -> Floats:
    return scores[record.has_app, FIRST_DAY:]


def _mean(values: npt.NDArray[np.generic]) -> float:
    return float(values.mean()) if values.size else float("nan")
