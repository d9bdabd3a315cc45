"""The present of a place for the people who run it: how full it is, in bands of people.

A band is outside the guarantee of the past's figures (`exports.statistics`): it reveals when the number inside crosses
an edge. The only personal data here are names that visitors chose to show.
"""

import datetime as dt
from collections.abc import Sequence

from passes import selectors as of_passes
from venues.fullness import Fullness
from venues.models import Venue


def inside(venues: Sequence[Venue], now: dt.datetime) -> list[Fullness]:
    """Return how full each place is, for places that were read with their requirements. Runs one statement."""
    heads = of_passes.heads_inside([venue.pk for venue in venues], now)
    return [Fullness(venue, heads.get(venue.pk, 0)) for venue in venues]
