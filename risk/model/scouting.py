"""What a stay would cost, before entry: from head count, ratings, air and area prevalence alone, never from answers.

The same hits as for a visit, over an expected crowd (`stays.expected_visits`).
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
    """Points (percent of the budget) of n hypothetical stays, (n,); ``stays`` as `expected_visits` takes them.

    ``own_mask``: 1 with a mask, 0 without, None as the crowd does.
    """
    if not 1e-6 <= budget <= 1.0:
        raise InvalidInputError("budget", "must be between 0.000001 and 1")
    hits = expected_hits(expected_visits(parameters, **stays), parameters, own_mask=own_mask)
    return np.asarray(100.0 / budget * hits.by_visit.mean(axis=1))
