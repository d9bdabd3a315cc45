"""What the holder of a pass may do with it: rate, show a name, revoke; and whether a test may be reported.

A holder proves a pass by `owner`; the server knows its SHA-256, the owner hash. An unknown owner is answered like a
known one, and every one of these may be sent twice.
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
    """Keep or change the rating of a pass that was let in; anything else changes nothing."""
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
        if Pass.objects.select_for_update().filter(pk=row.pk).exists():  # it may be erased at this moment
            Name.objects.bulk_create(
                [Name(pass_row=row, text=text)],
                update_conflicts=True,
                unique_fields=["pass_row"],
                update_fields=["text"],
            )


def hide_name(*, owner_hash: bytes) -> None:
    """Take a name back."""
    with transaction.atomic():
        keep_rows()
        Name.objects.filter(pass_row__owner_hash=owner_hash).delete()


def name_purpose(venue: str) -> str:
    """Under which key names of a venue are encrypted."""
    return f"name/{venue}"


def revoke_passes(*, owner_hashes: Iterable[bytes], now: dt.datetime) -> None:
    """Make passes open no door any more: online doors at once, offline ones when the entry of each appears in its list.

    Each in a transaction of its own.
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
    """Note that the owner of a pass reports a test, in the caller's transaction; whether it is the first report."""
    keep_rows()
    if not Pass.objects.filter(owner_hash=owner_hash, go=True).exists():
        return False
    today = calendar().current(now.timestamp()).date
    with connection.cursor() as cursor:
        cursor.execute(_SPEND, {"spent": spent_hash(owner_hash), "today": today})
        return bool(cursor.rowcount == 1)


def mark_hour(*, venue_id: int, since: dt.datetime) -> None:
    """Tell the crowd task that a venue changed from this hour on; to the hour, for it tells when somebody came."""
    Change.objects.create(venue_id=venue_id, since=since.replace(minute=0, second=0, microsecond=0))


def _is_past(date: dt.date, now: dt.datetime, term: dt.timedelta) -> bool:
    epoch = epoch_of(date)
    return epoch is None or epoch.end + term.total_seconds() <= now.timestamp()


def shuffled(values: Iterable[bytes]) -> list[bytes]:
    """In an order that says nothing of the order they came in."""
    found = sorted(set(values))
    random.SystemRandom().shuffle(found)
    return found
