"""The town itself, day by day: where people go, what they answer, who is admitted, and who infects whom."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from crowdtrace.town.world import epidemic, illness
from crowdtrace.town.world.people import make_people
from crowdtrace.town.world.places import make_areas, make_venues
from crowdtrace.town.world.plan import TownPlan
from crowdtrace.town.world.streams import stream
from crowdtrace.town.world.visits import Visits, visits_of_day

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

AT_HOME: Final = -1
OUT_OF_TOWN: Final = -2
NOBODY: Final = -1
NO_STAY: Final = -1
SEEDING_DAYS: Final = 10
RATING_NOISE: Final = 0.12
SURVEY_SECONDS: Final = (6.0, 4.0)
"""Shape and mean part (seconds) of the time that the four questions take: a gamma of mean 24 s; our assumption."""


@dataclass(frozen=True, slots=True)
class NewInfections:
    """Infections of one day, as columns.

    ``person``; ``venue``, `AT_HOME` or `OUT_OF_TOWN`; ``infector`` or `NOBODY`; ``infector_felt_ill``: whether that
    person had symptoms of it then; ``stay``: row of the day's stays or `NO_STAY`.
    """

    person: Ints
    venue: Ints
    infector: Ints
    infector_felt_ill: Bools
    stay: Ints


@dataclass(frozen=True, slots=True)
class TownDay:
    """One day of a town.

    ``number`` from 0; ``stays``: of all admitted people; ``refusals``: check-ins that were refused, with the times that
    the visit would have had.

    Per stay: ``emission`` of the visitor relative to the mean; ``masks`` share worn; ``quanta`` inhaled and ``near``
    hazard; ``rated_masks``, ``rated_distancing`` 1-5 or 0; ``checks_out``. Per stay and refusal ``survey_seconds`` and
    ``refusal_survey_seconds``. Per person: ``answers`` (people, 4) and ``infectious``.
    """

    number: int
    date: dt.date
    stays: Visits
    refusals: Visits
    emission: Floats
    masks: Floats
    quanta: Floats
    near: Floats
    rated_masks: Ints
    rated_distancing: Ints
    checks_out: Bools
    survey_seconds: Ints
    refusal_survey_seconds: Ints
    answers: Bools
    infectious: Bools
    caught: NewInfections


class Town:
    """A town under simulation: `next_day` advances its clock by one day."""

    def __init__(self, plan: TownPlan) -> None:
        self.plan = plan
        self.areas = make_areas(plan)
        self.venues = make_venues(plan, self.areas)
        self.people = make_people(plan, self.areas, self.venues)
        self.infections = illness.Infections.none(self.people.size)
        self.day = 0
        self._seed_epidemic()

    def next_day(self) -> TownDay:
        """Simulate one day; days past ``plan.days`` are possible."""
        plan, people, infections, day = self.plan, self.people, self.infections, self.day
        random = stream(plan.seed, "day", day)
        date = plan.start + dt.timedelta(days=day)
        infections.catch_colds(random, day)
        said = illness.answers(random, people, infections, day)
        home = illness.stays_home(
            random, infections, day, symptoms=plan.staying_home_symptoms, diagnosed=plan.staying_home_diagnosed
        )
        wanted = visits_of_day(
            random,
            people=people,
            venues=self.venues,
            weekday=date.weekday(),
            activity=plan.activity,
            out=~home,
            night_share=plan.night_share,
        )
        refused = people.has_app[wanted.person] & (said[wanted.person] & self.venues.refuses[wanted.venue]).any(axis=1)
        stays, refusals = wanted.taken(~refused), wanted.taken(refused)
        emission = infections.emission(day, plan.parameters)
        masks = epidemic.mask_share(people, self.venues, stays)
        exposure = epidemic.expose(
            stays,
            emission=emission[stays.person],
            masks=masks,
            venues=self.venues,
            parameters=plan.parameters,
        )
        caught = self._spread(random, stays, exposure, emission)
        rated = people.has_app[stays.person] & (random.random(stays.size) < plan.rating_share)
        lived = TownDay(
            number=day,
            date=date,
            stays=stays,
            refusals=refusals,
            emission=emission[stays.person],
            masks=masks,
            quanta=_summed(exposure.receiver, exposure.quanta, stays.size),
            near=_summed(exposure.receiver, exposure.near, stays.size),
            rated_masks=_ratings(random, self.venues.masks[stays.venue], rated),
            rated_distancing=_ratings(random, self.venues.distancing[stays.venue], rated),
            checks_out=random.random(stays.size) < plan.checkout_share,
            survey_seconds=_survey(random, stays.size),
            refusal_survey_seconds=_survey(random, refusals.size),
            answers=said,
            infectious=infections.infectious(day, plan.parameters),
            caught=caught,
        )
        infections.infect(random, caught.person, day, plan.parameters)
        self.day += 1
        return lived

    def _seed_epidemic(self) -> None:
        """Infect people on the days before the first, as many as the plan says."""
        random = stream(self.plan.seed, "first infected")
        count = min(self.people.size, round(self.plan.first_infected * self.people.size))
        who = np.sort(random.permutation(self.people.size)[:count]).astype(np.int64)
        self.infections.infect(random, who, random.integers(-SEEDING_DAYS, 0, count), self.plan.parameters)

    def _spread(
        self, random: np.random.Generator, stays: Visits, exposure: epidemic.Exposure, emission: Floats
    ) -> NewInfections:
        people = self.people
        hazard = exposure.quanta + exposure.near
        out = np.bincount(stays.person[exposure.receiver], hazard, people.size)
        member = np.bincount(people.household, emission)[people.household] - emission
        home = self.plan.household_per_day * np.maximum(member, 0.0)
        chance = -np.expm1(-(out + home + self.plan.imported_per_day))
        can = people.susceptible & (self.infections.day == illness.NEVER)
        who = np.flatnonzero((random.random(people.size) < chance) & can)
        draws = random.random(who.size)
        # Only pairs that resulted in an infection are processed again, by person.
        rows = np.flatnonzero(np.isin(stays.person[exposure.receiver], who))
        rows = rows[np.argsort(stays.person[exposure.receiver[rows]], kind="stable")]
        receivers = stays.person[exposure.receiver[rows]]
        first, last = np.searchsorted(receivers, who, "left"), np.searchsorted(receivers, who, "right")
        venue, infector, stay = (np.empty(who.size, np.int64) for _ in range(3))
        for at, person in enumerate(who):
            pairs = rows[first[at] : last[at]]
            members = self._household_of(int(person))
            at_home = self.plan.household_per_day * emission[members]
            weights = np.concatenate([hazard[pairs], at_home, [self.plan.imported_per_day]])
            pick = int(np.searchsorted(np.cumsum(weights), draws[at] * weights.sum(), side="right"))
            if pick < pairs.size:
                stay[at] = exposure.receiver[pairs[pick]]
                venue[at] = stays.venue[stay[at]]
                infector[at] = stays.person[exposure.emitter[pairs[pick]]]
            elif pick < pairs.size + members.size:
                venue[at], infector[at], stay[at] = AT_HOME, members[pick - pairs.size], NO_STAY
            else:
                venue[at], infector[at], stay[at] = OUT_OF_TOWN, NOBODY, NO_STAY
        ill = self.infections.symptomatic & (self.infections.onset <= self.day)
        felt = np.where(infector == NOBODY, False, ill[infector])
        return NewInfections(who.astype(np.int64), venue, infector, felt, stay)

    def _household_of(self, person: int) -> Ints:
        """Return the others of a household; people are numbered by household."""
        number = self.people.household[person]
        first, last = np.searchsorted(self.people.household, [number, number + 1])
        return np.array([member for member in range(int(first), int(last)) if member != person], np.int64)


def _summed(rows: Ints, values: Floats, size: int) -> Floats:
    return np.bincount(rows, values, size).astype(np.float64)


def _ratings(random: np.random.Generator, share: Floats, rated: Bools) -> Ints:
    """Return ratings as a visitor would give them, from 1 (nobody) to 5 (everybody); 0 if not rated."""
    seen = np.clip(share + random.normal(0.0, RATING_NOISE, share.size), 0.0, 1.0)
    return np.where(rated, 1 + np.rint(4.0 * seen).astype(np.int64), 0)


def _survey(random: np.random.Generator, n: int) -> Ints:
    shape, part = SURVEY_SECONDS
    return np.maximum(3, random.gamma(shape, part, n).astype(np.int64))
