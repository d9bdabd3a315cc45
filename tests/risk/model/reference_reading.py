"""One stay read from the crowd state in plain arrays: the oracle of the compiled `risk.model.readings`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from risk.model import compiled
from risk.model.crowd_state import QUARTER_H, QUARTER_US, CrowdState, crowd_state, edge_after, edge_before
from risk.model.far import Floats, InvalidInputError


@dataclass(frozen=True, slots=True)
class StayReading:
    """What others contributed to one stay, by quarter-hour, and how many they were.

    ``first_edge``: edge at which the first quarter begins. ``dose_h2_per_m3``, ``person_h``: (quarters, 4). ``heads``:
    (4,), people whose breath it can meet; ``others``: those of them who were there meanwhile. Columns: everybody, then
    classes 1, 2, 3.
    """

    first_edge: int
    dose_h2_per_m3: Floats
    person_h: Floats
    heads: npt.NDArray[np.int64]
    others: int


def read_stay(
    state: CrowdState,
    *,
    arrive_us: int,
    leave_us: int,
    answer_class: int,
    earlier: Sequence[tuple[int, int, int]] = (),
) -> StayReading:
    """Read one stay from the crowd state that includes it.

    ``earlier``: the same person's earlier stays in this venue, each (arrive_us, leave_us, answer_class), already joined
    across gaps under 15 minutes. A class of -1 reads as an observer who is not in the state.
    """
    if leave_us < arrive_us:
        raise InvalidInputError("leave_us", "before arrive_us")
    first, last = edge_before(arrive_us), max(edge_after(leave_us), edge_before(arrive_us) + 1)
    crowd = state.between(first, last)
    spans = [*earlier, (arrive_us, leave_us, answer_class)]
    began = min(edge_before(span[0]) for span in spans)
    # If the state starts later than an earlier stay, the air of its first quarter is used for the time before.
    rates = np.concatenate(
        [
            np.full(max(0, state.first_edge - began), state.removal_rate_per_h[0]),
            state.removal_rate_per_h[max(0, began - state.first_edge) : last - state.first_edge],
        ]
    )
    own = crowd_state(
        arrive_us=[span[0] for span in spans],
        leave_us=[span[1] for span in spans],
        answer_class=[span[2] for span in spans],
        volume_m3=state.volume_m3,
        removal_rate_per_h=rates,
        first_edge=began,
        last_edge=last,
    ).between(first, last)
    present = crowd.present - own.present
    arrivals = crowd.arrivals - own.arrivals
    linger = np.maximum(crowd.lingering[0] - own.lingering[0], 0)
    heads = np.maximum(present[0] + linger + arrivals.sum(axis=0), 0)
    somebody = heads > 0
    concentration = np.where(somebody, np.maximum(crowd.concentration_per_m3 - own.concentration_per_m3, 0.0), 0.0)
    integral = np.where(somebody, np.maximum(crowd.integral_h2_per_m3 - own.integral_h2_per_m3, 0.0), 0.0)
    company = np.where(somebody, np.maximum(crowd.person_h - own.person_h, 0.0), 0.0)
    from_h = np.zeros(last - first)
    to_h = np.full(last - first, QUARTER_H)
    from_h[0] = (arrive_us - first * QUARTER_US) / compiled.US_PER_H
    to_h[-1] = (leave_us - (last - 1) * QUARTER_US) / compiled.US_PER_H
    return StayReading(
        first,
        _part(integral, concentration, from_h, to_h),
        _part(company, present.astype(np.float64), from_h, to_h),
        heads,
        max(0, int(present[0, 0] + arrivals[:, 0].sum())),
    )


def _part(total: Floats, slope: Floats, from_h: Floats, to_h: Floats) -> Floats:
    """Return the part of each quarter's ``total`` (q, 4) between two times in it; ``slope`` (q + 1, 4) at the edges.

    Cubic Hermite with slopes limited to three times the mean (Fritsch and Carlson 1980), which keeps it monotone.
    """
    limit = 3.0 * total / QUARTER_H
    left, right = np.minimum(slope[:-1], limit), np.minimum(slope[1:], limit)

    def until(hours: Floats) -> Floats:
        x = (hours / QUARTER_H)[:, None]
        return np.asarray(
            total * x * x * (3.0 - 2.0 * x)
            + QUARTER_H * left * x * (1.0 - x) ** 2
            - QUARTER_H * right * x * x * (1.0 - x)
        )

    whole = ((from_h == 0.0) & (to_h == QUARTER_H))[:, None]
    return np.asarray(np.where(whole, total, np.maximum(until(to_h) - until(from_h), 0.0)))
