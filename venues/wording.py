"""Hours and requirements as people write and read them. Pure, except for the language.

A day's hours are one line: `09:00-12:00, 14:00-18:00`; empty is closed, `00:00-24:00` all day, and a closing time that
is not after the opening (`17:00-01:00`) is one of the next day. `10:00-12:00 +1` says so where it is after it.
"""

import re
from dataclasses import dataclass
from typing import Final

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from venues.hours import DAY_MIN, Hours
from venues.readings import from_fahrenheit
from venues.requirements import RequirementValues

WEEKDAYS: Final = (
    gettext_lazy("Monday"),
    gettext_lazy("Tuesday"),
    gettext_lazy("Wednesday"),
    gettext_lazy("Thursday"),
    gettext_lazy("Friday"),
    gettext_lazy("Saturday"),
    gettext_lazy("Sunday"),
)
_SPAN: Final = re.compile(
    r"\s*(\d{1,2})(?:[:.](\d\d))?\s*(?:-|–|to)\s*(\d{1,2})(?:[:.](\d\d))?\s*(\+\s*1)?\s*", re.ASCII
)


class BadLine(ValueError):
    """A line of hours that cannot be parsed."""


def write_day(day: list[list[int]]) -> str:
    """Return a day's hours as one line."""
    return ", ".join(_written(opens, closes) for opens, closes in day)


def _written(opens: int, closes: int) -> str:
    if closes <= DAY_MIN:
        return f"{_clock(opens)}-{_clock(closes)}"
    return f"{_clock(opens)}-{_clock(closes - DAY_MIN)}{' +1' if closes - DAY_MIN > opens else ''}"


def read_day(line: str) -> list[list[int]]:
    """Parse a line of hours. Raise `BadLine`. `venues.hours` checks whether they overlap."""
    return [_span(part) for part in line.split(",") if line.strip()]


def _span(part: str) -> list[int]:
    found = _SPAN.fullmatch(part)
    if found is None:
        raise BadLine(part)
    opens, closes = (60 * int(hour) + int(minute or 0) for hour, minute in (found.group(1, 2), found.group(3, 4)))
    if any(int(minute or 0) > 59 for minute in found.group(2, 4)) or opens >= DAY_MIN or closes > DAY_MIN:
        raise BadLine(part)
    return [opens, closes + DAY_MIN if closes <= opens or found.group(5) else closes]


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02d}:{minutes % 60:02d}"


# What a venue asks, as sentences -------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class RequirementSentences:
    """The meaning of requirements: for people who check in, and at the door."""

    check_in: list[str]
    door: list[str]


def tell(values: RequirementValues) -> RequirementSentences:
    """Return requirements as sentences."""
    return RequirementSentences(check_in=_at_check_in(values), door=_at_door(values))


def _at_check_in(values: RequirementValues) -> list[str]:
    asked = (
        (values.refuse_symptoms, _("had symptoms")),
        (values.refuse_diagnosed, _("were diagnosed, or wait for a test result")),
        (values.refuse_contact, _("were in contact with someone diagnosed")),
        (values.refuse_near, _("were near someone with symptoms")),
    )
    refused = [words for is_refused, words in asked if is_refused]
    if not refused:
        return [_("Everyone gets a pass, whatever they answer.")]
    return [
        _("No pass for people who, in the past 2 weeks, %(what)s.") % {"what": _(", or ").join(refused)},
        _("They see this on their own phone, with advice. You and your staff never learn who or why."),
    ]


def _temperature_rule(highest_f: float) -> str:
    if settings.TEMPERATURE_UNIT == "C":
        return _("Temperature is measured; above %(most).1f °C the light is red.") % {
            "most": from_fahrenheit(highest_f, "C")
        }
    return _("Temperature is measured; above %(most).1f °F the light is red.") % {"most": highest_f}


def _at_door(values: RequirementValues) -> list[str]:
    limit = values.people_limit
    lines = [ngettext("Red when %(n)d person is inside.", "Red when %(n)d people are inside.", limit) % {"n": limit}]
    lines.append(
        _("Only this minute's code is accepted: photos and paper get red.")
        if values.rotating_code
        else _("Paper passes and photos of a code are let in too.")
    )
    if values.max_temperature_f is not None:
        lines.append(_temperature_rule(values.max_temperature_f))
    if values.min_o2 is not None:
        lines.append(_("Blood oxygen is measured; below %(least)d %% the light is red.") % {"least": values.min_o2})
    lines.append(_("The door only ever shows green or red, never why."))
    return lines


def never_closes(hours: Hours) -> bool:
    """Return whether every day is open from midnight to midnight."""
    return bool(hours) and all([list(span) for span in day] == [[0, DAY_MIN]] for day in hours)


def tell_hours(hours: Hours) -> list[tuple[str, str]]:
    """Return each weekday with its hours."""
    days = hours or [[] for _day in WEEKDAYS]
    return [
        (str(name), write_day([list(pair) for pair in day]) or _("closed"))
        for name, day in zip(WEEKDAYS, days, strict=True)
    ]
