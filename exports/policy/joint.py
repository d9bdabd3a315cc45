"""The joint counts of class of risk, outcome and answers: non-negative integers with unbiased totals.

Setting negative cells to zero, or projecting onto the simplex, inflates rare answers: sixteen nearly empty cells each
keep the positive half of their noise. So each total is estimated from unclipped sums and only then clipped;
the cells are raked to these totals (iterative proportional fitting, Deming and Stephan 1940), and rounded along their
running sum, which keeps every block of cells within one of its own sum.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np

from exports.policy.domain import ANSWER_AXES, RISK, RISK_RESULT_ANSWERS
from exports.policy.estimates import Estimates
from exports.policy.noise import Counts, Floats, variance
from exports.policy.rounding import round_along

SWEEPS: Final = 200
# Share of the independent counts that every cell keeps, so that a total can be reached even if all its cells are zero.
FLOOR: Final = 0.002
NAMES: Final = tuple(axis.name for axis in ANSWER_AXES)


def joint(estimates: Estimates) -> Counts:
    """Return integer counts by [risklevel, outcome, symptoms, diagnosed, contact, near]."""
    total = max(0, round(estimates.total))
    outcomes = to_total(estimates.of(estimates.outcome)[0], total)
    shape = (len(RISK.values), outcomes.size, *[2] * len(NAMES))
    if not total:
        return np.zeros(shape, dtype=np.int64)
    risks = to_total(estimates.of(RISK.name)[0], total)
    yes = [to_total(estimates.of(name)[0], total) for name in NAMES]
    groups = _groups(estimates, risks, outcomes)
    cells = _start(estimates, risks, outcomes, yes)
    return round_along(rake(cells, [((0, 1), groups), *(((at,), line) for at, line in enumerate(yes, start=2))]), total)


def _groups(estimates: Estimates, risks: Floats, outcomes: Floats) -> Floats:
    """Return positive counts by [risklevel, outcome] with these sums."""
    noisy, noise = estimates.of(RISK.name, estimates.outcome)
    independent = np.outer(risks, outcomes) / max(1.0, float(outcomes.sum()))
    return rake(_above_noise(noisy, noise) + FLOOR * independent, [((0,), risks), ((1,), outcomes)])


def to_total(values: Floats, total: float) -> Floats:
    """Return non-negative values that add up to `total`: the largest absorbs what clipping the others added.

    A value far above its noise does not change; one near zero gains at most 0.4 standard errors.
    """
    found = np.maximum(values, 0.0)
    largest = int(np.argmax(found))
    rest = float(found.sum() - found[largest])
    if rest <= total:
        found[largest] = total - rest
        return found
    found[largest] = 0.0
    return np.asarray(found * (total / rest))


def rake(cells: Floats, margins: Sequence[tuple[tuple[int, ...], Floats]]) -> Floats:
    """Return the cells scaled until their sums by the axes of each margin are the margin; the last holds exactly."""
    found = cells
    for _ in range(SWEEPS):
        worst = 0.0
        for axes, wanted in margins:
            sums = found.sum(axis=tuple(at for at in range(found.ndim) if at not in axes))
            factors = np.where(sums > 0, wanted / np.where(sums > 0, sums, 1), 0.0)
            worst = max(worst, float(np.abs(sums - wanted).max()))
            found = found * factors.reshape([found.shape[at] if at in axes else 1 for at in range(found.ndim)])
        if worst < 1e-6 * (1 + float(found.sum())):
            break
    return found


def _start(estimates: Estimates, risks: Floats, outcomes: Floats, yes: Sequence[Floats]) -> Floats:
    """Return positive cells in the proportions that the noisy counts and the published classes of risk suggest."""
    patterns = _patterns(estimates, outcomes, yes)
    whole = max(1.0, float(outcomes.sum()))
    known = _known_risks(estimates, risks / whole)
    expected = known * patterns
    table = estimates.drawn.table(RISK_RESULT_ANSWERS)
    noisy = estimates.counts[RISK_RESULT_ANSWERS] / estimates.drawn.keep
    measured = _above_noise(noisy, variance(table.scale) / estimates.drawn.keep**2)
    # If the classes are not known, cells above their noise show the risk of a pattern of answers.
    mixed = expected if estimates.drawn.levels else measured + expected
    shares = mixed / np.maximum(mixed.sum(axis=0, keepdims=True), 1e-12)
    floor = FLOOR * patterns * (risks / whole).reshape(-1, *[1] * patterns.ndim)
    return np.asarray(shares * patterns + floor)


def _patterns(estimates: Estimates, outcomes: Floats, yes: Sequence[Floats]) -> Floats:
    """Return positive counts by [outcome, four answers]."""
    noisy, noise = estimates.of(estimates.outcome, *NAMES)
    whole = max(1.0, float(outcomes.sum()))
    independent = outcomes.reshape(-1, *[1] * len(NAMES))
    for at, line in enumerate(yes):
        independent = independent * (line / whole).reshape([2 if axis == at + 1 else 1 for axis in range(5)])
    return _above_noise(noisy, noise) + FLOOR * independent + 1e-6


def _known_risks(estimates: Estimates, shares: Floats) -> Floats:
    """Return the chance of each class of risk for a pattern of answers: [risklevel, 1, four answers].

    The class follows from the pattern and the area's published prevalence; areas are weighted by size. Without known
    classes, it is the day's share for all patterns.
    """
    levels = estimates.drawn.levels
    if not levels:
        return np.broadcast_to(shares.reshape(-1, 1, 1, 1, 1, 1), (len(shares), 1, 2, 2, 2, 2))
    sizes, _ = estimates.of("zip")
    areas = next(axis for t in estimates.drawn.tables for axis in t.workload.axes if axis.name == "zip").values
    weights = np.maximum(sizes, 0.0) + 1e-6
    found = np.zeros((len(shares), 16))
    for area, weight in zip(areas, weights, strict=True):
        for pattern, level in enumerate(levels.get(area, "0" * 16)):
            found[int(level), pattern] += weight
    known: Floats = (found / weights.sum()).reshape(len(shares), 1, 2, 2, 2, 2)
    return known


def _above_noise(noisy: Floats, noise: float) -> Floats:
    """Return each count shrunk towards zero according to its noise (Wiener filter); zero below one standard error."""
    positive = np.maximum(noisy, 0.0)
    return np.asarray(positive * np.maximum(0.0, 1 - noise / np.maximum(positive**2, 1e-12)))
