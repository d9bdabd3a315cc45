"""Viral load: how unequal people are, and how it changes during an infection."""

from __future__ import annotations

import functools
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.special import gammainc

from risk.model.pathogens import Pathogen
from risk.model.uncertainty import Floats


def chance_of_hit(dose_quanta: npt.ArrayLike, dispersion: npt.ArrayLike) -> Floats:
    """Return ``g(d) = 1 - (1 + d/k)^-k``: the chance that a dose of mean ``d`` infects if the load is Gamma(k, 1/k).

    It is the Poisson chance averaged over the load; for k to infinity it becomes ``1 - exp(-d)`` (Wells-Riley).
    Increasing and concave in the dose.
    """
    k = np.asarray(dispersion, np.float64)
    return np.asarray(-np.expm1(-k * np.log1p(np.asarray(dose_quanta, np.float64) / k)))


def infectiousness_share(pathogen: Pathogen, from_days: npt.ArrayLike, to_days: npt.ArrayLike) -> Floats:
    """Return the share of all infectiousness between two days relative to symptom onset (negative: before)."""
    course = pathogen.infectiousness

    def before(days: npt.ArrayLike) -> Floats:
        shifted = np.maximum(np.asarray(days, np.float64) + course.shift_days, 0.0)
        return np.asarray(gammainc(course.shape, course.rate_per_day * shifted))

    return before(to_days) - before(from_days)


RESULT_AFTER_DAYS: Final = 2.0
"""Days from onset to a result, about the mean of tests at home and in a laboratory; our assumption."""


@functools.lru_cache(maxsize=32)
def infectious_window(pathogen: Pathogen) -> tuple[float, float]:
    """Return first and last of the `infectious_days` consecutive days around onset with the most infectiousness."""
    days = pathogen.infectious_days.value
    first = np.arange(-pathogen.infectiousness.shift_days, 1.0, 0.01)
    best = float(first[np.argmax(infectiousness_share(pathogen, first, first + days))])
    return best, best + days


def load_factor(pathogen: Pathogen, from_days: float) -> float:
    """Return the mean load from ``from_days`` days after onset on, relative to the average infectious person."""
    first, last = infectious_window(pathogen)
    return mean_infectiousness(pathogen, from_days, last) / mean_infectiousness(pathogen, first, last)


def mean_infectiousness(pathogen: Pathogen, from_days: float, to_days: float) -> float:
    """Return mean infectiousness per day between two days relative to onset, the basis of load factors of classes."""
    return float(infectiousness_share(pathogen, from_days, to_days)) / (to_days - from_days)
