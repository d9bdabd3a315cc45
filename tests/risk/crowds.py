"""Crowds for tests: passes and visits as doors leave them, with the change that they queue."""

import datetime as dt
import hashlib
import itertools
from dataclasses import dataclass
from typing import Any

from passes.codec.identity import hash_owner
from passes.models import Change, Pass, Rating, Visit
from tests.factories import NOW
from venues.models import Venue

MINUTE = dt.timedelta(minutes=1)
HOUR = dt.timedelta(hours=1)
_numbers = itertools.count(1)


@dataclass(frozen=True)
class Stay:
    """A stay and what its holder stores about it."""

    owner: bytes
    pass_row: Pass
    visit: Visit


def queue(venue: Venue, since: dt.datetime) -> None:
    """Queue what a door does: the hour of the earliest time that changed."""
    Change.objects.create(venue=venue, since=since.replace(minute=0, second=0, microsecond=0))


def stay(
    venue: Venue,
    arrived: dt.datetime = NOW - 3 * HOUR,
    minutes: float = 60,
    *,
    open_end: bool = False,
    pass_row: Pass | None = None,
    owner: bytes = b"",
    **answers: Any,
) -> Stay:
    """Create one visit, with a new pass unless one is given. `open_end`: nobody checked out."""
    number = next(_numbers)
    owner = owner or hashlib.sha256(b"owner %d" % number).digest()
    given = {"symptoms": False, "diagnosed": False, "contact": False, "near": False} | answers
    row = pass_row or Pass.objects.create(
        tag=hashlib.sha256(b"tag %d" % number).digest()[:16],
        venue=venue,
        epoch=arrived.date(),
        owner_hash=hash_owner(owner),
        survey_seconds=20,
        go=True,
        counted=True,
        **given,
    )
    left = arrived + dt.timedelta(minutes=minutes)
    visit = Visit.objects.create(
        tag=row.tag,
        venue=venue,
        epoch=row.epoch,
        arrived_at=arrived,
        left_at=None if open_end else left,
        times_out_at=left if open_end else left + HOUR,
    )
    queue(venue, arrived)
    return Stay(owner, row, visit)


def crowd(venue: Venue, size: int, arrived: dt.datetime = NOW - 3 * HOUR, minutes: float = 60, **answers: Any) -> None:
    """Create ``size`` people who arrive a minute after each other."""
    for number in range(size):
        stay(venue, arrived + number * MINUTE, minutes, **answers)


def rate(one: Stay, masks: int, distancing: int) -> None:
    """Create a rating, with the change that it queues."""
    Rating.objects.update_or_create(pass_row=one.pass_row, defaults={"masks": masks, "distancing": distancing})
    queue(one.pass_row.venue, one.visit.arrived_at)
