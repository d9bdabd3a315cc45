"""The renewal identity on simulated towns: infections implied by the mean shield, compared with those at venues."""

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
"""In the first days, the epidemic is still determined by its initial infections."""


ASKED: Final = 4
FIRST_INFECTED: Final = 0.005
"""Small, so that the people around a carrier are not immune from an earlier contact with another carrier."""


def equilibrium(count: int, *, visitors: int = 3000, days: int = 28) -> list[TownPlan]:
    """Return towns of the default pathogen in which the epidemic persists without imported infections."""
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
    """Reproduction numbers over the days from `FIRST_DAY` on, over all towns.

    ``implied``: implied by the visits that count as hits of people with the app; ``visits``, ``total``: those of the
    town, from visits and from all infections.
    """

    implied: float
    visits: float
    total: float

    @property
    def ratio(self) -> float:
        """Return the implied number divided by the true one."""
        return self.implied / self.visits


def renewal(plans: Iterable[TownPlan], parameters: Parameters, *, asked: int = ASKED) -> Renewal:
    """Simulate the towns and return their reproduction numbers.

    ``parameters`` are those of the shields, which are computed in the first ``asked`` towns only: shields hardly differ
    between towns, whereas infections do.
    """
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
    # The identity compares hits of some days with prevalence summed over the same days: over 14 days.
    implied = implied_reproduction(hits, of_asked / FORTNIGHT_DAYS, days)
    return Renewal(implied, days * at_venues / carriers, days * caught / carriers)


def _mean_hits(record: Record, parameters: Parameters) -> float:
    """Return expected hits of a person with the app over the evaluated days, at each day's prevalence."""
    used, unit = visit_hits(
        record, parameters, known_active_per_person=float(record.prevalence[FIRST_DAY:].mean()), already_total=True
    )
    day = record.arrive_s[used] // DAY_S
    judged = (day >= FIRST_DAY) & (day < record.days)
    today = record.prevalence[np.minimum(day, record.days - 1)] / record.prevalence[FIRST_DAY:].mean()
    return float((unit * today)[judged].sum()) / float(record.has_app.sum())
