"""Plausible days of scans, generated without the server: to measure the release, not to learn about epidemics."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from exports.dataset.tables import states_by_zip3
from exports.policy.domain import CAP, KEEP, Workload
from exports.policy.noise import Counts

Codes = NDArray[np.int64]


@dataclass(frozen=True)
class Day:
    """Rows of one day, as codes into the domain's axes by axis name.

    `within` selects the first three rows of each person, `marked` those of them that the coin kept.
    """

    codes: dict[str, Codes]
    within: NDArray[np.bool_]
    marked: NDArray[np.bool_]

    def truth(self, workload: Workload) -> Counts:
        """Return counts of the estimand: passes that were scanned or refused, at most three per person."""
        return self._count(workload, self.within)

    def exact(self, tables: tuple[Workload, ...]) -> dict[str, Counts]:
        """Return the input of the draw: counts of marked passes."""
        return {table.name: self._count(table, self.marked) for table in tables}

    def toss(self, rng: np.random.Generator) -> "Day":
        """Return the same day with the coin of every pass tossed again."""
        return replace(self, marked=self.within & (rng.random(len(self.within)) < KEEP))

    def _count(self, workload: Workload, rows: NDArray[np.bool_]) -> Counts:
        place = np.ravel_multi_index([self.codes[axis.name][rows] for axis in workload.axes], workload.shape)
        return np.bincount(place, minlength=workload.cells).reshape(workload.shape).astype(np.int64)


def simulated_day(*, rows: int, seed: int, areas: int = 0) -> Day:
    """Return about `rows` check-ins of one day, in the first `areas` ZIPs of the list, or in all.

    People make 1 + Poisson(0.5) visits. ZIPs differ in size by a lognormal with sigma 1.1 (close to the spread of
    populations of US 3-digit ZIPs) and in prevalence with sigma 0.6. Three in four people who report symptoms or a
    diagnosis are refused, and one in a hundred others. One in a hundred is declined at the door.
    """
    rng = np.random.default_rng(seed)
    zips = areas or len(states_by_zip3())
    sizes = rng.lognormal(0, 1.1, zips)
    prevalence = np.minimum(0.012 * rng.lognormal(0, 0.6, zips), 0.2)
    visits = 1 + rng.poisson(0.5, round(rows / 1.5))
    person = np.repeat(np.arange(len(visits)), visits)
    order = np.arange(len(person)) - np.repeat(np.cumsum(visits) - visits, visits)

    home = rng.choice(zips, len(visits), p=sizes / sizes.sum())
    ill = rng.random(len(visits)) < prevalence[home]
    draw = rng.random((4, len(visits)))
    chances = np.where(ill, [[0.55], [0.35], [0.4], [0.4]], [[0.012], [0.002], [0.015], [0.02]])
    answers = draw < chances
    score = answers.sum(axis=0)
    risk = np.where(answers[1] | (score >= 2), 2, np.where(score == 1, 1, 0))
    risk = np.where((risk == 0) & (prevalence[home] > 0.02) & (draw[0] > 0.6), 1, risk)

    unknown = rng.random(len(person)) < 0.01
    refused = rng.random(len(person)) < np.where((answers[0] | answers[1])[person], 0.75, 0.01)
    at_door = ~refused & (rng.random(len(person)) < 0.01)
    declined = refused | at_door
    checkout = ~declined & (rng.random(len(person)) < 0.4)
    rated = rng.random(len(person)) < 0.2
    codes: dict[str, Codes] = {
        "zip": np.where(unknown, 0, home[person] + 1),
        "risklevel": risk[person],
        "result": declined.astype(np.int64),
        "outcome": np.where(refused, 2, at_door).astype(np.int64),
        "hour": rng.choice(24, len(person), p=_hours()),
        "type_of_scan": checkout.astype(np.int64),
        "accesslevel": (rng.random(len(person)) < 0.8).astype(np.int64),
        "readingtype": (rng.random(len(person)) < 0.5).astype(np.int64),
        "location_maxcapacity": rng.binomial(9, 0.45, len(person)),
        "location_capacity_enforcedlimit": rng.choice(5, len(person), p=[0.02, 0.2, 0.4, 0.2, 0.18]),
        "m_score": np.where(rated, 1 + rng.binomial(4, 0.7, len(person)), 0),
        "s_score": np.where(rated, 1 + rng.binomial(4, 0.5, len(person)), 0),
        "duration": rng.binomial(9, 0.3, len(person)),
        "temp": np.where(rng.random(len(person)) < 0.5, 1 + rng.binomial(9, 0.3, len(person)), 0),
        "o2": np.where(rng.random(len(person)) < 0.3, 8 - rng.binomial(7, 0.1, len(person)), 0),
    }
    for axis, answer in zip(("symptoms", "diagnosed", "contact", "near"), answers, strict=True):
        codes[axis] = answer[person].astype(np.int64)
    within = order < CAP
    return Day(codes, within, within & (rng.random(len(person)) < KEEP))


def _hours() -> NDArray[np.float64]:
    weights = np.array(
        [1, 1, 1, 1, 1, 2, 6, 12, 14, 12, 13, 18, 24, 20, 16, 15, 18, 24, 26, 22, 14, 9, 5, 3], dtype=float
    )
    return np.asarray(weights / weights.sum(), dtype=np.float64)
