"""Passes of a simulated day as columns, before they are written."""

import dataclasses
from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from crowdtrace.town.world.town import Town, TownDay
from passes.codec.epochs import Epoch


@dataclass(frozen=True, slots=True)
class Rows:
    """Passes of a day, by person and arrival: stays of people with the app, then refusals (`stay` -1).

    Times are seconds of the epoch; `leaves_s` -1: no Checkout. `number`: place among the person's passes of the day.
    """

    person: npt.NDArray[np.int64]
    venue: npt.NDArray[np.int64]
    arrives_s: npt.NDArray[np.int64]
    leaves_s: npt.NDArray[np.int64]
    stay: npt.NDArray[np.int64]
    survey_seconds: npt.NDArray[np.int64]
    masks: npt.NDArray[np.int64]
    distancing: npt.NDArray[np.int64]
    number: npt.NDArray[np.int64]

    @classmethod
    def of(cls, day: TownDay, town: Town, epoch: Epoch, *, until: int) -> Self:
        """Return everything of a day that happened by `until` (Unix seconds)."""
        return cls._until(day, town, until - epoch.start)

    @classmethod
    def _until(cls, day: TownDay, town: Town, last: int) -> Self:
        stays, refused = day.stays, day.refusals
        own = np.flatnonzero(town.people.has_app[stays.person] & (stays.arrive_s < last))
        turned = np.flatnonzero(refused.arrive_s < last)
        none = np.zeros(turned.size, np.int64)
        leaves = np.where(day.checks_out[own] & (stays.leave_s[own] < last), stays.leave_s[own], -1)
        person = np.concatenate([stays.person[own], refused.person[turned]])
        arrives_s = np.concatenate([stays.arrive_s[own], refused.arrive_s[turned]])
        order = np.lexsort((arrives_s, person))
        person = person[order]
        starts = np.flatnonzero(np.r_[True, person[1:] != person[:-1]]) if person.size else none[:0]
        return cls(
            person=person,
            venue=np.concatenate([stays.venue[own], refused.venue[turned]])[order],
            arrives_s=arrives_s[order],
            leaves_s=np.concatenate([leaves, none - 1])[order],
            stay=np.concatenate([own, none - 1])[order],
            survey_seconds=np.concatenate([day.survey_seconds[own], day.refusal_survey_seconds[turned]])[order],
            masks=np.concatenate([day.rated_masks[own], none])[order],
            distancing=np.concatenate([day.rated_distancing[own], none])[order],
            number=np.arange(person.size) - np.repeat(starts, np.diff(np.r_[starts, person.size])),
        )

    @classmethod
    def of_whole(cls, day: TownDay, town: Town) -> Self:
        """Return everything of a day that is over."""
        return cls._until(day, town, np.iinfo(np.int64).max)

    def taken(self, rows: npt.NDArray[np.bool_]) -> Self:
        """Return some of the rows."""
        return type(self)(*(getattr(self, one.name)[rows] for one in dataclasses.fields(self)))
