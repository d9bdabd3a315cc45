"""Erasure by the holder: deletes everything of a pass, in one transaction for each pass."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import astuple, dataclass

from django.db import transaction

from common.locks import keep_rows
from passes.hashes import spent_hash
from passes.models import Name, Pass, Rating, Scan, SpentOwner, Visit
from passes.services.holders import mark_hour, shuffled
from passes.services.revocations import list_pass
from passes.services.tombstones import bury


@dataclass(frozen=True, slots=True, kw_only=True)
class ErasedCounts:
    """Numbers of deleted rows."""

    passes: int = 0
    scans: int = 0
    visits: int = 0
    ratings: int = 0
    names: int = 0

    def __add__(self, other: "ErasedCounts") -> "ErasedCounts":
        """Return the sum of both."""
        sums = [mine + theirs for mine, theirs in zip(astuple(self), astuple(other), strict=True)]
        return ErasedCounts(**dict(zip(self.__slots__, sums, strict=True)))


def erase_owners(owner_hashes: Iterable[bytes], now: dt.datetime) -> ErasedCounts:
    """Erase the passes of these owners with everything that depends on them.

    Skip unknown owners; repeating finds nothing. The venue's hours are marked for recomputation. A pass whose epoch is
    not over gets an entry in its venue's revocation list, which appears at a random publication and stays until the end
    of the epoch, so that offline kiosks decline it too.
    """
    counts = ErasedCounts()
    for owner_hash in shuffled(owner_hashes):
        counts += _erase(owner_hash, now)
    return counts


@transaction.atomic
def _erase(owner_hash: bytes, now: dt.datetime) -> ErasedCounts:
    keep_rows()
    # The lock makes scans of this pass wait: they then find it deleted and store nothing.
    row = Pass.objects.select_for_update(of=("self",)).select_related("venue").filter(owner_hash=owner_hash).first()
    SpentOwner.objects.filter(spent_hash=spent_hash(owner_hash)).delete()
    if row is None:
        return ErasedCounts()
    list_pass(row, now)
    bury(row)
    visits = Visit.objects.filter(tag=row.tag)
    arrived = visits.order_by("arrived_at").values_list("arrived_at", flat=True).first()
    if arrived is not None:
        mark_hour(venue_id=row.venue_id, since=arrived)
    counts = ErasedCounts(
        passes=1,
        scans=Scan.objects.filter(tag=row.tag).delete()[0],
        visits=visits.delete()[0],
        ratings=Rating.objects.filter(pass_row=row).delete()[0],
        names=Name.objects.filter(pass_row=row).delete()[0],
    )
    row.delete()
    return counts
