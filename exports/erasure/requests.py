"""Request an erasure, cancel it, and find its receipt.

Rows leave PostgreSQL in the request; the verified tier follows in `exports.erasure.batches`. The request is stored
encrypted until it is finished, so the next worker resumes what a dead server or worker left.
"""

import datetime as dt
import secrets
from collections.abc import Collection, Iterable, Mapping
from typing import Final

from django.db import transaction
from django.db.models import F

from common.crypto import decrypt, encrypt
from exports.hashes import index_hash, receipt_hash
from exports.models import ErasedOwner, Erasure, ErasureBatch, IndexEntry
from passes.selectors import all_owners, owners_with_rows
from passes.services.erasure import erase_owners
from passes.services.holders import shuffled

CAPABILITY_BYTES: Final = 16
PURPOSE: Final = "erasure"
_HASH_BYTES: Final = 32
# Maximum number of rows in one statement.
AT_ONCE: Final = 10_000
_OPEN: Final = (Erasure.Status.QUEUED, Erasure.Status.RUNNING)


def request_erasure(*, owner_hashes: Iterable[bytes], now: dt.datetime) -> bytes:
    """Erase the passes of these owners from the database and queue the lake; return the capability of the receipt.

    Unknown owners are skipped.
    """
    return _begin(owner_hashes, now)


def request_again(*, known: Mapping[bytes, dt.date], now: dt.datetime) -> bytes | None:
    """Repeat the erasures of the log after a restore: `known` is the day of each index hash.

    The log is also restored in the database. Return `None` if nothing of those owners is stored.
    """
    ErasedOwner.objects.bulk_create(
        [ErasedOwner(index_hash=one, erased_on=day, copied=True) for one, day in known.items()],
        ignore_conflicts=True,
        batch_size=AT_ONCE,
    )
    logged = {bytes(one) for one in ErasedOwner.objects.values_list("pk", flat=True).iterator()}
    found = {hashed for owner in all_owners() if (hashed := index_hash(owner)) in logged} | _indexed(logged)
    return _begin(found, now, again=True) if found else None


def _begin(hashes: Iterable[bytes], now: dt.datetime, *, again: bool = False) -> bytes:
    capability = secrets.token_bytes(CAPABILITY_BYTES)
    erasure = Erasure.objects.create(
        receipt_hash=receipt_hash(capability),
        asked_at=now,
        work=encrypt(PURPOSE, b"".join(shuffled(hashes))),
        again=again,
    )
    erase_in_database(erasure=erasure, now=now)
    return capability


def _indexed(hashes: Collection[bytes]) -> set[bytes]:
    """Return the hashes that have a row in the index."""
    wanted, found = list(hashes), set[bytes]()
    for start in range(0, len(wanted), AT_ONCE):
        rows = IndexEntry.objects.filter(pk__in=wanted[start : start + AT_ONCE])
        found |= {bytes(one) for one in rows.values_list("pk", flat=True)}
    return found


def _work_of(erasure: Erasure) -> list[bytes]:
    work = decrypt(PURPOSE, bytes(erasure.work or b""))
    return [work[at : at + _HASH_BYTES] for at in range(0, len(work), _HASH_BYTES)]


def owners_of(erasure: Erasure) -> list[bytes]:
    """Return the owner hashes of an unfinished erasure; for a repeated one, only those that have rows."""
    work = _work_of(erasure)
    if not erasure.again:
        return work
    wanted = set(work)
    return shuffled(owner for owner in all_owners() if index_hash(owner) in wanted)


def index_hashes_of(erasure: Erasure) -> list[bytes]:
    """Return the index keys of an unfinished erasure's rows."""
    return _work_of(erasure) if erasure.again else [index_hash(owner) for owner in _work_of(erasure)]


def erase_in_database(*, erasure: Erasure, now: dt.datetime) -> None:
    """Erase an erasure's owners from the database; idempotent, so nothing is counted twice.

    Each owner is one transaction, which includes the counts and the log.
    """
    owners = owners_of(erasure)
    hashes = {owner: index_hash(owner) for owner in owners}
    indexed = _indexed(hashes.values())
    known = owners_with_rows(owners)
    today = now.astimezone(dt.UTC).date()
    for owner in owners:
        if owner not in known and hashes[owner] not in indexed:
            continue
        with transaction.atomic():
            ErasedOwner.objects.bulk_create(
                [ErasedOwner(index_hash=hashes[owner], erased_on=today)], ignore_conflicts=True
            )
            gone = erase_owners([owner], now)
            Erasure.objects.filter(pk=erasure.pk).update(
                passes=F("passes") + gone.passes, scans=F("scans") + gone.scans, ratings=F("ratings") + gone.ratings
            )


@transaction.atomic
def cancel_erasure(*, capability: bytes, now: dt.datetime) -> Erasure | None:
    """Cancel the erasure in the lake if it is not too late; rows of the database stay erased. `None`: unknown."""
    erasure = Erasure.objects.select_for_update().filter(pk=receipt_hash(capability)).first()
    if erasure is None or erasure.status not in _OPEN:
        return erasure
    # Read after the row is locked: from `removing` on, the commit may be in progress.
    batch = ErasureBatch.objects.filter(erasures=erasure).first()
    if batch is None or batch.step == ErasureBatch.Step.OPENED:
        erasure.status, erasure.finished_at, erasure.batch, erasure.work = Erasure.Status.CANCELLED, now, None, None
        erasure.save(update_fields=["status", "finished_at", "batch", "work"])
    return erasure


def find_erasure(*, capability: bytes) -> Erasure | None:
    """Return the erasure of a capability, or `None`."""
    return Erasure.objects.filter(pk=receipt_hash(capability)).first()
