"""The shield: the share that is left of a visitor's budget of risk for 14 days.

``H = sum of h*w(age)`` over visits; ``w`` is 1 for 10 days, then falls linearly to 0 at 14.
``shield = 100*max(0, 1 - H/budget)``. Everything is computed for each shared draw and only then summarised, so the
mean and both ends of the interval are monotone. The shield covers visits only: infections at home are not part of it.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.special import ndtri

from risk.model import compiled
from risk.model.classes import chances, reported_positive
from risk.model.constants import Constant
from risk.model.emission import kind_draws
from risk.model.far import InvalidInputError
from risk.model.hits import Reported, far_hits, near_hits
from risk.model.learned import KNOWN_ACTIVE, hit_factors
from risk.model.parameters import Parameters
from risk.model.risklevels import RiskLevel, risklevel
from risk.model.stays import usual_hours
from risk.model.uncertainty import HIGH, LOW, Floats, beta_quantiles, coverage_at, draws_of
from risk.model.visits import KINDS, Visits

BUDGETS: Final[Mapping[str, float]] = MappingProxyType({"cautious": 0.001, "standard": 0.01, "relaxed": 0.03})
"""Chance of infection from visits in 14 days that a profile accepts; our choice."""
FULL_DAYS: Final = 10.0
GONE_DAYS: Final = 14.0


def weight(age_days: npt.ArrayLike) -> Floats:
    """Return the share of a visit's hits that still counts after ``age_days`` days."""
    return np.clip((GONE_DAYS - np.asarray(age_days, np.float64)) / (GONE_DAYS - FULL_DAYS), 0.0, 1.0)


@dataclass(frozen=True, slots=True)
class Hits:
    """Expected hits: ``by_visit`` (n, draws), and the part of them from the shared air, ``far``.

    ``dose_quanta`` (n,): mean quanta that a visitor inhales if exactly the estimated share of the crowd is infectious.
    """

    by_visit: Floats
    far: Floats
    dose_quanta: Floats


def _air_factor(visits: Visits, parameters: Parameters) -> Floats:
    """Return the dose relative to the dose at the volume and removal rate of the sweep, (n, draws).

    The dose is exactly proportional to 1/volume. It depends on the removal rate as in the steady state, at the kind's
    usual share of ventilation in all removal; for short stays in fresh air this overstates the spread.
    """
    draws = draws_of(parameters)
    # exp(z) of a standard normal z; raised to a log standard deviation, it is a lognormal factor of median 1.
    z_volume, z_air = np.exp(ndtri(draws.volume_u)), np.exp(ndtri(draws.air_u))
    usual = np.array([parameters.priors[kind].air_changes_per_h.value for kind in KINDS])[visits.kind][:, None]
    unventilated = parameters.pathogen.decay_and_settling_per_h
    drawn = usual * z_air ** visits.air_log_sd[:, None] + draws.decay_and_settling_per_h
    return np.asarray((usual + unventilated) / drawn / z_volume ** visits.volume_log_sd[:, None])


def _coverage(visits: Visits, parameters: Parameters) -> Floats:
    """Return people present per check-in, (draws,) if no venue has an estimate of its own, otherwise (n, draws)."""
    draws = draws_of(parameters)
    own = np.flatnonzero(~np.isnan(visits.adoption[:, 0]))
    if not own.size:
        return draws.coverage
    coverage = np.tile(draws.coverage, (visits.size, 1))
    for at in own:
        value, low, high = visits.adoption[at].tolist()
        coverage[at] = coverage_at(parameters, Constant(value, low, high, "share", "at the venue"))
    return coverage


@functools.lru_cache(maxsize=64)
def taught_factors(parameters: Parameters) -> Floats:
    """Return the factor that outcomes have taught on the hits of each kind in each draw, (kinds, draws); 1 at first."""
    if not parameters.adaptive.learned:
        return np.ones((len(KINDS), draws_of(parameters).count))
    bare = replace(parameters, adaptive=replace(parameters.adaptive, learned=()))
    usual = usual_hours(bare, known_active_per_person=KNOWN_ACTIVE)
    return hit_factors(parameters, expected_hits(usual, bare).by_visit)


def expected_hits(visits: Visits, parameters: Parameters, *, own_mask: float | None = None) -> Hits:
    """Return expected hits of each visit in each draw.

    ``own_mask``: share of the stay for which the visitor wears a mask, if known; otherwise that of the crowd. Raise
    `ArithmeticError` if a result is not finite.
    """
    draws = draws_of(parameters)
    kinds = [kind_draws(parameters, kind) for kind in KINDS]
    used = np.unique(visits.kind)
    place = np.searchsorted(used, visits.kind)

    def by_kind(name: str) -> Floats:
        return np.stack([getattr(kinds[index], name) for index in used])[place]

    masks = beta_quantiles(visits.mask_a, visits.mask_b, draws.mask_u)
    apart = beta_quantiles(visits.distancing_a, visits.distancing_b, draws.distancing_u)
    worn = masks if own_mask is None else own_mask
    passed = (1.0 - draws.mask_out * masks) * (1.0 - draws.mask_in * worn)
    close = passed * (1.0 - draws.distancing_effect * apart)
    # Columns everybody, 1, 2, 3, and the people among everybody who later reported a positive test.
    unit, near_h = np.zeros((2, visits.size, 5, draws.count))
    doses = np.column_stack([visits.dose_h2_per_m3, visits.reported_h2_per_m3])
    compiled.add_segments(visits.visit, doses, passed, unit)
    compiled.add_segments(visits.visit, np.column_stack([visits.person_h, visits.reported_h]), close, near_h)
    dose = unit * (by_kind("quanta_m3_per_h2") * _air_factor(visits, parameters))[:, None, :]

    believed = chances(
        parameters, visits.known_active_per_person, refused=visits.refused, already_total=visits.already_total
    )
    reported = None
    if visits.reporters.any():
        chance = reported_positive(parameters, believed.admitted)
        reported = Reported(visits.reporters, dose[:, 4], near_h[:, 4], chance)
    coverage = _coverage(visits, parameters)
    far = coverage * far_hits(
        heads=visits.heads,
        dose_quanta=dose[:, :4],
        by_class=believed.by_class,
        admitted=believed.admitted,
        load_factor=draws.load_factor,
        dispersion=draws.load_dispersion,
        reported=reported,
    )
    near = near_hits(
        heads=visits.heads,
        near_h=near_h[:, :4],
        by_class=believed.by_class,
        admitted=believed.admitted,
        load_factor=draws.load_factor,
        rate_per_h=by_kind("near_per_h") * coverage,
        close_contacts=np.array([parameters.priors[kind].close_contacts for kind in KINDS])[visits.kind],
        reported=reported,
    )
    taught = draws.susceptible * taught_factors(parameters)[visits.kind]
    hits = (far + near) * taught
    if not (np.isfinite(hits).all() and (hits >= 0.0).all()):
        raise ArithmeticError("hits are not finite")
    return Hits(hits, far * taught, (dose[:, 0] * coverage * believed.admitted).mean(axis=1))


@dataclass(frozen=True, slots=True)
class Shield:
    """A shield and its components. Percent unless stated otherwise, unrounded.

    ``infection_probability``, ``incubating``: chances 0-1. ``spent``: share of the budget, may exceed 1.
    For each visit (n,): ``cost`` points that still count today (their sum is 100 x spent), ``cost_low``, ``cost_high``,
    ``full_cost`` points on the day of the visit, ``dose_quanta``, ``chance`` of infection there (0 beyond the window).
    """

    shield: float
    low: float
    high: float
    infection_probability: float
    spent: float
    incubating: float
    risklevel: RiskLevel
    parameters: str
    cost: Floats
    cost_low: Floats
    cost_high: Floats
    full_cost: Floats
    dose_quanta: Floats
    chance: Floats


def shield(
    visits: Visits,
    parameters: Parameters,
    *,
    budget: float = BUDGETS["standard"],
    susceptibility: float = 1.0,
    own_mask: float | None = None,
) -> Shield:
    """Return the shield of a person with these visits; 100 without visits.

    ``budget``: acceptable chance of infection in 14 days. ``susceptibility``: the visitor's own factor, stored on the
    phone. The shield is the posterior mean; ``low`` and ``high`` are the 5 % and 95 % points of the shared draws,
    widened to contain the mean if the draws are very skew. Raise `InvalidInputError`.
    """
    if not (math.isfinite(budget) and 1e-6 <= budget <= 1.0):
        raise InvalidInputError("budget", "must be between 0.000001 and 1")
    if not 0.0 <= susceptibility <= 1.0:
        raise InvalidInputError("susceptibility", "must be between 0 and 1")
    if visits.size == 0:
        none = np.zeros(0)
        return Shield(100.0, 100.0, 100.0, 0.0, 0.0, 0.0, "Low", parameters.version, none, none, none, none, none, none)
    hits = expected_hits(visits, parameters, own_mask=own_mask)
    full = hits.by_visit * susceptibility
    left = full * weight(visits.age_days)[:, None]
    lost = left.sum(axis=0) / budget
    # For the plain chance, each visit within the window counts in full, and none beyond it.
    recent = (visits.age_days < GONE_DAYS)[:, None]
    infected = float(-np.expm1(-(full * recent).sum(axis=0)).mean())
    waiting = parameters.pathogen.incubation.still_incubating(visits.age_days)[:, None]
    incubating = float(-np.expm1(-(full * waiting).sum(axis=0)).mean())
    spent = float(lost.mean())
    level = 100.0 * max(0.0, 1.0 - spent)
    low, high = (100.0 * max(0.0, 1.0 - float(np.quantile(lost, q))) for q in (HIGH, LOW))
    points = 100.0 / budget
    cost_low, cost_high = points * np.quantile(left, (LOW, HIGH), axis=1)
    return Shield(
        shield=level,
        low=min(low, level),
        high=max(high, level),
        infection_probability=infected,
        spent=spent,
        incubating=incubating,
        risklevel=risklevel(infected),
        parameters=parameters.version,
        cost=points * left.mean(axis=1),
        cost_low=cost_low,
        cost_high=cost_high,
        full_cost=points * full.mean(axis=1),
        dose_quanta=hits.dose_quanta,
        chance=-np.expm1(-full * recent).mean(axis=1),
    )
