"""Estimate the number of check-ins during a stay: one estimate for now and for every hour ahead. Pure.

The prior of a crowd is the kind's usual one, a Gamma distribution; observed check-ins (now, or usually at an hour of
the week) are a Poisson count of it. The estimate is the posterior mean, and the same count gives the same estimate
whether it is observed now or usual then. From now on, people leave after the kind's usual dwell on average and others
come at the usual rate (the M/M/infinity queue): the present crowd turns into the usual one.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from common.privacy import FEWEST_SHOWN
from risk.crowd.venue_days import Floats
from risk.model.kinds import Kind
from risk.model.parameters import Parameters
from risk.scouting.occupancy import coarse

SHAPE_OF_CROWDS: Final = 0.5
"""Shape of the Gamma distribution of crowds of one kind: their standard deviation is 1.4 times the mean; our choice."""
UNKNOWN: Final = float("nan")
"""The count of an hour that has not been observed yet."""


def kind_crowd(parameters: Parameters, kind: Kind, limit: float, adoption: float | None = None) -> float:
    """Return the check-ins of a usual crowd of the kind, up to the number that the doors admit.

    ``adoption``: the venue's own estimate of the share of people who check in; by default the deployment's.
    """
    share = parameters.adoption.value if adoption is None else adoption
    return min(parameters.priors[kind].usual_heads * share, limit)


def believed_crowd(kind: npt.ArrayLike, seen: npt.ArrayLike) -> Floats:
    """Return estimated check-ins (shapes broadcast), given the kind's usual crowd and a coarsely read count."""
    prior, count = np.asarray(kind, np.float64), np.asarray(seen, np.float64)
    known = np.isfinite(count)
    weighed = (SHAPE_OF_CROWDS + coarse(np.where(known, count, 0.0))) / (SHAPE_OF_CROWDS / prior + 1.0)
    return np.asarray(np.where(known, weighed, prior))


def count_now(heads: npt.ArrayLike, scanned: npt.ArrayLike) -> Floats:
    """Return a head count as far as it is informative: below five it is only if a place is usually ``scanned``.

    A place that nobody ever checked in to is therefore not taken for an empty one, and its first four visitors do not
    show.
    """
    many = np.asarray(heads, np.float64)
    return np.asarray(np.where((many >= FEWEST_SHOWN) | np.asarray(scanned, bool), many, UNKNOWN))


def during(
    usual: npt.ArrayLike,
    present: npt.ArrayLike,
    *,
    ahead_h: npt.ArrayLike,
    stay_h: npt.ArrayLike,
    dwell_h: npt.ArrayLike,
) -> Floats:
    """Return mean check-ins during a stay that begins ``ahead_h`` hours from now; shapes broadcast.

    ``usual``: check-ins at that hour. ``present``: check-ins now, unknown if nothing is observed.
    """
    usually, dwell, stay = (np.asarray(one, np.float64) for one in (usual, dwell_h, stay_h))
    left = np.exp(-np.asarray(ahead_h, np.float64) / dwell) * -np.expm1(-stay / dwell) * dwell / stay
    now = np.asarray(present, np.float64)
    return np.asarray(usually + (np.where(np.isfinite(now), now, usually) - usually) * left)
