"""Figures of closed days for people who run venues: the counts, their sensitivity to one person, and their noise.

There are two kinds of draws, each made once. A day's draw counts outcomes and hours of arrival, a week's draw the
ratings: a week has seven times the ratings of a day and the same noise. A day is in one draw of each kind, so together
they cost one person and day the whole budget, over all venues.

Only marked passes count, as in the open release: at most `CAP` of one secret and day, each in one cell of each table.
How a pass counts depends on that pass alone: see `exports.reads.OWNER_DAY`.
"""

import datetime as dt
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from exports.policy.domain import CAP, KEEP, Axis, Workload
from exports.policy.noise import Counts, Floats, variance
from exports.policy.periods import Period
from passes.limits import EPOCH_LENGTH

VISITS: Final = "visits"
DECLINED: Final = "declined"
REFUSED: Final = "refused"
OUTCOMES: Final = (VISITS, DECLINED, REFUSED)
"""Outcomes of a marked pass, which has at most one."""
HOURS: Final = EPOCH_LENGTH // dt.timedelta(hours=1)
"""Hours of an epoch, from its start; the last four are after midnight."""
SCORES: Final = ("1", "2", "3", "4", "5")

OUTCOME: Final = "outcome"
HOUR: Final = "hour"
MASKS: Final = "masks"
DISTANCING: Final = "distancing"

NORMAL_95: Final = 1.96
"""Half width of a 95 % interval in standard deviations, for sums of several draws."""
SHORTEST_MEAN: Final = 7
"""Minimum number of days for usual hours; our choice."""
CLEAR: Final = 2.0
"""Standard deviations of noise that a mean must exceed to be distinguished from zero; our choice."""
MOST_ERROR: Final = 0.5
"""Maximum standard deviation of a mean rating's noise; a less certain one is not shown; our choice."""


def tables_of(period: Period, venues: Sequence[str]) -> tuple[Workload, ...]:
    """Return the tables of a draw over venues, by public id. Outcomes matter most, so they get most of the budget."""
    place = Axis("venue", tuple(venues))
    if period is Period.DAY:
        hours = tuple(str(hour) for hour in range(HOURS))
        return (
            Workload(OUTCOME, (place, Axis(OUTCOME, OUTCOMES)), 650, l1=CAP),
            Workload(HOUR, (place, Axis(HOUR, hours)), 350, l1=CAP),
        )
    return tuple(Workload(name, (place, Axis("score", SCORES)), 500, l1=CAP) for name in (MASKS, DISTANCING))


@dataclass(frozen=True, slots=True)
class Figure:
    """A noisy count of people, and the half width of its 95 % interval."""

    people: int
    within: int


def half_width(scale: float) -> int:
    """Return the smallest t with P(|X| <= t) >= 0.95 for one draw of noise: P(|X| > t) = 2 a^(t+1)/(1 + a)."""
    a = math.exp(-1 / scale)
    return max(0, math.ceil(math.log(0.05 * (1 + a) / 2) / math.log(a)) - 1) if a else 0


def figure(noisy: int, scale: float) -> Figure:
    """Return one noisy count as people: not below zero, and scaled up for the passes that the coin leaves out."""
    return Figure(max(0, round(noisy / KEEP)), math.ceil(half_width(scale) / KEEP))


def total(noisy: Sequence[int], scales: Sequence[float]) -> Figure:
    """Return the sum of noisy counts as people. The sum is clipped at zero, not its parts."""
    spread = math.sqrt(sum(variance(scale) for scale in scales))
    return Figure(max(0, round(sum(noisy) / KEEP)), math.ceil(NORMAL_95 * spread / KEEP))


@dataclass(frozen=True, slots=True)
class Ratings:
    """Means of ratings from 1 to 5, and their approximate number."""

    count: int
    masks: float
    distancing: float


def ratings(masks: Counts, distancing: Counts, scales: Sequence[float]) -> Ratings | None:
    """Return means of noisy weekly counts by score, (weeks, 5) each; `None` if noise hides them.

    `scales` has the scale of each week. The standard deviation of a mean is approximately that of its weighted sum
    divided by the number of ratings.
    """
    scores = np.arange(1, 6)
    by_score = masks.sum(axis=0), distancing.sum(axis=0)
    count = sum(float(one.sum()) for one in by_score) / 2
    spread = math.sqrt(sum(variance(scale) for scale in scales) * float(((scores - 3) ** 2).sum()))
    if count <= 0 or spread / count > MOST_ERROR:
        return None
    means = [float(np.clip(3 + one @ (scores - 3) / count, 1, 5)) for one in by_score]
    return Ratings(round(count / KEEP), round(means[0], 1), round(means[1], 1))


@dataclass(frozen=True)
class Arrivals:
    """Noisy counts of one day: visits, and arrivals by hour of the epoch. `weekday`: Monday is 0."""

    weekday: int
    visits: int
    by_hour: Counts
    scales: tuple[float, float]  # of both


def usual_week(days: Sequence[Arrivals], *, stay_h: float, shift_h: int = 0) -> Floats | None:
    """Return the usual number of people inside by hour of the week, (168,), Monday first; `None` if noise hides it.

    A weekday's visits are the mean of its own days. Their distribution over hours is pooled over working days and over
    weekend days, because the noise of one hour is larger than most crowds. Visitors stay `stay_h`. `shift_h`: how far
    the venue's clock is ahead of the deployment's.
    """
    if len(days) < SHORTEST_MEAN:
        return None
    week = np.zeros(168 + HOURS)
    for weekday in range(7):
        same = [day for day in days if day.weekday == weekday]
        shape = _shape([day for day in days if (day.weekday >= 5) == (weekday >= 5)])
        if same and shape is not None:
            visits = max(0.0, sum(day.visits for day in same) / len(same) / KEEP)
            week[24 * weekday : 24 * weekday + HOURS] += visits * shape
    if not week.any():
        return None
    week[: week.size - 168] += week[168:]
    return _inside(np.roll(week[:168], shift_h), stay_h)


def _shape(days: Sequence[Arrivals]) -> Floats | None:
    """Return the share of each hour in the arrivals of these days; hours that noise hides have none."""
    if not days:
        return None
    mean = np.mean([day.by_hour for day in days], axis=0)
    noise = math.sqrt(sum(variance(day.scales[1]) for day in days)) / len(days)
    mean[mean < CLEAR * noise] = 0
    whole = float(mean.sum())
    return np.asarray(mean / whole, np.float64) if whole > 0 else None


def _inside(arrivals: Floats, stay_h: float) -> Floats:
    """Return the mean number of people inside in each hour, if arrivals are even within an hour and stay `stay_h`."""
    found = np.zeros(168)
    for after in range(math.ceil(stay_h) + 1):
        # Overlap of the hour that begins `after` hours later with a stay that starts uniformly within the first hour.
        moments = (np.arange(60) + 0.5) / 60
        overlap = np.clip(np.minimum(moments + stay_h, after + 1) - np.maximum(moments, after), 0, 1).mean()
        found += np.roll(arrivals, after) * overlap
    return found
