"""Decide whether a new estimate may replace the one in force.

The comparison uses reports that neither side has seen: cells of the last 28 days or a little more, predicted by the
posterior mean chance of each. The candidate's side is what the same estimator gives without them (`fit` on the older
cells); the other side is a version that was in force before them. A candidate is refused if it predicts worse by more
than two standard errors, given at least 30 positives; if it is not finite; and if it rests on too few effective draws.
Comparing on a single day would refuse correct updates half of the time.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Final

import numpy as np

from risk.model.learning.cells import Cells, Floats, no_cells
from risk.model.learning.posterior import LEAST_EFFECTIVE, DivergedError, Estimate, Prior, chances, fit

FEWEST_POSITIVES: Final = 30
STANDARD_ERRORS: Final = 2.0


class Reason(enum.StrEnum):
    """Reason why a candidate takes effect, or why the former version stays."""

    LEARNED = "learned"
    DIVERGED = "diverged"
    NOT_FINITE = "not finite"
    FEW_EFFECTIVE_DRAWS = "few effective draws"
    PREDICTS_WORSE = "predicts worse"


@dataclass(frozen=True, slots=True)
class Verdict:
    """The result of a comparison; zeros if nothing could be compared.

    ``difference``: log score of the candidate's side minus that of the version in force, over all unseen reports;
    ``standard_error`` of the difference; ``positives`` among the reports.
    """

    reason: Reason
    difference: float = 0.0
    standard_error: float = 0.0
    positives: int = 0

    @property
    def accepted(self) -> bool:
        """Return whether the candidate takes effect; if not, the former version stays and needs review."""
        return self.reason is Reason.LEARNED


@dataclass(frozen=True, eq=False)
class Learned:
    """The estimate from now on (`None`: still the prior), and the decision about the new one."""

    estimate: Estimate | None
    verdict: Verdict


def verdict(unseen: Cells, candidate: Floats, former: Floats) -> Verdict:
    """Compare two predictions (n,) of the chance of a positive report on cells that neither has seen.

    Reporters are the units of the standard error: in a cell, each positive and each negative contributes its
    difference.
    """
    if not all(np.isfinite(side).all() and ((side > 0.0) & (side < 1.0)).all() for side in (candidate, former)):
        return Verdict(Reason.NOT_FINITE)
    negatives = unseen.reporters - unseen.positives
    better = np.log(candidate) - np.log(former), np.log1p(-candidate) - np.log1p(-former)
    difference = float(unseen.positives @ better[0] + negatives @ better[1])
    squares = float(unseen.positives @ better[0] ** 2 + negatives @ better[1] ** 2)
    heads, positives = int(unseen.reporters.sum()), int(unseen.positives.sum())
    error = float(np.sqrt(max(squares - difference**2 / max(heads, 1), 0.0)))
    worse = positives >= FEWEST_POSITIVES and difference < -STANDARD_ERRORS * error
    return Verdict(Reason.PREDICTS_WORSE if worse else Reason.LEARNED, difference, error, positives)


def learn(
    cells: Cells,
    prior: Prior,
    *,
    period: int,
    seed: int,
    since: int | None = None,
    in_force: Estimate | None = None,
    reference: Estimate | None = None,
) -> Learned:
    """Refit from all stored cells, and decide.

    ``period`` is the newest; both sides are compared on cells of ``since`` (by default the newest period) and later.
    ``in_force`` stays if the candidate is refused. ``reference`` is the version that was in force before ``since``
    began: yesterday's version has the same data as the candidate, and using it would compare an estimator with itself.
    `None` is the prior.

    The same arguments give the same result, so that running it again changes nothing. Never raise for the content of
    reports.
    """
    first = period if since is None else since
    unseen = cells.where((cells.period >= first) & (cells.period <= period))
    try:
        candidate = fit(cells, prior, period=period, seed=seed)
        older = fit(cells.where(cells.period < first), prior, period=first - 1, seed=seed)
        other = reference or fit(no_cells(), prior, period=period, seed=seed)
    except DivergedError:
        return Learned(in_force, Verdict(Reason.DIVERGED))
    if min(candidate.effective, older.effective) < LEAST_EFFECTIVE:
        return Learned(in_force, Verdict(Reason.FEW_EFFECTIVE_DRAWS))
    decided = verdict(unseen, chances(unseen, older), chances(unseen, other))
    return Learned(candidate if decided.accepted else in_force, decided)
