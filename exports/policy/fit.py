"""The fit: from noisy counts to consistent integers.

Noise on every cell followed by clipping at zero adds up: thousands of empty cells each gain a little. So the totals
come from the coarse tables, a cell of a ZIP is published only if it exceeds its noise, and the rest of a total goes to
the empty ZIP. The fit reads noisy counts only, so it costs no budget.
"""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from exports.policy.domain import PASSES, RISK_RESULT_ANSWERS, TOTAL, ZIP_RISK_RESULT, ZIP_SYMPTOMS
from exports.policy.draw import Drawn, DrawnTable
from exports.policy.noise import Counts, Floats, tail_bound, variance

# Share of published ZIPs that may be empty ones lifted by noise (Benjamini and Hochberg 1995).
FALSE_ZIPS: Final = 0.2
# A cell is published when its estimate is at least this many times its standard error.
CLEAR: Final = 1.5
# An excess of passes over the cap of this many standard errors gets weight one half.
EXCESS_HALF_BELIEVED: Final = 3.0


@dataclass(frozen=True)
class Fitted:
    """A day's released counts: non-negative integers, consistent, scaled to all passes that were scanned or refused.

    `cells` is [ZIP, risklevel, result], its first ZIP the empty one; `answers` is [risklevel, result, symptoms,
    diagnosed, contact, near]; `symptoms` is [ZIP, risklevel, result]: those of `cells` with symptoms. `attributes` has,
    by table name, the counts of each other table: of one axis they add up to `total`, by risklevel to its rows.
    `published` marks the cells of a known ZIP that were not suppressed. `factor` scaled marked counts up.
    """

    total: int
    factor: float
    cells: Counts
    answers: Counts
    symptoms: Counts
    attributes: dict[str, Counts]
    published: NDArray[np.bool_]


def fit(drawn: Drawn) -> Fitted:
    """Fit released counts to a day's noisy ones. Equal draws give equal counts."""
    marked = marked_total(drawn)
    estimated = _all_passes(drawn, marked)
    factor = estimated / marked if marked > 0 else 1 / drawn.keep
    total = max(0, round(estimated))
    groups = _round_to(_risk_by_result(drawn, marked) * factor, total)
    cells, published = _cells(drawn.table(ZIP_RISK_RESULT), groups, factor)
    answers = _answers(drawn.table(RISK_RESULT_ANSWERS), groups, factor)
    symptoms = _symptoms(drawn.table(ZIP_SYMPTOMS), cells, answers[:, :, 1].sum(axis=(2, 3, 4)), factor)
    return Fitted(
        total=total,
        factor=factor,
        cells=cells,
        answers=answers,
        symptoms=symptoms,
        attributes=_attributes(drawn, total, groups.sum(axis=1), factor),
        published=published,
    )


def marked_total(drawn: Drawn) -> float:
    """Estimate the marked passes of the day: every table's sum, weighted by the inverse of its variance."""
    tables = [table for table in drawn.tables if table.workload.name != PASSES]
    weights = np.array([1 / (table.workload.cells * variance(table.scale)) for table in tables])
    sums = np.array([float(table.noisy.sum()) for table in tables])
    return max(0.0, float((weights * sums).sum() / weights.sum()))


def _all_passes(drawn: Drawn, marked: float) -> float:
    """Estimate all passes: undo the coin, and add the passes beyond the cap as far as they exceed noise."""
    uncoined = marked / drawn.keep
    passes = drawn.table(PASSES)
    excess = float(passes.noisy) - uncoined
    if excess <= 0:
        return uncoined
    coin = marked * (1 - drawn.keep) / drawn.keep**2
    error = math.sqrt(variance(passes.scale) + variance(drawn.table(TOTAL).scale) / drawn.keep**2 + coin)
    ratio = (excess / (EXCESS_HALF_BELIEVED * error)) ** 4
    return uncoined + excess * ratio / (1 + ratio)


def _risk_by_result(drawn: Drawn, marked: float) -> Floats:
    """[risklevel, result] from both tables that hold it, by the inverse of their variance; adds up to the total."""
    weighted, weights = np.zeros((3, 2)), 0.0
    for name, axes in ((ZIP_RISK_RESULT, (0,)), (RISK_RESULT_ANSWERS, (2, 3, 4, 5))):
        table = drawn.table(name)
        summed = table.noisy.sum(axis=axes)
        weight = 1 / (table.workload.cells / summed.size * variance(table.scale))
        weighted, weights = weighted + weight * summed, weights + weight
    return onto_simplex((weighted / weights).ravel(), marked).reshape(3, 2)


def onto_simplex(values: Floats, total: float) -> Floats:
    """Return the nearest non-negative values (least squares) that add up to `total` (Held, Wolfe and Crowder 1974)."""
    if total <= 0:
        return np.zeros_like(values)
    ordered = np.sort(values)[::-1]
    surplus = (np.cumsum(ordered) - total) / np.arange(1, len(values) + 1)
    last = int(np.nonzero(ordered >= surplus)[0][-1])
    return np.asarray(np.maximum(values - surplus[last], 0), dtype=np.float64)


def _round_to(values: Floats, total: int) -> Counts:
    """Return integers that add up to `total`, in proportion to `values` (largest remainders); equal if all are zero."""
    flat = values.ravel().astype(np.float64)
    whole = flat.sum()
    shares = flat * (total / whole) if whole > 0 else np.full(flat.size, total / flat.size)
    floors = np.floor(shares + 1e-9).astype(np.int64)
    left = total - int(floors.sum())
    order = np.argsort(-(shares - floors), kind="stable")
    floors[order[:left]] += 1
    return floors.reshape(values.shape)


def _cells(table: DrawnTable, groups: Counts, factor: float) -> tuple[Counts, NDArray[np.bool_]]:
    """Return published cells of each ZIP, with the rest of each [risklevel, result] total in the empty ZIP."""
    noisy = table.noisy[1:].reshape(-1, groups.size).astype(np.float64)
    if not groups.any():
        return np.zeros(table.workload.shape, dtype=np.int64), _everywhere(np.zeros(noisy.shape, dtype=bool), table)
    shares = groups.ravel() / groups.sum()
    estimate, error = _shrunk(noisy, shares, variance(table.scale))
    stands_out = _zips_that_stand_out(noisy, shares, table.scale)
    published = stands_out[:, None] & (estimate >= CLEAR * error)
    scaled = np.rint(np.where(published, estimate, 0) * factor).astype(np.int64)
    for group, whole in enumerate(groups.ravel()):
        if scaled[:, group].sum() > whole:
            scaled[:, group] = _round_to(scaled[:, group].astype(np.float64), int(whole))
    rest = groups.ravel() - scaled.sum(axis=0)
    cells = np.concatenate([rest[None, :], scaled]).reshape(table.workload.shape)
    return cells, _everywhere(published, table)


def _everywhere(published: NDArray[np.bool_], table: DrawnTable) -> NDArray[np.bool_]:
    """Return the marks of known ZIPs in the table's shape; the empty ZIP is always published."""
    first = np.ones((1, published.shape[1]), dtype=bool)
    return np.concatenate([first, published]).reshape(table.workload.shape)


def _shrunk(noisy: Floats, shares: Floats, noise: float) -> tuple[Floats, Floats]:
    """Return the empirical-Bayes estimate of each cell and its standard error.

    A cell is shrunk towards its ZIP's total times the group's share of the day; the weight depends on how much the ZIPs
    differ beyond their noise, by the method of moments (Morris 1983, "Parametric empirical Bayes inference").
    """
    # Least squares of a ZIP's size, were its groups in the day's proportions: less noise than the plain sum.
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
    """Return ZIPs whose noisy size an empty ZIP would hardly reach; at most `FALSE_ZIPS` of them are empty."""
    chance = tail_bound(scale, shares, noisy @ shares)
    ordered = np.sort(chance)
    passed = np.nonzero(ordered <= FALSE_ZIPS * np.arange(1, len(ordered) + 1) / len(ordered))[0]
    limit = ordered[passed[-1]] if passed.size else -1.0
    out: NDArray[np.bool_] = chance <= limit
    return out


def _answers(table: DrawnTable, groups: Counts, factor: float) -> Counts:
    """Return the answers within each [risklevel, result], adding up to it."""
    answers = np.zeros(table.workload.shape, dtype=np.int64)
    for risk, result in np.ndindex(*groups.shape):
        whole = int(groups[risk, result])
        noisy = table.noisy[risk, result].ravel().astype(np.float64) * factor
        answers[risk, result] = _round_to(onto_simplex(noisy, whole), whole).reshape(table.workload.shape[2:])
    return answers


def _symptoms(table: DrawnTable, cells: Counts, by_group: Counts, factor: float) -> Counts:
    """Rows with symptoms of each cell: by its group's share, tilted towards the ZIP's own noisy count where that tells.

    Sums over ZIPs are `by_group`, and no cell has more than its rows.
    """
    sizes = cells.reshape(len(cells), -1).astype(np.float64)
    totals = by_group.ravel()
    share = totals / np.maximum(sizes.sum(axis=0), 1)
    expected = (sizes * share).sum(axis=1)
    tilt = _tilt(table.noisy[:, 1].astype(np.float64) * factor, expected, variance(table.scale) * factor**2)
    symptoms = np.zeros(sizes.shape, dtype=np.int64)
    for group, whole in enumerate(totals):
        wanted = _fill(sizes[:, group] * share[group] * tilt, sizes[:, group], float(whole))
        symptoms[:, group] = _round_within(wanted, sizes[:, group].astype(np.int64), int(whole))
    return symptoms.reshape(cells.shape)


def _tilt(noisy: Floats, expected: Floats, noise: float) -> Floats:
    """Ratio of each known ZIP's symptoms to what its groups let expect, shrunk towards 1; 1 for the empty ZIP."""
    known = expected[1:]
    spread = ((noisy[1:] - known) ** 2 - noise - known).sum()
    between = max(0.0, float(spread / max(1.0, float((known**2).sum()))))
    weight = between * known**2 / (between * known**2 + known + noise)
    tilt = np.ones_like(expected)
    tilt[1:] = np.maximum(1 + weight * (noisy[1:] / np.maximum(known, 1e-9) - 1), 0)
    return tilt


def _fill(wanted: Floats, room: Floats, total: float) -> Floats:
    """Return amounts in proportion to `wanted`, none above its `room`, adding up to `total` (which fits)."""
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


def _attributes(drawn: Drawn, total: int, by_risk: Counts, factor: float) -> dict[str, Counts]:
    """Fit every other table: one axis adds up to the day's total, two axes to the rows of each risklevel."""
    done = {PASSES, TOTAL, ZIP_RISK_RESULT, RISK_RESULT_ANSWERS, ZIP_SYMPTOMS}
    attributes = {}
    for table in drawn.tables:
        if table.workload.name in done:
            continue
        noisy = table.noisy.astype(np.float64) * factor
        if noisy.ndim == 1:
            attributes[table.workload.name] = _round_to(onto_simplex(noisy, total), total)
        else:
            attributes[table.workload.name] = np.stack(
                [_round_to(onto_simplex(line, whole), int(whole)) for line, whole in zip(noisy, by_risk, strict=True)]
            )
    return attributes
