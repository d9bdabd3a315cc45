"""The history of a venue: figures of its draws, and means over thirteen weeks of them.

Everything here is computed from noisy counts, so it costs no budget. A day that is not closed, was not in service or is
lost has no figures.
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from common.time import deployment_zone
from exports.models import VenueFigures
from exports.policy.noise import Floats
from exports.policy.owner_figures import (
    DISTANCING,
    HOUR,
    MASKS,
    OUTCOME,
    Arrivals,
    Figure,
    Ratings,
    figure,
    ratings,
    total,
    usual_week,
)
from exports.policy.periods import Period
from passes.clock import calendar
from venues.models import Venue

WEEKS: Final = 13
"""A quarter: the period of means and comparisons."""
WEEK: Final = dt.timedelta(days=7)


@dataclass(frozen=True, slots=True)
class DayFigures:
    """One day at a venue; figures are `None` if it has none.

    `visits`: valid passes that were scanned; `declined`: passes that a door refused for a reason that depends on the
    pass alone; `refused`: check-ins that got no pass because of their answers.
    """

    date: dt.date
    visits: Figure | None
    declined: Figure | None
    refused: Figure | None


@dataclass(frozen=True, slots=True)
class WeekFigures:
    """Visits of a week, Monday to Sunday, over the days that have figures.

    `change`: the difference to the week before, if both are complete.
    """

    monday: dt.date
    days: int
    visits: Figure
    change: Figure | None


@dataclass(frozen=True)
class History:
    """A venue's draws of the last weeks, by kind and first day: noisy counts and scales by table."""

    venue: Venue
    draws: Mapping[tuple[str, dt.date], tuple[Mapping[str, Any], Mapping[str, float]]]

    def days(self, dates: Iterable[dt.date]) -> list[DayFigures]:
        """Return the figures of each date."""
        return [self._day(date) for date in dates]

    def _day(self, date: dt.date) -> DayFigures:
        if (Period.DAY, date) not in self.draws:
            return DayFigures(date, None, None, None)
        noisy, scales = self.draws[Period.DAY, date]
        return DayFigures(date, *(figure(count, scales[OUTCOME]) for count in noisy[OUTCOME]))

    def weeks(self) -> list[WeekFigures]:
        """Return weeks that have figures, newest first."""
        parts: dict[dt.date, list[tuple[int, float]]] = defaultdict(list)
        for (period, day), (noisy, scales) in self.draws.items():
            if period == Period.DAY:
                monday = day - dt.timedelta(days=day.weekday())
                parts[monday].append((noisy[OUTCOME][0], scales[OUTCOME]))
        return [_week(monday, parts) for monday in sorted(parts, reverse=True)]

    def ratings(self) -> Ratings | None:
        """Return mean ratings, or `None` if noise hides them."""
        weeks = [of for (period, _day), of in self.draws.items() if period == Period.WEEK]
        if not weeks:
            return None
        masks, distancing = (np.array([noisy[name] for noisy, _ in weeks], np.int64) for name in (MASKS, DISTANCING))
        return ratings(masks, distancing, [scales[MASKS] for _, scales in weeks])

    def usual(self, now: dt.datetime) -> Floats | None:
        """Return mean people inside by local hour of the week, (168,), Monday first; `None` if noise hides them."""
        days = [
            Arrivals(day.weekday(), noisy[OUTCOME][0], np.array(noisy[HOUR], np.int64), (scales[OUTCOME], scales[HOUR]))
            for (period, day), (noisy, scales) in self.draws.items()
            if period == Period.DAY
        ]
        return usual_week(days, stay_h=self.venue.dwell_min / 60, shift_h=_ahead(self.venue, now))


def histories(venues: Sequence[Venue], now: dt.datetime) -> list[History]:
    """Return the histories of these venues, in their order, with one SQL statement."""
    today = calendar().current(now.timestamp()).date
    since = today - dt.timedelta(days=today.weekday()) - WEEKS * WEEK
    rows = VenueFigures.objects.filter(
        venue__in=[venue.pk for venue in venues], draw__first_day__gte=since, draw__kept_at__isnull=False
    ).values_list("venue_id", "draw__period", "draw__first_day", "noisy", "draw__scales")
    found: dict[int, dict[tuple[str, dt.date], tuple[Any, Any]]] = defaultdict(dict)
    for venue, period, first, noisy, scales in rows:
        found[venue][period, first] = noisy, scales
    return [History(venue, found[venue.pk]) for venue in venues]


def history(venue: Venue, now: dt.datetime) -> History:
    """Return the history of one venue."""
    return histories([venue], now)[0]


def _week(monday: dt.date, parts: Mapping[dt.date, Sequence[tuple[int, float]]]) -> WeekFigures:
    here, before = parts[monday], parts.get(monday - WEEK, [])
    change = None
    if len(here) == len(before) == 7:
        both = total([0], [scale for _, scale in [*here, *before]])
        change = Figure(_people(here) - _people(before), both.within)
    return WeekFigures(monday, len(here), total([n for n, _ in here], [s for _, s in here]), change)


def _people(parts: Sequence[tuple[int, float]]) -> int:
    return total([noisy for noisy, _ in parts], [scale for _, scale in parts]).people


def _ahead(venue: Venue, now: dt.datetime) -> int:
    """Return the whole hours that the venue's clock is ahead of the deployment's."""
    here, there = now.astimezone(venue.zone).utcoffset(), now.astimezone(deployment_zone()).utcoffset()
    return int(((here or dt.timedelta()) - (there or dt.timedelta())) / dt.timedelta(hours=1))
