"""Many passes, scans, visits and ratings of one epoch at once, by COPY: for simulated towns and load tests.

What is written is what check-ins with static passes and scans at a door that does not require the rotating code would
have left behind; `passes.services` writes the same rows one at a time. Verdicts are the caller's, who knows the crowd;
constraints of the tables still hold.
"""

import os
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from django.db import connection, transaction

from crowdtrace.common.crypto import b64encode
from passes.epochs import Epoch
from passes.hashes import pass_tag
from passes.models import ScanType

NOT_AT_ALL: Final = -1
"""In a column of times: it did not happen."""
_SECOND_US: Final = 1_000_000

Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]
Bytes = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Day:
    """One epoch of n passes, one row each; times are microseconds UTC, `NOT_AT_ALL` where there was none.

    `venue`, `device`: primary keys (n,). `anchor` (n, 16) and `owner_hash` (n, 32) bytes. `answers` (n, 4):
    symptoms, diagnosed, contact, near. `go`: a pass was given; else `refused_hour` is the local hour of the refusal.
    `counted`: counts for the open release. `arrived_us`: time of the Checkin scan; `approved`: its verdict, with the
    `cause` of a Declined (empty else). `left_us`: time of the Checkout scan. `times_out_us`: end of the stay without
    one. `masks`, `distancing`: the rating, 0 for none.
    """

    epoch: Epoch
    venue: Ints
    device: Ints
    anchor: Bytes
    owner_hash: Bytes
    answers: Bools
    survey_seconds: Ints
    go: Bools
    refused_hour: Ints
    counted: Bools
    arrived_us: Ints
    approved: Bools
    cause: npt.NDArray[np.str_]
    left_us: Ints
    times_out_us: Ints
    masks: Ints
    distancing: Ints

    def __post_init__(self) -> None:
        n = self.venue.size
        for name in self.__slots__[1:]:
            if len(getattr(self, name)) != n:
                raise ValueError(f"{name}: not one row a pass")
        scanned = self.arrived_us != NOT_AT_ALL
        start, end = self.epoch.start * _SECOND_US, self.epoch.end * _SECOND_US
        if (scanned & ~self.go).any():
            raise ValueError("arrived_us: a refusal cannot be scanned")
        if ((self.arrived_us[scanned] < start) | (self.arrived_us[scanned] >= end)).any():
            raise ValueError("arrived_us: outside the epoch")
        left = self.left_us != NOT_AT_ALL
        if (left & ~(scanned & self.approved)).any() or (self.left_us[left] <= self.arrived_us[left]).any():
            raise ValueError("left_us: a Checkout follows an approved Checkin")
        if (self.times_out_us[scanned] <= self.arrived_us[scanned]).any():
            raise ValueError("times_out_us: not after arrived_us")


@dataclass(frozen=True, slots=True)
class Written:
    """Rows that were written."""

    passes: int
    scans: int
    visits: int
    ratings: int


def write_day(day: Day, *, keep_anchors: bool) -> Written:
    """Write one day in one transaction. `keep_anchors`: false where the epoch is over, as the purge would leave it."""
    ids = [str(uuid.UUID(bytes=os.urandom(16), version=4)) for _ in range(day.venue.size)]
    tags = [_hex(pass_tag(bytes(anchor))) for anchor in day.anchor]
    stays = np.flatnonzero((day.arrived_us != NOT_AT_ALL) & day.approved)
    rated = stays[day.masks[stays] > 0]
    with transaction.atomic():
        passes = _copy(_PASSES, _pass_lines(day, ids, tags, keep_anchors))
        scans = _copy(_SCANS, _scan_lines(day, tags))
        visits = _copy(_VISITS, _visit_lines(day, tags, stays))
        ratings = _copy(_RATINGS, (f"{ids[row]}\t{day.masks[row]}\t{day.distancing[row]}\n" for row in rated))
        _add_to_totals(day, rated)
        _copy(_CHANGES, _change_lines(day, stays))
    return Written(passes, scans, visits, ratings)


_PASSES: Final = (
    "passes_pass (id, tag, anchor, venue_id, epoch, owner_hash, symptoms, diagnosed, contact, near, survey_seconds, "
    "go, refused_hour, revoked, counted)"
)
_SCANS: Final = (
    "passes_scan (id, scan_id, venue_id, device_id, tag, epoch, type, slot, scanned_at, approved, cause, abuse_score)"
)
_VISITS: Final = "passes_visit (id, tag, venue_id, epoch, arrived_at, left_at, times_out_at)"
_RATINGS: Final = "passes_rating (pass_row_id, masks, distancing)"
_CHANGES: Final = "passes_change (venue_id, since)"


def _copy(table: str, lines: Iterable[str]) -> int:
    count = 0
    with (
        connection.wrap_database_errors,
        connection.cursor() as cursor,
        cursor.copy(f"COPY {table} FROM STDIN") as copy,
    ):
        for block in _blocks(lines):
            count += len(block)
            copy.write("".join(block))
    return count


def _blocks(lines: Iterable[str], size: int = 4096) -> Iterator[list[str]]:
    block: list[str] = []
    for line in lines:
        block.append(line)
        if len(block) == size:
            yield block
            block = []
    if block:
        yield block


def _hex(data: bytes) -> str:
    return f"\\\\x{data.hex()}"


def _bool(value: object) -> str:
    return "t" if value else "f"


def _time(us: int) -> str:
    return str(np.datetime64(us, "us")) + "Z"


def _slot(day: Day, us: int) -> int:
    return 1 + (us - day.epoch.start * _SECOND_US) // (60 * _SECOND_US)


def _pass_lines(day: Day, ids: list[str], tags: list[str], keep_anchors: bool) -> Iterator[str]:
    for row, (pass_id, tag) in enumerate(zip(ids, tags, strict=True)):
        anchor = _hex(bytes(day.anchor[row])) if keep_anchors else "\\N"
        answers = "\t".join(_bool(answer) for answer in day.answers[row])
        hour = "\\N" if day.go[row] else str(day.refused_hour[row])
        yield (
            f"{pass_id}\t{tag}\t{anchor}\t{day.venue[row]}\t{day.epoch.date}\t{_hex(bytes(day.owner_hash[row]))}\t"
            f"{answers}\t{day.survey_seconds[row]}\t{_bool(day.go[row])}\t{hour}\tf\t{_bool(day.counted[row])}\n"
        )


def _scan_lines(day: Day, tags: list[str]) -> Iterator[str]:
    for row in np.flatnonzero(day.arrived_us != NOT_AT_ALL):
        yield _scan_line(day, int(row), tags, ScanType.CHECKIN)
        if day.left_us[row] != NOT_AT_ALL:
            yield _scan_line(day, int(row), tags, ScanType.CHECKOUT)


def _scan_line(day: Day, row: int, tags: list[str], scan_type: ScanType) -> str:
    arriving = scan_type is ScanType.CHECKIN
    us = int((day.arrived_us if arriving else day.left_us)[row])
    approved, cause = (day.approved[row], day.cause[row]) if arriving else (True, "")
    scan_id = b64encode(os.urandom(16))
    return (
        f"{uuid.UUID(bytes=os.urandom(16), version=4)}\t{scan_id}\t{day.venue[row]}\t{day.device[row]}\t{tags[row]}\t"
        f"{day.epoch.date}\t{scan_type}\t{_slot(day, us)}\t{_time(us)}\t{_bool(approved)}\t{cause}\t0\n"
    )


def _visit_lines(day: Day, tags: list[str], stays: Ints) -> Iterator[str]:
    for row in stays:
        left_us = int(day.left_us[row])
        # A Checkout after the time-out found the visit ended already.
        left = "\\N" if left_us == NOT_AT_ALL or left_us > day.times_out_us[row] else _time(left_us)
        yield (
            f"{uuid.UUID(bytes=os.urandom(16), version=4)}\t{tags[row]}\t{day.venue[row]}\t{day.epoch.date}\t"
            f"{_time(int(day.arrived_us[row]))}\t{left}\t{_time(int(day.times_out_us[row]))}\n"
        )


def _change_lines(day: Day, stays: Ints) -> Iterator[str]:
    """One change a venue: its earliest arrival."""
    venues, place = np.unique(day.venue[stays], return_inverse=True)
    first = np.full(venues.size, np.iinfo(np.int64).max)
    np.minimum.at(first, place, day.arrived_us[stays])
    for venue, us in zip(venues, first, strict=True):
        yield f"{venue}\t{_time(int(us))}\n"


def _add_to_totals(day: Day, rated: Ints) -> None:
    venues, place, counts = np.unique(day.venue[rated], return_inverse=True, return_counts=True)
    masks = np.bincount(place, day.masks[rated], venues.size).astype(int)
    distancing = np.bincount(place, day.distancing[rated], venues.size).astype(int)
    with connection.cursor() as cursor:
        cursor.execute(
            'INSERT INTO passes_ratingtotal AS total (venue_id, "count", masks, distancing) '
            "SELECT * FROM unnest(%s::bigint[], %s::integer[], %s::integer[], %s::integer[]) "
            'ON CONFLICT (venue_id) DO UPDATE SET "count" = total."count" + excluded."count", '
            "masks = total.masks + excluded.masks, distancing = total.distancing + excluded.distancing",
            [venues.tolist(), counts.tolist(), masks.tolist(), distancing.tolist()],
        )
