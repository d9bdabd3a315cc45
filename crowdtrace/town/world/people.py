"""The people of the town: homes, households, work, favourite places, masks, honesty."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from crowdtrace.town.world.habits import FAVOURITE_WEIGHTS, FAVOURITES, RATES, WORK
from crowdtrace.town.world.places import Areas, TownVenues
from crowdtrace.town.world.plan import TownPlan
from crowdtrace.town.world.streams import stream
from risk.model.visits import KIND_INDEX, KINDS

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

NOWHERE: Final = -1
FAR_FROM_HOME: Final = 0.1
HOUSEHOLD_SIZES: Final = (0.28, 0.35, 0.15, 0.13, 0.09)
"""Shares of households with one to five members, close to the American Community Survey's; rounded by us."""


@dataclass(frozen=True, slots=True)
class People:
    """n people, as columns.

    ``area``: home, row of `Areas`. ``household``: number. ``has_app``. ``honest``: answers truthfully. ``masks``: own
    inclination, added to the venue's mean on a logit scale. ``activity``: factor of all rates, mean 1. ``work``: venue
    or `NOWHERE`. ``favourites`` (n, kinds, FAVOURITES): venues, `NOWHERE` if the town has none of the kind.
    ``susceptible``: can be infected at all.
    """

    area: Ints
    household: Ints
    has_app: Bools
    honest: Bools
    masks: Floats
    activity: Floats
    work: Ints
    favourites: npt.NDArray[np.int32]
    susceptible: Bools

    @property
    def size(self) -> int:
        """Return the number of people."""
        return int(self.area.size)


def make_people(plan: TownPlan, areas: Areas, venues: TownVenues) -> People:
    """Create all people; exactly ``plan.visitors`` of them have the app."""
    random = stream(plan.seed, "people")
    n = plan.people
    household = _households(random, n)
    homes = random.choice(len(areas.zip3), int(household[-1]) + 1, p=areas.share).astype(np.int64)
    area = homes[household]
    has_app = np.zeros(n, bool)
    has_app[random.permutation(n)[: plan.visitors]] = True
    near = _finder(areas, venues)
    return People(
        area=area,
        household=household,
        has_app=has_app,
        honest=random.random(n) < plan.parameters.answers.honesty.value,
        masks=random.normal(0.0, 1.0, n),
        activity=random.gamma(4.0, 0.25, n),
        work=_work(random, area, near),
        favourites=_favourites(random, area, near, venues),
        susceptible=random.random(n) < plan.parameters.pathogen.susceptible.value,
    )


def _households(random: np.random.Generator, n: int) -> Ints:
    sizes = random.choice(len(HOUSEHOLD_SIZES), n, p=HOUSEHOLD_SIZES) + 1
    return np.repeat(np.arange(n), sizes)[:n].astype(np.int64)


Finder = Callable[[int, int], Ints]


def _finder(areas: Areas, venues: TownVenues) -> Finder:
    """Return venues of a kind for a person of an area: its own, else those of its region, else those of the town."""

    def near(kind: int, area: int) -> Ints:
        of_kind = np.flatnonzero(venues.kind == kind)
        own = of_kind[venues.area[of_kind] == area]
        region = of_kind[areas.region[venues.area[of_kind]] == areas.region[area]]
        return own if own.size else region if region.size else of_kind

    return near


def _work(random: np.random.Generator, area: Ints, near: Finder) -> Ints:
    work = np.full(area.size, NOWHERE, np.int64)
    kinds = list(WORK)
    job = random.choice(len(kinds) + 1, area.size, p=[*WORK.values(), 1.0 - sum(WORK.values())])
    for place in np.unique(area):
        for number, kind in enumerate(kinds):
            who = np.flatnonzero((area == place) & (job == number))
            found = near(KIND_INDEX[kind], int(place))
            if found.size:
                work[who] = random.choice(found, who.size)
    return work


def _favourites(random: np.random.Generator, area: Ints, near: Finder, venues: TownVenues) -> npt.NDArray[np.int32]:
    """Return favourites, mostly near home and some anywhere in the town, which is how an epidemic spreads."""
    out = np.full((area.size, len(KINDS), FAVOURITES), NOWHERE, np.int32)
    for place in np.unique(area):
        who = np.flatnonzero(area == place)
        for index, kind in enumerate(KINDS):
            found = near(index, int(place))
            if found.size and not RATES[kind].every_day:
                chosen = random.choice(found, (who.size, FAVOURITES))
                anywhere = random.choice(np.flatnonzero(venues.kind == index), chosen.shape)
                out[who, index] = np.where(random.random(chosen.shape) < FAR_FROM_HOME, anywhere, chosen)
    return out


def pick_favourite(random: np.random.Generator, favourites: npt.NDArray[np.int32]) -> Ints:
    """Choose one venue for each row of favourites (m, FAVOURITES)."""
    rank = np.asarray(random.choice(FAVOURITES, favourites.shape[0], p=FAVOURITE_WEIGHTS))
    return np.asarray(favourites[np.arange(rank.size), rank], np.int64)
