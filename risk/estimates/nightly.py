"""Nightly fit from all cells. It is refused if it predicts worse; otherwise it is in force for the next shields.

A fit never starts from an earlier one, so running it again, or skipping nights, changes nothing. Consecutive versions
differ by at least five reporters, so that comparing two of them singles out nobody.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from django.db import transaction

from common.time import deployment_zone
from risk.crowd.parameters import parameters_in_force, record_parameters
from risk.estimates.cells import kept_cells, period_of
from risk.model.learned import taught_by
from risk.model.learning.cells import FEWEST, Cells
from risk.model.learning.gate import Learned, learn
from risk.model.learning.posterior import NAMES, Estimate, Prior
from risk.model.parameters import Adaptive
from risk.model.uncertainty import Floats
from risk.models import LearnedEstimate

SEED: Final = 14
KEPT_DRAWS: Final = 600
"""Number of draws stored with a version, for the gate of later nights."""
PRIOR: Final = Prior()


@dataclass(frozen=True, slots=True)
class Night:
    """The result of a night.

    ``version`` of the fit, `None` if there was none; ``reason``: the gate's, or "unchanged".
    """

    reporters: int
    version: str | None
    reason: str


def learn_tonight(*, now: dt.datetime) -> Night:
    """Fit, let the gate decide, and put an accepted fit in force."""
    cells = kept_cells()
    reporters = int(cells.reporters.sum())
    last = LearnedEstimate.objects.order_by("-pk").first()
    if abs(reporters - (last.reporters if last else 0)) < FEWEST:
        return Night(reporters, None, "unchanged")
    period = period_of(now.astimezone(deployment_zone()).date())
    unseen = period - 1  # together with the current period, 28 to 56 days
    found = learn(cells, PRIOR, period=period, seed=SEED, since=unseen, reference=_reference(unseen))
    version = _record(cells, period, found, now)
    return Night(reporters, version, found.verdict.reason.value)


def _reference(before: int) -> Estimate | None:
    """Return the version that was in force before a period began; `None` is the prior."""
    row = LearnedEstimate.objects.filter(accepted=True, period__lt=before).order_by("-pk").first()
    return None if row is None else estimate_of(row)


def estimate_of(row: LearnedEstimate) -> Estimate:
    """Return the posterior of a row, as draws of equal weight."""
    draws = np.frombuffer(row.draws, "<f4").astype(np.float64).reshape(-1, len(NAMES))
    weights = np.full(len(draws), 1.0 / len(draws))
    return Estimate(draws, weights, 1.0, row.typical_dose, row.version)


@transaction.atomic
def _record(cells: Cells, period: int, found: Learned, now: dt.datetime) -> str:
    verdict, accepted = found.verdict, found.estimate if found.verdict.accepted else None
    LearnedEstimate.objects.create(
        version=accepted.version if accepted else "",
        period=period,
        created_at=now,
        reporters=int(cells.reporters.sum()),
        positives=int(cells.positives.sum()),
        prompted=int(cells.reporters[cells.prompted == 1].sum()),
        accepted=accepted is not None,
        reason=verdict.reason.value,
        difference=verdict.difference,
        standard_error=verdict.standard_error,
        judged_positives=verdict.positives,
        **(_columns(accepted) if accepted else {}),
    )
    if accepted is None:
        return ""
    former = parameters_in_force().adaptive
    adaptive = Adaptive(former.dose_scale, former.hidden_carriers, former.kind_intensity, taught_by(accepted, PRIOR))
    reason = f"learned from {int(cells.reporters.sum())} reports"
    record_parameters(adaptive=adaptive, reason=reason, actor="system", now=now)
    return accepted.version


def _columns(estimate: Estimate) -> dict[str, Any]:
    columns = np.column_stack([estimate.mean, estimate.sd, estimate.low, estimate.high])
    return {
        "summary": {name: [round(float(value), 4) for value in row] for name, row in zip(NAMES, columns, strict=True)},
        "typical_dose": estimate.typical_dose,
        "draws": resampled(estimate, KEPT_DRAWS).astype("<f4").tobytes(),
    }


def resampled(estimate: Estimate, count: int) -> Floats:
    """Return ``count`` draws of equal weight, (count, parameters), by systematic resampling, which is deterministic."""
    reached = np.cumsum(estimate.weights)
    places = np.searchsorted(reached, (np.arange(count) + 0.5) / count)
    return np.asarray(estimate.draws[np.minimum(places, len(reached) - 1)])
