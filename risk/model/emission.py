"""Draws of what a kind of venue implies: quanta exhaled and inhaled, and closeness."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np

from risk.model.kinds import Kind
from risk.model.parameters import Parameters
from risk.model.uncertainty import Floats, draws_of, quantile


@dataclass(frozen=True, slots=True)
class KindDraws:
    """Values of one kind, each (draws,).

    ``quanta_m3_per_h2``: quanta per hour exhaled by an infectious person of mean load, times m3 per hour inhaled by a
    visitor; a unit dose in h2/m3 times this is in quanta. ``near_per_h``: hazard (1/h) of an hour with one person
    present, if all people are equally likely to be the close one.
    """

    quanta_m3_per_h2: Floats
    near_per_h: Floats


def emission_per_h(parameters: Parameters, kind: Kind) -> Floats:
    """Return quanta per hour of an infectious person of mean load, by what people in this kind of venue do."""
    draws, prior = draws_of(parameters), parameters.priors[kind]
    rest = 1.0 - prior.talk_share - prior.sing_share
    mixed = (
        rest * draws.quanta_rest_per_h
        + prior.talk_share * draws.quanta_talk_per_h
        + prior.sing_share * draws.quanta_sing_per_h
    )
    return mixed * (1.0 + parameters.bodies.exertion_emission.value * prior.exertion) * prior.body_size


def breathing_m3_per_h(parameters: Parameters, kind: Kind) -> Floats:
    """Return the air (m3/h) that a visitor inhales, between rest (0), light (1) and hard (2) exertion."""
    draws, exertion = draws_of(parameters), parameters.priors[kind].exertion
    rest, light, hard = draws.breathing_rest_m3_per_h, draws.breathing_light_m3_per_h, draws.breathing_hard_m3_per_h
    adult = rest + exertion * (light - rest) if exertion <= 1.0 else light + (exertion - 1.0) * (hard - light)
    return adult * parameters.priors[kind].body_size


@functools.lru_cache(maxsize=512)
def kind_draws(parameters: Parameters, kind: Kind) -> KindDraws:
    """Return the draws of one kind; computed once for each version."""
    draws, prior = draws_of(parameters), parameters.priors[kind]
    # Outcomes scale the dose response as a whole, and each kind separately.
    scale = parameters.adaptive.dose_scale * parameters.adaptive.intensity(kind)
    outdoors = draws.outdoor_near_factor if prior.outdoors else np.ones(draws.count)
    return KindDraws(
        quanta_m3_per_h2=scale * emission_per_h(parameters, kind) * breathing_m3_per_h(parameters, kind),
        near_per_h=scale * draws.near_per_h * quantile(prior.close_share, draws.close_u) * outdoors,
    )
