"""The log of erasures: after a restore, erasures since the backup must be repeated.

It holds keyed hashes by day and nothing else. A lost database loses its own log too, so the lake's storage has a copy:
one object per day, sorted, so that it does not reveal which hashes arrived together.
"""

import datetime as dt
from typing import Final

from exports.lake.catalogue import Lake
from exports.models import ERASURES_KNOWN, ErasedOwner

FOLDER: Final = "erasures"
HASH_BYTES: Final = 32
KEPT: Final = ERASURES_KNOWN + dt.timedelta(days=2)  # a day of the log ends 28 hours after it began


def copy_log(*, lake: Lake, now: dt.datetime) -> None:
    """Update the storage's copy of the log, and remove expired days from it.

    Hashes are only added to a day, because after a restore the copy holds more than the database.
    """
    objects = lake.storage.objects()
    known = read_log(lake=lake)
    for day in sorted(set(ErasedOwner.objects.filter(copied=False).values_list("erased_on", flat=True))):
        rows = list(ErasedOwner.objects.filter(erased_on=day).values_list("pk", flat=True))
        hashes = {bytes(one) for one in rows} | {one for one, erased_on in known.items() if erased_on == day}
        objects.write(lake.storage.at(FOLDER, day.isoformat()), b"".join(sorted(hashes)))
        ErasedOwner.objects.filter(pk__in=rows).update(copied=True)
    first = (now - KEPT).date()
    past = [
        each
        for each in objects.versions(lake.storage.at(FOLDER))
        if not each.is_current or each.is_marker or _day_of(each.url) < first
    ]
    if past:
        objects.remove(past)


def _day_of(url: str) -> dt.date:
    return dt.date.fromisoformat(url.rsplit("/", 1)[-1])


def read_log(*, lake: Lake) -> dict[bytes, dt.date]:
    """Return the day of each index hash in the storage's copy."""
    objects = lake.storage.objects()
    found: dict[bytes, dt.date] = {}
    for stored in objects.versions(lake.storage.at(FOLDER)):
        if stored.is_current and not stored.is_marker:
            body, day = objects.read(stored), _day_of(stored.url)
            found |= {body[at : at + HASH_BYTES]: day for at in range(0, len(body), HASH_BYTES)}
    return found
