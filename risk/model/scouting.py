"""What a stay would cost, before entry: from head count, ratings, air and area prevalence alone, never from answers.

The same hits as for a visit, over an expected crowd: so many check-ins inside throughout, people coming and going at
the kind's usual pace, air as in the steady state they keep up.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from risk.model.far import CLEAR_AFTER, InvalidInputError
from risk.model.kinds import Kind
from risk.model.parameters import Parameters
from risk.model.shield import expected_hits
from risk.model.uncertainty import Floats
from risk.model.visits import visits_of


def expected_cost(parameters: Parameters, *, budget: float, **stays: Any) -> Floats:
    """Points (percent of the budget) of n hypothetical stays, (n,); ``stays`` as `expected_stays` takes them."""
    if not 1e-6 <= budget <= 1.0:
        raise InvalidInputError("budget", "must be between 0.000001 and 1")
    return np.asarray(100.0 / budget * expected_stays(parameters, **stays).mean(axis=1))


def expected_stays(
    parameters: Parameters,
    *,
    kinds: Sequence[Kind],
    heads: npt.ArrayLike,
    stay_h: npt.ArrayLike,
    volume_m3: npt.ArrayLike,
    removal_rate_per_h: npt.ArrayLike,
    masks: tuple[npt.ArrayLike, npt.ArrayLike],
    distancing: tuple[npt.ArrayLike, npt.ArrayLike],
    known_active_per_person: npt.ArrayLike,
    already_total: npt.ArrayLike = False,
    refused: npt.ArrayLike = (False, False, False, False),
    volume_log_sd: npt.ArrayLike = 0.0,
    air_log_sd: npt.ArrayLike = 0.0,
    own_mask: float | None = None,
) -> Floats:
    """Expected hits of n hypothetical stays, (n, draws); everything but ``kinds`` broadcasts.

    ``heads``: check-ins inside now or usually. ``masks``, ``distancing``: Beta posteriors of `ratings.posterior`.
    ``own_mask``: 1 with a mask, 0 without, None as the crowd does.
    """
    n = len(kinds)

    def each(values: npt.ArrayLike, field: str, *, above: float) -> Floats:
        column = np.array(np.broadcast_to(np.asarray(values, np.float64), (n,)))
        if not (np.isfinite(column).all() and (column >= above).all()):
            raise InvalidInputError(field, f"must be finite and at least {above}")
        return column

    inside, hours = each(heads, "heads", above=0.0), each(stay_h, "stay_h", above=0.0)
    volume = each(volume_m3, "volume_m3", above=1e-3)
    removal = each(removal_rate_per_h, "removal_rate_per_h", above=0.02)
    dwell = np.array([parameters.priors[kind].usual_dwell_h for kind in kinds]).reshape(n)
    # Met: who is inside, who comes meanwhile, and who left while their breath is still there.
    met = inside * (1.0 + (hours + np.minimum(CLEAR_AFTER / removal, dwell)) / dwell)
    columns = np.zeros((3, n, 4))
    columns[:, :, 0] = inside * hours / (volume * removal), inside * hours, met
    visits = visits_of(
        segments=[1] * n,
        dose_h2_per_m3=columns[0],
        person_h=columns[1],
        masks=masks,
        distancing=distancing,
        heads=columns[2],
        age_days=0.0,
        kinds=kinds,
        known_active_per_person=known_active_per_person,
        already_total=already_total,
        refused=refused,
        volume_log_sd=volume_log_sd,
        air_log_sd=air_log_sd,
    )
    return expected_hits(visits, parameters, own_mask=own_mask).by_visit
