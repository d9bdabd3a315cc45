"""How full a place is, relative to what its doors admit, and whether its people should be notified."""

from bisect import bisect_right
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from venues.models import Venue
from venues.requirements import RequirementValues

STEPS: Final = (
    0, 5, 10, 15, 20, 30, 40, 50, 75,
    *(round(head * 10**power) for power in range(2, 7) for head in (1, 1.5, 2, 3, 4, 5, 7.5)),
)  # fmt: skip
"""Lower ends of the bands in which pages and responses show how many people are inside."""


class Level(StrEnum):
    """How urgently a place needs attention, least first."""

    CALM = "calm"
    FILLS = "fills"
    FULL = "full"


@dataclass(frozen=True, slots=True)
class Band:
    """A number of people as displayed: from `low` to `high`, both included."""

    low: int
    high: int

    def __str__(self) -> str:
        return f"{self.low}–{self.high}" if self.low < self.high else str(self.low)


@dataclass(frozen=True, slots=True)
class Fullness:
    """People inside a place loaded with its requirements. `heads` is exact: pages and responses show `band`."""

    venue: Venue
    heads: int

    @property
    def limit(self) -> int:
        """Return how many people its doors admit."""
        asked = self.venue.requirements
        return 0 if asked is None else RequirementValues.of(asked).people_limit

    @property
    def band(self) -> Band:
        """Return how many people are inside, coarsely: one person's move shows only at the edge of a band.

        A band ends below the limit while there is room, and begins with it once the doors are red, which anybody at a
        door can see.
        """
        at = bisect_right(STEPS, self.heads)
        low, high = STEPS[at - 1], STEPS[at] - 1 if at < len(STEPS) else self.heads
        if self.heads < self.limit:
            return Band(low, min(high, self.limit - 1))
        return Band(max(low, self.limit), high if low > self.limit else self.limit)

    @property
    def percent(self) -> int:
        """Return the upper end of the band in percent of the limit, over 100 if the limit was lowered meanwhile."""
        return 100 * self.band.high // self.limit if self.limit else 100

    @property
    def level(self) -> Level:
        """Return `FULL` if the doors are red for everybody who comes; below that, it is filling up from the alert on.

        This is exact, because safety depends on it: an owner who keeps changing the limit or the alert finds the
        number.
        """
        if self.heads >= self.limit:
            return Level.FULL
        return Level.FILLS if 100 * self.heads >= self.venue.alert_percent * self.limit else Level.CALM

    @property
    def bar(self) -> int:
        """Return the value of a bar that ends at the limit."""
        return min(100, self.percent)
