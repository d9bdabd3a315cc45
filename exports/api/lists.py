"""Query parameters that are lists: days, weeks, states, names, separated by commas; `*` or nothing means all."""

import datetime as dt
import re
from collections.abc import Callable, Sequence
from difflib import get_close_matches
from typing import Any, Final

from django.utils.translation import gettext as _

from common.web.problems import FieldError, Invalid
from common.web.serializers import Text
from exports.api.serializers import AsOfParameters
from exports.dataset.tables import states_by_zip3
from exports.policy.signals import DAYS_OF_A_WEEK
from exports.selectors import EVER, Ranges

ALL: Final = "*"
MOST_CHARACTERS: Final = 4000
# Wrong values that are reported at once.
MOST_ERRORS: Final = 20
_WEEK: Final = re.compile(r"(\d{4})-?W(\d{2})", re.ASCII)
_DAY: Final = re.compile(r"(\d{4})-?(\d{2})-?(\d{2})", re.ASCII)


class DaysAndStates(AsOfParameters):
    """Query parameters of lists by day and state; values are separated by commas, and `*` means all."""

    time_values = Text(
        max_length=MOST_CHARACTERS,
        required=False,
        default=ALL,
        help_text="days such as 2020-10-15, weeks such as 2020-W42, or ranges such as 2020-10-01--2020-10-16",
    )
    geo_values = Text(max_length=MOST_CHARACTERS, required=False, default=ALL, help_text="state codes such as ma,ny")


def days_and_states(query: dict[str, Any]) -> tuple[Ranges, frozenset[str] | None]:
    """Return ranges of days (inclusive) and states in capitals; `None` means all.

    Raise `Invalid` with every wrong value and similar known names.
    """
    errors: list[FieldError] = []
    states = sorted({state.lower() for state in states_by_zip3().values()})
    times = listed(query["time_values"], "?time_values", time_range, errors)
    wanted = listed(query["geo_values"], "?geo_values", one_of(states), errors)
    if errors:
        raise Invalid(errors=errors[:MOST_ERRORS])
    ranges = EVER if times is None else tuple(sorted((first, last) for _kind, first, last in times))
    return ranges, None if wanted is None else frozenset(state.upper() for state in wanted)


def listed(text: str, pointer: str, read: Callable[[str], Any], errors: list[FieldError]) -> Any:
    """Return the values of a list, or `None` for all; wrong ones are added to `errors`."""
    if text.strip() == ALL:
        return None
    found = []
    for part in text.split(","):
        try:
            found.append(read(part.strip()))
        except ValueError as error:
            errors.append(FieldError(pointer, str(error), "invalid"))
    return frozenset(found)


def one_of(names: Sequence[str]) -> Callable[[str], str]:
    def read(text: str) -> str:
        if text.lower() in names:
            return text.lower()
        begins = [name for name in names if text.lower().startswith(name)]
        near = begins or get_close_matches(text.lower(), names, n=1, cutoff=0.4)
        hint = _(" Did you mean %(name)s?") % {"name": near[0]} if near else ""
        raise ValueError(_("There is no %(text)s.") % {"text": _shown(text)} + hint)

    return read


def time_range(text: str) -> tuple[str, dt.date, dt.date]:
    """Read a day, a week, or a range of either: the kind, the first and the last day."""
    start, separator, end = text.partition("--")
    first, last = _span(start), _span(end if separator else start)
    if first[0] != last[0] or last[2] < first[1]:
        raise ValueError(_("%(text)s is no range of days or of weeks.") % {"text": _shown(text)})
    return first[0], first[1], last[2]


def _span(text: str) -> tuple[str, dt.date, dt.date]:
    week, day = _WEEK.fullmatch(text), _DAY.fullmatch(text)
    try:
        if week:
            monday = dt.date.fromisocalendar(int(week[1]), int(week[2]), 1)
            return "week", monday, monday + dt.timedelta(days=DAYS_OF_A_WEEK - 1)
        if day:
            read = dt.date(*map(int, day.groups()))
            return "day", read, read
    except (ValueError, OverflowError):
        pass
    raise ValueError(_("%(text)s is no day such as 2020-10-15 and no week such as 2020-W42.") % {"text": _shown(text)})


def _shown(text: str) -> str:
    return f'"{text[:40]}"'
