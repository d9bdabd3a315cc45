"""Published outbreaks against the model: what it would have predicted, with nothing fitted to any of them.

One index case with a load drawn from Gamma(k, 1/k), emission, room and susceptibility drawn from their ranges. An
outbreak with fewer than 2 secondary cases would not have been published, so the prediction is conditioned on 2 or
more. The random generator is the caller's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from scipy.special import gammaincinv

from risk.model.constants import Constant, fixed
from risk.model.parameters import Bodies
from risk.model.pathogens import PROFILES, SARS_COV_2_ANCESTRAL, Pathogen
from risk.model.uncertainty import Floats, quantile

PUBLISHED_FROM = 2


@dataclass(frozen=True, slots=True)
class Outbreak:
    """One published outbreak: one index case among ``exposed`` others for ``hours`` in one room."""

    name: str
    pathogen: Pathogen
    exposed: int
    infected_low: int
    infected_high: int
    hours: float
    talk_share: float
    sing_share: float
    breathing_m3_per_h: Constant
    volume_m3: Constant
    air_changes_per_h: Constant
    susceptible: Constant
    circular: bool
    source: str


def _range(values: list[float], unit: str, source: str) -> Constant:
    value, low, high = values
    return Constant(value, low, high, unit, source)


def outbreak(row: Mapping[str, Any]) -> Outbreak:
    """An outbreak from a row of a table of outbreaks."""
    pathogen, source = PROFILES[row["pathogen"]], str(row["source"])
    bodies = Bodies()
    low, high = row["infected"]
    return Outbreak(
        name=row["name"],
        pathogen=pathogen,
        exposed=row["exposed"],
        infected_low=low,
        infected_high=high,
        hours=row["hours"],
        talk_share=row["talk"],
        sing_share=row["sing"],
        breathing_m3_per_h=bodies.breathing_light_m3_per_h
        if row["breathing"] == "light"
        else bodies.breathing_rest_m3_per_h,
        volume_m3=_range(row["volume_m3"], "m3", source),
        air_changes_per_h=_range(row["air_per_h"], "1/h", source),
        susceptible=_range(row["susceptible"], "share", source) if "susceptible" in row else pathogen.susceptible,
        circular=row["circular"],
        source=source,
    )


def _emission(pathogen: Pathogen, talk: float, sing: float, u: Floats) -> Floats:
    rest = 1.0 - talk - sing
    return (
        rest * quantile(pathogen.quanta_rest_per_h, u)
        + talk * quantile(pathogen.quanta_talk_per_h, u)
        + sing * quantile(pathogen.quanta_sing_per_h, u)
    )


def unit_integral_h2_per_m3(hours: Floats | float, volume_m3: Floats, removal_per_h: Floats) -> Floats:
    """Integral of the concentration one unit emitter makes in a fresh room while both stay."""
    x = removal_per_h * hours
    return np.asarray((x + np.expm1(-x)) / (removal_per_h**2 * volume_m3))


@dataclass(frozen=True, slots=True)
class Prediction:
    """Prediction of one outbreak: 90 % interval of the attack rate given 2 or more cases, where what was seen lies in
    it (percentile 0-100), chance of 2 or more cases at all, the load (times the mean) that fits at central values, and
    the attack rate an average index case would cause."""

    low: float
    median: float
    high: float
    observed_low: float
    observed_high: float
    percentile: float
    chance_published: float
    implied_load: float
    mean_rate: float

    @property
    def inside(self) -> bool:
        """Whether any of the observed range is in the interval."""
        return self.observed_high >= self.low and self.observed_low <= self.high


def predict(case: Outbreak, rng: np.random.Generator, *, draws: int = 100_000) -> Prediction:
    """The predictive distribution of one outbreak."""
    u = rng.uniform(1e-4, 1 - 1e-4, (8, draws))
    p = case.pathogen
    emission = _emission(p, case.talk_share, case.sing_share, u[0])
    removal = (
        quantile(case.air_changes_per_h, u[1]) + quantile(p.viral_decay_per_h, u[2]) + quantile(p.settling_per_h, u[3])
    )
    dispersion = quantile(p.load_dispersion, u[4])
    load = gammaincinv(dispersion, rng.uniform(0.0, 1.0, draws)) / dispersion
    volume = quantile(case.volume_m3, u[5])
    dose = (
        load * emission * quantile(case.breathing_m3_per_h, u[6]) * unit_integral_h2_per_m3(case.hours, volume, removal)
    )
    chance = quantile(case.susceptible, u[7]) * -np.expm1(-dose)
    cases = rng.binomial(case.exposed, chance)
    published = cases[cases >= PUBLISHED_FROM] / case.exposed
    seen = (case.infected_low + case.infected_high) / 2 / case.exposed
    low, median, high = np.quantile(published, [0.05, 0.5, 0.95])
    below = (published < seen - 1e-12).mean() + 0.5 * (np.abs(published - seen) <= 1e-12).mean()

    half = np.array([0.5])
    central = float(
        _emission(p, case.talk_share, case.sing_share, half)[0]
        * case.breathing_m3_per_h.value
        * unit_integral_h2_per_m3(
            case.hours,
            np.array(case.volume_m3.value),
            np.array(case.air_changes_per_h.value + p.removal_beside_ventilation_per_h),
        )
    )
    share = min(seen / case.susceptible.value, 0.99)
    return Prediction(
        low=float(low),
        median=float(median),
        high=float(high),
        observed_low=case.infected_low / case.exposed,
        observed_high=case.infected_high / case.exposed,
        percentile=100.0 * float(below),
        chance_published=float((cases >= PUBLISHED_FROM).mean()),
        implied_load=float(-np.log1p(-share)) / central,
        mean_rate=case.susceptible.value * float(-np.expm1(-central)),
    )


def hourly_risk(
    setting: Literal["contact", "train-adjacent", "train"],
    *,
    volume_m3: Constant,
    air_changes_per_h: Constant,
    draws: Floats,
    pathogen: Pathogen = SARS_COV_2_ANCESTRAL,
    talk_share: float = 0.2,
) -> float:
    """Mean chance of infection in an hour with an infectious person, ``draws`` uniforms (7, n): far, plus near where
    the setting is a close contact. The load is averaged over, so this is selection-free."""
    emission = _emission(pathogen, talk_share, 0.0, draws[0])
    removal = (
        quantile(air_changes_per_h, draws[1])
        + quantile(pathogen.viral_decay_per_h, draws[2])
        + quantile(pathogen.settling_per_h, draws[3])
    )
    steady = emission * Bodies().breathing_rest_m3_per_h.value / (removal * quantile(volume_m3, draws[4]))
    k = quantile(pathogen.load_dispersion, draws[5])
    far = -np.expm1(-k * np.log1p(steady / k))
    near = quantile(pathogen.near_per_h, draws[6]) if setting != "train" else np.zeros_like(far)
    return float((-np.expm1(-near) + np.exp(-near) * far).mean())


def range_of(values: list[float], unit: str, source: str) -> Constant:
    """A constant from (value, low, high) of a table."""
    return _range(values, unit, source) if len(values) == 3 else fixed(values[0], unit, source)
