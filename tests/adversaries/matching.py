"""A matcher: compares two records by any field, and measures how often it would be right."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt


def alike(some: bytes, others: bytes) -> int:
    """Return how many bits agree."""
    return -(int.from_bytes(some, "big") ^ int.from_bytes(others, "big")).bit_count()


def near(some: float, others: float) -> float:
    """Return how close two numbers are."""
    return -abs(some - others)


def windows(data: bytes, size: int = 8) -> set[bytes]:
    """Return every run of eight bytes."""
    return {data[at : at + size] for at in range(len(data) - size + 1)}


def area_under_curve(same: Sequence[float] | npt.NDArray[Any], different: Sequence[float] | npt.NDArray[Any]) -> float:
    """Return the chance that a pair of one person scores above a pair of two; ties count half (Mann-Whitney)."""
    ordered = np.sort(np.asarray(different, dtype=float))
    mine = np.asarray(same, dtype=float)
    below = np.searchsorted(ordered, mine, "left") + np.searchsorted(ordered, mine, "right")
    return float(below.mean() / 2 / ordered.size)


def auc_of_pairs(scores: npt.NDArray[Any], true: set[tuple[int, int]]) -> float:
    """Return the same for `scores` of all pairs (mine, theirs), of which `true` are of one person."""
    marks = np.zeros(scores.shape, bool)
    marks[tuple(np.array(sorted(true)).T)] = True
    return area_under_curve(scores[marks], scores[~marks])
