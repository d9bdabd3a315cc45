"""One day of spread by the dose model: every pair of an infectious and a susceptible person in the air of one venue.

Exact for each pair: a well-mixed room (Wells-Riley with a transient room, Gammaitoni and Nucci 1997), one emitter with
an individual load, plus close range; since loads are known here, the probability is ``1 - exp(-dose)``. `risk.model`
sees none of this: it has answer classes, assumed probabilities, and the same room.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from crowdtrace.town.world.people import People
from crowdtrace.town.world.places import TownVenues
from crowdtrace.town.world.visits import Visits
from risk.model.emission import kind_draws
from risk.model.parameters import Parameters
from risk.model.uncertainty import draws_of
from risk.model.visits import KINDS

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

HOUR_S: Final = 3600.0
LINGERS_H: Final = 8.0
"""Hours after which the emitted rest in the air is below e^-8, at one removal an hour."""
WEAKEST: Final = 1e-4
"""Relative emission below which a person is not simulated: it would not cause one case in the town."""


@dataclass(frozen=True, slots=True)
class World:
    """The central values of the model, the same means that shields use; per kind (17,) if not a number.

    ``quanta_m3_per_h2``: emitted quanta per hour at mean load, times breathed m3 per hour. ``near_per_h``: hazard of an
    hour with one infectious person of mean load in the room. ``removal_per_h``: of the air, except ventilation.
    """

    quanta_m3_per_h2: Floats
    near_per_h: Floats
    removal_per_h: float
    mask_out: float
    mask_in: float
    distancing: float


@functools.lru_cache(maxsize=16)
def world_of(parameters: Parameters) -> World:
    """Return the world of a parameter set."""
    draws = draws_of(parameters)
    kinds = [kind_draws(parameters, kind) for kind in KINDS]
    return World(
        quanta_m3_per_h2=np.array([one.quanta_m3_per_h2.mean() for one in kinds]),
        near_per_h=np.array([one.near_per_h.mean() for one in kinds]),
        removal_per_h=parameters.pathogen.decay_and_settling_per_h,
        mask_out=float(draws.mask_out.mean()),
        mask_in=float(draws.mask_in.mean()),
        distancing=float(draws.distancing_effect.mean()),
    )


def mask_share(people: People, venues: TownVenues, visits: Visits) -> Floats:
    """Return the share of the stay in which each visitor wears a mask: the venue's mean shifted by the person's."""
    mean = np.clip(venues.masks[visits.venue], 0.005, 0.995)
    return np.asarray(1.0 / (1.0 + (1.0 - mean) / mean * np.exp(-people.masks[visits.person])))


@dataclass(frozen=True, slots=True)
class Exposure:
    """Pairs (p,) of stays: rows of the emitting and the receiving one, the quanta inhaled, the close-range hazard."""

    emitter: Ints
    receiver: Ints
    quanta: Floats
    near: Floats


def expose(visits: Visits, *, emission: Floats, masks: Floats, venues: TownVenues, parameters: Parameters) -> Exposure:
    """Return all pairs of one day. ``emission``: per stay relative to the mean, 0 for people who are not infectious."""
    sources = np.flatnonzero(emission > WEAKEST)
    emitter, receiver = _pairs(visits, sources)
    world = world_of(parameters)
    where = visits.venue[emitter]
    kind = venues.kind[where]
    begin, end = visits.arrive_s[emitter] / HOUR_S, visits.leave_s[emitter] / HOUR_S
    come, go = visits.arrive_s[receiver] / HOUR_S, visits.leave_s[receiver] / HOUR_S
    air = unit_dose(begin, end, come, go, venues.air_changes_per_h[where] + world.removal_per_h)
    passed = (1.0 - world.mask_out * masks[emitter]) * (1.0 - world.mask_in * masks[receiver])
    strength = emission[emitter] * passed
    together = np.maximum(0.0, np.minimum(end, go) - np.maximum(begin, come))
    close = world.near_per_h[kind] * (1.0 - world.distancing * venues.distancing[where])
    return Exposure(
        emitter,
        receiver,
        strength * world.quanta_m3_per_h2[kind] * air / venues.volume_m3[where],
        strength * close * together,
    )


def unit_dose(begin: Floats, end: Floats, come: Floats, go: Floats, removal_per_h: Floats) -> Floats:
    """Integrate over [come, go] the concentration (h2/m3, times volume) of an emitter of 1 an hour in [begin, end].

    In hours. The integral up to t is ``(t - a) - (1 - exp(-l*(t - a)))/l`` over l while the emitter is there; after
    that the rest decays.
    """

    def until(time: Floats) -> Floats:
        inside = np.clip(time - begin, 0.0, end - begin)
        rising = (inside + np.expm1(-removal_per_h * inside) / removal_per_h) / removal_per_h
        left = -np.expm1(-removal_per_h * (end - begin)) / removal_per_h
        after = np.maximum(time - end, 0.0)
        return np.asarray(rising - left * np.expm1(-removal_per_h * after) / removal_per_h)

    return np.maximum(until(go) - until(come), 0.0)


def _pairs(visits: Visits, sources: Ints) -> tuple[Ints, Ints]:
    """Return emitting and receiving stays in one venue, the receiver being there during the emitter's or soon after."""
    order = np.lexsort((visits.arrive_s, visits.venue))
    sorted_venue = visits.venue[order]
    first = np.searchsorted(sorted_venue, visits.venue[sources], "left")
    last = np.searchsorted(sorted_venue, visits.venue[sources], "right")
    counts = last - first
    emitter = np.repeat(sources, counts)
    offset = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    receiver = order[np.repeat(first, counts) + offset]
    meets = (visits.leave_s[receiver] > visits.arrive_s[emitter]) & (
        visits.arrive_s[receiver] < visits.leave_s[emitter] + LINGERS_H * HOUR_S
    )
    meets &= visits.person[receiver] != visits.person[emitter]
    return emitter[meets], receiver[meets]
