"""Choose the past origins to learn from, of the source that is forecast and of references, on each as-of date."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from risk.model.forecast.features import Table, changes, features_at, joined
from risk.model.forecast.panel import HORIZONS, Days, Flags, Floats, Panel, Rows, after_christmas, panel_of, season_of
from risk.model.forecast.scale import Scale, in_season, scale_of

ORIGINS: Final = (-12, 20)
"""Weeks after Christmas whose origins are used."""
LEFT_OUT_SEASONS: Final = (2008, 2009, 2020, 2021)
"""Seasons left out: two affected by the pandemic of 2009, and two almost without influenza."""
PANDEMIC: Final = (np.datetime64("2020-03-08"), np.datetime64("2020-06-30"))
"""Spring in which visits for influenza-like illness were not caused by influenza."""
VOLUNTARY: Final = (np.datetime64("2024-05-01"), np.datetime64("2024-10-31"))
"""Time in which hospitals in the United States did not have to report (CMS-1808-F, source not seen); left out."""
FEWEST_REFERENCE_WEEKS: Final = 60
UNLIKE: Final[Mapping[str, np.datetime64]] = {
    "Region 10": np.datetime64("2010-07-01"),
    "Virgin Islands": np.datetime64("9999-01-01"),
    "Commonwealth of the Northern Mariana Islands": np.datetime64("9999-01-01"),
}
"""Areas of ILINet whose weeks before a date do not follow the others."""
OWN_BLOCK_WEEKS: Final = 6
AREAS: Final = 10_000
"""Larger than the number of areas of any source."""


@dataclass(frozen=True, slots=True)
class Source:
    """A panel on its scale. ``number`` 0 is the source that is forecast."""

    panel: Panel
    scale: Scale
    number: int

    def features(self, panel: Panel) -> Floats:
        """Return rows of the last week of a panel of the same areas."""
        people = self.scale.population
        size = np.log(people) if self.scale.unit == "count" else np.zeros(len(people))
        week = int(after_christmas(panel.weeks[-1:])[0])
        return features_at(self.scale.x(panel.values), week=week, log_population=size, source=self.number)


def ordinary(weeks: Days) -> Flags:
    """Return whether each week belongs to a season like future ones."""
    pandemic = (weeks >= PANDEMIC[0]) & (weeks <= PANDEMIC[1])
    return np.asarray(~np.isin(season_of(weeks), LEFT_OUT_SEASONS) & ~pandemic)


def _voluntary(weeks: Days) -> Flags:
    return np.asarray((weeks >= VOLUNTARY[0]) & (weeks <= VOLUNTARY[1]))


def own_source(panel: Panel, population: Floats | None) -> Source:
    """Return the source that is forecast, as known now; its level comes from ordinary weeks in season."""
    used = in_season(panel.weeks) & ordinary(panel.weeks) & ~_voluntary(panel.weeks)
    return Source(panel, scale_of(panel, unit="count", used=used, population=population), 0)


def own_table(source: Source, views: Mapping[np.datetime64, Panel]) -> Table:
    """Return origins of the source itself, each as seen in the vintage of its week if ``views`` has that vintage."""
    weeks = source.panel.weeks
    voluntary = _voluntary(weeks)
    return _table(source, _learnable(weeks) & ordinary(weeks) & ~voluntary, views, hidden=voluntary)


def reference_table(rows: Rows, *, number: int, as_of: np.datetime64) -> Table:
    """Return origins of a reference series in percent, from what it had published by the as-of date."""
    rows = rows.where((rows.week <= as_of) & ordinary(rows.week))
    for area, since in UNLIKE.items():
        rows = rows.where((rows.area != area) | (rows.week >= since))
    if not len(rows.week):
        return joined([])
    panel = panel_of(rows, as_of=rows.week.max())
    season = in_season(panel.weeks)
    long_enough = (~np.isnan(panel.values[season])).sum(axis=0) >= FEWEST_REFERENCE_WEEKS
    panel = panel.of(panel.areas[long_enough])
    source = Source(panel, scale_of(panel, unit="percent", used=season), number)
    return _table(source, _learnable(panel.weeks), {}, hidden=np.zeros(len(panel.weeks), np.bool_))


def _learnable(weeks: Days) -> Flags:
    week = after_christmas(weeks)
    return np.asarray((week >= ORIGINS[0]) & (week <= ORIGINS[1]))


def _table(source: Source, origins: Flags, views: Mapping[np.datetime64, Panel], *, hidden: Flags) -> Table:
    """Return rows of all origins with a level and a known change; ``hidden`` weeks are never targets."""
    panel, tables = source.panel, []
    x = np.where(hidden[:, None], np.nan, source.scale.x(panel.values))
    season = season_of(panel.weeks)
    block = season * 1000 + source.number * 100
    if source.number == 0:
        block += (after_christmas(panel.weeks) - ORIGINS[0]) // OWN_BLOCK_WEEKS
    areas = source.number * AREAS + np.arange(len(panel.areas))
    for at in np.flatnonzero(origins):
        view = views.get(panel.weeks[at])
        seen = (
            Panel(panel.weeks[: at + 1], panel.areas, panel.values[: at + 1]) if view is None else view.of(panel.areas)
        )
        features = source.features(seen)
        last = at + 1 + HORIZONS
        change = changes(features[:, 0], x[at + 1 : last], panel.weeks[at:last])
        same = np.ones(len(areas), np.int64)
        table = Table(features, change, areas, same * season[at], same * block[at])
        tables.append(table.where(~np.isnan(features[:, 0]) & ~np.isnan(change).all(axis=1)))
    return joined(tables)
