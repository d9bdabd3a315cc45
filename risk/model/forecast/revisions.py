"""Learn from earlier vintages how much first reports are revised."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from risk.model.forecast.panel import WEEK, Floats, Panel

AGES: Final = 2
"""Number of newest weeks that are corrected."""
VINTAGES: Final = 8
WITHIN: Final = np.timedelta64(180, "D")
SHRINK: Final = 2.0
BOUNDS: Final = (-0.1, 0.3)
FEWEST: Final = 5.0
"""Counts below this are left out, because ratios of small numbers say little."""


def correction(now: Panel, before: Sequence[Panel]) -> Floats:
    """Return log factors (2,) by which the newest week and the one before it are expected to change.

    ``before``: panels known earlier, oldest first. Each factor is the median log ratio of what is known now to what was
    first known, over areas and the last eight vintages within 180 days, shrunk by n / (n + 2) and limited to -0.1..0.3.
    """
    recent = [panel for panel in before if now.as_of - WITHIN <= panel.as_of < now.as_of][-VINTAGES:]
    factors = np.zeros(AGES)
    for age in range(AGES):
        ratios = [ratio for panel in recent if len(ratio := _ratios(now, panel, age))]
        if ratios:
            median = float(np.median(np.concatenate(ratios)))
            factors[age] = np.clip(median * len(ratios) / (len(ratios) + SHRINK), *BOUNDS)
    return factors


def _ratios(now: Panel, then: Panel, age: int) -> Floats:
    """Return log ratios of the week that was ``age`` weeks old then; none while that week is still as young."""
    row = int((now.as_of - then.as_of) // WEEK) + age
    if row < AGES or row >= len(now.weeks) or age >= len(then.weeks):
        return np.zeros(0)
    first, latest = then.of(now.areas).values[-1 - age], now.values[-1 - row]
    used = (first >= FEWEST) & (latest > 0.0)
    return np.asarray(np.log(latest[used] / first[used]))


def corrected(panel: Panel, factors: Floats) -> Panel:
    """Return the panel with its newest weeks corrected by the expected revisions."""
    values = panel.values.copy()
    ages = min(AGES, len(values))
    values[len(values) - ages :] *= np.exp(factors[:ages][::-1])[:, None]
    return Panel(panel.weeks, panel.areas, values)
