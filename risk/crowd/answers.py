"""Count the answers of a venue's visitors of one day: once, after the day, rounded with a secret offset, then stored.

They are never counted again: an erasure, a late scan or a repeated run does not change a published number. Two numbers
made with one offset, from crowds that differ by one person, would reveal that person's answers.
"""

from __future__ import annotations

import datetime as dt
from typing import Final

import numpy as np
from django.db import connection

from common.crypto import keyed_hash
from risk.model.answers import FEWEST_PEOPLE, STEP, rounded
from risk.models import AnsweredDay
from risk.reads import ANSWERS_OF_DAYS

LOOK_BACK: Final = dt.timedelta(days=9)
"""Age after which a day that was never processed stays without answers."""


def settle_answers(*, now: dt.datetime) -> int:
    """Count the answers of ended days at venues with enough people, and return the number of venue-days.

    Running it again counts none.
    """
    today = now.astimezone(dt.UTC).date()
    with connection.cursor() as cursor:
        cursor.execute(ANSWERS_OF_DAYS, {"since": today - LOOK_BACK, "today": today, "fewest": FEWEST_PEOPLE})
        rows = cursor.fetchall()
    days = [
        AnsweredDay(venue_id=venue, day=day, people=people, shown=_rounded(public_id, day, counts).tolist())
        for venue, public_id, day, people, *counts in rows
    ]
    AnsweredDay.objects.bulk_create(days, ignore_conflicts=True)
    return len(days)


def _rounded(venue: str, day: dt.date, counts: list[int]) -> np.ndarray:
    """Round counts with offsets from the pepper, so that a run repeated after a restore gives the same numbers."""
    secret = keyed_hash("answers", f"{venue} {day}".encode())
    offsets = [int.from_bytes(secret[8 * at : 8 * at + 8]) % STEP for at in range(len(counts))]
    return rounded(counts, offsets)
