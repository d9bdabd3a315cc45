"""The lake's copy of each day's draw, so that no day is drawn twice after the database is lost.

A second draw of a day would give two noisy answers about the same people and cost the budget twice. So a draw is copied
to the lake's storage, one object per day, before any of its numbers is published; a ledger restored from an older
backup adopts what it finds there. An object holds nothing that the table of noisy counts does not publish.
"""

import base64
import datetime as dt
import json
import logging
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from django.db import transaction

from exports.dataset.tables import CROWD_TRACING, DP_COUNTS, SIGNALS
from exports.lake.catalogue import Lake
from exports.lake.storage import StoredObject
from exports.lake.write import folder_of, overwrite_day
from exports.models import PassPool, Release, ServedDay, Step
from exports.policy.draw import Drawn
from exports.release.pools import first_day_of, retire_pool_of

log = logging.getLogger(__name__)

FOLDER: Final = "draws"
STATISTICS: Final = f"{FOLDER}/statistics"
"""Copies of another kind (`exports.statistics.log`), in the same folder so that both are restored together."""
FORMAT: Final = 1
RELEASED: Final = "release"
SHIPPED: Final = "demonstration"
"""Prefixes of the names of jobs and their files; the second also marks a draw without people in the manifest."""


class DrawLogError(Exception):
    """The lake has a day that the ledger lacks, but not its draw; the text says what to do."""


def keep(*, lake: Lake, release: Release) -> None:
    """Copy a drawn day from the ledger to the lake, replacing an earlier copy."""
    _write(lake, release.day, document_of(release))


def offer(*, lake: Lake, day: dt.date, document: Mapping[str, Any]) -> None:
    """Write a draw from elsewhere, in the format of `document_of`, for the ledger to adopt; keep an existing copy."""
    if not _copies(lake, day):
        _write(lake, day, document)


def withdraw_shipped(*, lake: Lake, days: Iterable[dt.date]) -> list[dt.date]:
    """Remove days that came with the demonstration from the ledger and the tables; return those that existed.

    They have no people, so such a day may be drawn later with other simulated people. Earlier snapshots keep them.
    """
    found = list(Release.objects.filter(day__in=list(days), **{f"manifest__{SHIPPED}": True}).order_by("day"))
    for release in found:
        for described in (CROWD_TRACING, DP_COUNTS, SIGNALS):
            job = f"withdrawn-{release.day.isoformat()}"
            overwrite_day(lake=lake, described=described, day=release.day, batches=tuple, job=job)
        lake.storage.objects().remove(_copies(lake, release.day))
        with transaction.atomic():
            PassPool.objects.filter(first_day=first_day_of(release.day)).delete()
            ServedDay.objects.filter(day=release.day).delete()
            release.delete()
    return [release.day for release in found]


def document_of(release: Release) -> dict[str, Any]:
    """Return the lake's copy of a drawn day."""
    return {
        "format": FORMAT,
        "drawn_at": release.drawn_at.isoformat() if release.drawn_at else None,
        "announced_at": release.announced_at.isoformat() if release.announced_at else None,
        "manifest": release.manifest,
        "drawn": base64.b64encode(bytes(release.drawn or b"")).decode("ascii"),
    }


def _write(lake: Lake, day: dt.date, document: Mapping[str, Any]) -> None:
    body = json.dumps(document, sort_keys=True).encode()
    lake.storage.objects().write(lake.storage.at(FOLDER, day.isoformat()), body)


def reconcile(*, lake: Lake) -> list[dt.date]:
    """Synchronise the draws of ledger and lake; return the days that the ledger adopted.

    An announced day resumes after its check, because it has passed that, and keeps the time of its announcement.
    Raise `DrawLogError` for an object that cannot be read.
    """
    others = lake.storage.at(STATISTICS, "")
    copies = (each for each in _current(lake, lake.storage.at(FOLDER)) if not each.url.startswith(others))
    stored = {_day_of(each): each for each in copies}
    drawn = set(Release.objects.exclude(drawn=None).values_list("day", flat=True))
    for release in Release.objects.filter(day__in=drawn - stored.keys()):
        keep(lake=lake, release=release)
    return [day for day in sorted(stored.keys() - drawn) if _adopt(day, lake.storage.objects().read(stored[day]))]


def refuse_second_draw(*, lake: Lake, day: dt.date) -> None:
    """Raise `DrawLogError` if the lake has files of a day's release, but its draw is unknown."""
    for described in (CROWD_TRACING, DP_COUNTS):
        files = _current(lake, f"{lake.location(described)}/{folder_of(described, day)}")
        if any(not each.url.rsplit("/", 1)[-1].startswith(SHIPPED) for each in files):
            raise DrawLogError(
                f"a release of this day is in the lake and its draw in neither ledger nor lake; to draw again would "
                f"cost its budget twice: put {FOLDER}/{day.isoformat()} of the newer lake back, or leave the gap"
            )


def _current(lake: Lake, prefix: str) -> Iterator[StoredObject]:
    objects = lake.storage.objects().versions(prefix)
    return (each for each in objects if each.is_current and not each.is_marker)


def _copies(lake: Lake, day: dt.date) -> list[StoredObject]:
    url = lake.storage.at(FOLDER, day.isoformat())
    return [each for each in _current(lake, lake.storage.at(FOLDER)) if each.url == url]


def _day_of(stored: StoredObject) -> dt.date:
    return dt.date.fromisoformat(stored.url.rsplit("/", 1)[-1])


@transaction.atomic
def _adopt(day: dt.date, body: bytes) -> bool:
    """Add a draw to the ledger; return false if another process just did."""
    known, drawn = _read(day, body)
    Release.objects.get_or_create(day=day, defaults={"budget": drawn.allowed, "days": drawn.days})
    row = Release.objects.select_for_update().get(day=day)
    if row.drawn is not None:
        return False
    row.drawn, row.budget, row.epsilon = drawn.to_bytes(), drawn.allowed, drawn.cost
    row.drawn_at, row.announced_at = _time(known["drawn_at"]), _time(known["announced_at"])
    row.manifest, row.step = known["manifest"], Step.CHECKED if row.announced_at else Step.DRAWN
    row.lost_at, row.failure, row.tries = None, "", 0
    row.save()
    retire_pool_of(drawn)
    log.info("the ledger adopts the draw of %s from the lake: nothing is drawn again", day)
    return True


def _read(day: dt.date, body: bytes) -> tuple[dict[str, Any], Drawn]:
    try:
        known = json.loads(body)
        drawn = Drawn.from_bytes(base64.b64decode(known["drawn"], validate=True))
        if known["format"] != FORMAT or drawn.day != day:
            raise ValueError("another format, or another day")
    except Exception as error:
        raise DrawLogError(
            f"{FOLDER}/{day.isoformat()} in the lake cannot be read: put it back from a copy of the lake"
        ) from error
    return known, drawn


def _time(text: str | None) -> dt.datetime | None:
    return dt.datetime.fromisoformat(text) if text else None
