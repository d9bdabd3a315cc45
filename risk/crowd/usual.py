"""What is known of a venue's past for its card: usual hours and ratings.

Both come from the statistics of closed days, which contain noise already (`exports.statistics`). Nothing here, and no
public card, is computed directly from visits or ratings.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from risk.crowd.venue_days import Floats
from risk.models import VenueCard

WEEK_H: Final = 168
AT_ONCE: Final = 500


@dataclass(frozen=True, slots=True)
class Known:
    """The past of one venue.

    Mean head counts (168,) by local hour of the week, Monday first; the approximate number of ratings, and their means
    for masks and distancing, from 1 to 5. `None` where not known.
    """

    usual: Floats | None
    rated: tuple[int, float, float] | None


def store_known(known: Mapping[int, Known], *, now: dt.datetime) -> None:
    """Store what is known on the venues' cards. A venue without a card gets it at the next run."""
    cards = list(VenueCard.objects.filter(venue__in=list(known)).only("venue_id"))
    for card in cards:
        found = known[card.venue_id]
        card.usual = b"" if found.usual is None else found.usual.astype("<f4").tobytes()
        card.usual_at = now
        card.rated, card.rated_masks, card.rated_distancing = found.rated or (None, None, None)
    VenueCard.objects.bulk_update(
        cards, ["usual", "usual_at", "rated", "rated_masks", "rated_distancing"], batch_size=AT_ONCE
    )
