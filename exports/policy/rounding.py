"""Round to integers without changing sums."""

import numpy as np

from exports.policy.noise import Counts, Floats


def round_to(values: Floats, total: int) -> Counts:
    """Return integers that add up to `total`, in proportion to `values` (largest remainders)."""
    shares = values * (total / values.sum())
    floors: Counts = np.floor(shares + 1e-9).astype(np.int64)
    order = np.argsort(-(shares - floors), kind="stable")
    floors[order[: total - int(floors.sum())]] += 1
    return floors


def round_along(cells: Floats, total: int) -> Counts:
    """Round to integers that add up to `total`, along the running sum with the answers as the slow axes."""
    answers_first = np.moveaxis(cells, (0, 1), (-2, -1))
    running = np.cumsum(answers_first.ravel())
    scaled = running * (total / running[-1]) if running[-1] > 0 else running
    ends = np.floor(scaled + 0.5).astype(np.int64)
    ends[-1] = total
    counts = np.diff(ends, prepend=0).reshape(answers_first.shape)
    return np.ascontiguousarray(np.moveaxis(counts, (-2, -1), (0, 1)))
