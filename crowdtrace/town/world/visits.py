"""Visits of one day. Everything here is before admission: refused check-ins are removed later."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from crowdtrace.town.world.habits import DAY_END_MIN, RATES, SATURDAY, SHORTEST_MIN, Habit
from crowdtrace.town.world.people import NOWHERE, People, pick_favourite
from crowdtrace.town.world.places import ALL_DAY_MIN, TownVenues
from risk.model.visits import KINDS

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

BETWEEN_S = 300
"""Nobody is in two places at once, and a change of place takes at least this long."""


@dataclass(frozen=True, slots=True)
class Visits:
    """m stays of one day, by person and arrival: rows of people and venues; seconds from the day's local midnight."""

    person: Ints
    venue: Ints
    arrive_s: Ints
    leave_s: Ints

    @property
    def size(self) -> int:
        """Return the number of stays."""
        return int(self.person.size)

    def taken(self, rows: npt.NDArray[np.bool_] | Ints) -> Visits:
        """Return some of the stays."""
        return Visits(self.person[rows], self.venue[rows], self.arrive_s[rows], self.leave_s[rows])


def visits_of_day(
    random: np.random.Generator,
    *,
    people: People,
    venues: TownVenues,
    weekday: int,
    activity: float,
    out: Bools,
    night_share: float = 0.0,
) -> Visits:
    """Return the stays that people want to make on a weekday (0 Monday).

    ``out``: who leaves home at all. ``night_share``: share of arrivals at places that never close that are uniform over
    the day.
    """
    parts = [
        _of_kind(
            random,
            index,
            people=people,
            venues=venues,
            weekday=weekday,
            activity=activity,
            out=out,
            night_share=night_share,
        )
        for index in range(len(KINDS))
    ]
    columns = [np.concatenate([getattr(part, name) for part in parts]) for name in ("person", "venue")]
    times = [np.concatenate([getattr(part, name) for part in parts]) for name in ("arrive_s", "leave_s")]
    return _one_place_at_a_time(Visits(columns[0], columns[1], times[0], times[1]))


def _of_kind(
    random: np.random.Generator,
    index: int,
    *,
    people: People,
    venues: TownVenues,
    weekday: int,
    activity: float,
    out: Bools,
    night_share: float,
) -> Visits:
    habit = RATES[KINDS[index]]
    rate = habit.weekend_rate if weekday >= SATURDAY else habit.weekday_rate
    goes = random.random(people.size)
    if habit.every_day:
        works_here = (people.work != NOWHERE) & (venues.kind[people.work] == index)
        who = np.flatnonzero(out & works_here & (goes < min(1.0, rate * activity)))
        where = people.work[who]
    else:
        here = people.favourites[:, index, 0] != NOWHERE
        who = np.flatnonzero(out & here & (goes < np.minimum(0.95, rate * activity * people.activity)))
        where = pick_favourite(random, people.favourites[who, index])
    weekend = int(weekday >= SATURDAY)
    opens, closes = venues.opens[where, weekend], venues.closes[where, weekend]
    arrive, leave = _times(random, habit, opens, closes, night_share)
    fits = (closes > 0) & (leave - arrive >= SHORTEST_MIN * 60)
    return Visits(who[fits], where[fits], arrive[fits], leave[fits])


def _times(
    random: np.random.Generator, habit: Habit, opens: Ints, closes: Ints, night_share: float
) -> tuple[Ints, Ints]:
    """Return arrival and departure in seconds, within opening hours and before passes expire."""
    minute, spread, weight = (np.array(column, np.float64) for column in zip(*habit.peaks, strict=True))
    peak = random.choice(minute.size, opens.size, p=weight / weight.sum())
    arrive = random.normal(minute[peak], spread[peak])
    if night_share > 0:
        at_any_hour = (opens == 0) & (closes >= ALL_DAY_MIN) & (random.random(opens.size) < night_share)
        arrive = np.where(at_any_hour, random.uniform(0.0, ALL_DAY_MIN, opens.size), arrive)
    dwell = random.gamma(habit.dwell_shape, habit.dwell_min / habit.dwell_shape, opens.size)
    last = np.minimum(closes, DAY_END_MIN)
    arrive = np.clip(arrive, opens, np.maximum(opens, last - 10))
    leave = np.minimum(arrive + np.maximum(dwell, SHORTEST_MIN), last)
    return (arrive * 60).astype(np.int64), (leave * 60).astype(np.int64)


def _one_place_at_a_time(visits: Visits) -> Visits:
    """Remove the shorter of two overlapping stays of a person, and the later of two in one venue on one day."""
    current = visits.taken(np.lexsort((visits.arrive_s, visits.person)))
    while True:
        same = current.person[1:] == current.person[:-1]
        clash = np.flatnonzero(same & (current.arrive_s[1:] < current.leave_s[:-1] + BETWEEN_S))
        if not clash.size:
            break
        length = current.leave_s - current.arrive_s
        keep = np.ones(current.size, bool)
        keep[np.where(length[clash] < length[clash + 1], clash, clash + 1)] = False
        current = current.taken(keep)
    key = current.person * (int(current.venue.max(initial=0)) + 1) + current.venue
    return current.taken(np.sort(np.unique(key, return_index=True)[1]))
