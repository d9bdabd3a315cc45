"""Answers of the visitors of a venue's day: counted once, after the day, rounded with a secret offset and kept.

They are never counted again: an erasure, a late scan or a repeated night changes nothing of what was shown, since
two numbers made with one offset, a person apart, would tell that person's answers.
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
"""A day that no night came to for so long has no answers: they stay unread."""


def settle_answers(*, now: dt.datetime) -> int:
    """Count the answers of days that ended, of venues with enough people; how many venue-days. Repeating finds none."""
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
    """Offsets come from the pepper, so that a night repeated after a restore shows the same."""
    secret = keyed_hash("answers", f"{venue} {day}".encode())
    offsets = [int.from_bytes(secret[8 * at : 8 * at + 8]) % STEP for at in range(len(counts))]
    return rounded(counts, offsets)
