"""The renewal identity on simulated towns: what shields say in the mean against who is infected at venues."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np

from crowdtrace.town.comparators.alarms import visit_hits
from crowdtrace.town.comparators.record import DAY_S, Record, live
from crowdtrace.town.world.plan import TownPlan
from risk.model.parameters import Parameters
from risk.model.renewal import FORTNIGHT_DAYS, implied_reproduction

FIRST_DAY: Final = 7
"""The epidemic of the first days is the one it was begun with."""


ASKED: Final = 4
FIRST_INFECTED: Final = 0.005
"""Few, so that those around a carrier are not immune for having met another before."""


def equilibrium(count: int, *, visitors: int = 3000, days: int = 28) -> list[TownPlan]:
    """Towns of the default pathogen in which an epidemic keeps itself alive, with none brought in from outside."""
    return [
        TownPlan(
            visitors=visitors,
            venues=visitors // 50,
            days=days,
            seed=seed,
            start=dt.date(2026, 3, 2),
            first_infected=FIRST_INFECTED,
            imported_per_day=0.0,
            parameters=Parameters(),
        )
        for seed in range(1, count + 1)
    ]


@dataclass(frozen=True, slots=True)
class Renewal:
    """Of the days from `FIRST_DAY` on, over towns. ``implied``: reproduction number from visits that the hits of
    people with the app imply; ``visits``, ``total``: that of the town, from visits and of all infections."""

    implied: float
    visits: float
    total: float

    @property
    def ratio(self) -> float:
        """What shields say against what happened."""
        return self.implied / self.visits


def renewal(plans: Iterable[TownPlan], parameters: Parameters, *, asked: int = ASKED) -> Renewal:
    """Live the towns; ``parameters`` are those of the shields, which are asked in the first ``asked`` towns only:
    what they say hardly differs between towns, while who is infected does."""
    hits = of_asked = carriers = caught = at_venues = 0.0
    days = parameters.pathogen.infectious_days.value
    for number, plan in enumerate(plans):
        record = live(plan)
        person_days = float(record.prevalence[FIRST_DAY:].sum()) * record.has_app.size
        late = (record.infected_day >= FIRST_DAY) & (record.infected_day < record.days)
        if number < asked:
            hits += _mean_hits(record, parameters) * record.has_app.size
            of_asked += person_days
        carriers += person_days
        caught += float(late.sum())
        at_venues += float((late & record.at_venue).sum())
    # Hits of some days against prevalence summed over the same days: 14 of them make the identity's form.
    implied = implied_reproduction(hits, of_asked / FORTNIGHT_DAYS, days)
    return Renewal(implied, days * at_venues / carriers, days * caught / carriers)


def _mean_hits(record: Record, parameters: Parameters) -> float:
    """Expected hits of a person with the app over the judged days, at each day's own prevalence."""
    used, unit = visit_hits(
        record, parameters, known_active_per_person=float(record.prevalence[FIRST_DAY:].mean()), already_total=True
    )
    day = record.arrive_s[used] // DAY_S
    judged = (day >= FIRST_DAY) & (day < record.days)
    today = record.prevalence[np.minimum(day, record.days - 1)] / record.prevalence[FIRST_DAY:].mean()
    return float((unit * today)[judged].sum()) / float(record.has_app.sum())
