"""Signals: unbiased counts by area and time with their standard errors, in the format of COVIDcast.

Nothing is clipped, suppressed or rounded, so a sum of days is unbiased too, and its error grows only as the root of
their number. An estimate is of *counted check-ins* (`estimates.py`).
"""

import datetime as dt
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

import numpy as np

from exports.dataset.tables import ANSWERS, OUTCOMES, RISKLEVELS
from exports.policy.domain import RATINGS, RISK
from exports.policy.draw import Drawn
from exports.policy.estimates import Estimates
from exports.policy.noise import Floats

NATION: Final = "us"
DAYS_OF_A_WEEK: Final = 7


class Signal(NamedTuple):
    """One value with its error. `day` is the partition: the day itself, or the last day of the week."""

    day: dt.date
    geo_type: str
    geo_value: str
    time_value: str
    signal: str
    value: float
    stderr: float
    sample_size: int


class RatingSum(NamedTuple):
    """The sum of all ratings, from 1 to 5, with its error and their number."""

    signal: str
    value: float
    stderr: float
    number: float


# By signal: values of the areas in the order of the ZIP axis (or one value), and the noise of each value.
Values = Mapping[str, tuple[Floats, float]]


def signals_of(drawn: Drawn, states: Mapping[str, str]) -> list[Signal]:
    """Return the signals of a draw; `states` has the state of each 3-digit ZIP."""
    estimates = Estimates(drawn)
    time = week_of(drawn.day) if drawn.days == DAYS_OF_A_WEEK else drawn.day.isoformat()
    whole, areas = _of_whole(estimates), _of_areas(estimates)
    zips = next(axis for t in drawn.tables for axis in t.workload.axes if axis.name == "zip").values
    found = list(
        _rows(estimates, time, "nation", NATION, {name: (line[0], noise) for name, (line, noise) in whole.items()})
    )
    members: dict[str, list[int]] = {}
    for place, zip3 in enumerate(zips):
        members.setdefault(states.get(zip3, "").lower(), []).append(place)
    for state, places in sorted(members.items()):
        sums = {name: (float(line[places].sum()), noise * len(places)) for name, (line, noise) in areas.items()}
        found += _rows(estimates, time, "state", state, sums)
    for place, zip3 in enumerate(zips):
        own = {name: (float(line[place]), noise) for name, (line, noise) in areas.items()}
        found += _rows(estimates, time, "zip3", zip3, own)
    return found


def rating_sums(drawn: Drawn) -> list[RatingSum]:
    """Return the sums of the ratings of a draw, which are not counted by area."""
    estimates, stars = Estimates(drawn), np.arange(1, 6)
    found = []
    for axis, signal in RATINGS.items():
        counts, noise = estimates.of(axis)
        rated = counts[1:]
        # The coin keeps or drops a rating as a whole.
        error = estimates.stderr(float(stars**2 @ rated), noise * float((stars**2).sum()))
        found.append(RatingSum(signal, float(stars @ rated), error, float(rated.sum())))
    return found


def _of_whole(estimates: Estimates) -> Values:
    total, noise = estimates.of()
    found: dict[str, tuple[Floats, float]] = {"checkins": (total.reshape(1), noise)}
    for names, axis in ((OUTCOMES, estimates.outcome), (RISKLEVELS, RISK.name)):
        counts, noise = estimates.of(axis)
        found |= {name.lower(): (counts[at : at + 1], noise) for at, name in enumerate(names[: len(counts)])}
    for name in ANSWERS:
        counts, noise = estimates.of(name)
        found[name] = counts[1:], noise
    return found


def _of_areas(estimates: Estimates) -> Values:
    total, noise = estimates.of("zip")
    found: dict[str, tuple[Floats, float]] = {"checkins": (total, noise)}
    for names, axis in ((OUTCOMES, estimates.outcome), (RISKLEVELS, RISK.name)):
        counts, noise = estimates.of("zip", axis)
        found |= {name.lower(): (counts[:, at], noise) for at, name in enumerate(names[: counts.shape[1]])}
    counts, noise = estimates.of("zip", "symptoms")
    found["symptoms"] = counts[:, 1], noise
    return found


def _rows(
    estimates: Estimates, time: str, geo_type: str, geo_value: str, values: Mapping[str, tuple[float, float]]
) -> Iterator[Signal]:
    size = max(0, round(float(values["checkins"][0])))
    for name, (value, noise) in values.items():
        error = estimates.stderr(float(value), noise)
        yield Signal(estimates.drawn.day, geo_type, geo_value, time, name, float(value), error, size)


def week_of(day: dt.date) -> str:
    """Return the ISO week of a day, as 2020-W42."""
    year, week, _ = day.isocalendar()
    return f"{year}-W{week:02d}"


def first_of_week(day: dt.date) -> dt.date:
    """Return the Monday of a day's week."""
    return day - dt.timedelta(days=day.weekday())


def by_week(days: Iterable[Sequence[Signal]]) -> list[Signal]:
    """Return the signals of each week with all seven days: sums of values, and roots of summed squared errors.

    An area that is missing on one of the days has no value for the week.
    """
    sums: dict[tuple[str, ...], list[Signal]] = {}
    for signals in days:
        for each in signals:
            if "W" not in each.time_value:
                key = (week_of(each.day), each.geo_type, each.geo_value, each.signal)
                sums.setdefault(key, []).append(each)
    return [
        Signal(
            day=first_of_week(found[0].day) + dt.timedelta(days=DAYS_OF_A_WEEK - 1),
            geo_type=geo_type,
            geo_value=geo_value,
            time_value=week,
            signal=signal,
            value=float(np.sum([each.value for each in found])),
            stderr=math.sqrt(sum(each.stderr**2 for each in found)),
            sample_size=sum(each.sample_size for each in found),
        )
        for (week, geo_type, geo_value, signal), found in sums.items()
        if len(found) == DAYS_OF_A_WEEK
    ]
