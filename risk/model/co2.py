"""Estimate a room's ventilation from measured CO2.

A reading gives the share f of the air that somebody has exhaled before (Rudnick and Milton 2003). Its mass balance in a
well-mixed room is ``df/dt = p*n(t)/V - ach*f``, where p is the air (m3/h) that a person exhales. The posterior of air
changes comes from comparing the measured course with the exact solution between readings, on a grid of air changes,
breath per person and initial share. In a steady room with a known head count this is their ``f = n*p/(ach*V)``; a decay
in an empty room does not depend on breath at all. CO2 shows outdoor air only, neither filters nor settling.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt

from risk.model.air import RoomAir
from risk.model.far import InvalidInputError
from risk.model.kinds import KindPrior
from risk.model.uncertainty import Floats

OUTDOOR_PPM: Final = 425.0
"""CO2 of outdoor air in the mid-2020s (NOAA global mean; source not seen)."""
EXHALED_PPM: Final = 38_000.0
"""CO2 added by breath, 3.8 %, Rudnick and Milton 2003, doi:10.1034/j.1600-0668.2003.00189.x (source not seen)."""
LEAST_EXCESS_PPM: Final = 300.0
"""Below this excess, noise and the outdoor level dominate, not ventilation."""
LOWEST_PPM, HIGHEST_PPM = 350.0, 10_000.0
GENERATION_M3_PER_H: Final = 0.018
"""CO2 of an adult at light sedentary work, 0.0052 L/s at 1.2 met, Persily and de Jonge 2017, doi:10.1111/ina.12383
(source not seen). It is proportional to metabolism: to met, and to body size."""
SEDENTARY_MET: Final = 1.2
MET_BY_EXERTION: Final = (1.2, 2.0, 4.0)
"""Metabolism at exertion 0 (sitting), 1 (standing, light work) and 2 (hard exercise, including pauses), in met;
compendium of physical activities, Ainsworth 2011, doi:10.1249/MSS.0b013e31821ece12 (source not seen), our rounding."""
GENERATION_LOG_SD: Final = 0.25
EXERTION_LOG_SD: Final = 0.2
"""Additional uncertainty for each step of exertion; our assumption: 2 to 5 met in a gym."""
KNOWN_GENERATION_LOG_SD: Final = 0.08
NOISE_SHARE: Final = 0.05
NOISE_PPM: Final = 40.0
FADE_H: Final = 12.0
"""Hours after which a measurement has lost 63 % of its information; our assumption (windows get opened)."""
_FROZEN_AFTER: Final = 6
_GRID_PER_H: Final = np.geomspace(0.05, 60.0, 240)


@dataclass(frozen=True, slots=True)
class Generation:
    """CO2 that an average person exhales, m3/h, and its uncertainty (log standard deviation)."""

    m3_per_h: float = GENERATION_M3_PER_H
    log_sd: float = GENERATION_LOG_SD


def generation(prior: KindPrior) -> Generation:
    """Return the estimate for people at venues of a kind: by exertion, and by age as far as it affects body size."""
    met = float(np.interp(prior.exertion, (0.0, 1.0, 2.0), MET_BY_EXERTION))
    spread = math.hypot(GENERATION_LOG_SD, EXERTION_LOG_SD * prior.exertion)
    return Generation(GENERATION_M3_PER_H * met / SEDENTARY_MET * prior.body_size, spread)


def known_generation(m3_per_h: float) -> Generation:
    """Return the generation rate measured for these very people."""
    return Generation(m3_per_h, KNOWN_GENERATION_LOG_SD)


SEDENTARY: Final = Generation()


@dataclass(frozen=True, slots=True)
class Readings:
    """Readings of one sensor in order of time: hours, ppm, and people inside from each reading until the next."""

    time_h: Floats
    co2_ppm: Floats
    heads: Floats


def usable(readings: Readings) -> Readings:
    """Return the readings without those that no working sensor gives: out of range, not finite, or frozen at one value.

    Raise `InvalidInputError` if they are not in order of time.
    """
    if not readings.time_h.size == readings.co2_ppm.size == readings.heads.size:
        raise InvalidInputError("co2_ppm", "columns differ in length")
    if (np.diff(readings.time_h) < 0).any():
        raise InvalidInputError("measured_at", "readings must be in order of time")
    ppm = readings.co2_ppm
    good = np.isfinite(ppm) & (ppm >= LOWEST_PPM) & (ppm <= HIGHEST_PPM) & np.isfinite(readings.time_h)
    run = 1
    for at in range(1, ppm.size):
        run = run + 1 if ppm[at] == ppm[at - 1] else 1
        if run >= _FROZEN_AFTER:
            good[at - run + 1 : at + 1] = False
    return Readings(readings.time_h[good], ppm[good], np.maximum(readings.heads[good], 0.0))


def _courses(readings: Readings) -> tuple[Floats, Floats]:
    """For each air change of the grid, return the response to one m3/h/m3 a head, and the rest of the initial share.

    Both are (grid, times).
    """
    steps = np.diff(readings.time_h)
    unit = np.zeros((_GRID_PER_H.size, readings.time_h.size))
    start = np.ones_like(unit)
    for at, step in enumerate(steps):
        kept = np.exp(-_GRID_PER_H * step)
        unit[:, at + 1] = unit[:, at] * kept + readings.heads[at] * (1.0 - kept) / _GRID_PER_H
        start[:, at + 1] = start[:, at] * kept
    return unit, start


def ventilation(
    prior: RoomAir,
    readings: Readings,
    *,
    now_h: float,
    coverage: float = 1.0,
    coverage_log_sd: float = 0.0,
    exhaled: Generation = SEDENTARY,
) -> RoomAir:
    """Return the prior, narrowed by the readings.

    ``coverage``: people present per head counted, and ``coverage_log_sd`` its uncertainty, 0 if everybody is counted.
    ``exhaled``: CO2 of one person. The prior is returned unchanged for too few or unusable readings, an excess below
    300 ppm, or readings that are too old.
    """
    good = usable(readings)
    if not (_tells(good) and math.isfinite(now_h)):
        return prior
    counted = replace(good, heads=good.heads * coverage)
    centre = _log_rate(prior, exhaled)
    spread = math.hypot(exhaled.log_sd, prior.volume_log_sd, coverage_log_sd)
    log_rate = centre + spread * np.linspace(-3.0, 3.0, 61)
    log_air = np.log(_GRID_PER_H)
    density = -0.5 * _misfit(counted, log_rate) - 0.5 * ((log_rate - centre) / spread) ** 2
    density -= 0.5 * (((log_air - math.log(prior.air_changes_per_h)) / prior.air_log_sd) ** 2)[:, None]
    mean, sd = _moments(log_air, np.exp(density - density.max()).sum(axis=1))
    return _faded(prior, mean, max(0.05, sd), max(0.0, now_h - float(good.time_h[-1])))


def people_seen(room: RoomAir, readings: Readings, *, exhaled: Generation = SEDENTARY) -> tuple[float, float] | None:
    """Return the people for each head counted and its uncertainty (log sd), in a room whose fresh air is known.

    This inverts the same course: if the air changes of a room are entered, CO2 gives the breath in it. Return `None` if
    the readings carry no information.
    """
    good = usable(readings)
    if not _tells(good) or not (good.heads > 0.0).any():
        return None
    log_people = np.linspace(math.log(0.2), math.log(50.0), 111)
    log_air = np.log(_GRID_PER_H)
    density = -0.5 * _misfit(good, _log_rate(room, exhaled) + log_people)
    density -= 0.5 * (((log_air - math.log(room.air_changes_per_h)) / room.air_log_sd) ** 2)[:, None]
    mean, sd = _moments(log_people, np.exp(density - density.max()).sum(axis=0))
    return math.exp(mean), math.hypot(sd, exhaled.log_sd, room.volume_log_sd)


def _tells(good: Readings) -> bool:
    """Return whether there are enough readings, over a long enough time, of air that was breathed."""
    if good.time_h.size < 4 or good.time_h[-1] - good.time_h[0] < 0.25:
        return False
    return float(good.co2_ppm.max()) - OUTDOOR_PPM >= LEAST_EXCESS_PPM


def _log_rate(room: RoomAir, exhaled: Generation) -> float:
    """Return the logarithm of the share of the room's air that one person breathes in an hour."""
    return math.log(exhaled.m3_per_h / (EXHALED_PPM / 1e6) / room.volume_m3)


def _moments(values: Floats, mass: Floats) -> tuple[float, float]:
    """Return mean and standard deviation."""
    share = mass / mass.sum()
    mean = float((share * values).sum())
    return mean, math.sqrt(float((share * (values - mean) ** 2).sum()))


def _misfit(good: Readings, log_rate: Floats) -> Floats:
    """Return the squared distance (grid, rates) of the readings from each course, in units of the noise."""
    unit, start = _courses(good)
    share = rebreathed_share(good.co2_ppm)
    noise = NOISE_PPM / EXHALED_PPM + NOISE_SHARE * share
    # Errors of neighbouring readings are correlated: a quarter-hour counts as one reading.
    worth = min(1.0, (good.time_h[-1] - good.time_h[0]) / 0.25 / good.time_h.size)
    weight = worth / noise**2
    # The initial share is fitted exactly: it enters linearly and is known to within the sensor's noise.
    misfit = np.empty((_GRID_PER_H.size, log_rate.size))
    for column, rate in enumerate(np.exp(log_rate)):
        wanted = share - unit * rate
        best = (weight * start * wanted).sum(axis=1) / (weight * start * start).sum(axis=1)
        misfit[:, column] = (weight * (wanted - np.maximum(best, 0.0)[:, None] * start) ** 2).sum(axis=1)
    return misfit


def _faded(prior: RoomAir, mean: float, sd: float, age_h: float) -> RoomAir:
    """Reduce, with its age, the precision that the measurement added to the prior."""
    kept = math.exp(-age_h / FADE_H)
    before = 1.0 / prior.air_log_sd**2
    gained = max(0.0, 1.0 / sd**2 - before) * kept
    if gained < 0.05 * before:
        return prior
    centre = math.log(prior.air_changes_per_h)
    share = gained / (1.0 / sd**2 - before + 1e-12) if kept < 1.0 else 1.0
    return replace(
        prior,
        air_changes_per_h=math.exp(centre + (mean - centre) * share),
        air_log_sd=1.0 / math.sqrt(before + gained),
        source="measured",
    )


def rebreathed_share(co2_ppm: npt.ArrayLike) -> Floats:
    """Return the share of inhaled air that others have exhaled, Rudnick and Milton 2003: ``(C - C_out)/C_exhaled``."""
    ppm = np.asarray(co2_ppm, np.float64)
    return np.clip((ppm - OUTDOOR_PPM) / EXHALED_PPM, 0.0, 1.0)
