"""Crowd state: for each venue, answer class and quarter-hour, the few numbers from which any stay can be computed.

At each edge (a fixed time, a multiple of 15 minutes UTC): concentration per unit emission, people present, and departed
people whose breath may still be there. Over each quarter: the integral of the concentration, arrivals, person-hours.
Columns: everybody, then classes 1, 2, 3. It contains no person.

To read a stay, the reader's own part is subtracted at the edges (which is exact: the same equations applied to the
reader's stays alone), and a cubic Hermite curve on (integral, concentration), kept monotone, interpolates between
edges. Stays that begin and end on edges are exact. Heads are counted over all quarters touched, so they are never too
few.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from risk.model import compiled
from risk.model.far import Floats, InvalidInputError, Rooms, Stays, sort_stays

QUARTER_US: Final = compiled.QUARTER_US
QUARTER_H: Final = 0.25


def edge_before(time_us: int) -> int:
    """Return the number of the last edge at or before a time (edges: multiples of 15 minutes since the epoch)."""
    return int(time_us // QUARTER_US)


def edge_after(time_us: int) -> int:
    """Return the number of the first edge at or after a time."""
    return int(-(-time_us // QUARTER_US))


@dataclass(frozen=True, slots=True)
class CrowdState:
    """Crowd of one venue from edge ``first_edge`` on, over q quarters.

    ``concentration_per_m3`` (h/m3 per unit emission), ``present``, ``lingering``: (q + 1, 4), at the edges.
    ``integral_h2_per_m3``, ``arrivals``, ``person_h``: (q, 4), over the quarter after the edge.
    ``removal_rate_per_h``: (q,). ``volume_m3``: of the room.
    """

    first_edge: int
    volume_m3: float
    removal_rate_per_h: Floats
    concentration_per_m3: Floats
    present: npt.NDArray[np.int64]
    lingering: npt.NDArray[np.int64]
    integral_h2_per_m3: Floats
    arrivals: npt.NDArray[np.int64]
    person_h: Floats

    @property
    def quarters(self) -> int:
        """Return the number of quarter-hours covered."""
        return int(self.removal_rate_per_h.size)

    @property
    def last_edge(self) -> int:
        """Return the number of the last edge."""
        return self.first_edge + self.quarters

    def between(self, first_edge: int, last_edge: int) -> CrowdState:
        """Return the part between two edges."""
        a, b = first_edge - self.first_edge, last_edge - self.first_edge
        if not 0 <= a < b <= self.quarters:
            raise InvalidInputError("edges", "outside the crowd state")
        return CrowdState(
            first_edge,
            self.volume_m3,
            self.removal_rate_per_h[a:b],
            self.concentration_per_m3[a : b + 1],
            self.present[a : b + 1],
            self.lingering[a : b + 1],
            self.integral_h2_per_m3[a:b],
            self.arrivals[a:b],
            self.person_h[a:b],
        )


def crowd_state(
    *,
    arrive_us: npt.ArrayLike,
    leave_us: npt.ArrayLike,
    answer_class: npt.ArrayLike,
    volume_m3: float,
    removal_rate_per_h: npt.ArrayLike,
    first_edge: int,
    last_edge: int,
    concentration_per_m3: npt.ArrayLike = (0.0, 0.0, 0.0, 0.0),
) -> CrowdState:
    """Return the crowd state of one venue between two edges.

    ``removal_rate_per_h``: one number, or one for each quarter (air measured hour by hour). To continue from an earlier
    state, pass its concentration at ``first_edge`` and every stay that ended at most `CLEAR_AFTER` air changes before;
    the result then equals that computed from the start, up to rounding. Stays may come in any order. For a person who
    has not left yet, ``leave_us`` is the expected departure. Raise `InvalidInputError`.
    """
    quarters = last_edge - first_edge
    if quarters <= 0:
        raise InvalidInputError("last_edge", "must be after first_edge")
    rates = np.ascontiguousarray(np.broadcast_to(np.asarray(removal_rate_per_h, np.float64), quarters))
    Rooms(np.full(quarters, volume_m3, np.float64), rates)  # raises for values that no room has
    start_concentration = np.array(concentration_per_m3, np.float64)
    if not (np.isfinite(start_concentration).all() and (start_concentration >= 0.0).all()):
        raise InvalidInputError("concentration_per_m3", "must be finite and not negative")
    arrive = np.atleast_1d(np.asarray(arrive_us, np.int64))
    stays = Stays.of(
        venue=np.zeros(arrive.size, np.int32),
        arrive_us=arrive,
        leave_us=np.atleast_1d(np.asarray(leave_us, np.int64)),
        answer_class=np.atleast_1d(np.asarray(answer_class, np.int8)),
    )
    order = sort_stays(stays, 1)
    concentration = np.zeros((quarters + 1, 4))
    present, lingering = np.zeros((2, quarters + 1, 4), np.int64)
    integral, person_h = np.zeros((2, quarters, 4))
    arrivals = np.zeros((quarters, 4), np.int64)
    compiled.crowd_edges(
        order.arrive_us,
        order.leave_us,
        order.answer_class,
        order.by_departure,
        first_edge * QUARTER_US,
        rates,
        float(volume_m3),
        start_concentration,
        concentration,
        present,
        lingering,
        integral,
        arrivals,
        person_h,
    )
    return CrowdState(
        first_edge, float(volume_m3), rates, concentration, present, lingering, integral, arrivals, person_h
    )
