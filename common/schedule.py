"""A schedule that survives a clock that is set back, and a broker that is away at the moment of a task."""

import datetime as dt
import time
from typing import Any, Final

from celery.beat import PersistentScheduler, ScheduleEntry, SchedulingError

RETRY_SECONDS: Final = 5.0
AHEAD: Final = dt.timedelta(minutes=2)
"""A last run that is further in the future means that the clock was set back."""


class SteadyScheduler(PersistentScheduler):
    """Celery's scheduler, with two differences.

    It computes what is due from the last run of a task. If the clock was set back since, that lies in the future, and
    nothing would be due until the clock has caught up; so it is replaced by the present. And a task that cannot be sent
    is sent again until the broker takes it, once however often it was due, instead of being skipped for a night.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        self._unsent: dict[str, ScheduleEntry] = {}
        self._next_try = 0.0
        super().__init__(*arguments, **options)

    def tick(self, *arguments: Any, **options: Any) -> float:
        """Send what is due; return the seconds until the next call."""
        self._follow_the_clock()
        self._send_again()
        pause: float = super().tick(*arguments, **options)
        return min(pause, RETRY_SECONDS) if self._unsent else pause

    def apply_entry(self, entry: ScheduleEntry, producer: Any = None) -> None:
        """Send a task, or remember to send it."""
        try:
            self.apply_async(entry, producer=producer, advance=False)
        except SchedulingError as error:
            self.logger.warning(
                "%s is sent again in %d s: %s", entry.task, RETRY_SECONDS, type(error.__cause__).__name__
            )
            self._unsent[str(entry.name)] = entry
            self._next_try = time.monotonic() + RETRY_SECONDS
        else:
            self._unsent.pop(str(entry.name), None)

    def _send_again(self) -> None:
        if self._unsent and time.monotonic() >= self._next_try:
            for entry in list(self._unsent.values()):
                self.apply_entry(entry, producer=self.producer)

    def _follow_the_clock(self) -> None:
        ahead = [entry for entry in self.schedule.values() if _is_ahead(entry)]
        if any(_is_ahead(entry, by=AHEAD) for entry in ahead):
            self.logger.warning("the clock was set back: the schedule continues from the present")
            for entry in ahead:
                entry.last_run_at = entry.default_now()
            self._heap = None


def _is_ahead(entry: ScheduleEntry, *, by: dt.timedelta = dt.timedelta()) -> bool:
    return entry.last_run_at is not None and entry.last_run_at - entry.default_now() > by
