"""The renewal identity: what ordinary weeks with ordinary crowds imply for the reproduction number from visits.

In an epidemic that neither grows nor fades, as many people are infected as recover. With prevalence p and an infection
that is infectious for D days, p/D of people are infected per day; R of them are infected at visits, so over 14 days

    mean hits = R * p * 14 / D

with R the reproduction number from visits. Whatever a model predicts for single rooms, the mean of its hits over people
implies an R, and an R of 2 or 4 would be an epidemic that doubles each week. The identity is used to place emission and
susceptibility in their ranges (docs/model.md), and a profile is suggested from the cost of an ordinary fortnight.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final

from risk.model.air import room_air
from risk.model.kinds import Kind
from risk.model.parameters import EVERYBODY, Parameters
from risk.model.ratings import posterior
from risk.model.scouting import expected_cost

FORTNIGHT_DAYS: Final = 14.0
WEEKS: Final = 2
SMALL: Final = 0.001
"""A prevalence at which hits are still proportional to it."""


@dataclass(frozen=True, slots=True)
class Week:
    """An ordinary week: ``share`` of people who live like that, ``visits`` as (times, hours) by kind."""

    share: float
    visits: Mapping[Kind, tuple[float, float]]


ORDINARY: Final[Mapping[str, Week]] = MappingProxyType(
    {
        "commuter": Week(
            0.48,
            {
                Kind.OFFICE: (5, 8.0),
                Kind.TRANSPORT: (10, 0.5),
                Kind.SUPERMARKET: (2, 0.6),
                Kind.RESTAURANT: (1, 1.25),
                Kind.GYM: (1, 1.2),
            },
        ),
        "student": Week(0.17, {Kind.SCHOOL: (5, 6.0), Kind.TRANSPORT: (10, 0.5), Kind.SUPERMARKET: (1, 0.6)}),
        "at home": Week(0.35, {Kind.SUPERMARKET: (2, 0.6), Kind.RESTAURANT: (1, 1.25)}),
    }
)
"""Shares as in the simulated town (`crowdtrace.town.world.habits.WORK`); our assumptions."""


def usual_hits(parameters: Parameters, kind: Kind, hours: float, prevalence: float) -> float:
    """Return expected hits of one stay in a usual venue of the kind.

    Its usual crowd is fully counted; air and ratings are unknown.
    """
    counted, prior = replace(parameters, adoption=EVERYBODY), parameters.priors[kind]
    room = room_air(counted, kind)
    points = expected_cost(
        counted,
        kinds=[kind],
        heads=prior.usual_heads,
        stay_h=hours,
        volume_m3=room.volume_m3,
        removal_rate_per_h=room.removal_rate_per_h(counted),
        masks=posterior(prior.masks, 0, 0),
        distancing=posterior(prior.distancing, 0, 0),
        known_active_per_person=prevalence,
        already_total=True,
        volume_log_sd=room.volume_log_sd,
        air_log_sd=room.air_log_sd,
        budget=1.0,
    )
    return float(points[0]) / 100.0


@functools.lru_cache(maxsize=64)
def usual_hits_per_prevalence(parameters: Parameters, kind: Kind, hours: float) -> float:
    """Return hits of one stay per unit of prevalence, for a small prevalence."""
    return usual_hits(parameters, kind, hours, SMALL) / SMALL


def fortnight(parameters: Parameters, week: Week, prevalence: float) -> float:
    """Return expected hits of two such weeks."""
    stays = (times * usual_hits_per_prevalence(parameters, kind, hours) for kind, (times, hours) in week.visits.items())
    return WEEKS * prevalence * sum(stays)


def ordinary_fortnight(parameters: Parameters, prevalence: float) -> float:
    """Return expected hits of an ordinary fortnight, averaged over people."""
    return sum(week.share * fortnight(parameters, week, prevalence) for week in ORDINARY.values())


def implied_reproduction(hits: float, prevalence: float, infectious_days: float) -> float:
    """Return the reproduction number from visits that hits of 14 days imply."""
    return hits * infectious_days / (prevalence * FORTNIGHT_DAYS)
