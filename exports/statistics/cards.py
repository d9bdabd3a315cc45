"""Update the public cards of venues from the draws."""

import datetime as dt
from typing import Final

from exports.policy.owner_figures import Ratings
from exports.statistics.figures import histories
from risk.crowd.usual import Known, store_known
from venues.models import Venue

AT_ONCE: Final = 200
"""Number of venues whose thirteen weeks are in memory at a time."""


def refresh_cards(*, now: dt.datetime) -> None:
    """Update usual hours and ratings on the cards of all open venues."""
    venues = list(Venue.objects.filter(closed_at=None).order_by("pk"))
    for at in range(0, len(venues), AT_ONCE):
        part = histories(venues[at : at + AT_ONCE], now)
        store_known({one.venue.pk: Known(one.usual(now), _rated(one.ratings())) for one in part}, now=now)


def _rated(found: Ratings | None) -> tuple[int, float, float] | None:
    return None if found is None else (found.count, found.masks, found.distancing)
