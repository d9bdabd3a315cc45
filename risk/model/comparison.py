"""Explain a chance of infection: as time in a place that people know, and by a profile that fits."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from risk.model.kinds import Kind
from risk.model.parameters import Parameters
from risk.model.renewal import ordinary_fortnight, usual_hits_per_prevalence
from risk.model.shield import BUDGETS

KNOWN: Final = (Kind.SUPERMARKET, Kind.OFFICE, Kind.TRANSPORT, Kind.RESTAURANT)
"""Places that people know, in order of the cost of an hour; one of them is used for comparison."""
LONGEST_MINUTES: Final = 480.0
"""Minutes of a working day; a longer time is compared with a place where an hour costs more."""
ROOM_LEFT: Final = 1.5
"""A profile fits if an ordinary fortnight spends two thirds of its budget at most; our choice."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """A number of minutes in a usual crowd at a usual place of the kind, in the same area on the same day."""

    kind: Kind
    minutes: int


def comparison(parameters: Parameters, probability: float, prevalence: float) -> Comparison | None:
    """Return the time with the same chance of infection; `None` if there is none, or nobody is infectious."""
    if probability <= 0.0 or prevalence <= 0.0:
        return None
    hits = -math.log1p(-min(probability, 1.0 - 1e-12))
    for kind in KNOWN:
        minutes = 60.0 * hits / (prevalence * usual_hits_per_prevalence(parameters, kind, 1.0))
        if minutes <= LONGEST_MINUTES:
            break
    return Comparison(kind, _shown(minutes))


def _shown(minutes: float) -> int:
    """Round down to two significant digits, and to at least one minute."""
    whole = max(1, math.floor(minutes))
    step = int(10.0 ** max(0, len(str(whole)) - 2))
    return whole // step * step


def suggested_profile(parameters: Parameters, prevalence: float) -> str:
    """Return the smallest budget that an ordinary fortnight does not use up; the largest if none is."""
    needed = ROOM_LEFT * ordinary_fortnight(parameters, prevalence)
    fitting = [name for name, budget in BUDGETS.items() if budget >= needed]
    return fitting[0] if fitting else max(BUDGETS, key=BUDGETS.__getitem__)
