"""How many people a check-in stands for at each venue: its host's word, counts of people, and CO2 in known air.

Days are read once, after they have ended, and never again: an erasure, a late scan or a repeated run changes no number
that was used. The check-ins at the time of a count are rounded with a secret offset, as answers are.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import groupby
from typing import Any, Final

import numpy as np
from django.db import connection

from common.crypto import keyed_hash
from common.privacy import FEWEST_SHOWN
from risk.crowd.air import COARSE_LOG_SD, COURSE, HOUR, Facts, believed, coarsely, device_with_most
from risk.model.adoption import PeopleSeen, at_venue, rounded_count
from risk.model.answers import STEP, rounded
from risk.model.co2 import Readings, generation, people_seen
from risk.model.constants import Constant
from risk.model.kinds import Kind
from risk.model.parameters import Parameters
from risk.models import AirReading, CountedDay, SeenDay, VenueAdoption
from risk.reads import ADOPTION_EVIDENCE, COUNTS_OF_DAYS, DAYS_OF_READINGS, VISITS_SINCE

LOOK_BACK: Final = dt.timedelta(days=9)
"""Age after which a day that was never processed stays without evidence."""
USED_FOR: Final = dt.timedelta(days=14)
"""How long the evidence of a day is used, and kept."""
_HOUR_US: Final = HOUR // dt.timedelta(microseconds=1)
_COURSES_A_DAY: Final = 24 * HOUR // COURSE
_Columns = tuple[float, float, float, str]
"""Share, low, high and source of a stored row."""


@dataclass(frozen=True, slots=True)
class Coverage:
    """Adoption at venues as far as no CO2 informs it, which CO2 may therefore be read with; and where it changed."""

    deployment: Constant
    by_word: Mapping[int, Constant] = field(default_factory=dict)
    changed: frozenset[int] = frozenset()

    def at(self, venue: int) -> Constant:
        """Return the adoption of a venue."""
        return self.by_word.get(venue, self.deployment)


def settle_coverage(*, parameters: Parameters, now: dt.datetime) -> Coverage:
    """Bring adoption at venues up to date, and return it with the venues whose measured air depends on the change."""
    today = now.astimezone(dt.UTC).date()
    _settle_counts(today)
    _settle_readings(today, parameters)
    with connection.cursor() as cursor:
        cursor.execute(ADOPTION_EVIDENCE, {"since": today - USED_FOR})
        rows = cursor.fetchall()
    stored = {row[0]: row[7:] for row in rows if row[7] is not None}
    prior = parameters.adoption
    found = [row for row in (_Evidence.of(*row[:7]) for row in rows) if row.adoption(prior) != prior]
    changed = _store({row.venue: row.columns(prior) for row in found}, stored)
    measured = AirReading.objects.filter(venue__in=changed).values_list("venue", flat=True).distinct()
    by_word = {row.venue: row.by_word(prior) for row in found if row.verified}
    return Coverage(prior, by_word, frozenset(measured))


def _store(wanted: Mapping[int, _Columns], stored: Mapping[int, _Columns]) -> list[int]:
    """Write what differs from what is stored, and return its venues."""
    changed = [venue for venue, columns in wanted.items() if stored.get(venue) != columns]
    gone = [venue for venue in stored if venue not in wanted]
    names = ("share", "low", "high", "source")
    VenueAdoption.objects.bulk_create(
        [VenueAdoption(venue_id=venue, **dict(zip(names, wanted[venue], strict=True))) for venue in changed],
        update_conflicts=True,
        unique_fields=["venue"],
        update_fields=names,
    )
    if gone:
        VenueAdoption.objects.filter(venue__in=gone).delete()
    return changed + gone


# Evidence -------------------------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class _Evidence:
    """What is known of one venue; hashable, so that the same evidence is computed once."""

    venue: int
    verified: bool
    said: tuple[float, ...]
    counts: tuple[tuple[int, int], ...]
    seen: tuple[PeopleSeen, ...]

    @classmethod
    def of(  # noqa: PLR0917 - a row
        cls,
        venue: int,
        verified: bool,
        said: float | None,
        people: list[int] | None,
        shown: list[int] | None,
        per_check_in: list[float] | None,
        log_sd: list[float] | None,
    ) -> _Evidence:
        """Return what a row says. Days of CO2 are one estimate, since the errors of a room are the same each day."""
        seen: tuple[PeopleSeen, ...] = ()
        if per_check_in and log_sd:
            seen = (PeopleSeen(math.exp(float(np.mean(np.log(per_check_in)))), float(np.mean(log_sd))),)
        counts = tuple(zip(people or (), shown or (), strict=True))
        return cls(venue, verified, () if said is None else (said,), counts, seen)

    @property
    def source(self) -> VenueAdoption.Source:
        """Return the strongest kind of evidence."""
        kinds = VenueAdoption.Source
        return kinds.MEASURED if self.seen else kinds.COUNTED if self.counts else kinds.SAID

    def adoption(self, prior: Constant) -> Constant:
        """Return adoption with all evidence."""
        return _adoption(prior, self.verified, self.said, self.counts, self.seen)

    def columns(self, prior: Constant) -> _Columns:
        """Return adoption with all evidence, as it is stored."""
        found = self.adoption(prior)
        return found.value, found.low, found.high, self.source.value

    def by_word(self, prior: Constant) -> Constant:
        """Return adoption without CO2."""
        return _adoption(prior, self.verified, self.said, self.counts, ())


@lru_cache(maxsize=16_384)
def _adoption(
    prior: Constant,
    verified: bool,
    said: tuple[float, ...],
    counts: tuple[tuple[int, int], ...],
    seen: tuple[PeopleSeen, ...],
) -> Constant:
    of_days = [rounded_count(people, shown) for people, shown in counts]
    return at_venue(prior, verified=verified, said=said, counts=of_days, seen=seen)


# Ended days -----------------------------------------------------------------------------------------------------------
def _settle_counts(today: dt.date) -> None:
    with connection.cursor() as cursor:
        cursor.execute(COUNTS_OF_DAYS, {"since": today - LOOK_BACK, "today": today})
        rows = cursor.fetchall()
    days = [
        CountedDay(
            venue_id=venue, day=day, counted_at=at, people=people, shown=int(rounded(inside, _offset(public_id, day)))
        )
        for venue, public_id, day, at, people, inside in rows
    ]
    CountedDay.objects.bulk_create(days, ignore_conflicts=True)


def _offset(venue: str, day: dt.date) -> int:
    """Return the secret offset of a venue's day, from the pepper, so that a restored run gives the same numbers."""
    return int.from_bytes(keyed_hash("counted", f"{venue} {day}".encode())[:8]) % STEP


def _settle_readings(today: dt.date, parameters: Parameters) -> None:
    with connection.cursor() as cursor:
        cursor.execute(DAYS_OF_READINGS, {"since": today - LOOK_BACK, "today": today})
        rows = cursor.fetchall()
        days = [(key, list(of)) for key, of in groupby(rows, key=lambda row: (row[0], row[1]))]
        found = [_seen_on(venue, day, of, cursor, parameters) for (venue, day), of in days]
    SeenDay.objects.bulk_create(found, ignore_conflicts=True)


def _seen_on(venue: int, day: dt.date, rows: list[Any], cursor: Any, parameters: Parameters) -> SeenDay:
    """Return the estimate of one day, from the part of it that informs it most."""
    facts, midnight = Facts(*rows[0][5:9]), dt.datetime.combine(day, dt.time(), dt.UTC)
    times, ppm = device_with_most([row[1:5] for row in rows])
    cursor.execute(VISITS_SINCE, {"venues": [venue], "since": [midnight]})
    stays = np.array([row[2:4] for row in cursor.fetchall()], np.int64).reshape(-1, 2)
    came, left = np.sort(stays[:, 0]), np.sort(stays[:, 1])
    inside = np.searchsorted(came, times, side="right") - np.searchsorted(left, times, side="right")
    part = times // (_HOUR_US * (24 // _COURSES_A_DAY)) % _COURSES_A_DAY
    estimates = []
    for each in np.unique(part):
        rows_of = part == each
        if inside[rows_of].max() < FEWEST_SHOWN:
            continue
        readings = Readings(times[rows_of] / _HOUR_US, ppm[rows_of], coarsely(inside[rows_of].astype(np.float64)))
        estimates.append(
            people_seen(believed(facts, parameters), readings, exhaled=generation(parameters.priors[Kind(facts.kind)]))
        )
    informed = [one for one in estimates if one is not None]
    per_check_in, log_sd = min(informed, key=lambda one: one[1]) if informed else (None, None)
    return SeenDay(
        venue_id=venue,
        day=day,
        per_check_in=per_check_in,
        log_sd=None if log_sd is None else math.hypot(log_sd, COARSE_LOG_SD),
        air_changes_per_h=rows[0][7],
        volume_m3=facts.volume_m3,
    )
