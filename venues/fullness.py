"""How full a place is, against what its doors let in, and whether its people wanted to be told by now."""

from dataclasses import dataclass
from enum import StrEnum

from venues.models import Venue
from venues.requirements import RequirementValues


class Level(StrEnum):
    """How much a place wants to be looked at, least first."""

    CALM = "calm"
    FILLS = "fills"
    FULL = "full"


@dataclass(frozen=True, slots=True)
class Fullness:
    """People inside a place that came with its requirements."""

    venue: Venue
    heads: int

    @property
    def limit(self) -> int:
        """How many people its doors let in."""
        asked = self.venue.requirements
        return 0 if asked is None else RequirementValues.of(asked).people_limit

    @property
    def percent(self) -> int:
        """Of the limit; may pass 100 where the limit was lowered while people were inside."""
        return 100 * self.heads // self.limit if self.limit else 100

    @property
    def level(self) -> Level:
        """Full where the doors are red for everybody who comes; before that it fills up from the alert on."""
        if self.heads >= self.limit:
            return Level.FULL
        return Level.FILLS if self.percent >= self.venue.alert_percent else Level.CALM

    @property
    def bar(self) -> int:
        """For a bar that ends at the limit."""
        return min(100, self.percent)
