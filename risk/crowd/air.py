"""Estimate the air of venues: the prior or the venue's own figures, narrowed hour by hour by measured CO2."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import Any, Final, NamedTuple

import numpy as np
from django.db import connection
from django.utils.translation import gettext as _

from common.privacy import FEWEST_SHOWN
from common.web.problems import FieldError, Invalid
from passes.models import Change
from risk.crowd import venue_days
from risk.crowd.venue_days import QUARTERS_AN_HOUR, Floats, Ints
from risk.model.adoption import people_per_check_in
from risk.model.air import RoomAir, log_sd, room_air
from risk.model.co2 import HIGHEST_PPM, LOWEST_PPM, Readings, generation, ventilation
from risk.model.constants import Constant
from risk.model.kinds import Kind
from risk.model.parameters import Parameters
from risk.models import AirReading

EARLY: Final = dt.timedelta(minutes=2)
LATE: Final = dt.timedelta(days=7)
COURSE: Final = dt.timedelta(hours=6)
"""Hours of past CO2 that are used for one hour; our choice, several air exchanges of most rooms."""
TAIL: Final = dt.timedelta(hours=48)
"""Hours after which nothing is left of the last reading's effect (`co2.FADE_H` is 12)."""
TAIL_STEP_H: Final = 4
HOUR: Final = dt.timedelta(hours=1)


class Facts(NamedTuple):
    """What a venue declares about its room, and whether the people who run it are verified."""

    kind: str
    volume_m3: float | None
    air_changes_per_h: float | None
    verified: bool


@dataclass(frozen=True, slots=True)
class Air:
    """The air of one venue: the estimate without measurements, and the measured one by hour (hours since 1970)."""

    belief: RoomAir
    parameters: Parameters
    facts: Facts
    measured: Mapping[int, tuple[float, float]] = field(default_factory=dict)

    def at_hour(self, hour: int) -> RoomAir:
        """Return the estimate for one hour."""
        known = self.measured.get(hour)
        if known is None:
            return self.belief
        return measured_air(self.belief, self.facts, self.parameters, *known)

    def rates(self, first_edge: int, last_edge: int) -> Floats:
        """Return removal rates (1/h) of the quarter-hours between two edges."""
        rates = np.full(last_edge - first_edge, self.belief.removal_rate_per_h(self.parameters))
        for hour in self.measured:
            a, b = hour * QUARTERS_AN_HOUR - first_edge, (hour + 1) * QUARTERS_AN_HOUR - first_edge
            if b > 0:
                rates[max(0, a) : b] = self.at_hour(hour).removal_rate_per_h(self.parameters)
        return rates


def believed(facts: Facts, parameters: Parameters) -> RoomAir:
    """Return the estimate of a venue's air before any measurement: its own figures, limited to what is plausible.

    Declared air changes count as the best of the venue's kind at most, until CO2 is measured. A declared volume counts
    as the largest of the kind at most, until the people who run the place are verified. Figures worse than usual are
    taken as declared.
    """
    prior, volume, air_changes = parameters.priors[Kind(facts.kind)], facts.volume_m3, facts.air_changes_per_h
    if air_changes is not None:
        air_changes = min(air_changes, prior.air_changes_per_h.high)
    if volume is not None and not facts.verified:
        volume = min(volume, prior.volume_m3.high)
    return room_air(parameters, Kind(facts.kind), volume_m3=volume, air_changes_per_h=air_changes)


def measured_air(
    belief: RoomAir, facts: Facts, parameters: Parameters, air_changes_per_h: float, air_log_sd: float
) -> RoomAir:
    """Narrow an estimate by measured CO2. At an unverified place the sensor counts as the venue's own word too."""
    if not facts.verified:
        air_changes_per_h = min(air_changes_per_h, parameters.priors[Kind(facts.kind)].air_changes_per_h.high)
    return replace(belief, air_changes_per_h=air_changes_per_h, air_log_sd=air_log_sd, source="measured")


_HOURS: Final = """
    SELECT air.venue_id, (extract(epoch FROM air.hour) / 3600)::bigint, air.air_changes_per_h, air.air_log_sd
    FROM unnest(%(venues)s::bigint[], %(since)s::timestamptz[]) AS wanted (venue_id, since)
    JOIN risk_airhour AS air ON air.venue_id = wanted.venue_id AND air.hour >= wanted.since
    ORDER BY air.venue_id
"""


def air_of(*, facts: Mapping[int, Facts], edges: Mapping[int, int], parameters: Parameters) -> dict[int, Air]:
    """Return the air of venues, with measurements from two days before each edge on, in one statement."""
    since = [venue_days.moment_of(edges[venue]) - TAIL for venue in facts]
    with connection.cursor() as cursor:
        cursor.execute(_HOURS, {"venues": list(facts), "since": since})
        rows = groupby(cursor.fetchall(), key=lambda row: row[0])
        measured = {venue: {hour: (air, sd) for _venue, hour, air, sd in of} for venue, of in rows}
    return {
        venue: Air(believed(fact, parameters), parameters, fact, measured.get(venue, {}))
        for venue, fact in facts.items()
    }


# Measuring ------------------------------------------------------------------------------------------------------------
def record_air(*, device_id: int, venue_id: int, co2_ppm: float, measured_at: dt.datetime, now: dt.datetime) -> None:
    """Store a reading of a device's sensor. A second reading of the same time has no effect. Raise `Invalid`."""
    errors = []
    if not LOWEST_PPM <= co2_ppm <= HIGHEST_PPM:
        detail = _("No working sensor in a room says this: %(low)d to %(high)d ppm.")
        errors.append(FieldError("/co2_ppm", detail % {"low": LOWEST_PPM, "high": HIGHEST_PPM}, "range"))
    if not now - LATE <= measured_at <= now + EARLY:
        errors.append(FieldError("/measured_at", _("At most 7 days back, and not in the future."), "range"))
    if errors:
        raise Invalid(errors=errors)
    reading = AirReading(venue_id=venue_id, device_id=device_id, measured_at=measured_at, co2_ppm=co2_ppm)
    AirReading.objects.bulk_create([reading], ignore_conflicts=True)
    Change.objects.create(venue_id=venue_id, since=measured_at)


_READINGS: Final = """
    SELECT reading.venue_id, reading.device_id, (extract(epoch FROM reading.measured_at) * 1000000)::bigint,
           reading.co2_ppm
    FROM unnest(%(venues)s::bigint[], %(since)s::timestamptz[]) AS wanted (venue_id, since)
    JOIN risk_airreading AS reading ON reading.venue_id = wanted.venue_id AND reading.measured_at >= wanted.since
    ORDER BY reading.venue_id, reading.device_id, reading.measured_at
"""
_FORGET: Final = """
    DELETE FROM risk_airhour AS air
    USING unnest(%(venues)s::bigint[], %(since)s::timestamptz[]) AS wanted (venue_id, since)
    WHERE air.venue_id = wanted.venue_id AND air.hour >= wanted.since
"""
_KEEP: Final = """
    INSERT INTO risk_airhour (venue_id, hour, air_changes_per_h, air_log_sd)
    SELECT * FROM unnest(%(venues)s::bigint[], %(hours)s::timestamptz[], %(air)s::float8[], %(sd)s::float8[])
"""
Inside = Callable[[int, Ints], Floats]
Adoption = Callable[[int], Constant]
STEP: Final = 1.5
COARSE_LOG_SD: Final = math.log(STEP) / math.sqrt(12.0)
"""Log standard deviation of a head count within its step, taking every count in the step as equally likely."""


def measure(
    *,
    venues: Mapping[int, int],
    facts: Mapping[int, Facts],
    inside: Inside,
    adoption: Adoption,
    parameters: Parameters,
) -> None:
    """Bring the measured air of venues up to date, from each venue's edge on, in three statements at most.

    ``inside(venue, times_us)`` returns the check-ins inside at those times (microseconds), ``adoption(venue)`` the
    share of people who check in, as far as it is known without CO2.
    """
    since = {venue: venue_days.moment_of(edge) for venue, edge in venues.items()}
    with connection.cursor() as cursor:
        cursor.execute(_READINGS, {"venues": list(venues), "since": [moment - COURSE for moment in since.values()]})
        found: list[tuple[int, dt.datetime, float, float]] = []
        concerned = []
        for venue, of_venue in groupby(cursor.fetchall(), key=lambda row: row[0]):
            rows = list(of_venue)
            # If every reading is older than the change, the measured air has not changed.
            if max(row[2] for row in rows) >= venue_days.microseconds(since[venue]):
                concerned.append(venue)
                found.extend(_hours_of(venue, rows, since[venue], facts[venue], inside, adoption, parameters))
        if not concerned:
            return
        cursor.execute(_FORGET, {"venues": concerned, "since": [since[venue] for venue in concerned]})
        if found:
            columns = [list(column) for column in zip(*found, strict=True)]
            cursor.execute(_KEEP, dict(zip(("venues", "hours", "air", "sd"), columns, strict=True)))


def coarsely(heads: Floats) -> Floats:
    """Round head counts to steps of a half, each represented by its middle; counts under five become two.

    A device may send any readings, and the air is public: exact counts would let it find out how many were inside.
    """
    many = np.maximum(heads, FEWEST_SHOWN)
    ends = FEWEST_SHOWN * STEP ** np.ceil(np.log(many / FEWEST_SHOWN) / np.log(STEP) - 1e-9)
    return np.asarray(np.where(heads < FEWEST_SHOWN, FEWEST_SHOWN // 2, ends / math.sqrt(STEP)))


def device_with_most(rows: Sequence[Any]) -> tuple[Ints, Floats]:
    """Return times (microseconds) and ppm of the sensor with the most readings.

    The rows are (anything, device, time, ppm), in order of device and time.
    """
    by_device = [list(of) for _device, of in groupby(rows, key=lambda row: row[1])]
    _any, _devices, times, ppm = zip(*max(by_device, key=len), strict=True)
    return np.array(times, np.int64), np.array(ppm, np.float64)


def _hours_of(  # noqa: PLR0917 - one call
    venue: int,
    rows: list[Any],
    since: dt.datetime,
    facts: Facts,
    inside: Inside,
    adoption: Adoption,
    parameters: Parameters,
) -> list[tuple[int, dt.datetime, float, float]]:
    """Return the measured air of each hour from ``since`` on, from the sensor with the most readings.

    The hours run to the end of the last reading's effect.
    """
    times_us, co2 = device_with_most(rows)
    prior = believed(facts, parameters)
    exhaled = generation(parameters.priors[Kind(facts.kind)])
    people = people_per_check_in(adoption(venue))
    heads = coarsely(inside(venue, times_us))
    found = []
    hour_us = HOUR // dt.timedelta(microseconds=1)
    first = venue_days.microseconds(since) // hour_us
    last_read = int(times_us[-1] // hour_us)
    hour = first
    while hour <= last_read + TAIL // HOUR:
        # Hours near readings one by one; later hours, in which the effect fades, in longer steps.
        step = 1 if hour <= last_read else TAIL_STEP_H
        end = min((hour + 1) * hour_us, int(times_us[-1]) + 1) if hour <= last_read else int(times_us[-1]) + 1
        part = (times_us < end) & (times_us >= end - COURSE // dt.timedelta(microseconds=1))
        if not part.any():
            hour += step
            continue
        readings = Readings(times_us[part] / hour_us, co2[part], heads[part])
        air = ventilation(
            prior,
            readings,
            now_h=float(hour + 1),
            coverage=people.value,
            coverage_log_sd=math.hypot(log_sd(people), COARSE_LOG_SD),
            exhaled=exhaled,
        )
        if air.source == "measured":
            for each in range(hour, hour + step):
                moment = dt.datetime(1970, 1, 1, tzinfo=dt.UTC) + each * HOUR
                found.append((venue, moment, air.air_changes_per_h, air.air_log_sd))
        elif hour > last_read:
            break
        hour += step
    return found
