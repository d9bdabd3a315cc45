"""The radar as readers see it: series, runs, regions with their fallbacks, and measured skill."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from django.utils.formats import number_format
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from exports.radar.models import RadarForecast, RadarRun
from risk.models import Series, SeriesWeek
from risk.radar.regions import NATION, state_of

ALL: Final = ""
FEWEST_SCORED: Final = 20
"""Minimum number of scored weeks for a statement on skill; our choice. Errors of neighbouring weeks are correlated."""
LEVELS: Final = (0.01, 0.025, *(round(0.05 * step, 2) for step in range(1, 20)), 0.975, 0.99)
MEDIAN: Final = LEVELS.index(0.5)
INTERVALS: Final[Mapping[int, tuple[int, int]]] = MappingProxyType(
    {share: (LEVELS.index(low), LEVELS.index(high)) for share, low, high in ((50, 0.25, 0.75), (95, 0.025, 0.975))}
)
LAST: Final = 3
"""The last horizon."""
FLAGS: Final[Mapping[str, Promise]] = MappingProxyType(
    {
        "too_little_history": _(
            "There are too few past weeks to learn from: the forecast is the same as last week, and wide."
        ),
        "short_history": _(
            "The history here is short: its usual level is taken from other areas, and the range is wide."
        ),
        "no_recent_value": _(
            "There is no value of the last weeks: the forecast is what earlier seasons were, and wide."
        ),
        "late": _("The newest value is some weeks old: the forecast is wider."),
        "reconciled": _("Forecasts of a state and of its ZIP areas were moved until they agree."),
    }
)


@dataclass(frozen=True, slots=True)
class Skill:
    """The skill of earlier forecasts; `exports.radar.skill.Skill` defines the numbers."""

    tasks: int = 0
    relative_wis: float | None = None
    coverage_50: float | None = None
    coverage_95: float | None = None

    @property
    def beats_last_week(self) -> bool | None:
        """Return whether they were better than `same as last week`; None while too few weeks are known."""
        if self.tasks < FEWEST_SCORED or self.relative_wis is None:
            return None
        return self.relative_wis < 1.0


@dataclass(frozen=True, slots=True)
class Found:
    """The forecast found for a region, and the requested region."""

    forecast: RadarForecast
    asked: str

    @property
    def is_fallback(self) -> bool:
        """Return whether the forecast is that of a larger region than requested."""
        return self.forecast.region != self.asked


def newest_runs() -> list[RadarRun]:
    """Return the newest run of each series, those with the best tested forecasts first."""
    runs = RadarRun.objects.select_related("series").order_by("series_id", "-as_of").distinct("series_id")
    return sorted(runs, key=lambda run: (-skill(run, ALL).tasks, run.series.source, run.series.signal))


def find_run(series: Series, as_of: dt.date | None) -> RadarRun | None:
    """Return the newest run of a series, or the newest of `as_of` or before."""
    runs = RadarRun.objects.select_related("series").filter(series=series)
    return (runs.filter(as_of__lte=as_of) if as_of else runs).order_by("-as_of").first()


def weeks_of(series: Series) -> list[dt.date]:
    """Return the as-of dates of a series, newest first."""
    return list(RadarRun.objects.filter(series=series).order_by("-as_of").values_list("as_of", flat=True))


def find_forecast(forecasts: Sequence[RadarForecast], region: str) -> Found | None:
    """Return the forecast of a region, else that of its state, else that of the country."""
    by_region = {forecast.region: forecast for forecast in forecasts}
    for candidate in (region, state_of(region), NATION):
        if candidate in by_region:
            return Found(by_region[candidate], region)
    return None


def skill(run: RadarRun, region: str) -> Skill:
    """Return the skill of earlier forecasts of a region, as known when a run was made; `ALL`: of all regions."""
    found = run.skill.get(region)
    if not found:
        return Skill()
    return Skill(found["tasks"], found["relative_wis"], found["coverage_50"], found["coverage_95"])


def values_known(run: RadarRun, region: str, *, at: dt.datetime | None = None) -> list[tuple[dt.date, float]]:
    """Return a region's values by week, oldest first, as known when a run was made, or at the time `at`."""
    rows = SeriesWeek.objects.filter(series=run.series_id, region=region, recorded_at__lte=at or run.made_at)
    newest = rows.order_by("week", "-recorded_at", "-pk").distinct("week")
    return list(newest.values_list("week", "value"))


def number(value: float) -> str:
    """Format a value for readers, without decimals from ten."""
    return number_format(value, 0 if value >= 10 or value == 0 else 1, use_l10n=True, force_grouping=True)


def target(run: RadarRun, horizon: int) -> dt.date:
    """Return the last day of a horizon's week."""
    return run.as_of + dt.timedelta(weeks=horizon + 1)
