"""Separate scale and prevalence, as far as something other than reports tells them apart.

Reports of one place and period show only the product: twice the prevalence with half the scale gives the same reports.
In logarithms, with true over assumed prevalence as an error common to all places and periods plus one of each,

    product of place and period i = scale + common + local_i

Three things help. Places and periods differ, which removes the local errors. A calibrated series (serology, wastewater)
shows ``common + local_i``. The renewal identity shows the scale: in an equilibrium, mean hits of a fortnight are the
reproduction number from visits x prevalence x 14 / duration, and since the model's hits are proportional to the assumed
prevalence, prevalence cancels. Without the last two, only the priors separate the scale from the common error.
Everything is normal and linear, so the posterior is exact.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from risk.model.far import InvalidInputError
from risk.model.learning.cells import Floats
from risk.model.learning.posterior import SCALE, Belief, Estimate, Prior

FORTNIGHT_DAYS = 14.0


@dataclass(frozen=True, slots=True)
class Separated:
    """Beliefs about logarithms: the scale, and true over assumed prevalence, common and local.

    ``common`` holds for all places and periods, the local errors for one each; ``correlation`` is that of scale and
    common error, near -1 if nothing tells them apart.
    """

    scale: Belief
    common: Belief
    local: tuple[Belief, ...]
    correlation: float


def product_of(estimate: Estimate, prior: Prior) -> Belief:
    """Return the log product that the reports alone imply: the estimate of the scale with its prior divided out.

    Raise `InvalidInputError` if the reports imply nothing.
    """
    learned = 1.0 / estimate.sd[SCALE] ** 2 - 1.0 / prior.scale.sd**2
    if not learned > 1e-6:
        raise InvalidInputError("estimate", "is no narrower than its prior")
    weighted = estimate.mean[SCALE] / estimate.sd[SCALE] ** 2 - prior.scale.mean / prior.scale.sd**2
    return Belief(float(weighted / learned), float(learned**-0.5))


def renewal_scale(*, mean_hits: float, prevalence: float, duration_days: float, reproduction: Belief) -> Belief:
    """Return the log scale that the renewal identity implies.

    ``mean_hits``: of a fortnight, over the people of a place in equilibrium, as the model computes them at
    ``prevalence``; ``reproduction``: log of the infections that one person causes in visits. Raise `InvalidInputError`.
    """
    if not (mean_hits > 0.0 and 0.0 < prevalence <= 1.0 and duration_days > 0.0):
        raise InvalidInputError("mean_hits", "hits, prevalence and duration must be above 0")
    expected = prevalence * FORTNIGHT_DAYS / duration_days
    return Belief(reproduction.mean + math.log(expected / mean_hits), reproduction.sd)


def separated(
    products: tuple[Belief, ...],
    *,
    scale: Belief,
    common: Belief,
    local_sd: float,
    series: Mapping[int, Belief] | None = None,
    renewal: Belief | None = None,
) -> Separated:
    """Return scale, common and local errors of prevalence, from ``products`` of places and periods (`product_of`).

    ``scale``, ``common``: prior beliefs. ``local_sd``: standard deviation between places and periods. ``series``: by
    index of the product, what a calibrated series implies for the log of true over assumed prevalence there.
    """
    size = 2 + len(products)
    precision = np.diag([scale.sd**-2, common.sd**-2, *[local_sd**-2] * len(products)])
    weighted = np.zeros(size)
    weighted[0], weighted[1] = scale.mean * scale.sd**-2, common.mean * common.sd**-2

    def observe(belief: Belief, *which: int) -> None:
        seen = np.zeros(size)
        seen[list(which)] = 1.0
        np.add(precision, np.outer(seen, seen) * belief.sd**-2, out=precision)
        np.add(weighted, seen * belief.mean * belief.sd**-2, out=weighted)

    for at, product in enumerate(products):
        observe(product, 0, 1, 2 + at)
    for at, belief in (series or {}).items():
        observe(belief, 1, 2 + at)
    if renewal is not None:
        observe(renewal, 0)
    covariance: Floats = np.linalg.inv(precision)
    mean, sd = covariance @ weighted, np.sqrt(np.diag(covariance))
    if not (np.isfinite(mean).all() and np.isfinite(sd).all()):
        raise InvalidInputError("products", "must be finite, with a width")
    beliefs = [Belief(float(middle), float(width)) for middle, width in zip(mean, sd, strict=True)]
    return Separated(beliefs[0], beliefs[1], tuple(beliefs[2:]), float(covariance[0, 1] / (sd[0] * sd[1])))
