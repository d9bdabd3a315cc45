"""Hypothetical visits.

The number of check-ins inside is constant, people come and go at the kind's usual rate, and the air is in the steady
state that they cause.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from risk.model.air import room_air
from risk.model.far import CLEAR_AFTER, InvalidInputError
from risk.model.kinds import Kind
from risk.model.parameters import Parameters
from risk.model.ratings import posterior
from risk.model.uncertainty import Floats
from risk.model.visits import KINDS, Visits, visits_of


def usual_hours(parameters: Parameters, *, known_active_per_person: float) -> Visits:
    """Return an hour in a usual crowd at a usual venue of each kind, in the order of `KINDS`."""
    priors = [parameters.priors[kind] for kind in KINDS]
    rooms = [room_air(parameters, kind) for kind in KINDS]
    masks = np.array([posterior(prior.masks, 0, 0) for prior in priors]).T
    apart = np.array([posterior(prior.distancing, 0, 0) for prior in priors]).T
    return expected_visits(
        parameters,
        kinds=KINDS,
        heads=[prior.usual_heads for prior in priors],
        stay_h=1.0,
        volume_m3=[room.volume_m3 for room in rooms],
        removal_rate_per_h=[room.removal_rate_per_h(parameters) for room in rooms],
        masks=(masks[0], masks[1]),
        distancing=(apart[0], apart[1]),
        known_active_per_person=known_active_per_person,
        volume_log_sd=[room.volume_log_sd for room in rooms],
        air_log_sd=[room.air_log_sd for room in rooms],
    )


def expected_visits(
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
    adoption: npt.ArrayLike = np.nan,
) -> Visits:
    """Return n hypothetical stays as visits; everything except ``kinds`` broadcasts.

    ``heads``: check-ins inside now or usually. ``masks``, ``distancing``: Beta posteriors from `ratings.posterior`.
    Raise `InvalidInputError`.
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
    # Met: people inside, people who come meanwhile, and people who left but whose breath is still there.
    met = inside * (1.0 + (hours + np.minimum(CLEAR_AFTER / removal, dwell)) / dwell)
    columns = np.zeros((3, n, 4))
    columns[:, :, 0] = inside * hours / (volume * removal), inside * hours, met
    return visits_of(
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
        adoption=adoption,
    )
