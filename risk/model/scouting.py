"""Estimate what a stay would cost, before entry: from head count, ratings, air and area prevalence, never from answers.

The hits are computed as for a visit, with an expected crowd (`stays.expected_visits`).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from risk.model.far import InvalidInputError
from risk.model.parameters import Parameters
from risk.model.shield import expected_hits
from risk.model.stays import expected_visits
from risk.model.uncertainty import Floats


def expected_cost(parameters: Parameters, *, budget: float, own_mask: float | None = None, **stays: Any) -> Floats:
    """Return points (percent of the budget) of n hypothetical stays, (n,).

    ``stays``: arguments of `expected_visits`. ``own_mask``: 1 with a mask, 0 without, `None` as the crowd does. Raise
    `InvalidInputError`.
    """
    if not 1e-6 <= budget <= 1.0:
        raise InvalidInputError("budget", "must be between 0.000001 and 1")
    hits = expected_hits(expected_visits(parameters, **stays), parameters, own_mask=own_mask)
    return np.asarray(100.0 / budget * hits.by_visit.mean(axis=1))
