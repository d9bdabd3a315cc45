"""Alarms at an equal rate, against who really caught it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from crowdtrace.site.comparators.record import Record

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

FIRST_DAY: Final = 5
"""Days at the start are not judged: there is no past to warn of yet."""
LATEST_DAYS: Final = 10
"""An alarm that comes later after an infection is of no use to anybody."""


@dataclass(frozen=True, slots=True)
class Score:
    """One way to warn. ``alarm_rate``: of judged person-days. ``sensitivity``: of people with the app infected at
    venues, the share warned after it and before their onset day. ``silent_sensitivity``: the same of those whose
    infector had no symptoms. ``precision``: of alarmed person-days, the share of people infected at a venue in the 14
    days before and not yet ill. ``lead_days``: mean days from the first such alarm to onset (nan without any)."""

    alarm_rate: float
    sensitivity: float
    silent_sensitivity: float
    precision: float
    lead_days: float


def alarm_rate(record: Record, scores: Floats, threshold: float) -> float:
    """Share of judged person-days of people with the app with a score above a threshold."""
    return float((_judged(record, scores) > threshold).mean())


def alarms_at_rate(record: Record, scores: Floats, rate: float, *, random: np.random.Generator) -> Bools:
    """The most alarming person-days, as many as the rate says; equal scores are told apart by lot.

    Where fewer have any score at all, the rest stays silent: a way to warn that knows nothing raises no alarm.
    """
    lot = random.random(scores.shape)
    rows = np.flatnonzero(record.has_app)
    values = scores[rows, FIRST_DAY:]
    count = round(rate * values.size)
    order = np.lexsort((lot[rows, FIRST_DAY:].ravel(), -values.ravel()))[:count]
    chosen = np.zeros(values.size, bool)
    chosen[order] = values.ravel()[order] > 0.0
    out = np.zeros(scores.shape, bool)
    out[rows, FIRST_DAY:] = chosen.reshape(values.shape)
    return out


def measure(record: Record, alarms: Bools) -> Score:
    """Judge alarms (people, days)."""
    used = np.flatnonzero(record.has_app & record.at_venue)
    used = used[(record.infected_day[used] >= FIRST_DAY) & (record.infected_day[used] < record.days)]
    onset = np.ceil(record.onset_day[used]).astype(np.int64)
    found, lead = np.zeros(used.size, bool), np.full(used.size, np.nan)
    for at, person in enumerate(used):
        first = int(record.infected_day[person])
        last = min(int(onset[at]), first + LATEST_DAYS, record.days)
        hits = np.flatnonzero(alarms[person, first:last])
        if hits.size:
            found[at] = True
            lead[at] = record.onset_day[person] - (first + hits[0] + 1)  # an alarm comes at the end of its day
    silent = record.silent_infector[used]
    return Score(
        alarm_rate=float(alarms[record.has_app, FIRST_DAY:].mean()),
        sensitivity=_mean(found),
        silent_sensitivity=_mean(found[silent]),
        precision=_mean(_carrying(record)[alarms]),
        lead_days=float(np.nanmean(lead)) if found.any() else float("nan"),
    )


def _carrying(record: Record) -> Bools:
    """Person-days on which somebody carries an infection from a venue that has not shown yet."""
    days = np.arange(record.days)[None, :]
    since = days - record.infected_day[:, None]
    return np.asarray(record.at_venue[:, None] & (since >= 0) & (days < record.onset_day[:, None]) & (since < 14))


def _judged(record: Record, scores: Floats) -> Floats:
    return scores[record.has_app, FIRST_DAY:]


def _mean(values: npt.NDArray[np.generic]) -> float:
    return float(values.mean()) if values.size else float("nan")
