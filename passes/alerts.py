"""Find the members to notify that a place is filling up. Numbers of people, never people."""

import datetime as dt
from dataclasses import dataclass
from typing import Final

from passes.selectors import heads_inside
from venues.fullness import Fullness, Level
from venues.selectors import watched
from venues.services.alerts import end_crossings

PAUSE: Final = dt.timedelta(minutes=30)
"""Shortest time between two mails about a place: one that hovers around its share causes at most two mails an hour."""


@dataclass(frozen=True, slots=True)
class Due:
    """A member to notify, by the row of the request, and the number of people inside."""

    alert_id: int
    heads: int


def watch_capacity(*, now: dt.datetime) -> list[Due]:
    """Check every place with a request for notification: at most three statements, whatever their number.

    A crossing is over once the place is below its alert, after the pause. Running it twice has the effect of running it
    once, because a mail marks its row.
    """
    rows = list(watched())
    heads = heads_inside({row.venue_id for row in rows}, now) if rows else {}
    levels = {row.pk: Fullness(row.venue, heads.get(row.venue_id, 0)).level for row in rows}
    rested = (row.pk for row in rows if row.told_at is not None and row.told_at <= now - PAUSE)
    over = [alert_id for alert_id in rested if levels[alert_id] == Level.CALM]
    if over:
        end_crossings(alert_ids=over)
    return [
        Due(row.pk, heads.get(row.venue_id, 0)) for row in rows if row.told_at is None and levels[row.pk] != Level.CALM
    ]
