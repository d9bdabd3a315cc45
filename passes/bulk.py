"""Write many passes, scans, visits and ratings of one epoch at once by COPY, for simulated towns and load tests.

The rows are those that check-ins with static passes, and scans at a door that does not require the rotating code, would
leave behind; `passes.services` writes the same rows one at a time. The caller, who knows the crowd, provides the
verdicts; constraints of the tables still apply.
"""

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from django.db import connection, transaction

from common.crypto import b64encode
from passes.codec.epochs import Epoch
from passes.hashes import pass_tag
from passes.models import ScanType

NOT_AT_ALL: Final = -1
"""In a column of times: the event did not happen."""
_SECOND_US: Final = 1_000_000

Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]
Bytes = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Day:
    """One epoch of n passes, one row each; times are microseconds UTC, `NOT_AT_ALL` if there was none.

    `venue`, `device`: primary keys (n,). `anchor` (n, 16) and `owner_hash` (n, 32) bytes. `answers` (n, 4): symptoms,
    diagnosed, contact, near. `go`: a pass was issued; otherwise `refused_hour` is the local hour of the refusal.
    `counted`: counts for the open release. `arrived_us`: time of the Checkin scan; `approved`: its verdict, with the
    `cause` of a Declined (otherwise empty). `left_us`: time of the Checkout scan. `times_out_us`: end of the stay
    without a Checkout. `masks`, `distancing`: the rating, 0 for none.
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
    """Counts of the rows written."""

    passes: int
    scans: int
    visits: int
    ratings: int


def write_day(day: Day, *, keep_anchors: bool) -> Written:
    """Write one day in one transaction. `keep_anchors`: `False` if the epoch is over, as the purge would leave it."""
    ids = _random_ids(day.venue.size)
    tags = [_hex(pass_tag(bytes(anchor))) for anchor in day.anchor]
    stays = np.flatnonzero((day.arrived_us != NOT_AT_ALL) & day.approved)
    rated = stays[day.masks[stays] > 0]
    with transaction.atomic():
        passes = _copy(_PASSES, _pass_lines(day, ids, tags, keep_anchors))
        scans = _copy(_SCANS, _scan_lines(day, tags))
        visits = _copy(_VISITS, _visit_lines(day, tags, stays))
        rows = rated.tolist()
        ratings = _copy(
            _RATINGS, _lines([ids[row] for row in rows], _text(day.masks[rated]), _text(day.distancing[rated]))
        )
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


def _lines(*columns: Sequence[str]) -> Iterator[str]:
    """Yield rows of COPY's text format, from columns of text."""
    return ("\t".join(row) + "\n" for row in zip(*columns, strict=True))


def _hex(data: bytes) -> str:
    return f"\\\\x{data.hex()}"


def _random_ids(count: int) -> list[str]:
    """Return random UUIDs of version 4, without dashes, all from one read of the system's random source."""
    raw = np.frombuffer(os.urandom(16 * count), np.uint8).reshape(count, 16).copy()
    raw[:, 6] = raw[:, 6] & 0x0F | 0x40
    raw[:, 8] = raw[:, 8] & 0x3F | 0x80
    digits = raw.tobytes().hex()
    return [digits[at : at + 32] for at in range(0, 32 * count, 32)]


def _random_scan_ids(count: int) -> list[str]:
    raw = os.urandom(16 * count)
    return [b64encode(raw[at : at + 16]) for at in range(0, 16 * count, 16)]


def _text(values: npt.NDArray[np.generic]) -> list[str]:
    return [str(value) for value in values.tolist()]


def _bools(values: npt.NDArray[np.generic]) -> list[str]:
    return ["t" if value else "f" for value in values.tolist()]


def _times(us: Ints) -> list[str]:
    """Return times with their zone; null if the event did not happen."""
    texts = np.datetime_as_string(us.astype("datetime64[us]")).tolist()
    return ["\\N" if at == NOT_AT_ALL else text + "Z" for at, text in zip(us.tolist(), texts, strict=True)]


def _pass_lines(day: Day, ids: list[str], tags: list[str], keep_anchors: bool) -> Iterator[str]:
    n = len(ids)
    hours = ["\\N" if go else str(hour) for go, hour in zip(day.go.tolist(), day.refused_hour.tolist(), strict=True)]
    return _lines(
        ids,
        tags,
        [_hex(bytes(anchor)) for anchor in day.anchor] if keep_anchors else ["\\N"] * n,
        _text(day.venue),
        [str(day.epoch.date)] * n,
        [_hex(bytes(owner)) for owner in day.owner_hash],
        *(_bools(column) for column in day.answers.T),
        _text(day.survey_seconds),
        _bools(day.go),
        hours,
        ["f"] * n,
        _bools(day.counted),
    )


def _scan_lines(day: Day, tags: list[str]) -> Iterator[str]:
    """Yield all Checkins, then all Checkouts."""
    arrived, left = (np.flatnonzero(us != NOT_AT_ALL) for us in (day.arrived_us, day.left_us))
    rows = np.concatenate([arrived, left])
    us = np.concatenate([day.arrived_us[arrived], day.left_us[left]])
    n = rows.size
    return _lines(
        _random_ids(n),
        _random_scan_ids(n),
        _text(day.venue[rows]),
        _text(day.device[rows]),
        [tags[row] for row in rows.tolist()],
        [str(day.epoch.date)] * n,
        [ScanType.CHECKIN.value] * arrived.size + [ScanType.CHECKOUT.value] * left.size,
        _text(1 + (us - day.epoch.start * _SECOND_US) // (60 * _SECOND_US)),
        _times(us),
        _bools(day.approved[arrived]) + ["t"] * left.size,
        day.cause[arrived].tolist() + [""] * left.size,
        ["\\N"] * n,
    )


def _visit_lines(day: Day, tags: list[str], stays: Ints) -> Iterator[str]:
    left, times_out = day.left_us[stays], day.times_out_us[stays]
    return _lines(
        _random_ids(stays.size),
        [tags[row] for row in stays.tolist()],
        _text(day.venue[stays]),
        [str(day.epoch.date)] * stays.size,
        _times(day.arrived_us[stays]),
        # For a Checkout after the time-out, the visit had already ended.
        _times(np.where(left > times_out, NOT_AT_ALL, left)),
        _times(times_out),
    )


def _change_lines(day: Day, stays: Ints) -> Iterator[str]:
    """Yield one change for each venue: its earliest arrival."""
    venues, place = np.unique(day.venue[stays], return_inverse=True)
    first = np.full(venues.size, np.iinfo(np.int64).max)
    np.minimum.at(first, place, day.arrived_us[stays])
    return _lines(_text(venues), _times(first))
