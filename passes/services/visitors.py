"""Visitors: registering a key, deleting it, counting what it draws. Nothing here knows a pass."""

import datetime as dt
import hmac
from typing import Final

from django.db import connection, transaction
from django.db.models import F

from common.web.problems import Forbidden
from passes import hashes
from passes.authentication import not_registered
from passes.clock import calendar, epoch_of, month_start
from passes.codec.epochs import Epoch
from passes.codec.limits import PASSES_PER_EPOCH
from passes.models import Draw, Visitor

# One statement counts and limits: of two draws at once, the second waits for the row and reads the first's count.
_DRAW: Final = """
    INSERT INTO passes_draw AS draw (visitor_id, epoch, drawn) VALUES (%(visitor)s, %(epoch)s, 1)
    ON CONFLICT (visitor_id, epoch) DO UPDATE SET drawn = draw.drawn + 1 WHERE draw.drawn < %(most)s
    RETURNING drawn
"""


def register_visitor(*, key_hash: bytes, hash_of_erase_key: bytes, now: dt.datetime) -> bool:
    """Register a key; whether it is new. A known key stays as it is."""
    month = month_start(now)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO passes_visitor (key_hash, erase_hash, made_month, used_month) VALUES (%s, %s, %s, %s) "
            "ON CONFLICT DO NOTHING",
            [key_hash, hashes.erase_hash(hash_of_erase_key), month, month],
        )
        return bool(cursor.rowcount == 1)


@transaction.atomic
def delete_visitor(*, key_hash: bytes, erase_key: bytes) -> None:
    """Delete a visitor's row with its counts; passes stay with their holder. Raises where the erase key is another."""
    row = Visitor.objects.select_for_update().filter(key_hash=key_hash).first()
    if row is None:
        raise not_registered()
    if not hmac.compare_digest(bytes(row.erase_hash), hashes.erase_hash_of_key(erase_key)):
        raise Forbidden
    row.delete()


def note_use(*, key_hash: bytes, now: dt.datetime) -> None:
    """Note the month in which a registered key was last used; raises `Unauthorized` for one that is not."""
    month = month_start(now)
    used = Visitor.objects.filter(key_hash=key_hash).values_list("used_month", flat=True).first()
    if used is None:
        raise not_registered()
    if used < month:
        Visitor.objects.filter(key_hash=key_hash, used_month__lt=month).update(used_month=month)


def draw(*, key_hash: bytes, epoch: Epoch) -> int | None:
    """Count one more pass of an epoch: its number from 1, or `None` when all are drawn.

    Stands in a transaction of its own, before the pass: what is written together could be put together again.
    """
    with connection.cursor() as cursor:
        cursor.execute(_DRAW, {"visitor": key_hash, "epoch": epoch.date, "most": PASSES_PER_EPOCH})
        row = cursor.fetchone()
    return None if row is None else int(row[0])


def give_back(*, key_hash: bytes, epoch: Epoch) -> None:
    """Take back a draw that made no pass, because the same check-in was answered at the same moment."""
    Draw.objects.filter(visitor=key_hash, epoch=epoch.date, drawn__gt=0).update(drawn=F("drawn") - 1)


def drop_closed_draws(*, now: dt.datetime) -> int:
    """Drop the counts of epochs whose check-in has closed; how many."""
    dates = Draw.objects.values_list("epoch", flat=True).distinct()
    closed = [
        date
        for date in dates
        if (epoch := epoch_of(date)) is None or calendar().checkin_closes(epoch) <= now.timestamp()
    ]
    return Draw.objects.filter(epoch__in=closed).delete()[0]
