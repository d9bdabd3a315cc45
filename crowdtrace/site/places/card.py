"""The displayed scouting card: hourly bars with a table of the same numbers, how full it is, what a stay costs."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from zoneinfo import ZoneInfo

from django.utils.formats import date_format, number_format
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from risk.api.serializers import OccupancyOutput
from risk.model.rounding import axis_top, down, shown_points
from risk.model.shield import BUDGETS
from risk.scouting.cards import FITS_POINTS

STAYS: Final[Mapping[str, Promise]] = {
    "30": _("Half an hour"),
    "60": _("One hour"),
    "120": _("Two hours"),
}
BAND_NAMES: Final[Mapping[str, Promise]] = {
    "empty": _("fewer than five check-ins"),
    "quiet": _("under a third full"),
    "busy": _("one to two thirds full"),
    "full": _("over two thirds full"),
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
"""In drawing units; the smallest bar is drawn even if a cost is close to zero."""
_LABEL_EVERY_H: Final = 4
_BARS_A_LABEL: Final = 4
_LABEL_BARS: Final = 4
"""Width of a label, in bars."""
"""Labels closer than this would overlap."""


@dataclass(frozen=True, slots=True)
class Bar:
    """One hour of a chart, in drawing units, with its label."""

    x: int
    y: float
    height: float
    starts: str
    label: str
    value: Any
    marked: bool


@dataclass(frozen=True, slots=True)
class Chart:
    """Bars next to each other. ``top``: the end of the axis, if there is one."""

    bars: Sequence[Bar]
    top: float | None = None
    limit_y: float | None = None
    """Position of the line of the profile's limit."""

    @property
    def axis(self) -> list[tuple[float, float]]:
        """Return height and number of each line of the axis."""
        return [] if self.top is None else [(CHART_HEIGHT * (1 - part), self.top * part) for part in (0.0, 0.5, 1.0)]

    @property
    def margin(self) -> int:
        """Return the width left of the bars, for the numbers of the axis."""
        return 0 if self.top is None else AXIS_WIDTH

    @property
    def width(self) -> int:
        """Return the width of the drawing."""
        return BAR_STEP * max(1, len(self.bars))

    @property
    def baseline(self) -> int:
        """Return the position of the bars' baseline."""
        return CHART_HEIGHT


@dataclass(frozen=True, slots=True)
class CostRow:
    """The cost of a stay, with and without a mask."""

    stay: Promise
    no_mask: float
    mask: float


@dataclass(frozen=True, slots=True)
class WeekDay:
    """The usual crowd of a day."""

    name: str
    bands: Sequence[str]


@dataclass(frozen=True, slots=True)
class DayHours:
    """The opening hours of a place on a day of the week."""

    name: str
    spans: Sequence[str]
    today: bool


@dataclass(frozen=True, slots=True)
class ShownCard:
    """A card, prepared for a template. Times are texts in the zone of the venue."""

    card: Mapping[str, Any]
    profile: str
    opening: str
    can_check_in: bool
    priced: bool
    """Whether there is a coming hour in which anybody can go there."""
    starts: str
    """When it next opens, if it is closed."""
    helps: Sequence[str]
    """What brings an hour within the limit; empty if it is within, or if nothing does."""
    band: Promise
    level: int
    """0 (fewer than five) to 3 (over two thirds)."""
    now_costs: Sequence[CostRow]
    quiet_costs: Sequence[CostRow]
    quiet_at: str
    hours: Chart
    limit: float
    """Points of an hour that are within the profile's limit."""
    any_fits: bool
    opening_hours: Sequence[DayHours]
    always_open: bool
    today: Chart | None
    today_name: str
    week: Sequence[WeekDay]
    """Empty if nothing is known of the usual crowd."""
    hour_names: Sequence[str]
    least_cost: float = shown_points(0.01)
    """Points that are shown for a stay that costs next to nothing."""

    @property
    def has_least_cost(self) -> bool:
        """Whether a stay shows the least cost, which then says little about how long it is."""
        rows = [*self.now_costs, *self.quiet_costs]
        return any(0.0 < cost <= self.least_cost for row in rows for cost in (row.no_mask, row.mask))


def profiles() -> list[tuple[str, Promise, float]]:
    """Return every profile: key, name, and its budget in percent."""
    return [(key, PROFILE_NAMES[key], budget * 100) for key, budget in BUDGETS.items()]


def level_of(band: str) -> int:
    """Return the level of a band, 0 to 3."""
    return OccupancyOutput.BANDS.index(band)


def shown_card(
    card: Mapping[str, Any], *, zone: ZoneInfo, profile: str, now: dt.datetime, shown_in: ZoneInfo | None = None
) -> ShownCard:
    """Return a card with all costs (`risk.scouting.cards.cards_of`) as a page shows it.

    ``shown_in``: zone of moments; weekly times keep the zone of the place.
    """
    band, usual = card["occupancy"]["band"], card["occupancy"]["usual"]
    local, zone = now.astimezone(zone), shown_in or zone
    moment = now.astimezone(zone)
    known = any(each != "empty" for day in usual for each in day)
    today = usual[local.weekday()]
    quiet = next((hour for hour in card["best_hours"] if _saves(hour, card)), None)
    return ShownCard(
        card=card,
        profile=profile,
        opening=words_of_opening(card, zone, now),
        can_check_in=_can_check_in(card),
        priced=bool(card["hours"]),
        starts=_at_change(card, zone, moment) if not card["open"] and card["changes_at"] else "",
        helps=[] if card["fits_profile"] else _helps(card, zone, moment),
        band=BAND_NAMES[band],
        level=level_of(band),
        now_costs=_cost_rows(card["shield_cost"]),
        quiet_costs=_cost_rows(quiet["shield_cost"]) if quiet else [],
        quiet_at=_moment(quiet["start"].astimezone(zone), moment) if quiet else "",
        hours=_hours_chart(card["hours"], zone, moment),
        limit=down(FITS_POINTS, 1),
        any_fits=any(_fits(hour["shield_cost_60"]) for hour in card["hours"]),
        opening_hours=_opening_hours(card["opening_hours"], local),
        always_open=card["open"] and card["changes_at"] is None,
        today=_usual_chart(today, local) if any(each != "empty" for each in today) else None,
        today_name=_weekday(local.weekday(), local),
        week=[WeekDay(_weekday(at, local), day) for at, day in enumerate(usual)] if known else [],
        hour_names=[_hour_name(local.replace(hour=hour)) for hour in range(24)],
    )


def words_of_opening(card: Mapping[str, Any], zone: ZoneInfo, now: dt.datetime) -> str:
    """Return whether a place is open, and until when, in words."""
    if card["changes_at"] is None:
        return gettext("Always open") if card["open"] else gettext("Closed, and no opening is planned")
    words = gettext("Open until %(time)s") if card["open"] else gettext("Closed until %(time)s")
    return words % {"time": _at_change(card, zone, now.astimezone(zone))}


def _at_change(card: Mapping[str, Any], zone: ZoneInfo, now: dt.datetime) -> str:
    local = card["changes_at"].astimezone(zone)
    time = date_format(local.replace(tzinfo=None), "TIME_FORMAT")
    return time if local.date() == now.date() else f"{date_format(local, 'l')} {time}"


def _can_check_in(card: Mapping[str, Any]) -> bool:
    """Return whether checking in makes sense: the place is open on a day for which passes are issued."""
    last = max((epoch["end"] for epoch in card["epochs"]), default=0)
    opens = card["changes_at"]
    return bool(last) and (card["open"] or (opens is not None and opens.timestamp() < last))


def _helps(card: Mapping[str, Any], zone: ZoneInfo, now: dt.datetime) -> list[str]:
    """Return what brings an hour, or half of one, within the limit."""
    found = []
    best = next(iter(card["best_hours"]), None)
    if best and _fits(best["shield_cost_60"]) and best is not card["hours"][0]:
        words = gettext("A quieter hour: %(hour)s costs %(cost)s points.")
        hour = _moment(best["start"].astimezone(zone), now)
        found.append(words % {"hour": hour, "cost": _points(best["shield_cost_60"])})
    costs = card["shield_cost"]
    if _fits(costs["60"]["mask"]):
        found.append(gettext("A mask: an hour costs %(cost)s points.") % {"cost": _points(costs["60"]["mask"])})
    if _fits(costs["30"]["no_mask"]):
        words = gettext("A shorter stay: half an hour costs %(cost)s points.")
        found.append(words % {"cost": _points(costs["30"]["no_mask"])})
    fitting = [other for other in card["alternatives"] if _fits(other["shield_cost_60"])]
    if fitting:
        found.append(gettext("Another place: %(name)s.") % {"name": fitting[0]["name"]})
    return found


def _fits(points: float) -> bool:
    return points <= FITS_POINTS


def _points(points: float) -> str:
    return number_format(points, 1)


def _opening_hours(week: Sequence[Sequence[Sequence[int]]], now: dt.datetime) -> list[DayHours]:
    """Return weekly hours as on a sign at a door; a closing time after midnight is that of the next morning."""
    spans = [[f"{_clock(opens)} – {_clock(closes)}" for opens, closes in day] for day in week]
    return [DayHours(_weekday(at, now), day, at == now.weekday()) for at, day in enumerate(spans)]


def _clock(minute: int) -> str:
    return date_format(dt.datetime(2000, 1, 1) + dt.timedelta(minutes=minute), "TIME_FORMAT")  # noqa: DTZ001 - no instant


def _saves(hour: Mapping[str, Any], card: Mapping[str, Any]) -> bool:
    return bool(hour["shield_cost_60"] < card["shield_cost"]["60"]["no_mask"])


def _cost_rows(costs: Mapping[str, Mapping[str, float]]) -> list[CostRow]:
    return [CostRow(name, costs[minutes]["no_mask"], costs[minutes]["mask"]) for minutes, name in STAYS.items()]


def _hours_chart(hours: Sequence[Mapping[str, Any]], zone: ZoneInfo, now: dt.datetime) -> Chart:
    """Chart the cost of an hour at each open hour ahead, with the limit; hours within it are marked.

    The axis ends no lower than the limit, so that small costs look small.
    """
    most = axis_top(max([FITS_POINTS, *(hour["shield_cost_60"] for hour in hours)]))
    bars: list[Bar] = []
    day, labelled = now.date(), -_BARS_A_LABEL
    for at, hour in enumerate(hours):
        start, cost = hour["start"].astimezone(zone), hour["shield_cost_60"]
        height = CHART_HEIGHT * cost / most
        label = ""
        has_room = at + _LABEL_BARS <= len(hours)
        if has_room and at - labelled >= _BARS_A_LABEL and (start.date() != day or start.hour % _LABEL_EVERY_H == 0):
            label = date_format(start, "D") if start.date() != day else _hour_name(start)
            day, labelled = start.date(), at
        bars.append(_bar(at, height, _moment(start, now), label, cost, marked=cost <= FITS_POINTS))
    return Chart(bars, most, CHART_HEIGHT * (1 - FITS_POINTS / most))


def _usual_chart(bands: Sequence[str], now: dt.datetime) -> Chart:
    """Chart how full it usually is on this day of the week; the present hour is marked."""
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
    """Return the time, with the day if it is not the same one."""
    time = _hour_name(start)
    return time if start.date() == now.date() else f"{date_format(start, 'D')} {time}"


def _hour_name(moment: dt.datetime) -> str:
    return date_format(moment.replace(minute=0, tzinfo=None), "TIME_FORMAT")


def _weekday(day: int, now: dt.datetime) -> str:
    return date_format(now.date() + dt.timedelta(days=day - now.weekday()), "l")
