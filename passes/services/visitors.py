"""Visitors: register a key, delete it, record when it was used. Nothing here knows a pass or a ticket."""

import datetime as dt
import hmac

from django.db import connection, transaction

from common.web.problems import Forbidden
from passes import hashes
from passes.authentication import not_registered
from passes.clock import month_start
from passes.models import Visitor


def register_visitor(*, key_hash: bytes, hash_of_erase_key: bytes, now: dt.datetime) -> bool:
    """Register a key, and return whether it is new. A known key remains unchanged."""
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
    """Delete a visitor's row. Raise an error for a wrong erase key.

    Passes stay with their holder, and the record that tickets were drawn stays until their epochs end: registering
    again gives no second set.
    """
    row = Visitor.objects.select_for_update().filter(key_hash=key_hash).first()
    if row is None:
        raise not_registered()
    if not hmac.compare_digest(bytes(row.erase_hash), hashes.erase_hash_of_key(erase_key)):
        raise Forbidden
    row.delete()


def note_use(*, key_hash: bytes, now: dt.datetime) -> None:
    """Record the month in which a registered key was last used. Raise `Unauthorized` for an unknown key."""
    month = month_start(now)
    used = Visitor.objects.filter(key_hash=key_hash).values_list("used_month", flat=True).first()
    if used is None:
        raise not_registered()
    if used < month:
        Visitor.objects.filter(key_hash=key_hash, used_month__lt=month).update(used_month=month)
