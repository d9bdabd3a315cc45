"""Weekly signals of regions from released counts: nothing but noisy counts that are public already is read.

Unpublished are self-reported results, so no signal is made of them; answers other than symptoms, and ratings, are
released without a place, so their signals are of the whole country.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from math import sqrt
from types import MappingProxyType
from typing import Final

import numpy as np

from common.time import utc_now
from exports import conf
from exports.dataset.publication import is_demonstration
from exports.dataset.tables import ANSWERS, states_by_zip3
from exports.models import Release, Step
from exports.policy.cut import cut_counts
from exports.policy.domain import RISK_RESULT_ANSWERS, TOTAL, ZIP_RISK_RESULT, ZIP_SYMPTOMS
from exports.policy.draw import Drawn, DrawnTable
from exports.policy.noise import Counts
from risk.models import Series
from risk.radar.regions import NATION, GeoType
from risk.radar.series import Number, record_numbers, week_of

CHECK_INS: Final = "check-ins"
UNITS: Final[Mapping[str, str]] = MappingProxyType(
    {
        CHECK_INS: Series.Unit.COUNT,
        "symptoms": Series.Unit.PERCENT,
        "diagnosed": Series.Unit.PERCENT,
        "contact": Series.Unit.PERCENT,
        "near": Series.Unit.PERCENT,
        "masks": Series.Unit.SCORE,
        "distancing": Series.Unit.SCORE,
    }
)
FEWEST_DAYS: Final = 4
"""A week with fewer released days has no value; our choice."""
FEWEST_CHECK_INS: Final = 100.0
LARGEST_SHARE_ERROR: Final = 1.0
"""In percentage points: a share with a larger standard error has no value unless that is under half of it."""
NOISE_SDS: Final = 5.0
"""Counts within so many standard deviations of their noise have no value: one in a million passes by chance."""
LOOK_BACK: Final = dt.timedelta(weeks=8)
"""A day that is released later than this after others of its week changes no signal."""


@dataclass(frozen=True, slots=True)
class Signal:
    """One released number of a region and day, with the standard error of its noise.

    ``value`` counts answers or sums ratings; ``sample_size`` is what it is a part of: check-ins, or ratings.
    """

    geo_type: GeoType
    geo_value: str
    time_value: dt.date
    signal: str
    value: float
    stderr: float
    sample_size: float


# Days -----------------------------------------------------------------------------------------------------------------
def released_signals(release: Release) -> list[Signal]:
    """The signals of a released day. Whatever publishes them, this is the only place that reads them."""
    drawn = _cut(Drawn.from_bytes(bytes(release.drawn or b"")))
    return [*_of_places(drawn), *_of_answers(drawn), *_of_ratings(drawn)]


def _cut(drawn: Drawn) -> Drawn:
    """The draw with its refusals cut, so that nobody bends a forecast from a desk more than a release."""
    counts = cut_counts(drawn)
    tables = tuple(
        replace(table, noisy=np.rint(counts[table.workload.name]).astype(np.int64)) for table in drawn.tables
    )
    return replace(drawn, tables=tables)


def _of_places(drawn: Drawn) -> Iterator[Signal]:
    """Check-ins and symptoms by ZIP3 area and state."""
    risk, symptoms = drawn.table(ZIP_RISK_RESULT), drawn.table(ZIP_SYMPTOMS)
    total, noise = _counts(risk, "zip")
    ill, noise_of_ill = _counts(symptoms, "zip", "symptoms")
    for kind, region, places in _regions(_axis(risk, "zip")):
        sample, cells = float(total[places].sum()), sqrt(len(places))
        yield Signal(kind, region, drawn.day, CHECK_INS, sample, cells * noise, sample)
        yield Signal(kind, region, drawn.day, "symptoms", float(ill[places, 1].sum()), cells * noise_of_ill, sample)


def _regions(zips: Iterable[str]) -> Iterator[tuple[GeoType, str, list[int]]]:
    """Each region with the places of its ZIPs on the axis; the empty ZIP, which is unknown, belongs to none."""
    states: dict[str, list[int]] = {}
    for place, zip3 in enumerate(zips):
        if zip3:
            yield "zip3", zip3, [place]
            states.setdefault(states_by_zip3()[zip3], []).append(place)
    for state, places in states.items():
        yield "state", state, places


def _of_answers(drawn: Drawn) -> Iterator[Signal]:
    """Check-ins and answers of the whole country, from tables with less noise than the sum of all places has."""
    total, noise = _counts(drawn.table(TOTAL))
    sample = float(total)
    yield Signal("nation", NATION, drawn.day, CHECK_INS, sample, noise, sample)
    for name in ANSWERS:
        counts, noise = _counts(drawn.table(RISK_RESULT_ANSWERS), name)
        yield Signal("nation", NATION, drawn.day, name, float(counts[1]), noise, sample)


def _of_ratings(drawn: Drawn) -> Iterator[Signal]:
    """Sums of ratings from 1 to 5 of the whole country."""
    scores = np.arange(1, 6)
    for name, axis, signal in (
        ("risklevel_m_score", "m_score", "masks"),
        ("risklevel_s_score", "s_score", "distancing"),
    ):
        counts, noise = _counts(drawn.table(name), axis)
        rated = counts[1:]
        error = noise * sqrt(float((scores**2).sum()))
        yield Signal("nation", NATION, drawn.day, signal, float(scores @ rated), error, float(rated.sum()))


def _axis(table: DrawnTable, name: str) -> tuple[str, ...]:
    """The values of an axis."""
    return next(axis.values for axis in table.workload.axes if axis.name == name)


def _counts(table: DrawnTable, *kept: str) -> tuple[Counts, float]:
    """A table's counts summed over all axes but those named, and the standard deviation of the noise in each.

    Axes are found by name, so further ones change nothing; those named are in the table's order. A cell of the table
    has the variance 2 scale^2.
    """
    others = tuple(place for place, axis in enumerate(table.workload.axes) if axis.name not in kept)
    summed = table.noisy.sum(axis=others)
    return summed, table.scale * sqrt(2.0 * table.noisy.size / summed.size)


# Weeks ----------------------------------------------------------------------------------------------------------------
def record_released_weeks(*, now: dt.datetime | None = None) -> int:
    """Record the signals of released weeks as series of this deployment; returns how many numbers are new."""
    now = now or utc_now()
    source = conf.publisher()
    known = Series.objects.filter(source=source, signal=CHECK_INS, weeks__isnull=False).exists()
    numbers: dict[str, list[Number]] = {}
    for week, releases in _weeks(since=now.date() - LOOK_BACK if known else dt.date.min):
        for signal, number in weekly_numbers(week, [row for one in releases for row in released_signals(one)]):
            numbers.setdefault(signal, []).append(number)
    return sum(
        record_numbers(
            source=source,
            signal=signal,
            unit=UNITS[signal],
            numbers=found,
            now=now,
            simulated=is_demonstration(),
        )
        for signal, found in numbers.items()
    )


def _weeks(*, since: dt.date) -> Iterator[tuple[dt.date, list[Release]]]:
    """Whole weeks with enough released days, oldest first: a week is over once its last day or a later one is there."""
    released = Release.objects.filter(step=Step.ANNOUNCED, day__gt=since)
    days = list(released.order_by("day").values_list("day", flat=True))
    weeks: dict[dt.date, list[dt.date]] = {}
    for day in days:
        weeks.setdefault(week_of(day), []).append(day)
    for week, held in weeks.items():
        if week <= days[-1] and len(held) >= FEWEST_DAYS and week - dt.timedelta(days=7) >= since:
            yield week, list(released.filter(day__in=held).only("day", "drawn").order_by("day"))


def weekly_numbers(week: dt.date, days: Iterable[Signal]) -> Iterator[tuple[str, Number]]:
    """Signals of one week from those of its days, without what is lost in the noise."""
    found: dict[tuple[str, str], list[Signal]] = {}
    for one in days:
        found.setdefault((one.signal, one.geo_value), []).append(one)
    clear = {region for (signal, region), rows in found.items() if signal == CHECK_INS and _is_clear(rows)}
    for (signal, region), rows in found.items():
        if region not in clear:
            continue
        value, sample = sum(row.value for row in rows), sum(row.sample_size for row in rows)
        number = _number(UNITS[signal], value, sqrt(sum(row.stderr**2 for row in rows)), sample, len(rows))
        if number is not None:
            yield signal, Number(region, week, *number)


def _is_clear(rows: Iterable[Signal]) -> bool:
    """Whether a week's check-ins are more than noise: a share of them says nothing before."""
    kept = list(rows)
    return sum(row.value for row in kept) > NOISE_SDS * sqrt(sum(row.stderr**2 for row in kept))


def _number(unit: str, value: float, noise: float, sample: float, days: int) -> tuple[float, float, float] | None:
    """Value, standard error and sample size of a week; None where they say too little."""
    if sample < FEWEST_CHECK_INS:
        return None
    if unit == Series.Unit.COUNT:
        # A week with a missing day counts as if that were like the others.
        whole = 7.0 / days
        return value * whole, noise * whole, sample
    mean = max(0.0, value / sample)
    if unit == Series.Unit.SCORE:
        error = noise / sample
        return (mean, error, sample) if 1.0 <= mean <= 5.0 and NOISE_SDS * error < 1.0 else None
    share = min(1.0, mean)
    error = 100.0 * sqrt((noise / sample) ** 2 + share * (1.0 - share) / sample)
    return (100.0 * share, error, sample) if error <= max(LARGEST_SHARE_ERROR, 50.0 * share) else None
