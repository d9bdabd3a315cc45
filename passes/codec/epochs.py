"""Epochs: the calendar days of a deployment's time zone, in Unix seconds.

An epoch starts at the beginning of the day (local midnight, or the end of the gap if daylight saving time skips it) and
lasts 28 hours, so two epochs are live between midnight and four. Check-in opens 24 hours before the start and closes
when the next epoch starts: at most two are open, or three for an hour before a day of 23 hours.

Intervals are half open: the start is inside, the end outside.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Final
from zoneinfo import ZoneInfo

from common.days import first_instant, last_begun_day
from passes.limits import CHECKIN_LEAD_SECONDS, EPOCH_LENGTH, EPOCH_SECONDS, TICKETS_LEAD_SECONDS

_DAY_SECONDS: Final = 24 * 3600
_LAST_HOUR: Final = 23


@dataclass(frozen=True, slots=True, order=True)
class Epoch:
    """A calendar day and its span in Unix seconds; passes of the epoch are valid from `start` up to `end`."""

    start: int
    date: dt.date

    @property
    def end(self) -> int:
        """Return the end, 28 hours after the start."""
        return self.start + EPOCH_SECONDS

    @property
    def checkin_opens(self) -> int:
        """Return the opening of check-in, 24 hours before the start.

        The venue's rules on answers are frozen at this time.
        """
        return self.start - CHECKIN_LEAD_SECONDS

    @property
    def tickets_open(self) -> int:
        """Return the time, 15 days before the start, from which tickets of the epoch can be drawn."""
        return self.start - TICKETS_LEAD_SECONDS

    def is_live(self, now: float) -> bool:
        """Return whether passes of this epoch are valid at `now`."""
        return self.start <= now < self.end


@dataclass(frozen=True, slots=True)
class EpochCalendar:
    """All epochs of one deployment.

    `zone` must not change while passes are valid: their claims contain its midnights.
    """

    zone: ZoneInfo

    def epoch_of(self, date: dt.date) -> Epoch:
        """Return the epoch of a calendar day.

        Raise `ValueError` for a day that the zone skipped (such as 30 December 2011 in Samoa).
        """
        start = int(first_instant(date, self.zone).timestamp())
        if self._local(start).date() != date:
            raise ValueError("the time zone has no such day")
        return Epoch(start=start, date=date)

    def epoch_starting(self, start: int) -> Epoch | None:
        """Return the epoch with this start; `None` if no local day starts then."""
        try:
            epoch = self.epoch_of(self._local(start).date())
        except (ValueError, OverflowError, OSError):
            return None
        return epoch if epoch.start == start else None

    def current(self, now: float) -> Epoch:
        """Return the epoch of the calendar day at `now`."""
        return self.epoch_of(self._local(now).date())

    def following(self, epoch: Epoch) -> Epoch:
        """Return the epoch of the next day that exists."""
        for days in (1, 2):
            try:
                return self.epoch_of(epoch.date + dt.timedelta(days=days))
            except ValueError:
                continue
        raise ValueError("the time zone skips two days in a row")

    def checkin_closes(self, epoch: Epoch) -> int:
        """Return the start of the next epoch, when check-in closes."""
        return self.following(epoch).start

    def is_open(self, epoch: Epoch, now: float) -> bool:
        """Return whether passes of the epoch may be issued at `now`."""
        return epoch.checkin_opens <= now < self.checkin_closes(epoch)

    def open_epochs(self, now: float) -> tuple[Epoch, ...]:
        """Return epochs open for check-in at `now`, earliest first: one, two, or three before a day of 23 hours."""
        return tuple(epoch for epoch in self._around(now) if self.is_open(epoch, now))

    def live_epochs(self, now: float) -> tuple[Epoch, ...]:
        """Return epochs whose passes are valid at `now`, earliest first: two in the hours after midnight."""
        return tuple(epoch for epoch in self._around(now) if epoch.is_live(now))

    def unfinished_epochs(self, now: float) -> tuple[Epoch, ...]:
        """Return epochs that are open or not yet ended, earliest first; their keys are published."""
        return tuple(epoch for epoch in self._around(now) if epoch.checkin_opens <= now < epoch.end)

    def ticket_epochs(self, now: float) -> tuple[Epoch, ...]:
        """Return epochs whose tickets can be drawn at `now`, earliest first; their ticket keys are published."""
        days = range(-1, TICKETS_LEAD_SECONDS // _DAY_SECONDS + 2)
        return tuple(epoch for epoch in self._near(now, days) if epoch.tickets_open <= now < self.checkin_closes(epoch))

    def dataset_hour(self, epoch: Epoch, now: float) -> int:
        """Return the local hour 0..23 to which the dataset assigns a time of the epoch; 23 after its midnight."""
        local = self._local(now)
        return local.hour if local.date() <= epoch.date else _LAST_HOUR

    def _local(self, now: float) -> dt.datetime:
        return dt.datetime.fromtimestamp(now, self.zone)

    def _around(self, now: float) -> tuple[Epoch, ...]:
        return self._near(now, range(-2, 3))

    def _near(self, now: float, near: range) -> tuple[Epoch, ...]:
        today = self._local(now).date()
        epochs = []
        for days in near:
            try:
                epochs.append(self.epoch_of(today + dt.timedelta(days=days)))
            except ValueError:  # a day that the zone skipped
                continue
        return tuple(epochs)


def epoch_end(day: dt.date, zone: ZoneInfo) -> dt.datetime:
    """Return the end of a day's epoch, in UTC. A day that the zone skipped has one too."""
    return first_instant(day, zone) + EPOCH_LENGTH


def last_ended_day(moment: dt.datetime, zone: ZoneInfo) -> dt.date:
    """Return the latest day whose epoch has ended at `moment`."""
    return last_begun_day(moment - EPOCH_LENGTH, zone)
