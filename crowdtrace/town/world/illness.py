"""The course of infections, what people notice and know of them, and their answers.

Load is Gamma(k, 1/k) per person and changes over the days around the onset of symptoms as in He 2020 (for people who
never have any, around the day they would have appeared), scaled so that its mean over the infectious days is 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from crowdtrace.town.world.people import People
from risk.model.load import infectious_window, infectiousness_share
from risk.model.parameters import Parameters

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

NEVER: Final = 10**6
"""A day that never comes."""
SYMPTOM_DAYS: Final = 9
KNOWN_DAYS: Final = 10
TEST_DELAY_DAYS: Final = (1, 2, 2, 3, 4)
"""Days from onset to a result, drawn uniformly; our assumption."""
COLD_DAYS: Final = 5
COLDS: Final = 0.015
"""Share of people with symptoms of another illness."""
CONTACT_BACKGROUND: Final = 0.02
NEAR_BACKGROUND: Final = 0.02
"""Shares of people who answer yes without a case that the town knows of."""
LAST_DAY: Final = 21


@dataclass(slots=True)
class Infections:
    """State of all people, (people,); days are days of the town, `NEVER` if there is none.

    ``day``: of infection. ``onset``: of symptoms, or when they would have appeared. ``symptomatic``: ever. ``load``:
    relative to the mean. ``known_from``: a positive result. ``cold_until``: symptoms of another illness.
    """

    day: Ints
    onset: Floats
    symptomatic: Bools
    load: Floats
    known_from: Ints
    cold_until: Ints

    @classmethod
    def none(cls, people: int) -> Infections:
        """Return a state in which nobody is infected."""
        return cls(
            day=np.full(people, NEVER, np.int64),
            onset=np.full(people, float(NEVER)),
            symptomatic=np.zeros(people, bool),
            load=np.zeros(people),
            known_from=np.full(people, NEVER, np.int64),
            cold_until=np.full(people, -1, np.int64),
        )

    def infect(self, random: np.random.Generator, who: Ints, day: npt.ArrayLike, parameters: Parameters) -> None:
        """Start infections of people who were never infected."""
        pathogen, n = parameters.pathogen, who.size
        k = pathogen.load_dispersion.value
        self.day[who] = day
        course = np.exp(random.normal(pathogen.incubation.log_mean, pathogen.incubation.log_sd, n))
        self.onset[who] = self.day[who] + 0.5 + course
        self.symptomatic[who] = random.random(n) >= pathogen.never_symptomatic.value
        self.load[who] = random.gamma(k, 1.0 / k, n)
        # Reported cases are infections / ratio, and nearly all of them had symptoms.
        tested = random.random(n) < 1.0 / pathogen.infections_per_case.value / (1 - pathogen.never_symptomatic.value)
        delay = random.choice(np.array(TEST_DELAY_DAYS), n)
        result = np.floor(self.onset[who]).astype(np.int64) + delay
        self.known_from[who] = np.where(tested & self.symptomatic[who], result, NEVER)

    def catch_colds(self, random: np.random.Generator, day: int) -> None:
        """Start today's symptoms of another illness; on day 0, as many people have them as on any other day."""
        chance = COLDS if day == 0 else COLDS / COLD_DAYS
        new = np.flatnonzero(random.random(self.cold_until.size) < chance)
        length = random.integers(1, COLD_DAYS + 1, new.size) if day == 0 else np.full(new.size, COLD_DAYS)
        self.cold_until[new] = day + length

    def emission(self, day: int, parameters: Parameters) -> Floats:
        """Return each person's emission today, relative to an infectious person of mean load on an average day."""
        out = np.zeros(self.day.size)
        ill = np.flatnonzero((self.day < day) & (self.day >= day - LAST_DAY))
        since = day - self.onset[ill]
        share = infectiousness_share(parameters.pathogen, since, since + 1.0)
        out[ill] = self.load[ill] * share * parameters.pathogen.infectious_days.value
        return out

    def infectious(self, day: int, parameters: Parameters) -> Bools:
        """Return who is within the days that carry most infectiousness, whatever the load."""
        since = day - self.onset
        first, last = infectious_window(parameters.pathogen)
        return np.asarray((self.day < day) & (since >= first) & (since < last))

    def symptoms(self, day: int) -> Bools:
        """Return who has symptoms today, of this or another illness."""
        ill = self.symptomatic & (self.onset <= day) & (day < self.onset + SYMPTOM_DAYS)
        return np.asarray(ill | (day < self.cold_until))

    def known(self, day: int) -> Bools:
        """Return who has a positive result of the past days."""
        return np.asarray((self.known_from <= day) & (day < self.known_from + KNOWN_DAYS))


def stays_home(
    random: np.random.Generator, infections: Infections, day: int, *, symptoms: float, diagnosed: float
) -> Bools:
    """Return who does not go out today."""
    chance = np.where(infections.known(day), diagnosed, np.where(infections.symptoms(day), symptoms, 0.0))
    return np.asarray(random.random(chance.size) < chance)


def answers(random: np.random.Generator, people: People, infections: Infections, day: int) -> Bools:
    """Return everybody's answers today (people, 4): symptoms, diagnosed, contact, near. Dishonest people answer no."""
    known = infections.known(day)
    in_household = np.bincount(people.household, weights=known)[people.household] - known > 0
    in_area = np.bincount(people.area, weights=known) / np.maximum(np.bincount(people.area), 1)
    near = NEAR_BACKGROUND + 2.0 * in_area[people.area]
    truth = np.stack(
        [
            infections.symptoms(day),
            known,
            in_household | (random.random(people.size) < CONTACT_BACKGROUND),
            in_household | (random.random(people.size) < near),
        ],
        axis=1,
    )
    return np.asarray(truth & people.honest[:, None])
