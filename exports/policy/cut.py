"""The cut of refusals: limit what anyone could add remotely, after the noise and never before it.

A scan needs a device of the venue; a refusal at check-in needs only keys, which anyone can create. So refusals are a
separate slice of every table, and an area's slice is cut to a multiple of its usual refusals in earlier releases.
Nothing is dropped before the noise: which rows are dropped would depend on those of others, so one person could affect
the rows of several. The cut reads noisy counts only and costs no budget.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np

from exports.policy.domain import OUTCOME, REFUSED, ZIP_RISK_RESULT, ZIP_SYMPTOMS
from exports.policy.draw import Drawn, DrawnTable, Usual
from exports.policy.noise import Floats, variance

# An area's refusals are cut above this multiple of its usual refusals,
TIMES_USUAL: Final = 3.0
# and above this share of its scanned passes (usual or of the day), so that a patient attacker, whose refusals become
# usual, gains no more.
OF_SCANNED: Final = 0.5
# Standard errors of noise that are not cut: cutting noise alone would make the counts too small.
NOISE: Final = 3.0
# Number of earlier releases that define what is usual.
USUAL_RELEASES: Final = 28


def refusals_axis(table: DrawnTable) -> int | None:
    """Return the index of the axis with a separate value for refusals; `None` for a table of format 1."""
    return next((at for at, axis in enumerate(table.workload.axes) if axis.name == OUTCOME.name), None)


def has_refusals(drawn: Drawn) -> bool:
    """Return whether a draw counts refusals separately, unlike format 1."""
    return refusals_axis(drawn.table(ZIP_RISK_RESULT)) is not None


def usual_by_area(before: Sequence[Drawn]) -> dict[str, Usual]:
    """Return the mean counts per day of each area in earlier draws; draws of format 1 are ignored."""
    sums: dict[str, list[tuple[float, float]]] = {}
    for drawn in before:
        if not has_refusals(drawn):
            continue
        table = drawn.table(ZIP_RISK_RESULT)
        counts = cut_counts(drawn)[ZIP_RISK_RESULT].sum(axis=1) / drawn.days
        for area, line in zip(table.workload.axes[0].values, counts, strict=True):
            sums.setdefault(area, []).append((float(line[REFUSED]), float(line[:REFUSED].sum())))
    return {area: Usual(*(float(value) for value in np.mean(found, axis=0))) for area, found in sorted(sums.items())}


def limits(drawn: Drawn) -> Floats:
    """Return the maximum of refusals of each area, in noisy counts of marked passes."""
    table = drawn.table(ZIP_RISK_RESULT)
    scanned = table.noisy[:, :, :REFUSED].sum(axis=(1, 2)).astype(float)
    noise = NOISE * math.sqrt(table.workload.shape[1] * variance(table.scale))
    found = np.zeros(len(scanned))
    for at, area in enumerate(table.workload.axes[0].values):
        usual = drawn.usual.get(area)
        ceiling = OF_SCANNED * max(0.0, scanned[at], drawn.days * usual.scanned if usual else 0.0)
        multiple = TIMES_USUAL * drawn.days * max(0.0, usual.refused) if usual else math.inf
        found[at] = noise + min(multiple, ceiling)
    return found


def kept(drawn: Drawn) -> tuple[Floats, float]:
    """Return the share of refusals that each area keeps, and that all areas together keep.

    Both are 1 if nothing is cut.
    """
    table = drawn.table(ZIP_RISK_RESULT)
    refused = table.noisy[:, :, REFUSED].sum(axis=1).astype(float)
    most = limits(drawn)
    shares = np.where(refused > most, most / np.maximum(refused, 1), 1.0)
    removed = float((refused * (1 - shares)).sum())
    whole = max(float(refused.sum()), removed)
    return shares, 1 - removed / whole if removed else 1.0


def cut_counts(drawn: Drawn) -> Mapping[str, Floats]:
    """Return the noisy counts of each table with refusals cut, from which everything published is derived.

    Tables by area keep each area's share, the others the total share.
    """
    found = {table.workload.name: table.noisy.astype(np.float64) for table in drawn.tables}
    if not has_refusals(drawn):
        return found
    by_area, together = kept(drawn)
    if together == 1:
        return found
    for table in drawn.tables:
        axis, name = refusals_axis(table), table.workload.name
        if axis is None:
            continue
        refused: tuple[Any, ...] = (*(slice(None),) * axis, REFUSED)
        if name in (ZIP_RISK_RESULT, ZIP_SYMPTOMS):
            shares = by_area.reshape(-1, *[1] * (found[name].ndim - 2))
            found[name][refused] *= shares
        else:
            found[name][refused] *= together
    return found
