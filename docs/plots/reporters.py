"""Towns of people who report a result, with a truth drawn from the prior, to test the learning.

Visits give a town's people 1.1 infections each in the time that one person is infectious (the renewal identity), and a
third of that elsewhere. People differ by a factor of 3 either way in the cost of their visits. A town lasts half a
year, in which prevalence varies between 0.6 % and 4 %, or a month at 3 %.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from risk.model.kinds import Kind
from risk.model.learning.cells import Cells, Floats, Integers, cells_of, coarsened
from risk.model.learning.posterior import (
    BACKGROUND,
    KIND,
    LEAST_DOSE,
    LIARS,
    PROMPTED_LIARS,
    REPORTING,
    RISE,
    SCALE,
    Prior,
)
from risk.model.visits import KIND_INDEX, KINDS

SHARES: Final = {
    Kind.SCHOOL: 0.28,
    Kind.OFFICE: 0.22,
    Kind.RESTAURANT: 0.15,
    Kind.TRANSPORT: 0.12,
    Kind.GYM: 0.09,
    Kind.BAR: 0.07,
    Kind.WORSHIP: 0.04,
    Kind.SUPERMARKET: 0.03,
}
"""Share of each kind in the hits of a town. The nine others are not visited: their factors keep their prior."""
VISITED: Final = np.array([KIND_INDEX[kind] for kind in SHARES])
FORTNIGHT_DAYS, INFECTIOUS_DAYS = 14.0, 8.0
FROM_VISITS, FROM_ELSEWHERE = 1.1, 0.38
"""Infections of one person while infectious. With 3 % prevalence, elsewhere is 2 % in a fortnight."""
SPREAD: Final = 1.1
"""Standard deviation between people of the log of their hits in visits."""
CONCENTRATION: Final = 1.2
"""Parameter of the Dirichlet distribution of a person's hits over kinds: the dominant kind has about half."""
WEEKS_A_PERIOD: Final = 4
BATCH: Final = 2000
MOST_BATCHES: Final = 500


@dataclass(frozen=True, slots=True)
class Town:
    """Weeks, prevalence in the middle of its swing, the swing on a log scale, and true over assumed prevalence."""

    weeks: int = 26
    middle: float = 0.015
    swing: float = 1.0
    prevalence: float = 1.0

    @property
    def last_period(self) -> int:
        """Return the number of the newest period."""
        return (self.weeks - 1) // WEEKS_A_PERIOD


HALF_A_YEAR: Final = Town()
A_MONTH: Final = Town(weeks=4, middle=0.03, swing=0.0)


@dataclass(frozen=True, eq=False)
class Reports:
    """Reports, one per row, before they are put into cells."""

    period: Integers
    prompted: Integers
    positive: npt.NDArray[np.bool_]
    hits: Floats
    elsewhere: Floats

    def cells(self) -> Cells:
        """Return their cells, as they would be stored."""
        return coarsened(cells_of(**vars(self)))[0]

    def alone(self) -> Cells:
        """Return a cell for every single reporter: never stored, only for comparison."""
        people = self.period.size
        none = np.zeros(people, np.int64)
        return Cells(
            period=self.period,
            prompted=self.prompted,
            band=none,
            kind=none,
            share=none,
            reporters=none + 1,
            positives=self.positive.astype(np.int64),
            elsewhere=self.elsewhere,
            squares=self.hits.sum(axis=1) ** 2,
            hits=self.hits,
        )

    def first(self, count: int) -> Reports:
        """Return the first ``count`` reports."""
        return Reports(**{name: column[:count] for name, column in vars(self).items()})


def truth_of(prior: Prior, rng: np.random.Generator) -> Floats:
    """Return parameters drawn from a prior."""
    return prior.mean + prior.sd * rng.standard_normal(prior.mean.size)


def reports(town: Town, truth: Floats, rng: np.random.Generator, *, positives: int, prompted: bool) -> Reports:
    """Return reports of one stream, in random order, until ``positives`` are positive."""
    parts: list[Reports] = []
    seen = 0
    while seen < positives and len(parts) < MOST_BATCHES:
        parts.append(_batch(town, truth, rng, prompted=prompted))
        seen += int(parts[-1].positive.sum())
    every = Reports(**{name: np.concatenate([vars(part)[name] for part in parts]) for name in vars(parts[0])})
    return every.first(int(np.searchsorted(np.cumsum(every.positive), positives)) + 1)


def _batch(town: Town, truth: Floats, rng: np.random.Generator, *, prompted: bool) -> Reports:
    week = rng.integers(0, town.weeks, BATCH)
    renewal = FORTNIGHT_DAYS / INFECTIOUS_DAYS * town.middle * np.exp(town.swing * np.sin(2.0 * np.pi * week / 26.0))
    total = FROM_VISITS * renewal * np.exp(SPREAD * rng.standard_normal(BATCH) - SPREAD**2 / 2.0)
    hits = np.zeros((BATCH, len(KINDS)))
    hits[:, VISITED] = total[:, None] * rng.dirichlet(CONCENTRATION * np.array(list(SHARES.values())), BATCH)
    elsewhere = FROM_ELSEWHERE * renewal
    x = town.prevalence * (np.exp(truth[BACKGROUND]) * elsewhere + hits @ np.exp(truth[SCALE] + truth[KIND:]))
    odds = np.expm1(x)
    if not prompted:
        typical = np.log(FROM_VISITS * FORTNIGHT_DAYS / INFECTIOUS_DAYS * town.middle) - SPREAD**2 / 2.0
        odds *= np.exp(truth[REPORTING] + truth[RISE] * (np.log(np.maximum(total, LEAST_DOSE)) - typical))
    lies = 1.0 / (1.0 + np.exp(-truth[PROMPTED_LIARS if prompted else LIARS]))
    positive = rng.random(BATCH) < lies + (1.0 - lies) * odds / (1.0 + odds)
    return Reports(week // WEEKS_A_PERIOD, np.full(BATCH, int(prompted)), positive, hits, elsewhere)
