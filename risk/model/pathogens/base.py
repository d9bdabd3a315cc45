"""The fields of a pathogen profile."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr

from risk.model.constants import Constant


@dataclass(frozen=True, slots=True)
class Incubation:
    """Lognormal time from infection to symptoms: ``log_mean`` and ``log_sd`` of days."""

    log_mean: float
    log_sd: float
    source: str

    def still_incubating(self, age_days: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """Return the chance that symptoms come later than ``age_days`` after infection, given that they come."""
        days = np.maximum(np.asarray(age_days, np.float64), 1e-9)
        return np.asarray(ndtr((self.log_mean - np.log(days)) / self.log_sd))


@dataclass(frozen=True, slots=True)
class Infectiousness:
    """Gamma-shaped infectiousness by day relative to symptom onset, shifted back by ``shift_days``."""

    shape: float
    rate_per_day: float
    shift_days: float
    source: str


@dataclass(frozen=True, slots=True)
class Pathogen:
    """Constants of one pathogen; see each file for the sources.

    ``quanta_*_per_h``: mean over infectious people. ``load_dispersion``: k of the gamma-distributed load.
    ``viral_decay_per_h``, ``settling_per_h``: removal in addition to ventilation. ``infectious_days``: days for which
    an infected person counts as infectious, those of `load.infectious_window`. ``never_symptomatic`` (alpha).
    ``not_yet_symptomatic`` (pre): share of the infectious days before onset, of people and not of transmission.
    ``near_per_h``: hazard of one close contact, without the far range. ``load_factor_*``: mean load of an infectious
    person in an answer class relative to the average infectious person; for symptoms from onset, and for results from
    `load.RESULT_AFTER_DAYS` days after it, to the end of the infectious days. ``susceptible``: share of visitors who
    can be infected. ``mask_*``: share that worn masks hold back.
    """

    name: str
    quanta_rest_per_h: Constant
    quanta_talk_per_h: Constant
    quanta_sing_per_h: Constant
    load_dispersion: Constant
    viral_decay_per_h: Constant
    settling_per_h: Constant
    mask_out: Constant
    mask_in: Constant
    infectious_days: Constant
    never_symptomatic: Constant
    not_yet_symptomatic: Constant
    near_per_h: Constant
    infections_per_case: Constant
    susceptible: Constant
    load_factor_contact: Constant
    load_factor_symptoms: Constant
    load_factor_diagnosed: Constant
    incubation: Incubation
    infectiousness: Infectiousness

    @property
    def decay_and_settling_per_h(self) -> float:
        """Return viral decay plus settling (1/h), central values."""
        return self.viral_decay_per_h.value + self.settling_per_h.value
