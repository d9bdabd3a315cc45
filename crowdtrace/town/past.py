"""Statistics of a demonstration's venues over the weeks before its first start, when no real visitor was there.

They are drawn with noise like those of real days, but at a larger epsilon: at the budget of real people, figures of a
small town would be mostly noise. Days after the first start are drawn at `OWNER_STATISTICS_EPSILON`.
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Mapping
from typing import Final

import numpy as np
import numpy.typing as npt

from crowdtrace.town.rows import Rows
from crowdtrace.town.world.streams import stream
from crowdtrace.town.world.town import Town
from exports.policy.owner_figures import DISTANCING, HOUR, HOURS, MASKS, OUTCOME, OUTCOMES, REFUSED, SCORES, VISITS
from exports.policy.periods import Period
from exports.release.closed_days import closed_until
from exports.statistics.cards import refresh_cards
from exports.statistics.draws import draw_simulated, last_day
from passes.limits import COUNTED_PASSES, UNMARKED_ONE_IN

EPSILON: Final = 20.0
WEEK_DAYS: Final = 7
Ints = npt.NDArray[np.int64]


class Past:
    """Counts of marked passes by venue, day after day, in the shapes of `exports.policy.owner_figures`."""

    def __init__(self) -> None:
        self._venues: tuple[str, ...] = ()
        self._days: dict[dt.date, dict[str, Ints]] = {}
        self._weeks: dict[dt.date, dict[str, Ints]] = {}
        self._days_of_week: dict[dt.date, int] = defaultdict(int)

    def add(self, day: dt.date, rows: Rows, town: Town) -> None:
        """Count a day."""
        self._venues = town.venues.public_id
        random = stream(town.plan.seed, "past", day.toordinal())
        marked = (rows.number < COUNTED_PASSES) & (random.integers(0, UNMARKED_ONE_IN, rows.number.size) > 0)
        came = marked & (rows.stay >= 0)
        outcomes = np.zeros((len(self._venues), len(OUTCOMES)), np.int64)
        hours = np.zeros((len(self._venues), HOURS), np.int64)
        np.add.at(outcomes[:, OUTCOMES.index(VISITS)], rows.venue[came], 1)
        refused = marked & (rows.stay < 0)
        np.add.at(outcomes[:, OUTCOMES.index(REFUSED)], rows.venue[refused], 1)
        np.add.at(hours, (rows.venue[came], np.minimum(rows.arrives_s[came] // 3600, HOURS - 1)), 1)
        self._days[day] = {OUTCOME: outcomes, HOUR: hours}
        monday = day - dt.timedelta(days=day.weekday())
        empty = {name: np.zeros((len(self._venues), len(SCORES)), np.int64) for name in (MASKS, DISTANCING)}
        week = self._weeks.setdefault(monday, empty)
        self._days_of_week[monday] += 1
        rated = came & (rows.masks > 0)
        for name, scores in ((MASKS, rows.masks), (DISTANCING, rows.distancing)):
            np.add.at(week[name], (rows.venue[rated], scores[rated] - 1), 1)

    def draw(self, *, now: dt.datetime, likenesses: Mapping[str, str] | None = None) -> None:
        """Draw closed days and whole closed weeks, once, and update the venues' cards.

        `likenesses`: public ids of venues that nobody of the town visits, each with the venue of the town whose counts
        it gets.
        """
        closed = closed_until(now)
        others = likenesses or {}
        venues = (*self._venues, *others)
        rows = [*range(len(self._venues)), *(self._venues.index(like) for like in others.values())]
        whole = {monday: counts for monday, counts in self._weeks.items() if self._days_of_week[monday] == WEEK_DAYS}
        for period, counts_of in ((Period.DAY, self._days), (Period.WEEK, whole)):
            for first, counts in sorted(counts_of.items()):
                if last_day(period, first) <= closed:
                    shown = {name: table[rows] for name, table in counts.items()}
                    draw_simulated(period=period, first=first, venues=venues, counts=shown, budget=EPSILON, now=now)
        refresh_cards(now=now)
