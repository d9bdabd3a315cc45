"""Erasure in the lake: all waiting requests, in batches of one commit that can be resumed at any step.

    look up -> plan -> commit -> index -> sweep -> prove -> receipts

The plan (which rows to remove, which files to rename) is stored before the commit, and the batch is resumed from it if
a worker died. Once it is stored, an erasure can no longer be cancelled. Nothing else reads rows for the verified tier
meanwhile.
"""

import datetime as dt
import json
import logging
from functools import partial
from itertools import chain
from typing import Any, Final

from django.db import transaction

from common.crypto import decrypt, encrypt
from exports.dataset.tables import VERIFIED
from exports.erasure.log import copy_log
from exports.erasure.requests import PURPOSE, erase_in_database, index_hashes_of
from exports.lake.catalogue import Lake
from exports.lake.deployment import deployment_lake
from exports.lake.rewrite import Erased, NotFoundError, ObjectChange, erase_rows, prove_absence, was_committed
from exports.lake.sweep import sweep
from exports.locks import VERIFIED_TIER, holding
from exports.models import Erasure, ErasureBatch, IndexEntry, VerifiedDay, VerifiedFile
from exports.release.thresholds import class_policy
from exports.release.verified import settle

log = logging.getLogger(__name__)

# A batch that failed this many times, five minutes apart, needs an operator.
TRIES: Final = 12
Status, Step = Erasure.Status, ErasureBatch.Step
Places = dict[bytes, tuple[dt.date, str, str]]
# No file has this day, so rows of it are never found, which raises an error.
_NOWHERE: Final = VerifiedFile(day=dt.date.min, name="")


class _SomebodyCancelledError(Exception):
    """An erasure of the batch was cancelled."""


def run_erasures(*, now: dt.datetime) -> int:
    """Process every waiting or unfinished erasure; return the number finished.

    A failed batch does not stop the others; the first error is raised at the end.
    """
    with holding(VERIFIED_TIER):
        waiting = list(Erasure.objects.filter(status__in=(Status.QUEUED, Status.RUNNING)))
        if not waiting:
            return 0
        for erasure in waiting:
            erase_in_database(erasure=erasure, now=now)
        with deployment_lake() as lake:
            copy_log(lake=lake, now=now)
            _clear_unfinished_days(lake)
            return _run_batches(lake, now)


def _clear_unfinished_days(lake: Lake) -> None:
    """Remove files of unpublished days that are in no index; such a day is started again."""
    unfinished = list(VerifiedDay.objects.exclude(step=VerifiedDay.Step.ANNOUNCED))
    for day in unfinished:
        settle(lake=lake, row=day)
    if any(day.step == VerifiedDay.Step.OPENED for day in unfinished) and not ErasureBatch.objects.filter(
        step=Step.REMOVING
    ):
        sweep(lake=lake, described=VERIFIED)


def _run_batches(lake: Lake, now: dt.datetime) -> int:
    batches = list(ErasureBatch.objects.order_by("pk"))
    for batch in batches:
        # Before any sweep, because it removes the snapshot that proves a commit.
        _settle(lake, batch)
    finished, errors = 0, []
    for batch in chain(batches, iter(_open_batch, None)):
        try:
            finished += _carry_out(lake, batch, now)
        except Exception as error:
            log.warning("a batch of erasures failed (attempt %d)", batch.tries)
            errors.append(error)
            if batch.tries >= TRIES and batch.step != Step.REMOVING:
                _give_up(batch, type(error).__name__, now)
    if errors:
        raise errors[0]
    return finished


@transaction.atomic
def _open_batch() -> ErasureBatch | None:
    """Put all waiting erasures into a batch, or return `None` if there are none."""
    waiting = Erasure.objects.select_for_update().filter(status__in=(Status.QUEUED, Status.RUNNING), batch=None)
    keys = list(waiting.values_list("pk", flat=True))
    if not keys:
        return None
    batch = ErasureBatch.objects.create()
    Erasure.objects.filter(pk__in=keys).update(status=Status.RUNNING, batch=batch)
    return batch


def _settle(lake: Lake, batch: ErasureBatch) -> None:
    """Find out whether an interrupted batch was committed, and set its step accordingly."""
    if batch.step == Step.REMOVING:
        if was_committed(lake=lake, job=batch.job):
            _clean_index(batch)
        else:
            batch.step = Step.OPENED
            batch.save(update_fields=["step"])


def _carry_out(lake: Lake, batch: ErasureBatch, now: dt.datetime) -> int:
    batch.tries += 1
    batch.save(update_fields=["tries"])
    while batch.step == Step.OPENED:
        _remove(lake, batch, now)
    if batch.step == Step.REMOVING:
        _clean_index(batch)
    if plan := _plan_of(batch):
        sweep(lake=lake, described=VERIFIED)
        proof = prove_absence(lake=lake, tokens=plan["tokens"])
        if proof.holding:
            raise LookupError(f"{len(proof.holding)} of {proof.read} objects still hold erased rows")
        log.info("erasure: %d objects read, none holds an erased row", proof.read)
    return _finish(batch, now)


# Removing -------------------------------------------------------------------------------------------------------------
def _remove(lake: Lake, batch: ErasureBatch, now: dt.datetime) -> None:
    """Plan and commit the batch as it is now; on return its step says whether it was committed."""
    wanted = {bytes(one.pk): _places(one) for one in batch.erasures.filter(status=Status.RUNNING)}
    tokens: dict[dt.date, set[str]] = {}
    for places in wanted.values():
        for day, _, token in places.values():
            tokens.setdefault(day, set()).add(token)
    if not tokens:
        batch.step = Step.REMOVED
        batch.save(update_fields=["step"])
        return
    try:
        erase_rows(
            lake=lake,
            tokens=tokens,
            job=batch.job,
            policy=class_policy(),
            files={name for places in wanted.values() for _, name, _ in places.values()},
            before_commit=partial(_write_plan, batch, wanted),
        )
    except _SomebodyCancelledError:
        log.info("an erasure was cancelled; the others of its batch continue")
    except NotFoundError as error:
        _fail_those_of(wanted, error.tokens, now)


def _places(erasure: Erasure) -> Places:
    """Return day, file and token of an erasure's rows by index hash; an entry without a file is `_NOWHERE`."""
    entries = list(IndexEntry.objects.filter(pk__in=index_hashes_of(erasure)))
    files = VerifiedFile.objects.in_bulk({one.file_id for one in entries})
    found = ((bytes(one.pk), files.get(one.file_id, _NOWHERE), bytes(one.token).hex()) for one in entries)
    return {key: (file.day, file.name, token) for key, file, token in found}


def _write_plan(batch: ErasureBatch, wanted: dict[bytes, Places], erased: Erased) -> None:
    """Store the plan and the receipts, immediately before the commit."""
    plan = {
        "tokens": sorted(token for change in erased.objects for token in change.tokens),
        "dropped": sorted(token for change in erased.objects for token in change.dropped),
        "renamed": {change.name: change.renamed for change in erased.objects},
    }
    with transaction.atomic():
        rows = list(batch.erasures.select_for_update().filter(status=Status.RUNNING))
        if {bytes(row.pk) for row in rows} != set(wanted):
            raise _SomebodyCancelledError
        for row in rows:
            places = wanted[bytes(row.pk)]
            row.rows = len(places)
            row.objects_changed = _objects(places, erased.objects)
            row.save(update_fields=["rows", "objects_changed"])
        batch.plan, batch.step = encrypt(PURPOSE, json.dumps(plan).encode()), Step.REMOVING
        batch.save(update_fields=["plan", "step"])


def _objects(places: Places, changes: tuple[ObjectChange, ...]) -> list[dict[str, Any]]:
    """Return the objects rewritten for these rows: those that held one, or that only lost a class of such a day."""
    tokens, days = {token for _, _, token in places.values()}, {day for day, _, _ in places.values()}
    return [
        {"name": change.name, "before": change.before, "after": change.after}
        for change in changes
        if change.tokens & tokens or (not change.tokens and change.day in days)
    ]


def _fail_those_of(wanted: dict[bytes, Places], missing: frozenset[str], now: dt.datetime) -> None:
    """Fail only those erasures whose rows are not where the index says."""
    keys = [key for key, places in wanted.items() if missing & {token for _, _, token in places.values()}]
    log.error("erasure: %d rows are not where the index says", len(missing))
    Erasure.objects.filter(pk__in=keys, status=Status.RUNNING).update(
        status=Status.FAILED, finished_at=now, work=None, batch=None, failure="rows are not where the index says"
    )


# After the commit -----------------------------------------------------------------------------------------------------
def _plan_of(batch: ErasureBatch) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(decrypt(PURPOSE, bytes(batch.plan))) if batch.plan else {}
    return found


@transaction.atomic
def _clean_index(batch: ErasureBatch) -> None:
    """Remove erased rows from the index, and rename the files there."""
    plan = _plan_of(batch)
    gone = [bytes.fromhex(token) for token in (*plan["tokens"], *plan["dropped"])]
    IndexEntry.objects.filter(file__name__in=list(plan["renamed"]), token__in=gone).delete()
    for old, new in plan["renamed"].items():
        files = VerifiedFile.objects.filter(name=old)
        if new:
            files.update(name=new)
        else:
            files.delete()
    batch.step = Step.REMOVED
    batch.save(update_fields=["step"])


@transaction.atomic
def _finish(batch: ErasureBatch, now: dt.datetime) -> int:
    done = batch.erasures.filter(status=Status.RUNNING).update(
        status=Status.DONE, proven=True, finished_at=now, work=None
    )
    batch.delete()
    return done


@transaction.atomic
def _give_up(batch: ErasureBatch, why: str, now: dt.datetime) -> None:
    batch.erasures.filter(status=Status.RUNNING).update(
        status=Status.FAILED, finished_at=now, work=None, failure=why[:200]
    )
    batch.delete()
