"""The usual crowd of a venue by hour of the week, from the closed days of the last fortnight."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from itertools import groupby
from typing import Any, Final
from zoneinfo import ZoneInfo

import numpy as np
from django.db import connection

from common.privacy import FEWEST_SHOWN
from passes.codec.limits import VISIT_RETENTION
from risk.crowd import venue_days
from risk.crowd.venue_days import QUARTERS_A_DAY, QUARTERS_AN_HOUR, Crowd
from risk.models import VenueCard

WEEK_H: Final = 168
USUAL_AT_ONCE: Final = 500
"""Venues whose usual crowd is made anew in one refresh."""
USUAL_LIVES: Final = dt.timedelta(hours=20)

_USUAL_DAYS: Final = """
    SELECT day.venue_id, day.data FROM risk_crowdday AS day
    WHERE day.venue_id = ANY(%s::bigint[]) AND day.day >= %s::date AND day.day < %s::date
    ORDER BY day.venue_id, day.day
"""


def refresh_usual(now: dt.datetime) -> None:
    """The usual crowd of venues whose figure is a day old, from the closed days of the last fortnight."""
    cards = list(
        VenueCard.objects.exclude(usual_at__gt=now - USUAL_LIVES)
        .order_by("usual_at")
        .values_list("venue_id", "venue__time_zone")[:USUAL_AT_ONCE]
    )
    zones = dict(cards)
    with connection.cursor() as cursor:
        cursor.execute(_USUAL_DAYS, [list(zones), (now - VISIT_RETENTION).date(), now.date()])
        crowds = {venue: [venue_days.unpack(row[1]) for row in of] for venue, of in groupby(cursor, lambda row: row[0])}
    fresh = [
        VenueCard(venue_id=venue, usual_at=now, usual=usual_week(crowds.get(venue, []), zone, now).tobytes())
        for venue, zone in zones.items()
    ]
    VenueCard.objects.bulk_update(fresh, ["usual", "usual_at"], batch_size=500)


def usual_week(crowds: Sequence[Crowd], zone: str, now: dt.datetime) -> Any:
    """Mean heads (168,) float32 by local hour of week, Monday first; 0 where fewer than five people made them.

    Not a number at an hour of which no day is closed yet. Empty where five people never made an hour: that a place has
    had its first visitors does not show.
    """
    if not crowds:
        return np.zeros(0, np.float32)
    last = now.date().toordinal() - dt.date(1970, 1, 1).toordinal()
    first_hour = max(crowds[0].first_edge // QUARTERS_A_DAY, last - VISIT_RETENTION.days) * 24
    hours = last * 24 - first_hour
    week = _hours_of_week(zone, first_hour, hours)
    person_h, people = np.zeros(hours), np.zeros(hours)
    for crowd in crowds:
        at = (crowd.first_edge + np.arange(crowd.state.quarters)) // QUARTERS_AN_HOUR - first_hour
        within = (at >= 0) & (at < hours)
        np.add.at(person_h, at[within], crowd.state.person_h[within, 0])
        np.add.at(people, at[within], crowd.state.arrivals[within, 0])
        np.add.at(people, at[within][:1], crowd.state.present[0, 0])
        turn = within & ((crowd.first_edge + np.arange(crowd.state.quarters)) % QUARTERS_AN_HOUR == 0)
        np.add.at(people, at[turn], crowd.state.present[:-1][turn, 0])
    total = np.bincount(week, person_h, WEEK_H)
    seen = np.bincount(week, people, WEEK_H)
    times = np.bincount(week, minlength=WEEK_H)
    if not (seen >= FEWEST_SHOWN).any():
        return np.zeros(0, np.float32)
    means = np.where(seen >= FEWEST_SHOWN, total / np.maximum(times, 1), 0.0)
    return np.where(times > 0, means, np.nan).astype("<f4")


def _hours_of_week(zone: str, first_hour: int, hours: int) -> Any:
    start = dt.datetime(1970, 1, 1, tzinfo=dt.UTC) + dt.timedelta(hours=first_hour)
    local = [(start + dt.timedelta(hours=hour)).astimezone(ZoneInfo(zone)) for hour in range(hours)]
    return np.array([moment.weekday() * 24 + moment.hour for moment in local], np.int64)


def usual_of(venue_id: int) -> list[list[float]] | None:
    """Mean heads by weekday and local hour, Monday first, of the last fortnight; `None` where nothing is known yet."""
    row = VenueCard.objects.filter(venue=venue_id).values_list("usual", flat=True).first()
    week = np.nan_to_num(np.frombuffer(row or b"", "<f4"))
    return [[float(heads) for heads in week[day * 24 : day * 24 + 24]] for day in range(7)] if week.size else None
