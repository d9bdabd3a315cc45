"""The renewal identity on simulated towns: what shields say in the mean against who is infected at venues."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np

from crowdtrace.town.comparators.alarms import visit_hits
from crowdtrace.town.comparators.record import DAY_S, Record, live
from crowdtrace.town.world.plan import TownPlan
from risk.model.parameters import Parameters
from risk.model.renewal import implied_reproduction

FIRST_DAY: Final = 7
"""The epidemic of the first days is the one it was begun with."""


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


def renewal(plans: Iterable[TownPlan], parameters: Parameters) -> Renewal:
    """Live the towns; ``parameters`` are those of the shields."""
    hits = carriers = caught = at_venues = 0.0
    days = parameters.pathogen.infectious_days.value
    for plan in plans:
        record = live(plan)
        mean, people = _mean_hits(record, parameters), record.has_app.size
        late = (record.infected_day >= FIRST_DAY) & (record.infected_day < record.days)
        hits += mean * people
        carriers += record.prevalence[FIRST_DAY:].sum() * people
        caught += late.sum()
        at_venues += (late & record.at_venue).sum()
    # Hits of some days against prevalence summed over the same days: 14 of them make the identity's form.
    implied = implied_reproduction(hits, carriers / 14.0, days)
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
