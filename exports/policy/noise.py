"""Discrete Laplace noise, drawn and accounted for by OpenDP, with its variance and bounds for fit and audit.

A count plus X with P(X = x) = (1 - a)/(1 + a) a^|x|, a = exp(-1/b), is (L1/b)-differentially private (Ghosh,
Roughgarden and Sundararajan 2009, "Universally utility-maximizing privacy mechanisms").
"""

import math
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

Counts = NDArray[np.int64]
Floats = NDArray[np.float64]
# (exact counts, scale b, L1 distance) -> (noisy counts, epsilon spent)
Mechanism = Callable[[Counts, float, int], tuple[Counts, float]]


@lru_cache(maxsize=64)
def _measurement(scale: float) -> Any:
    import opendp.prelude as dp  # imported late, because web servers never draw

    dp.enable_features("contrib")
    return dp.m.make_laplace(dp.vector_domain(dp.atom_domain(T="i64")), dp.l1_distance(T="i64"), scale=scale)


def discrete_laplace(counts: Counts, scale: float, l1: int) -> tuple[Counts, float]:
    """Add noise of `scale` to each count; return them with their cost at distance `l1` by OpenDP's privacy map."""
    measurement = _measurement(scale)
    noisy = measurement(counts.ravel().tolist())
    return np.array(noisy, dtype=np.int64).reshape(counts.shape), float(measurement.map(l1))


def variance(scale: float) -> float:
    """Return the variance of one draw: 2a/(1 - a)^2."""
    a = math.exp(-1 / scale)
    return 2 * a / (1 - a) ** 2


def tail_bound(scale: float, weights: Floats, sums: Floats) -> Floats:
    """Return bounds of P(sum of weights x draws >= x) for each x in `sums` (Chernoff, minimum over a grid).

    The moment-generating function of one draw is (1 - a)^2 / ((1 - a e^t)(1 - a e^-t)) for |t| < 1/b.
    """
    a = math.exp(-1 / scale)
    exponents = np.linspace(0, 1, 200)[1:-1] / (scale * float(np.abs(weights).max()))
    t = exponents[:, None] * weights
    log_moment = (2 * math.log(1 - a) - np.log((1 - a * np.exp(t)) * (1 - a * np.exp(-t)))).sum(axis=1)
    bound = np.exp(np.minimum(log_moment[:, None] - exponents[:, None] * sums, 0))
    out: Floats = bound.min(axis=0)
    return out
