"""What measured CO2 says of a room's ventilation.

A reading is turned into the share f of the air that somebody has breathed out before (Rudnick and Milton 2003), whose
mass balance in a well-mixed room is ``df/dt = p*n(t)/V - ach*f`` with p the air a person breathes out an hour. The
posterior of air changes comes from comparing the measured course with the exact solution between readings, on a grid
of air changes, breath per person and starting share. In a steady room with a known head count this is their
``f = n*p/(ach*V)``; a decay in an empty room needs no breath at all. CO2 sees outdoor air only, neither filters nor
settling.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt

from risk.model.air import RoomAir
from risk.model.far import InvalidInputError
from risk.model.uncertainty import Floats

OUTDOOR_PPM: Final = 425.0
"""Outdoor air of the mid-2020s (NOAA global mean; source not seen)."""
EXHALED_PPM: Final = 38_000.0
"""CO2 that breath adds, 3.8 %, Rudnick and Milton 2003, doi:10.1034/j.1600-0668.2003.00189.x (source not seen)."""
LEAST_EXCESS_PPM: Final = 300.0
"""Below this excess noise and the outdoor level decide, not ventilation."""
LOWEST_PPM, HIGHEST_PPM = 350.0, 10_000.0
GENERATION_M3_PER_H: Final = 0.018
"""An adult at light sedentary work, 0.0052 L/s at 1.2 met, Persily and de Jonge 2017 (source not seen)."""
GENERATION_LOG_SD: Final = 0.25
KNOWN_GENERATION_LOG_SD: Final = 0.08
NOISE_SHARE: Final = 0.05
NOISE_PPM: Final = 40.0
FADE_H: Final = 12.0
"""Hours after which a measurement has lost 63 % of what it knew; our assumption (windows get opened)."""
_FROZEN_AFTER: Final = 6
_GRID_PER_H: Final = np.geomspace(0.05, 60.0, 240)


@dataclass(frozen=True, slots=True)
class Readings:
    """Readings of one sensor, in order of time: hours, ppm, and people inside after each reading until the next."""

    time_h: Floats
    co2_ppm: Floats
    heads: Floats


def usable(readings: Readings) -> Readings:
    """Without what no working sensor in a room says: out of range, not finite, or frozen at one value."""
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
    """For each air change of the grid: response to one m3/h/m3 a head, and what is left of the start (grid, times)."""
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
    generation_m3_per_h: float | None = None,
) -> RoomAir:
    """The prior, narrowed by the readings.

    ``coverage``: people present per head counted, and ``coverage_log_sd`` how far off that may be: 0 where everybody
    is counted. ``generation_m3_per_h``: CO2 a person, where known. Unusable or too few readings, or an excess below
    300 ppm, leave the prior as it is; so do readings long past.
    """
    good = usable(readings)
    if good.time_h.size < 4 or not math.isfinite(now_h):
        return prior
    if float(good.co2_ppm.max()) - OUTDOOR_PPM < LEAST_EXCESS_PPM or good.time_h[-1] - good.time_h[0] < 0.25:
        return prior
    unit, start = _courses(replace(good, heads=good.heads * coverage))
    share = rebreathed_share(good.co2_ppm)
    known = generation_m3_per_h is not None
    breath_m3_per_h = (generation_m3_per_h or GENERATION_M3_PER_H) / (EXHALED_PPM / 1e6)
    centre = math.log(breath_m3_per_h / prior.volume_m3)
    generation_log_sd = KNOWN_GENERATION_LOG_SD if known else GENERATION_LOG_SD
    spread = math.hypot(generation_log_sd, prior.volume_log_sd, coverage_log_sd)
    log_rate = centre + spread * np.linspace(-3.0, 3.0, 61)
    noise = NOISE_PPM / EXHALED_PPM + NOISE_SHARE * share
    # Neighbouring readings err together: a quarter-hour counts as one.
    worth = min(1.0, (good.time_h[-1] - good.time_h[0]) / 0.25 / good.time_h.size)
    weight = worth / noise**2
    # The start is fitted exactly: it enters linearly and is known to the sensor's noise.
    misfit = np.empty((_GRID_PER_H.size, log_rate.size))
    for column, rate in enumerate(np.exp(log_rate)):
        wanted = share - unit * rate
        best = (weight * start * wanted).sum(axis=1) / (weight * start * start).sum(axis=1)
        misfit[:, column] = (weight * (wanted - np.maximum(best, 0.0)[:, None] * start) ** 2).sum(axis=1)
    log_air = np.log(_GRID_PER_H)
    density = -0.5 * misfit - 0.5 * ((log_rate - centre) / spread) ** 2
    density -= 0.5 * (((log_air - math.log(prior.air_changes_per_h)) / prior.air_log_sd) ** 2)[:, None]
    mass = np.exp(density - density.max()).sum(axis=1)
    mass /= mass.sum()
    mean = float((mass * log_air).sum())
    sd = max(0.05, math.sqrt(float((mass * (log_air - mean) ** 2).sum())))
    return _faded(prior, mean, sd, max(0.0, now_h - float(good.time_h[-1])))


def _faded(prior: RoomAir, mean: float, sd: float, age_h: float) -> RoomAir:
    """What the measurement added to the prior (in precision) fades with its age."""
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
    """Share of inhaled air that others have breathed out, Rudnick and Milton 2003: ``(C - C_out)/C_exhaled``."""
    ppm = np.asarray(co2_ppm, np.float64)
    return np.clip((ppm - OUTDOOR_PPM) / EXHALED_PPM, 0.0, 1.0)
