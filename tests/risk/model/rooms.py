"""Rooms and crowds of the tests, and slow, simple results for comparison."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from hypothesis import strategies as st

from risk.model.far import Rooms, Stays, UnitDoses, unit_doses

MINUTE_US = 60_000_000
HOUR_US = 3_600_000_000


@dataclass(frozen=True)
class Crowd:
    """Stays in one room: (arrive_us, leave_us, answer class) each."""

    stays: tuple[tuple[int, int, int], ...]
    volume_m3: float = 200.0
    removal_per_h: float = 3.0

    def doses(self, previous: npt.ArrayLike = ()) -> UnitDoses:
        return unit_doses(self.arrays(previous), self.rooms)

    @property
    def rooms(self) -> Rooms:
        return Rooms(np.array([self.volume_m3]), np.array([self.removal_per_h]))

    def arrays(self, previous: npt.ArrayLike = ()) -> Stays:
        return Stays.of(
            venue=np.zeros(len(self.stays)),
            arrive_us=[stay[0] for stay in self.stays],
            leave_us=[stay[1] for stay in self.stays],
            answer_class=[stay[2] for stay in self.stays],
            previous=previous,
        )

    def with_stay(self, *stay: int) -> Crowd:
        return Crowd((*self.stays, (stay[0], stay[1], stay[2])), self.volume_m3, self.removal_per_h)


def pair_dose(crowd: Crowd, giver: int, taker: int) -> float:
    """Return the integral of one person's breath over another's stay in closed form; nothing is cut off."""
    a, b = (crowd.stays[giver][0] / HOUR_US, crowd.stays[giver][1] / HOUR_US)
    c, d = (crowd.stays[taker][0] / HOUR_US, crowd.stays[taker][1] / HOUR_US)
    lam = crowd.removal_per_h

    def running(t: float) -> float:
        """Return the integral of the concentration up to t."""
        if t <= a:
            return 0.0
        on = min(t, b) - a
        total = (on + np.expm1(-lam * on) / lam) / lam
        if t > b:
            total += -np.expm1(-lam * (b - a)) / lam * -np.expm1(-lam * (t - b)) / lam
        return float(total)

    return (running(d) - running(c)) / crowd.volume_m3


@st.composite
def crowds(draw: st.DrawFn, least: int = 1, most: int = 9, quarters: bool = False) -> Crowd:
    """Draw a day in one room."""
    step = 15 if quarters else 1
    stays = []
    for _ in range(draw(st.integers(least, most))):
        begin = draw(st.integers(0, 600 // step)) * step
        length = draw(st.integers(1, 240 // step)) * step
        answer = draw(st.sampled_from((0, 0, 0, 1, 2, 3)))
        stays.append((begin * MINUTE_US, (begin + length) * MINUTE_US, answer))
    volume = draw(st.sampled_from((40.0, 200.0, 3000.0)))
    return Crowd(tuple(stays), volume, draw(st.sampled_from((0.6, 2.0, 5.0, 14.0))))
