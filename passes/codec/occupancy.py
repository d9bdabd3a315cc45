"""The number of people inside when a bundle was made, and how it falls later if nobody checks out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

STEP_SECONDS: Final = 900


@dataclass(frozen=True, slots=True)
class Occupancy:
    """`still[k]` people of those inside at `counted_at` (Unix seconds) have not timed out 15k minutes later.

    The last entry is 0: after it, nobody of them is inside.
    """

    counted_at: int
    still: tuple[int, ...] = ()

    @classmethod
    def of(cls, counted_at: int, stays: Iterable[tuple[int, int]]) -> Occupancy:
        """Build it from `(steps, people)`: this many people stay for that many whole steps and a part of one."""
        lasts = dict(stays)
        if not lasts:
            return cls(counted_at)
        still = [sum(people for steps, people in lasts.items() if steps >= at) for at in range(max(lasts) + 1)]
        return cls(counted_at, tuple(still))
