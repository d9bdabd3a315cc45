"""Weekly signals of regions from the table of signals; only released counts are read.

Self-reported results are not published, so there is no signal of them. Answers other than symptoms, and ratings, are
released without a location, so their signals are of the whole country.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from math import sqrt
from types import MappingProxyType
from typing import Final

from common.time import utc_now
from exports import conf
from exports.dataset.publication import is_demonstration
from exports.dataset.tables import ANSWERS, states_by_zip3
from exports.models import Release, Step
from exports.policy.domain import RATINGS
from exports.policy.draw import Drawn
from exports.policy.signals import DAYS_OF_A_WEEK, rating_sums, signals_of
from risk.models import Series
from risk.radar.regions import NATION
from risk.radar.series import Number, record_numbers, week_of

CHECK_INS: Final = "check-ins"
NAMES: Final[Mapping[str, str]] = MappingProxyType({"checkins": CHECK_INS, **{name: name for name in ANSWERS}})
"""Signals of the dataset that are used here, and the names of their series."""
UNITS: Final[Mapping[str, str]] = MappingProxyType(
    {
        CHECK_INS: Series.Unit.COUNT,
        **dict.fromkeys(ANSWERS, Series.Unit.PERCENT),
        **dict.fromkeys(RATINGS.values(), Series.Unit.SCORE),
    }
)
FEWEST_DAYS: Final = 4
"""A week with fewer released days has no value; our choice."""
FEWEST_CHECK_INS: Final = 100.0
LARGEST_SHARE_ERROR: Final = 1.0
"""In percentage points: a share with a larger standard error has no value, unless the error is under half of it."""
NOISE_SDS: Final = 5.0
"""Counts within this many standard errors of 0 have no value: one in a million exceeds it by chance."""
LOOK_BACK: Final = dt.timedelta(weeks=8)
"""A day that is released later than this after the others of its week changes no signal."""


@dataclass(frozen=True, slots=True)
class Part:
    """The part of a week's number that comes from one release (of a day or of a week), for one region.

    ``value`` counts check-ins or answers, or sums ratings; ``sample_size`` is the total number of check-ins or ratings.
    """

    region: str
    signal: str
    value: float
    stderr: float
    sample_size: float
    days: int = 1


# Releases -------------------------------------------------------------------------------------------------------------
def released_parts(release: Release) -> list[Part]:
    """Return the parts from a release, with the estimates and errors of the dataset's table of signals."""
    drawn = Drawn.from_bytes(bytes(release.drawn or b""))
    # The empty text is an unknown ZIP, which belongs to no region.
    signals = [each for each in signals_of(drawn, states_by_zip3()) if each.signal in NAMES and each.geo_value]
    check_ins = {each.geo_value: each.value for each in signals if NAMES[each.signal] == CHECK_INS}
    parts = [
        Part(each.geo_value.upper(), NAMES[each.signal], each.value, each.stderr, check_ins[each.geo_value], drawn.days)
        for each in signals
    ]
    return parts + [
        Part(NATION, each.signal, each.value, each.stderr, each.number, drawn.days) for each in rating_sums(drawn)
    ]


# Weeks ----------------------------------------------------------------------------------------------------------------
def record_released_weeks(*, now: dt.datetime | None = None) -> int:
    """Record the signals of released weeks as series of this deployment; return the number of new values."""
    now = now or utc_now()
    source = conf.publisher()
    known = Series.objects.filter(source=source, signal=CHECK_INS, weeks__isnull=False).exists()
    numbers: dict[str, list[Number]] = {}
    for week, releases in _weeks(since=now.date() - LOOK_BACK if known else dt.date.min):
        for signal, number in weekly_numbers(week, [part for one in releases for part in released_parts(one)]):
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
    """Yield complete weeks with enough released days, oldest first.

    A week is complete once its last day or a later one is released. Weeks here end on a Saturday; a week that was drawn
    as a whole, from Monday to Sunday, belongs to the one with six of its days.
    """
    released = Release.objects.filter(step=Step.ANNOUNCED, day__gt=since).order_by("day")
    weeks: dict[dt.date, list[Release]] = {}
    last = dt.date.min
    for release in released.only("day", "days"):
        weeks.setdefault(week_of(release.first_day), []).append(release)
        last = release.day
    for week, held in weeks.items():
        enough = sum(release.days for release in held) >= FEWEST_DAYS
        if enough and week <= last and week - dt.timedelta(days=DAYS_OF_A_WEEK) >= since:
            yield week, list(released.filter(day__in=[release.day for release in held]).only("day", "days", "drawn"))


def weekly_numbers(week: dt.date, parts: Iterable[Part]) -> Iterator[tuple[str, Number]]:
    """Yield the numbers of one week from its releases, without those that noise hides."""
    found: dict[tuple[str, str], list[Part]] = {}
    for one in parts:
        found.setdefault((one.signal, one.region), []).append(one)
    clear = {region for (signal, region), rows in found.items() if signal == CHECK_INS and _is_clear(rows)}
    for (signal, region), rows in found.items():
        if region not in clear:
            continue
        value, sample = sum(row.value for row in rows), sum(row.sample_size for row in rows)
        noise, days = sqrt(sum(row.stderr**2 for row in rows)), sum(row.days for row in rows)
        number = _number(UNITS[signal], value, noise, sample, days)
        if number is not None:
            yield signal, Number(region, week, *number)


def _is_clear(rows: Iterable[Part]) -> bool:
    """Return whether a week's check-ins exceed their noise; otherwise shares of them are meaningless."""
    kept = list(rows)
    return sum(row.value for row in kept) > NOISE_SDS * sqrt(sum(row.stderr**2 for row in kept))


def _number(unit: str, value: float, noise: float, sample: float, days: int) -> tuple[float, float, float] | None:
    """Return value, standard error and sample size of a week; None if they are too uncertain."""
    if sample < FEWEST_CHECK_INS:
        return None
    if unit == Series.Unit.COUNT:
        # A missing day counts like the others; eight days, in the week where weekly draws begin, count as seven.
        whole = DAYS_OF_A_WEEK / days
        return value * whole, noise * whole, sample
    mean = max(0.0, value / sample)
    if unit == Series.Unit.SCORE:
        error = noise / sample
        return (mean, error, sample) if 1.0 <= mean <= 5.0 and NOISE_SDS * error < 1.0 else None
    share = min(1.0, mean)
    error = 100.0 * sqrt((noise / sample) ** 2 + share * (1.0 - share) / sample)
    return (100.0 * share, error, sample) if error <= max(LARGEST_SHARE_ERROR, 50.0 * share) else None
