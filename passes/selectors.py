"""Reads of this app, also for the apps above it."""

import datetime as dt
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

from django.db.models import Count, Q

from common import crypto
from passes.clock import calendar, epoch_of
from passes.codec.epochs import Epoch
from passes.hashes import spent_hash
from passes.limits import EPOCH_LENGTH, VISIT_RETENTION
from passes.models import Name, Pass, SpentOwner, Visit
from passes.scans_by_day import scans_of
from passes.services.holders import name_purpose
from venues.models import Venue

FEWEST: Final = 10
"""Totals of the operator below this are not shown, for tidiness and not protection: the operator has the rows."""
KNOWN_DAYS: Final = (EPOCH_LENGTH + VISIT_RETENTION).days
"""Visits are purged at their retention after the end of their epoch, which began a day and four hours earlier."""


# For the venue card --------------------------------------------------------------------------------------------------
def open_epochs(now: dt.datetime) -> tuple[Epoch, ...]:
    """Return epochs whose check-in is open, earliest first."""
    return calendar().open_epochs(now.timestamp())


def known_epochs(now: dt.datetime) -> list[Epoch]:
    """Return epochs of which the server may still hold passes, earliest first, to look for a device's visits."""
    today = calendar().current(now.timestamp()).date
    days = (today + dt.timedelta(days=days) for days in range(-KNOWN_DAYS, 2))
    return [epoch for day in days if (epoch := epoch_of(day)) is not None and epoch.checkin_opens <= now.timestamp()]


# For people who run venues -------------------------------------------------------------------------------------------
def heads_inside(venue_ids: Iterable[int], now: dt.datetime) -> dict[int, int]:
    """Return how many people count as inside each venue now, in one statement; a venue with nobody is left out."""
    rows = (
        Visit.objects.filter(venue__in=list(venue_ids), arrived_at__lte=now)
        .filter(Q(left_at=None, times_out_at__gt=now) | Q(left_at__gt=now))
        .order_by()
        .values("venue")
        .annotate(heads=Count("tag", distinct=True))
    )
    return {row["venue"]: row["heads"] for row in rows}


@dataclass(frozen=True, slots=True)
class PresentName:
    """A name that a visitor who is inside chose to show."""

    name: str = field(repr=False)


def names_present(venue: Venue, now: dt.datetime) -> list[PresentName]:
    """Return names of visitors who are inside now, in alphabetical order, without those of an ended epoch."""
    live = [epoch.date for epoch in calendar().live_epochs(now.timestamp())]
    inside = Visit.objects.filter(venue=venue, epoch__in=live, arrived_at__lte=now).filter(
        Q(left_at=None, times_out_at__gt=now) | Q(left_at__gt=now)
    )
    rows = Name.objects.filter(pass_row__venue=venue, pass_row__epoch__in=live, pass_row__tag__in=inside.values("tag"))
    purpose = name_purpose(venue.public_id)
    return [PresentName(name) for name in sorted(crypto.decrypt(purpose, bytes(row.text)).decode() for row in rows)]


def causes_of_day(date: dt.date, now: dt.datetime) -> dict[str, int]:
    """Return declined scans of an ended epoch by cause, over all venues, for the operator.

    Causes below 10 are left out.
    """
    epoch = epoch_of(date)
    if epoch is None or epoch.end > now.timestamp():
        return {}
    rows = scans_of(epoch).filter(approved=False).values("cause").annotate(total=Count("pk"))
    return {row["cause"]: row["total"] for row in rows.order_by("cause") if row["total"] >= FEWEST}


# For holders, through the apps above ---------------------------------------------------------------------------------
def all_owners() -> Iterator[bytes]:
    """Yield owner hashes of all passes, for data that is stored only by keyed hashes of them."""
    for owner in Pass.objects.values_list("owner_hash", flat=True).iterator(chunk_size=10_000):
        yield bytes(owner)


def owners_with_rows(owner_hashes: Iterable[bytes]) -> set[bytes]:
    """Return the owners with stored data: a pass, or a record that a report was made."""
    wanted = {spent_hash(one): one for one in owner_hashes}
    owners = list(wanted.values())
    found = {bytes(one) for one in Pass.objects.filter(owner_hash__in=owners).values_list("owner_hash", flat=True)}
    spent = SpentOwner.objects.filter(pk__in=list(wanted)).values_list("pk", flat=True)
    return found | {wanted[bytes(one)] for one in spent}
