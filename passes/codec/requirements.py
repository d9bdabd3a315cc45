"""The requirements of a door for a scan: the same value on the server and, signed, on a kiosk."""

from __future__ import annotations

from dataclasses import dataclass

from passes.codec.hours import WeeklyHours
from venues.requirements import people_limit


@dataclass(frozen=True, slots=True)
class DoorRequirements:
    """One version of a venue's requirements at one door. `None`: the door does not require it.

    Temperatures are in degrees Fahrenheit and oxygen saturations in percent, with at most two decimals (the bundle
    carries hundredths). Limits are inclusive: a reading equal to the limit passes.

    A private door opens only in epochs whose check-in requires an invitation: every pass of such an epoch was issued
    for a valid one, and no pass has to show it. `invitation_epochs` holds the starts of these epochs.

    `openings` are spans of Unix seconds, start inclusive and end exclusive, in which the venue is open regardless of
    its weekly hours: events, from the opening of their doors. `usual_dwell_min`: a stay ends this many minutes after
    the last Checkin if nobody checks out. The server stores the end of each stay itself; an offline kiosk computes it
    with this.
    """

    version: int = 1
    highest_temperature_f: float | None = None
    lowest_o2: float | None = None
    capacity: int | None = None
    enforced_percent: int = 100
    hours: WeeklyHours | None = None
    rotating_required: bool = True
    private: bool = False
    invitation_epochs: frozenset[int] = frozenset()
    openings: tuple[tuple[int, int], ...] = ()
    usual_dwell_min: int | None = None

    @property
    def people_limit(self) -> int | None:
        """Return how many people may be inside at once; `None` if the venue does not limit it."""
        return None if self.capacity is None else people_limit(self.capacity, self.enforced_percent)

    def is_open(self, at: float) -> bool:
        """Return whether the venue is open at Unix time `at`; a venue without hours always is."""
        if self.hours is None or self.hours.is_open(at):
            return True
        return any(start <= at < end for start, end in self.openings)
