"""Adoption: the share of the people present who check in. Doses use its inverse.

A deployment sets its estimate (`Parameters.adoption`), which observations at a venue narrow: people counted there, the
owner's own figure, and CO2 where the fresh air is known (`co2.people_seen`). The posterior is computed on a grid, so
that three kinds of evidence need no common conjugate form. A host may be wrong on purpose, so `at_venue` limits how far
the result may lower doses; how far it raises them has no limit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.special import expit, gammaln, logit, ndtr

from risk.model.answers import STEP
from risk.model.constants import Constant, fixed
from risk.model.far import InvalidInputError
from risk.model.uncertainty import Floats, quantile

LEAST: Final = 0.02
HEAVIEST_COUNT: Final = 200.0
"""Number of people that one count at a door can weigh at most, since adoption varies by day; our assumption."""
SAID_LOGIT_SD: Final = 0.6
"""Error of an owner's own figure on a logit scale: 70 % means 46 to 87 %; our assumption."""
WORD_ODDS: Final = 2.0
"""Factor by which the odds of a check-in may rise, at most, if a verified host says or counts so; our choice."""
MEASURED_ODDS: Final = 4.0
"""The same if CO2 in known air agrees; our choice: the sensor is the host's, too."""
_SCORES: Final = np.linspace(-8.0, 6.0, 2801)
"""Normal scores of the grid. It reaches far below what a deployment expects: counts may show that few check in."""


def people_per_check_in(adoption: Constant) -> Constant:
    """Return the number of people present for each check-in."""
    if adoption.certain:
        return fixed(1.0 / adoption.value, "people per check-in", adoption.source)
    return Constant(
        1.0 / adoption.value, 1.0 / adoption.high, 1.0 / adoption.low, "people per check-in", adoption.source
    )


@dataclass(frozen=True, slots=True)
class DoorCount:
    """People who were counted, and their check-ins, known to less than ``within``: 1 if exactly."""

    people: float
    check_ins: float
    within: int = 1


def rounded_count(people: float, shown: float) -> DoorCount:
    """Return a count whose check-ins were rounded with a secret offset (`risk.model.answers.rounded`)."""
    return DoorCount(people, shown, STEP)


@dataclass(frozen=True, slots=True)
class PeopleSeen:
    """People for each check-in, estimated other than at a door, and the error of that (log standard deviation)."""

    per_check_in: float
    log_sd: float


def narrowed(
    prior: Constant,
    *,
    counts: Sequence[DoorCount] = (),
    said: Sequence[float] = (),
    seen: Sequence[PeopleSeen] = (),
) -> Constant:
    """Return adoption at a venue: the prior with the evidence. Without evidence it is the prior itself.

    ``counts`` at doors, ``said``: shares that the owner states, ``seen``: other estimates. The result has median, 5 %
    and 95 % points. A count with more check-ins than people is taken as full adoption. Raise `InvalidInputError`.
    """
    if not (counts or said or seen) or prior.certain:
        return prior
    share = np.clip(quantile(prior, ndtr(_SCORES)), LEAST, 1.0 - 1e-6)
    height = -0.5 * _SCORES**2
    for count in counts:
        height += _counted(share, count)
    for figure in said:
        if not 0.0 < figure <= 1.0:
            raise InvalidInputError("adoption", "must be above 0 and at most 1")
        off = logit(share) - logit(np.clip(figure, LEAST, 1.0 - LEAST))
        height -= 0.5 * (off / SAID_LOGIT_SD) ** 2
    for each in seen:
        if not (each.per_check_in > 0.0 and each.log_sd > 0.0 and np.isfinite([each.per_check_in, each.log_sd]).all()):
            raise InvalidInputError("adoption", "people for each check-in must be positive")
        height -= 0.5 * ((np.log(share) + np.log(each.per_check_in)) / each.log_sd) ** 2
    mass = np.exp(height - height.max())
    below = (np.cumsum(mass) - 0.5 * mass) / mass.sum()
    low, middle, high = expit(np.interp((0.05, 0.5, 0.95), below, logit(share))).tolist()
    return Constant(middle, low, high, "share", f"{prior.source}; narrowed by what was seen")


def at_venue(
    prior: Constant,
    *,
    verified: bool,
    counts: Sequence[DoorCount] = (),
    said: Sequence[float] = (),
    seen: Sequence[PeopleSeen] = (),
) -> Constant:
    """Return `narrowed`, limited in how far it may lower doses: median and both ends of the odds rise at most so far.

    At a place that is not verified they do not rise at all. The share of doses that remains is therefore at least the
    inverse of the limit, and more if the deployment's adoption is high.
    """
    found = narrowed(prior, counts=counts, said=said, seen=seen)
    if found is prior:
        return prior
    odds = 1.0 if not verified else MEASURED_ODDS if seen else WORD_ODDS
    low, middle, high = (
        min(own, float(expit(logit(of_prior) + np.log(odds))) if odds > 1.0 else of_prior)
        for own, of_prior in ((found.low, prior.low), (found.value, prior.value), (found.high, prior.high))
    )
    same = (low, middle, high) == (prior.low, prior.value, prior.high)
    return prior if same else Constant(middle, low, high, found.unit, found.source)


def _counted(share: Floats, count: DoorCount) -> Floats:
    """Return the binomial log-likelihood of a count, with no more weight than `HEAVIEST_COUNT` people.

    A rounded number of check-ins is a mean over those it may come from; their weight falls linearly with the distance.
    """
    if not (np.isfinite([count.people, count.check_ins]).all() and count.people > 0.0 and count.check_ins >= 0.0):
        raise InvalidInputError("adoption", "people counted must be more than none")
    weight = min(1.0, HEAVIEST_COUNT / count.people)
    near = np.arange(1 - count.within, count.within)
    true = count.check_ins + near
    inside = np.minimum(true, count.people)[:, None]
    with np.errstate(divide="ignore"):
        prior = np.where(true >= 0.0, np.log1p(-np.abs(near) / count.within), -np.inf)
    ways = gammaln(count.people + 1.0) - gammaln(inside + 1.0) - gammaln(count.people - inside + 1.0)
    chance = ways + inside * np.log(share) + (count.people - inside) * np.log1p(-share)
    return np.asarray(
        weight * np.logaddexp.reduce(np.where(true[:, None] >= 0.0, chance, 0.0) + prior[:, None], axis=0)
    )
