"""What of a place's present and past belongs to the people who run it, from several apps.

Numbers of people, never people: how many are inside, how many usually are, means of at least five ratings, totals of
ten and more refusals of days that are over.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from common.privacy import FEWEST_SHOWN
from passes import selectors as of_passes
from passes.models import RatingTotal
from venues.fullness import Fullness
from venues.models import Venue


@dataclass(frozen=True, slots=True)
class Ratings:
    """Means of at least five ratings."""

    count: int
    masks: float
    distancing: float


def inside(venues: Sequence[Venue], now: dt.datetime) -> list[Fullness]:
    """How full each place is; they come with their requirements. One statement."""
    heads = of_passes.heads_inside([venue.pk for venue in venues], now)
    return [Fullness(venue, heads.get(venue.pk, 0)) for venue in venues]


def ratings_of(place: Venue) -> Ratings | None:
    """`None` below five ratings: fewer are not shown, nor how many."""
    total: RatingTotal | None = of_passes.rating_totals([place.pk]).get(place.pk)
    if total is None or total.count < FEWEST_SHOWN:
        return None
    return Ratings(total.count, round(total.masks / total.count, 1), round(total.distancing / total.count, 1))
