"""The fit: from noisy counts to the consistent integers that rows are dealt from.

A table of rows cannot be unbiased, because no row is negative; unbiased values are in the table of signals. The bias of
rows is kept small: totals come from unclipped sums (`joint.py`), a cell of a ZIP is published only if it exceeds its
noise, the rest of a total goes to the empty ZIP, and a column below its noise is null. The fit reads noisy counts only,
so it costs no budget.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from exports.policy.attributes import fit_attributes
from exports.policy.domain import ZIP_RISK_RESULT, ZIP_SYMPTOMS
from exports.policy.draw import Drawn
from exports.policy.estimates import Estimates
from exports.policy.joint import joint
from exports.policy.noise import Counts, Floats, tail_bound, variance
from exports.policy.rounding import round_to

# Maximum share of published ZIPs that are empty apart from noise (Benjamini and Hochberg 1995).
FALSE_ZIPS: Final = 0.05
# A cell is published when its estimate is at least this many times its standard error.
CLEAR: Final = 1.5


@dataclass(frozen=True)
class Fitted:
    """A day's released counts: consistent non-negative integers of counted check-ins.

    `cells` is [ZIP, risklevel, outcome], with the empty ZIP first; `answers` is [risklevel, outcome, symptoms,
    diagnosed, contact, near]; `symptoms` is [ZIP, risklevel, outcome]: those of `cells` with symptoms. `attributes`
    has, by table name, the rows of each value of the other columns, by risklevel if they are counted by it; rows beyond
    their sum are null. `nulls` has the columns that are null for the whole day, because noise exceeds what they would
    show. `published` marks the cells of a known ZIP that were not suppressed. `factor` scaled marked counts up.
    """

    total: int
    factor: float
    cells: Counts
    answers: Counts
    symptoms: Counts
    attributes: dict[str, Counts]
    nulls: tuple[str, ...]
    published: NDArray[np.bool_]


def fit(drawn: Drawn) -> Fitted:
    """Fit released counts to a day's noisy ones. Equal draws give equal counts."""
    estimates = Estimates(drawn)
    answers = joint(estimates)
    groups = answers.sum(axis=(2, 3, 4, 5))
    cells, published = _cells(estimates, groups)
    attributes, nulls = fit_attributes(estimates, groups)
    return Fitted(
        total=int(answers.sum()),
        factor=1 / drawn.keep,
        cells=cells,
        answers=answers,
        symptoms=_symptoms(estimates, cells, answers[:, :, 1].sum(axis=(2, 3, 4))),
        attributes=attributes,
        nulls=nulls,
        published=published,
    )


def _cells(estimates: Estimates, groups: Counts) -> tuple[Counts, NDArray[np.bool_]]:
    """Return the published cells of each ZIP, with the rest of each [risklevel, outcome] total in the empty ZIP."""
    table, factor = estimates.drawn.table(ZIP_RISK_RESULT), 1 / estimates.drawn.keep
    shape = table.workload.shape
    noisy = estimates.counts[ZIP_RISK_RESULT][1:].reshape(-1, groups.size)
    if not groups.any() or not len(noisy):
        cells = np.concatenate([groups.reshape(1, -1), np.zeros(noisy.shape, dtype=np.int64)])
        return cells.reshape(shape), _everywhere(np.zeros(noisy.shape, dtype=bool), shape)
    shares = groups.ravel() / groups.sum()
    estimate, error = _shrunk(noisy, shares, variance(table.scale))
    stands_out = _zips_that_stand_out(noisy, shares, table.scale)
    published = stands_out[:, None] & (estimate >= CLEAR * error)
    scaled = np.rint(np.where(published, estimate, 0) * factor).astype(np.int64)
    for group, whole in enumerate(groups.ravel()):
        if scaled[:, group].sum() > whole:
            scaled[:, group] = round_to(scaled[:, group].astype(np.float64), int(whole))
    rest = groups.ravel() - scaled.sum(axis=0)
    cells = np.concatenate([rest[None, :], scaled]).reshape(shape)
    return cells, _everywhere(published, shape)


def _everywhere(published: NDArray[np.bool_], shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """Return the marks of known ZIPs in the table's shape; the empty ZIP is always published."""
    first = np.ones((1, published.shape[1]), dtype=bool)
    return np.concatenate([first, published]).reshape(shape)


def _shrunk(noisy: Floats, shares: Floats, noise: float) -> tuple[Floats, Floats]:
    """Return the empirical-Bayes estimate of each cell and its standard error.

    A cell is shrunk towards its ZIP's total times the group's share of the day; the weight depends on how much the ZIPs
    differ beyond their noise, by the method of moments (Morris 1983, "Parametric empirical Bayes inference").
    """
    # Least-squares estimate of a ZIP's size if its groups had the day's proportions; less noisy than the plain sum.
    power = float((shares**2).sum())
    expected = np.maximum(noisy @ shares / power, 0)[:, None] * shares
    # Variance of (cell - expected) and of expected that comes from noise: the cell is part of its ZIP's size.
    of_noise = noise * (1 - shares**2 / power)
    spread = ((noisy - expected) ** 2 - of_noise - expected).sum(axis=0)
    squares = np.maximum((expected**2).sum(axis=0), 1)
    between = np.maximum(spread / squares, 0)
    prior = expected + between * expected**2 + noise * shares**2 / power
    weight = prior / (prior + noise)
    return np.maximum(weight * noisy + (1 - weight) * expected, 0), np.sqrt(weight * noise)


def _zips_that_stand_out(noisy: Floats, shares: Floats, scale: float) -> NDArray[np.bool_]:
    """Return ZIPs whose noisy size is unlikely for an empty ZIP; at most a share `FALSE_ZIPS` of them is empty."""
    chance = tail_bound(scale, shares, noisy @ shares)
    ordered = np.sort(chance)
    passed = np.nonzero(ordered <= FALSE_ZIPS * np.arange(1, len(ordered) + 1) / len(ordered))[0]
    limit = ordered[passed[-1]] if passed.size else -1.0
    out: NDArray[np.bool_] = chance <= limit
    return out


def _symptoms(estimates: Estimates, cells: Counts, by_group: Counts) -> Counts:
    """Return the rows with symptoms of each cell: its group's share, adjusted by the ZIP's own noisy count.

    Sums over ZIPs are `by_group`, and no cell has more than its rows.
    """
    sizes = cells.reshape(len(cells), -1).astype(np.float64)
    totals = by_group.ravel()
    share = totals / np.maximum(sizes.sum(axis=0), 1)
    expected = (sizes * share).sum(axis=1)
    table, factor = estimates.drawn.table(ZIP_SYMPTOMS), 1 / estimates.drawn.keep
    noisy = estimates.counts[ZIP_SYMPTOMS].reshape(len(cells), -1, 2)[:, :, 1]
    tilt = _tilt(noisy.sum(axis=1) * factor, expected, noisy.shape[1] * variance(table.scale) * factor**2)
    symptoms = np.zeros(sizes.shape, dtype=np.int64)
    for group, whole in enumerate(totals):
        wanted = _fill(sizes[:, group] * share[group] * tilt, sizes[:, group], float(whole))
        symptoms[:, group] = _round_within(wanted, sizes[:, group].astype(np.int64), int(whole))
    return symptoms.reshape(cells.shape)


def _tilt(noisy: Floats, expected: Floats, noise: float) -> Floats:
    """Return the ratio of symptoms to their expectation from the groups, shrunk towards 1; 1 for the empty ZIP."""
    known = expected[1:]
    spread = ((noisy[1:] - known) ** 2 - noise - known).sum()
    between = max(0.0, float(spread / max(1.0, float((known**2).sum()))))
    weight = between * known**2 / (between * known**2 + known + noise)
    tilt = np.ones_like(expected)
    tilt[1:] = np.maximum(1 + weight * (noisy[1:] / np.maximum(known, 1e-9) - 1), 0)
    return tilt


def _fill(wanted: Floats, room: Floats, total: float) -> Floats:
    """Return amounts in proportion to `wanted`, none above its `room`, that add up to `total` (which must fit)."""
    filled, open_ = np.zeros_like(wanted), room > 0
    while open_.any() and total - filled.sum() > 1e-9:
        base = np.where(open_, wanted, 0)
        if base.sum() <= 0:
            base = np.where(open_, room, 0)
        level = (total - filled[~open_].sum()) / base.sum()
        amounts = np.where(open_, base * level, filled)
        over = open_ & (amounts >= room)
        filled = np.where(over, room, amounts)
        if not over.any():
            break
        open_ &= ~over
    return filled


def _round_within(values: Floats, room: Counts, total: int) -> Counts:
    """Return integers near `values` that add up to `total`, none above its `room`."""
    floors = np.minimum(np.floor(values + 1e-9).astype(np.int64), room)
    left = total - int(floors.sum())
    while left > 0:
        order = np.argsort(-np.where(floors < room, values - floors, -np.inf), kind="stable")
        free = order[: min(left, int((floors < room).sum()))]
        floors[free] += 1
        left -= len(free)
    return floors
