"""Draws of everything uncertain, shared by all visits.

Common random numbers: draw i means the same world for every visit, so that what is monotone in each draw is monotone
in the mean and in every quantile of the sum. There is no random generator: the points are an additive recurrence
(Kronecker sequence on powers of the generalised golden ratio), the same in every process.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass, fields
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.special import betaincinv, expit, logit, ndtri

from risk.model.constants import Constant
from risk.model.parameters import Parameters

Floats = npt.NDArray[np.float64]
_Z95: Final = 1.6448536269514722
QUANTILE_NODES: Final = np.array([0.002, 0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98, 0.998])
LOW, HIGH = 0.05, 0.95


def uniforms(draws: int, dimensions: int, *, edge: float = 1e-3) -> Floats:
    """Return evenly spread points in the unit cube, (draws, dimensions), at least ``edge`` away from its sides."""
    golden = 2.0
    for _ in range(64):
        golden = (1.0 + golden) ** (1.0 / (dimensions + 1))
    steps = golden ** -np.arange(1.0, dimensions + 1)
    points = np.modf(0.5 + np.arange(1.0, draws + 1)[:, None] * steps)[0]
    return np.clip(points, edge, 1.0 - edge)


def quantile(constant: Constant, u: npt.ArrayLike) -> Floats:
    """Return the constant's distribution at ``u``: median ``value``, 5 % and 95 % points ``low`` and ``high``."""
    z = ndtri(np.asarray(u, np.float64)) / _Z95
    if constant.certain:
        return np.full(z.shape, constant.value)
    share = constant.unit == "share"
    low, middle, high = (float(logit(x) if share else np.log(x)) for x in (constant.low, constant.value, constant.high))
    at = middle + np.where(z < 0.0, z * (middle - low), z * (high - middle))
    return np.asarray(expit(at) if share else np.exp(at))


@functools.lru_cache(maxsize=16_384)
def _beta_nodes(a: float, b: float) -> Floats:
    """Return quantiles of Beta(a, b) at `QUANTILE_NODES`, cached: ratings are small integers, so pairs repeat."""
    return np.asarray(betaincinv(a, b, QUANTILE_NODES))


def beta_quantiles(a: npt.ArrayLike, b: npt.ArrayLike, u: Floats) -> Floats:
    """Return quantiles of Beta(a, b) for each draw, with the shape of ``a`` + (draws,).

    They are exact at a few nodes and linear between them, which ensures that a better rating never lowers any draw.
    """
    # Hours without ratings share one posterior, and inverting the beta function is expensive.
    pairs, which = np.unique(
        np.stack(np.broadcast_arrays(np.asarray(a, np.float64), np.asarray(b, np.float64)), axis=-1).reshape(-1, 2),
        axis=0,
        return_inverse=True,
    )
    nodes = (
        np.stack([_beta_nodes(*pair) for pair in pairs.tolist()]) if pairs.size else np.zeros((0, QUANTILE_NODES.size))
    )
    place = np.clip(np.searchsorted(QUANTILE_NODES, u) - 1, 0, QUANTILE_NODES.size - 2)
    left, right = QUANTILE_NODES[place], QUANTILE_NODES[place + 1]
    share = np.clip((u - left) / (right - left), 0.0, 1.0)
    found = nodes[:, place] * (1.0 - share) + nodes[:, place + 1] * share
    return np.asarray(found[which.reshape(np.broadcast_shapes(np.shape(a), np.shape(b)))])


@dataclass(frozen=True)
class Draws:
    """One value per draw of every uncertain constant, each (draws,); the ``*_u`` are plain uniforms in (0, 1)."""

    quanta_rest_per_h: Floats
    quanta_talk_per_h: Floats
    quanta_sing_per_h: Floats
    load_dispersion: Floats
    decay_and_settling_per_h: Floats
    mask_out: Floats
    mask_in: Floats
    never_symptomatic: Floats
    not_yet_symptomatic: Floats
    honesty: Floats
    odds: Floats  # (3, draws): contact, symptoms, diagnosed; never falling along the classes
    near_per_h: Floats
    infections_per_case: Floats
    infectious_days: Floats
    susceptible: Floats
    load_factor: Floats  # (4, draws)
    breathing_rest_m3_per_h: Floats
    breathing_light_m3_per_h: Floats
    breathing_hard_m3_per_h: Floats
    distancing_effect: Floats
    outdoor_near_factor: Floats
    volume_u: Floats
    air_u: Floats
    mask_u: Floats
    distancing_u: Floats
    coverage: Floats  # people present per check-in
    close_u: Floats

    @property
    def count(self) -> int:
        """Return the number of draws."""
        return int(self.mask_u.size)


@functools.lru_cache(maxsize=16)
def _draws(given: Parameters) -> Draws:
    p, answers, bodies = given.pathogen, given.answers, given.bodies
    names = [f.name for f in fields(Draws)]
    # One uniform for each name; the three emission rates move together (one unknown: how much people emit).
    plane = uniforms(given.draws, len(names) + 4)
    u = {name: plane[:, at] for at, name in enumerate(names)}
    emit = u["quanta_rest_per_h"]
    odds = np.stack(
        [
            quantile(constant, u["odds"])
            for constant in (answers.odds_contact, answers.odds_symptoms, answers.odds_diagnosed)
        ]
    )
    load = [p.load_factor_contact, p.load_factor_symptoms, p.load_factor_diagnosed]
    breathing = u["breathing_rest_m3_per_h"]
    return Draws(
        quanta_rest_per_h=quantile(p.quanta_rest_per_h, emit),
        quanta_talk_per_h=quantile(p.quanta_talk_per_h, emit),
        quanta_sing_per_h=quantile(p.quanta_sing_per_h, emit),
        load_dispersion=quantile(p.load_dispersion, u["load_dispersion"]),
        decay_and_settling_per_h=quantile(p.viral_decay_per_h, u["decay_and_settling_per_h"])
        + quantile(p.settling_per_h, plane[:, -1]),
        mask_out=quantile(p.mask_out, u["mask_out"]),
        mask_in=quantile(p.mask_in, u["mask_out"]),
        never_symptomatic=quantile(p.never_symptomatic, u["never_symptomatic"]),
        not_yet_symptomatic=quantile(p.not_yet_symptomatic, u["not_yet_symptomatic"]),
        honesty=quantile(answers.honesty, u["honesty"]),
        odds=np.maximum.accumulate(odds, axis=0),
        near_per_h=quantile(p.near_per_h, u["near_per_h"]),
        infections_per_case=quantile(p.infections_per_case, u["infections_per_case"]) * given.adaptive.hidden_carriers,
        infectious_days=quantile(p.infectious_days, u["infectious_days"]),
        susceptible=quantile(p.susceptible, u["susceptible"]),
        load_factor=np.stack([np.ones(given.draws), *(quantile(c, plane[:, -2 - at]) for at, c in enumerate(load))]),
        breathing_rest_m3_per_h=quantile(bodies.breathing_rest_m3_per_h, breathing),
        breathing_light_m3_per_h=quantile(bodies.breathing_light_m3_per_h, breathing),
        breathing_hard_m3_per_h=quantile(bodies.breathing_hard_m3_per_h, breathing),
        distancing_effect=quantile(bodies.distancing_effect, u["distancing_effect"]),
        coverage=1.0 / quantile(given.adoption, 1.0 - u["coverage"]),
        outdoor_near_factor=quantile(bodies.outdoor_near_factor, u["outdoor_near_factor"]),
        **{name: u[name] for name in names if name.endswith("_u")},
    )


@functools.lru_cache(maxsize=4096)
def coverage_at(parameters: Parameters, adoption: Constant) -> Floats:
    """Return people present per check-in in each draw (draws,), where adoption is another than the deployment's.

    The draws are those of `Draws.coverage`: a draw in which few people check in is one everywhere.
    """
    names = [f.name for f in fields(Draws)]
    level = uniforms(parameters.draws, len(names) + 4)[:, names.index("coverage")]
    return 1.0 / quantile(adoption, 1.0 - level)


def draws_of(parameters: Parameters) -> Draws:
    """Return the shared draws of a parameter set, computed once for each version."""
    return _draws(parameters)
