"""Actions of the holder of a pass: rate, show a name, revoke, and report a test.

A holder proves a pass by `owner`; the server knows its SHA-256, the owner hash. An unknown owner gets the same response
as a known one, and each of these requests may be repeated.
"""

import datetime as dt
import random
from collections.abc import Iterable
from typing import Final

from django.db import connection, transaction
from django.db.models import OuterRef, Subquery

from common import crypto
from common.locks import keep_rows
from passes.clock import calendar, epoch_of
from passes.hashes import spent_hash
from passes.limits import VISIT_RETENTION
from passes.models import Change, Name, Pass, Rating, Visit
from passes.services.revocations import list_pass

_SPEND: Final = """
    INSERT INTO passes_spentowner (spent_hash, spent_on) VALUES (%(spent)s, %(today)s) ON CONFLICT DO NOTHING
"""


def rate_visit(*, owner_hash: bytes, masks: int, distancing: int, now: dt.datetime) -> None:
    """Store or change the rating of a pass that was admitted; do nothing for any other."""
    with transaction.atomic():
        keep_rows()
        first = Visit.objects.filter(tag=OuterRef("tag")).order_by("arrived_at").values("arrived_at")[:1]
        passes = Pass.objects.select_for_update().annotate(arrived=Subquery(first))
        row = passes.filter(owner_hash=owner_hash, go=True).first()
        if row is None or row.arrived is None or _is_past(row.epoch, now, VISIT_RETENTION):
            return
        before = Rating.objects.filter(pass_row=row).first()
        if before is not None and (before.masks, before.distancing) == (masks, distancing):
            return
        if before is None:
            Rating.objects.create(pass_row=row, masks=masks, distancing=distancing)
        else:
            Rating.objects.filter(pass_row=row).update(masks=masks, distancing=distancing)
        mark_hour(venue_id=row.venue_id, since=row.arrived)


def show_name(*, owner_hash: bytes, name: str, now: dt.datetime) -> None:
    """Show a name to the venue of a pass until its epoch ends; a second name replaces the first."""
    row = Pass.objects.select_related("venue").filter(owner_hash=owner_hash, go=True).first()
    if row is None or _is_past(row.epoch, now, dt.timedelta(0)):
        return
    text = crypto.encrypt(name_purpose(row.venue.public_id), name.encode())
    with transaction.atomic():
        keep_rows()
        if Pass.objects.select_for_update().filter(pk=row.pk).exists():  # it may have been erased just now
            Name.objects.bulk_create(
                [Name(pass_row=row, text=text)],
                update_conflicts=True,
                unique_fields=["pass_row"],
                update_fields=["text"],
            )


def hide_name(*, owner_hash: bytes) -> None:
    """Withdraw a name."""
    with transaction.atomic():
        keep_rows()
        Name.objects.filter(pass_row__owner_hash=owner_hash).delete()


def name_purpose(venue: str) -> str:
    """Return the purpose that selects the key for names of a venue."""
    return f"name/{venue}"


def revoke_passes(*, owner_hashes: Iterable[bytes], now: dt.datetime) -> None:
    """Revoke passes: online doors decline at once, offline doors when the entry of each appears in their list.

    Each pass is revoked in a separate transaction.
    """
    for owner_hash in shuffled(owner_hashes):
        with transaction.atomic():
            keep_rows()
            passes = Pass.objects.select_for_update(of=("self",)).select_related("venue")
            row = passes.filter(owner_hash=owner_hash, go=True, revoked=False).first()
            if row is not None:
                Pass.objects.filter(pk=row.pk).update(revoked=True)
                list_pass(row, now)


def spend_owner(*, owner_hash: bytes, now: dt.datetime) -> bool:
    """Record, in the caller's transaction, that the owner of a pass reports a test; return whether it is the first."""
    keep_rows()
    if not Pass.objects.filter(owner_hash=owner_hash, go=True).exists():
        return False
    today = calendar().current(now.timestamp()).date
    with connection.cursor() as cursor:
        cursor.execute(_SPEND, {"spent": spent_hash(owner_hash), "today": today})
        return bool(cursor.rowcount == 1)


def mark_hour(*, venue_id: int, since: dt.datetime) -> None:
    """Notify the crowd task that a venue changed, from this hour on: an exact time would reveal when somebody came."""
    Change.objects.create(venue_id=venue_id, since=since.replace(minute=0, second=0, microsecond=0))


def _is_past(date: dt.date, now: dt.datetime, term: dt.timedelta) -> bool:
    epoch = epoch_of(date)
    return epoch is None or epoch.end + term.total_seconds() <= now.timestamp()


def shuffled(values: Iterable[bytes]) -> list[bytes]:
    """Return the values in a random order, which reveals nothing about their original order."""
    found = sorted(set(values))
    random.SystemRandom().shuffle(found)
    return found
