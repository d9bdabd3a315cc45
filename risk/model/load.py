"""Load: how unequal people are, and how it runs through an infection."""

from __future__ import annotations

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
