"""How a scouting card is shown: bars of hours with the same numbers as a table, how full, what a stay costs."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from zoneinfo import ZoneInfo

from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from risk.api.serializers import OccupancyOutput
from risk.model.rounding import axis_top
from risk.model.shield import BUDGETS
from risk.scouting.cards import FITS_POINTS

STAYS: Final[Mapping[str, Promise]] = {
    "30": _("Half an hour"),
    "60": _("One hour"),
    "120": _("Two hours"),
}
BAND_NAMES: Final[Mapping[str, Promise]] = {
    "empty": _("hardly anybody"),
    "quiet": _("quiet"),
    "busy": _("busy"),
    "full": _("full"),
}
PROFILE_NAMES: Final[Mapping[str, Promise]] = {
    "cautious": _("Cautious"),
    "standard": _("Standard"),
    "relaxed": _("Relaxed"),
}
CHART_HEIGHT: Final = 96
AXIS_WIDTH: Final = 34
BAR_STEP: Final = 14
LEAST_BAR: Final = 3
"""In units of the drawing; the least bar is drawn also where a cost is next to nothing."""
_LABEL_EVERY_H: Final = 4
_BARS_A_LABEL: Final = 4
"""Labels that stand closer run into each other."""


@dataclass(frozen=True, slots=True)
class Bar:
    """One hour of a chart, in units of the drawing, with what it says."""

    x: int
    y: float
    height: float
    starts: str
    label: str
    value: Any
    marked: bool


@dataclass(frozen=True, slots=True)
class Chart:
    """Bars side by side. ``top``: what the axis ends at, where there is one."""

    bars: Sequence[Bar]
    top: float | None = None

    @property
    def axis(self) -> list[tuple[float, float]]:
        """Height and number of each line of the axis."""
        return [] if self.top is None else [(CHART_HEIGHT * (1 - part), self.top * part) for part in (0.0, 0.5, 1.0)]

    @property
    def margin(self) -> int:
        """Beside the bars, for the numbers of the axis."""
        return 0 if self.top is None else AXIS_WIDTH

    @property
    def width(self) -> int:
        """Of the drawing."""
        return BAR_STEP * max(1, len(self.bars))

    @property
    def baseline(self) -> int:
        """Where bars stand."""
        return CHART_HEIGHT


@dataclass(frozen=True, slots=True)
class CostRow:
    """What a stay costs, with and without a mask."""

    stay: Promise
    no_mask: float
    mask: float


@dataclass(frozen=True, slots=True)
class WeekDay:
    """The usual crowd of a day."""

    name: str
    bands: Sequence[str]


@dataclass(frozen=True, slots=True)
class ShownCard:
    """A card, ready for a template. Times are words of the venue's own clock."""

    card: Mapping[str, Any]
    profile: str
    band: Promise
    level: int
    """0 (hardly anybody) to 3 (full)."""
    now_costs: Sequence[CostRow]
    quiet_costs: Sequence[CostRow]
    quiet_at: str
    hours: Chart
    today: Chart | None
    week: Sequence[WeekDay]
    """Empty where nothing is known of the usual crowd."""
    hour_names: Sequence[str]


def profiles() -> list[tuple[str, Promise, float]]:
    """Every profile: key, name, and its budget in percent."""
    return [(key, PROFILE_NAMES[key], budget * 100) for key, budget in BUDGETS.items()]


def level_of(band: str) -> int:
    """0 to 3."""
    return OccupancyOutput.BANDS.index(band)


def shown_card(card: Mapping[str, Any], *, zone: ZoneInfo, profile: str, now: dt.datetime) -> ShownCard:
    """A card with all costs (`risk.scouting.cards.cards_of`) as a page shows it."""
    band, usual = card["occupancy"]["band"], card["occupancy"]["usual"]
    known = any(each != "empty" for day in usual for each in day)
    quiet = next((hour for hour in card["best_hours"] if _saves(hour, card)), None)
    local = now.astimezone(zone)
    return ShownCard(
        card=card,
        profile=profile,
        band=BAND_NAMES[band],
        level=level_of(band),
        now_costs=_cost_rows(card["shield_cost"]),
        quiet_costs=_cost_rows(quiet["shield_cost"]) if quiet else [],
        quiet_at=_moment(quiet["start"].astimezone(zone), local) if quiet else "",
        hours=_hours_chart(card["hours"], zone, local),
        today=_usual_chart(usual[local.weekday()], local) if known else None,
        week=[WeekDay(_weekday(at, local), day) for at, day in enumerate(usual)] if known else [],
        hour_names=[_hour_name(local.replace(hour=hour)) for hour in range(24)],
    )


def _saves(hour: Mapping[str, Any], card: Mapping[str, Any]) -> bool:
    return bool(hour["shield_cost_60"] < card["shield_cost"]["60"]["no_mask"])


def _cost_rows(costs: Mapping[str, Mapping[str, float]]) -> list[CostRow]:
    return [CostRow(name, costs[minutes]["no_mask"], costs[minutes]["mask"]) for minutes, name in STAYS.items()]


def _hours_chart(hours: Sequence[Mapping[str, Any]], zone: ZoneInfo, now: dt.datetime) -> Chart:
    """The cost of an hour at each open hour ahead; marked are those that fit the profile."""
    most = axis_top(max((hour["shield_cost_60"] for hour in hours), default=0.0))
    bars: list[Bar] = []
    day, labelled = now.date(), -_BARS_A_LABEL
    for at, hour in enumerate(hours):
        start, cost = hour["start"].astimezone(zone), hour["shield_cost_60"]
        height = CHART_HEIGHT * cost / most
        label = ""
        if at - labelled >= _BARS_A_LABEL and (start.date() != day or start.hour % _LABEL_EVERY_H == 0):
            label = date_format(start, "D") if start.date() != day else _hour_name(start)
            day, labelled = start.date(), at
        bars.append(_bar(at, height, _moment(start, now), label, cost, marked=cost <= FITS_POINTS))
    return Chart(bars, most)


def _usual_chart(bands: Sequence[str], now: dt.datetime) -> Chart:
    """How full it usually is on this day of the week; marked is the present hour."""
    bars = []
    for hour, band in enumerate(bands):
        name = _hour_name(now.replace(hour=hour))
        label = name if hour % _LABEL_EVERY_H == 0 else ""
        height = CHART_HEIGHT * level_of(band) / 3
        bars.append(_bar(hour, height, name, label, BAND_NAMES[band], marked=hour == now.hour))
    return Chart(bars)


def _bar(at: int, height: float, starts: str, label: str, value: Any, *, marked: bool) -> Bar:
    drawn = round(max(LEAST_BAR, height), 1)
    return Bar(
        x=at * BAR_STEP, y=CHART_HEIGHT - drawn, height=drawn, starts=starts, label=label, value=value, marked=marked
    )


def _moment(start: dt.datetime, now: dt.datetime) -> str:
    """The time, with the day where it is another one."""
    time = _hour_name(start)
    return time if start.date() == now.date() else f"{date_format(start, 'D')} {time}"


def _hour_name(moment: dt.datetime) -> str:
    return date_format(moment.replace(minute=0, tzinfo=None), "TIME_FORMAT")


def _weekday(day: int, now: dt.datetime) -> str:
    return date_format(now.date() + dt.timedelta(days=day - now.weekday()), "l")
