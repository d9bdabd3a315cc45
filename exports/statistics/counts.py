"""Exact counts for the figures of venues; they exist only until the draw."""

import datetime as dt
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from django.db import connection

from exports.policy.noise import Counts
from exports.policy.owner_figures import (
    DISTANCING,
    HOUR,
    HOURS,
    MASKS,
    OUTCOME,
    OUTCOMES,
    SCORES,
    VISITS,
)
from exports.policy.periods import Period
from exports.reads import OWNER_DAY, OWNER_RATINGS
from passes.clock import calendar, moment
from passes.codec import Cause
from passes.limits import FASTEST_SURVEY_S

OWN_CAUSES: Final = (Cause.REVOKED, Cause.ROTATING_REQUIRED, Cause.PRIVATE_DOOR, Cause.TEMPERATURE, Cause.O2)
"""Causes of a red light that depend on the pass alone. Others depend on the door, the time, the code or the crowd."""


def exact_counts(*, period: Period, first: dt.date, venues: Sequence[str]) -> dict[str, Counts]:
    """Return exact counts of marked passes at venues, given by public id, in the shape of each table of the draw."""
    if period is Period.DAY:
        return _of_day(first, venues)
    return _of_week(first, venues)


def _of_day(day: dt.date, venues: Sequence[str]) -> dict[str, Counts]:
    outcomes = np.zeros((len(venues), len(OUTCOMES)), np.int64)
    hours = np.zeros((len(venues), HOURS), np.int64)
    place = {venue: at for at, venue in enumerate(venues)}
    values: dict[str, Any] = {
        "day": day,
        "venues": list(venues),
        "own": [cause.value for cause in OWN_CAUSES],
        "frozen": moment(calendar().epoch_of(day).checkin_opens),
        "fastest": FASTEST_SURVEY_S,
    }
    with connection.cursor() as cursor:
        cursor.execute(OWNER_DAY, values)
        for venue, outcome, hour, passes in cursor.fetchall():
            outcomes[place[venue], outcome] += passes
            if outcome == OUTCOMES.index(VISITS):
                hours[place[venue], min(hour, HOURS - 1)] += passes
    return {OUTCOME: outcomes, HOUR: hours}


def _of_week(monday: dt.date, venues: Sequence[str]) -> dict[str, Counts]:
    masks, distancing = (np.zeros((len(venues), len(SCORES)), np.int64) for _ in range(2))
    place = {venue: at for at, venue in enumerate(venues)}
    values: dict[str, Any] = {
        "first": monday,
        "last": monday + dt.timedelta(days=6),
        "venues": list(venues),
        "fastest": FASTEST_SURVEY_S,
    }
    with connection.cursor() as cursor:
        cursor.execute(OWNER_RATINGS, values)
        for venue, masks_score, distancing_score, passes in cursor.fetchall():
            masks[place[venue], masks_score - 1] += passes
            distancing[place[venue], distancing_score - 1] += passes
    return {MASKS: masks, DISTANCING: distancing}
