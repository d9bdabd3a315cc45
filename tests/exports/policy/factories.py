"""Small days of counts."""

import datetime as dt
import math

import numpy as np

from exports.policy.domain import Workload, workloads
from exports.policy.noise import Counts, Mechanism

DAY = dt.date(2020, 10, 15)
ZIPS = ("021", "100", "902")


def tables(*, zip3: tuple[str, ...] = ZIPS, readings: bool = True) -> tuple[Workload, ...]:
    return workloads(zip3=zip3, readings=readings)


def empty_counts(domain: tuple[Workload, ...]) -> dict[str, Counts]:
    return {table.name: np.zeros(table.shape, dtype=np.int64) for table in domain}


def counts_of(domain: tuple[Workload, ...], rows: list[dict[str, int]]) -> dict[str, Counts]:
    """Return exact counts of rows given as value indexes by axis; missing axes have index 0."""
    counts = empty_counts(domain)
    for row in rows:
        for table in domain:
            counts[table.name][tuple(row.get(axis.name, 0) for axis in table.axes)] += 1
    return counts


def a_day_of(size: int, *, seed: int = 0, domain: tuple[Workload, ...] | None = None) -> dict[str, Counts]:
    """Return counts of `size` random rows, uniform except for answers (mostly no) and refusals (one in ten)."""
    domain = domain or tables()
    rng = np.random.default_rng(seed)
    axes = {axis.name: axis for table in domain for axis in table.axes}
    codes = {
        name: (rng.random(size) < 0.1).astype(np.int64)
        if axis.values == ("false", "true")
        else rng.integers(len(axis.values), size=size)
        for name, axis in axes.items()
    }
    codes["outcome"] = rng.choice(3, size=size, p=[0.5, 0.4, 0.1])
    counts: dict[str, Counts] = {}
    for table in domain:
        place = np.ravel_multi_index([codes[axis.name] for axis in table.axes], table.shape)
        counts[table.name] = np.bincount(place, minlength=table.cells).reshape(table.shape).astype(np.int64)
    return counts


def seeded_noise(seed: int) -> Mechanism:
    """Return the discrete Laplace mechanism with the same noise in each run, for tests that depend on its size."""
    rng = np.random.default_rng(seed)

    def mechanism(counts: Counts, scale: float, l1: int) -> tuple[Counts, float]:
        # The difference of two geometric variables.
        up, down = rng.geometric(1 - math.exp(-1 / scale), (2, *counts.shape))
        return counts + up - down, l1 / scale

    return mechanism


def without_noise(counts: Counts, scale: float, l1: int) -> tuple[Counts, float]:
    """Return a mechanism without noise, to test the fit alone."""
    return counts.copy(), l1 / scale
