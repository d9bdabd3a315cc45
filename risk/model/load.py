"""Load: how unequal people are, and how it runs through an infection."""

from __future__ import annotations

import functools
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.special import gammainc

from risk.model.pathogens import Pathogen
from risk.model.uncertainty import Floats


def chance_of_hit(dose_quanta: npt.ArrayLike, dispersion: npt.ArrayLike) -> Floats:
    """``g(d) = 1 - (1 + d/k)^-k``: chance that a dose of mean ``d`` infects when the load is Gamma(k, 1/k).

    It is the Poisson chance averaged over the load; k to infinity gives ``1 - exp(-d)`` (Wells-Riley). Increasing and
    concave in the dose.
    """
    k = np.asarray(dispersion, np.float64)
    return np.asarray(-np.expm1(-k * np.log1p(np.asarray(dose_quanta, np.float64) / k)))


def infectiousness_share(pathogen: Pathogen, from_days: npt.ArrayLike, to_days: npt.ArrayLike) -> Floats:
    """Share of all infectiousness between two days relative to symptom onset (negative: before)."""
    course = pathogen.infectiousness

    def before(days: npt.ArrayLike) -> Floats:
        shifted = np.maximum(np.asarray(days, np.float64) + course.shift_days, 0.0)
        return np.asarray(gammainc(course.shape, course.rate_per_day * shifted))

    return before(to_days) - before(from_days)


RESULT_AFTER_DAYS: Final = 2.0
"""From onset to a result, about the mean of tests at home and in a laboratory; our assumption."""


@functools.lru_cache(maxsize=32)
def infectious_window(pathogen: Pathogen) -> tuple[float, float]:
    """The days around onset, `infectious_days` in a row, that hold most of the infectiousness (first, last)."""
    days = pathogen.infectious_days.value
    first = np.arange(-pathogen.infectiousness.shift_days, 1.0, 0.01)
    best = float(first[np.argmax(infectiousness_share(pathogen, first, first + days))])
    return best, best + days


def load_factor(pathogen: Pathogen, from_days: float) -> float:
    """Mean load of somebody infectious, so many days after onset or later, against the average infectious person."""
    first, last = infectious_window(pathogen)
    return mean_infectiousness(pathogen, from_days, last) / mean_infectiousness(pathogen, first, last)


def mean_infectiousness(pathogen: Pathogen, from_days: float, to_days: float) -> float:
    """Mean infectiousness a day between two days relative to onset; what load factors of answer classes rest on."""
    return float(infectiousness_share(pathogen, from_days, to_days)) / (to_days - from_days)
