"""Prepare, for a venue's scouting card, what a stay costs by the number of people there.

The crowd task does the expensive step: expected hits per head at a few head counts. A card interpolates between them.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from django.db import connection

from risk.crowd.air import Facts, believed, measured_air
from risk.crowd.cases import Signal, signals_of
from risk.crowd.parameters import parameters_in_force
from risk.crowd.venue_days import Floats
from risk.model import ratings
from risk.model.air import RoomAir
from risk.model.classes import refused_classes
from risk.model.kinds import Kind
from risk.model.parameters import Parameters
from risk.model.scouting import expected_cost
from risk.reads import COST_BASES, STORE_CURVES

STAYS_H: Final = (0.5, 1.0, 2.0)
MASKS: Final = (1.0, 0.0)
NODES: Final = np.array([1.0, 8.0, 64.0, 512.0])
"""Head counts at which expected hits are prepared; between them, hits per head are linear in the logarithm."""
AN_HOUR: Final = (STAYS_H.index(1.0), MASKS.index(0.0))
"""Index in a curve of the cost used to compare hours and places: an hour without a mask."""
SHAPE: Final = (len(STAYS_H), len(MASKS), NODES.size)
CURVES_AT_ONCE: Final = 400
"""Number of venues whose costs are in memory at one time."""
MOST_CURVES: Final = 4000
"""Number of venues whose costs are prepared in one refresh."""


@dataclass(frozen=True, slots=True)
class Basis:
    """Everything that a venue's costs depend on, other than the crowd."""

    venue: int
    kind: str
    air: RoomAir
    rated: int
    masks: float
    distancing: float
    refused: tuple[bool, bool, bool, bool]
    signal: Signal
    parameters: Parameters
    adoption: tuple[float | None, float | None, float | None]

    def digest(self) -> bytes:
        """Return a hash that changes when the costs do."""
        values = [self.kind, repr(self.air), self.rated, self.masks, self.distancing, self.refused, repr(self.signal)]
        if self.adoption[0] is not None:
            values.append(self.adoption)
        return hashlib.sha256(json.dumps([*values, self.parameters.version]).encode()).digest()[:16]


def curves_of(bases: Sequence[Basis]) -> Floats:
    """Return expected hits per head (n, stays, masks, nodes) of hypothetical visitors."""
    if not bases:
        return np.zeros((0, *SHAPE))
    parameters, each = bases[0].parameters, NODES.size * len(STAYS_H)
    stays = np.tile(np.repeat(STAYS_H, NODES.size), len(bases))
    heads = np.tile(NODES, len(STAYS_H) * len(bases))
    rows = [basis for basis in bases for _ in range(each)]
    priors = [parameters.priors[Kind(basis.kind)] for basis in rows]
    counts = [basis.rated for basis in rows]
    costs = [
        expected_cost(
            parameters,
            kinds=[Kind(basis.kind) for basis in rows],
            heads=heads,
            stay_h=stays,
            volume_m3=[basis.air.volume_m3 for basis in rows],
            removal_rate_per_h=[basis.air.removal_rate_per_h(parameters) for basis in rows],
            masks=ratings.posterior(
                [prior.masks for prior in priors], [basis.masks * basis.rated for basis in rows], counts
            ),
            distancing=ratings.posterior(
                [prior.distancing for prior in priors], [basis.distancing * basis.rated for basis in rows], counts
            ),
            known_active_per_person=[basis.signal.known_active_per_person for basis in rows],
            already_total=[basis.signal.already_total for basis in rows],
            budget=1.0,
            refused=[basis.refused for basis in rows],
            volume_log_sd=[basis.air.volume_log_sd for basis in rows],
            air_log_sd=[basis.air.air_log_sd for basis in rows],
            adoption=np.array([basis.adoption for basis in rows], np.float64),
            own_mask=mask,
        )
        for mask in MASKS
    ]
    hits = np.stack(costs, axis=1).reshape(len(bases), len(STAYS_H), NODES.size, len(MASKS)) / 100.0
    return np.ascontiguousarray(hits.transpose(0, 1, 3, 2) / NODES)


def cost_of(curve: Floats, heads: npt.ArrayLike, budget: float) -> Floats:
    """Return points of stays among ``heads`` people: shapes of ``curve`` without its last axis and ``heads`` broadcast.

    The last axis of ``curve`` has the nodes; hits per head are linear in the logarithm between two of them.
    """
    many = np.asarray(heads, np.float64)
    at = np.interp(np.log(np.maximum(many, 1.0)), np.log(NODES), np.arange(NODES.size))
    left = np.minimum(at.astype(np.int64), NODES.size - 2)
    shape = np.broadcast_shapes(curve.shape[:-1], many.shape)
    nodes = np.broadcast_to(curve, (*shape, NODES.size))
    below = np.broadcast_to(left, shape)[..., None]
    low = np.take_along_axis(nodes, below, axis=-1)[..., 0]
    high = np.take_along_axis(nodes, below + 1, axis=-1)[..., 0]
    return np.asarray(100.0 / budget * many * (low * (left + 1 - at) + high * (at - left)))


def prepared_curves(venues: Sequence[int], parameters: Parameters, now: dt.datetime) -> dict[int, Floats]:
    """Return curves of venues that the crowd task has not reached yet."""
    if not venues:
        return {}
    bases = [basis for basis, _known in bases_of(parameters, now, venues)]
    return {basis.venue: curve for basis, curve in zip(bases, curves_of(bases), strict=True)}


def bases_of(parameters: Parameters, now: dt.datetime, venues: Sequence[int] | None) -> list[tuple[Basis, bytes]]:
    with connection.cursor() as cursor:
        cursor.execute(COST_BASES, {"now": now, "all": venues is None, "venues": list(venues or [])})
        rows = cursor.fetchall()
    signals = signals_of((row[5], now.date()) for row in rows)
    found = []
    for row in rows:
        facts = Facts(*row[1:5])
        prior = believed(facts, parameters)
        air = prior if row[13] is None else measured_air(prior, facts, parameters, row[13], row[14])
        refused = refused_classes(symptoms=row[9], diagnosed=row[10], contact=row[11], near=row[12])
        signal = signals[row[5], now.date()]
        basis = Basis(row[0], facts.kind, air, row[6], row[7], row[8], refused, signal, parameters, row[16:19])
        found.append((basis, bytes(row[15] or b"")))
    return found


def refresh_cards(*, now: dt.datetime, most: int = MOST_CURVES) -> int:
    """Prepare the costs of venues whose ratings, air, area or parameters changed, up to ``most`` at a time.

    Return the number of venues whose costs were prepared.
    """
    parameters = parameters_in_force()
    stale = [basis for basis, known in bases_of(parameters, now, None) if basis.digest() != known][:most]
    for at in range(0, len(stale), CURVES_AT_ONCE):
        part = stale[at : at + CURVES_AT_ONCE]
        with connection.cursor() as cursor:
            cursor.execute(
                STORE_CURVES,
                {
                    "venues": [basis.venue for basis in part],
                    "bases": [basis.digest() for basis in part],
                    "curves": [curve.astype("<f8").tobytes() for curve in curves_of(part)],
                },
            )
    return len(stale)
