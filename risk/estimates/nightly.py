"""The nightly fit: from all cells, refused where it predicts worse, else in force for the next shields.

Nothing learned is the prior of the next fit, so running it again, or leaving nights out, changes nothing. A version
differs from the one before by five reporters or more, so that no two of them single anybody out.
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
"""Draws of a version that are kept, for the gate of later nights."""
PRIOR: Final = Prior()


@dataclass(frozen=True, slots=True)
class Night:
    """What a night did. ``version``: of the fit, None where there was none; ``reason``: the gate's, or "unchanged"."""

    reporters: int
    version: str | None
    reason: str


def learn_tonight(*, now: dt.datetime) -> Night:
    """Fit, let the gate decide, and put what it accepts in force."""
    cells = kept_cells()
    reporters = int(cells.reporters.sum())
    last = LearnedEstimate.objects.order_by("-pk").first()
    if abs(reporters - (last.reporters if last else 0)) < FEWEST:
        return Night(reporters, None, "unchanged")
    period = period_of(now.astimezone(deployment_zone()).date())
    unseen = period - 1  # with the one that has begun, 28 to 56 days
    found = learn(cells, PRIOR, period=period, seed=SEED, since=unseen, reference=_reference(unseen))
    version = _record(cells, period, found, now)
    return Night(reporters, version, found.verdict.reason.value)


def _reference(before: int) -> Estimate | None:
    """The version that was in force before a period began; `None` is the prior."""
    row = LearnedEstimate.objects.filter(accepted=True, period__lt=before).order_by("-pk").first()
    return None if row is None else estimate_of(row)


def estimate_of(row: LearnedEstimate) -> Estimate:
    """The posterior of a row, as draws of equal weight."""
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
    """So many draws of equal weight, (count, parameters), by systematic resampling: the same each time."""
    reached = np.cumsum(estimate.weights)
    places = np.searchsorted(reached, (np.arange(count) + 0.5) / count)
    return np.asarray(estimate.draws[np.minimum(places, len(reached) - 1)])
