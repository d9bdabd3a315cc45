"""The data of a simulated town, as one set of columns over all its days."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from crowdtrace.town.world.plan import TownPlan
from crowdtrace.town.world.town import AT_HOME, NOBODY, Town
from risk.model.classes import answer_class

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

DAY_S = 86_400


@dataclass(frozen=True, slots=True)
class Record:
    """Stays of all days, and the truth about each person.

    Stays are rows by day with times in seconds from the first midnight, and ratings and answer classes as the product
    has them. Per person: day infected, at a venue or not, day of onset, day of a known result, whether the infector had
    no symptoms then. Per day ``prevalence``: share of people infectious.
    """

    town: Town
    days: int
    person: Ints
    venue: Ints
    arrive_s: Ints
    leave_s: Ints
    answer_class: npt.NDArray[np.int8]
    rated_masks: Ints
    rated_distancing: Ints
    has_app: Bools
    infected_day: Ints
    at_venue: Bools
    silent_infector: Bools
    onset_day: Floats
    known_from: Ints
    prevalence: Floats


def live(plan: TownPlan) -> Record:
    """Simulate all days of a town and return its record."""
    town = Town(plan)
    parts: list[tuple[npt.NDArray[Any], ...]] = []
    at_venue, silent = np.zeros(town.people.size, bool), np.zeros(town.people.size, bool)
    prevalence = []
    for _ in range(plan.days):
        day = town.next_day()
        prevalence.append(float(day.infectious.mean()))
        stays, said = day.stays, day.answers[day.stays.person]
        classes = answer_class(symptoms=said[:, 0], diagnosed=said[:, 1], contact=said[:, 2], near=said[:, 3])
        start = day.number * DAY_S
        parts.append(
            (
                stays.person,
                stays.venue,
                stays.arrive_s + start,
                stays.leave_s + start,
                classes,
                day.rated_masks,
                day.rated_distancing,
            )
        )
        caught = day.caught
        at_venue[caught.person] = caught.venue > AT_HOME
        silent[caught.person] = (caught.infector != NOBODY) & ~caught.infector_felt_ill
    columns = [np.concatenate(column) for column in zip(*parts, strict=True)]
    infections = town.infections
    return Record(
        town=town,
        days=plan.days,
        person=columns[0],
        venue=columns[1],
        arrive_s=columns[2],
        leave_s=columns[3],
        answer_class=columns[4],
        rated_masks=columns[5],
        rated_distancing=columns[6],
        has_app=town.people.has_app,
        infected_day=infections.day,
        at_venue=at_venue,
        silent_infector=silent,
        onset_day=infections.onset,
        known_from=infections.known_from,
        prevalence=np.array(prevalence),
    )
