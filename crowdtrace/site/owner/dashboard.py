"""What of a place's present belongs to the people who run it: how full it is, in bands of people.

A band is outside the guarantee of the past's figures (`exports.statistics`): it tells when the number inside crosses
an edge. Names that visitors chose to show are the only thing here that is no number.
"""

import datetime as dt
from collections.abc import Sequence

from passes import selectors as of_passes
from venues.fullness import Fullness
from venues.models import Venue


def inside(venues: Sequence[Venue], now: dt.datetime) -> list[Fullness]:
    """How full each place is; they come with their requirements. One statement."""
    heads = of_passes.heads_inside([venue.pk for venue in venues], now)
    return [Fullness(venue, heads.get(venue.pk, 0)) for venue in venues]
