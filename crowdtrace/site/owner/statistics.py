"""The past of a place for the people who run it, from draws of closed days, prepared for page, file and API.

Visits, refusals, usual hours and ratings are noisy: each was drawn once, and reading it again costs no budget.
"""

import csv
import datetime as dt
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from django.utils.formats import date_format, number_format
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from exports import conf
from exports.models import StatisticsDraw
from exports.policy.noise import Floats
from exports.policy.owner_figures import Figure, Ratings
from exports.policy.periods import Period
from exports.statistics.figures import WEEK, WEEKS, DayFigures, History, WeekFigures, history
from passes.clock import calendar
from venues.models import Venue

DAYS: Final = 14
CLOSES_AFTER: Final = conf.LATENESS.days
OPEN_DAY: Final = _(
    "The number of people inside now is shown in steps. Steps are outside the guarantee: they reveal "
    "when the number moves from one step to the next."
)
COLUMNS: Final = (
    "day",
    "week",
    *(f"{name}{end}" for name in ("visits", "declined", "refused") for end in ("", "_within")),
)


def guarantee() -> str:
    """Return what the figures of closed days reveal of one person, and which days are simulated, in few sentences."""
    return " ".join(filter(None, [_guarantee(), _of_simulated_days()]))


def _of_simulated_days() -> str:
    """Return the sentence about simulated days that were drawn with a separate budget; empty if there are none."""
    own = conf.statistics_budget()
    last = StatisticsDraw.objects.filter(budget__gt=own, period=Period.DAY).order_by("-first_day").first()
    if last is None:
        return ""
    return gettext(
        "Days up to %(day)s are from a simulated town in which nobody is real. They were drawn with "
        "less noise (ε = %(epsilon)s a day)."
    ) % {"day": date_format(last.first_day, "SHORT_DATE_FORMAT"), "epsilon": number_format(f"{last.budget:g}")}


def _guarantee() -> str:
    return gettext(
        "Numbers of past days contain noise that is drawn once and never again. Whether one person "
        "came or was refused changes the chance of any number shown by a factor of at most e^ε, with "
        "ε = %(epsilon)s a day. A day is counted once three days have passed."
    ) % {"epsilon": number_format(f"{conf.statistics_budget():g}")}


@dataclass(frozen=True)
class Past:
    """The displayed past of a place. `usual`: people inside by local hour of the week, (168,), Monday first."""

    days: Sequence[DayFigures]
    weeks: Sequence[WeekFigures]
    usual: Floats | None
    ratings: Ratings | None


def past_of(place: Venue, now: dt.datetime) -> Past:
    """Read the past of a place with one statement."""
    found = history(place, now)
    return Past(found.days(_last_days(now, DAYS)), found.weeks(), found.usual(now), found.ratings())


def as_csv(place: Venue, now: dt.datetime) -> str:
    """Return days of the last 13 weeks that have figures, newest first, as CSV; `_within`: half the 95 % interval."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    writer.writerows(_lines(history(place, now), now))
    return out.getvalue()


def _lines(found: History, now: dt.datetime) -> Iterator[list[str | int]]:
    for day in found.days(_last_days(now, WEEKS * WEEK.days)):
        figures: list[Figure | None] = [day.visits, day.declined, day.refused]
        if day.visits is not None:
            year, week, _weekday = day.date.isocalendar()
            parts = [part for one in figures if one is not None for part in (one.people, one.within)]
            yield [day.date.isoformat(), f"{year}-W{week:02d}", *parts]


def _last_days(now: dt.datetime, count: int) -> list[dt.date]:
    today = calendar().current(now.timestamp()).date
    return [today - dt.timedelta(days=back) for back in range(count)]
