"""The radar's table: one row per region, the same on the page, on the map and in the CSV file."""

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from crowdtrace.site.research.us_map import state_names
from exports.radar import shown
from exports.radar.models import RadarForecast, RadarRun
from risk.radar.regions import NATION, GeoType, geo_type, state_of

COLUMNS: Final = (
    "source",
    "signal",
    "unit",
    "simulated",
    "as_of",
    "target_end_date",
    "region",
    "geo_type",
    "level",
    "median",
    "low_50",
    "high_50",
    "low_95",
    "high_95",
    "chance_of_doubling",
    "relative_wis",
    "scored_weeks",
    "flags",
)
MEASURES: Final[dict[str, Promise]] = {
    "level": _("Latest week"),
    "expected": _("In four weeks"),
    "doubling": _("Chance of doubling, %"),
    "relative": _("Error compared with “same as last week”"),
}
SHOWN: Final = ("doubling", "level", "expected")
"""Measures that the map can show."""


@dataclass(frozen=True, slots=True)
class Row:
    """A region; `doubling` in percent, `relative` is the relative weighted interval score of earlier forecasts."""

    region: str
    name: str
    level: float | None
    expected: float
    low: float
    high: float
    doubling: float | None
    skill: shown.Skill

    @property
    def kind(self) -> GeoType:
        """Return the kind of region: country, state or ZIP3 area."""
        return geo_type(self.region)

    @property
    def relative(self) -> float | None:
        """Return the relative score, once enough weeks are scored."""
        return None if self.skill.beats_last_week is None else self.skill.relative_wis


def name_of(region: str) -> str:
    """Return the name of a region."""
    if region == NATION:
        return str(_("United States"))
    if geo_type(region) == "zip3":
        return f"{region} ({state_of(region)})"
    return state_names().get(region, region)


def rows_of(run: RadarRun, forecasts: Iterable[RadarForecast]) -> list[Row]:
    """Return the rows of a run: the country, states by name, ZIP3 areas."""
    low, high = shown.INTERVALS[95]
    made = []
    for one in forecasts:
        last = one.quantiles[shown.LAST]
        doubling = 100 * one.doubling[shown.LAST] if one.doubling else None
        values = (one.level, last[shown.MEDIAN], last[low], last[high], doubling)
        made.append(Row(one.region, name_of(one.region), *values, shown.skill(run, one.region)))
    order = {"nation": 0, "state": 1, "zip3": 2}
    return sorted(made, key=lambda row: (order[row.kind], row.name))


def ordered(rows: Sequence[Row], sort: str) -> list[Row]:
    """Return rows sorted by a column; a leading minus sorts descending; rows without a value are always last."""
    name = sort.removeprefix("-")
    if name == "name":
        return sorted(rows, key=lambda row: row.name, reverse=sort.startswith("-"))
    if name not in MEASURES:
        return list(rows)
    sign = -1.0 if sort.startswith("-") else 1.0

    def key(row: Row) -> tuple[bool, float]:
        value = getattr(row, name)
        return value is None, 0.0 if value is None else sign * value

    return sorted(rows, key=key)


def table_csv(run: RadarRun, forecasts: Iterable[RadarForecast]) -> str:
    """Return the run as CSV, a line for each region and week."""
    out = io.StringIO()
    lines = csv.writer(out, lineterminator="\n")
    lines.writerow(COLUMNS)
    ends = [place for share in (50, 95) for place in shown.INTERVALS[share]]
    series = run.series
    head = [_text(series.source), _text(series.signal), series.unit, str(series.simulated).lower(), run.as_of]
    for one in forecasts:
        skill = shown.skill(run, one.region)
        for horizon, quantiles in enumerate(one.quantiles):
            chance = one.doubling[horizon] if one.doubling else None
            values = [quantiles[shown.MEDIAN], *(quantiles[place] for place in ends)]
            where = [shown.target(run, horizon), one.region, geo_type(one.region), one.level]
            lines.writerow([*head, *where, *values, chance, skill.relative_wis, skill.tasks, " ".join(one.flags)])
    return out.getvalue()


def _text(text: str) -> str:
    """Escape a name from a file: a spreadsheet takes these characters for the beginning of a formula."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@")) else text
