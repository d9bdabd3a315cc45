"""The radar: from rows and vintages to forecasts, one as-of date after another."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Literal

import numpy as np

from risk.model.forecast.analogues import analogous
from risk.model.forecast.boosting import Boosting, boosted
from risk.model.forecast.features import COLUMN, Table, joined
from risk.model.forecast.levels import LEVELS
from risk.model.forecast.mixture import Past, averaged, factors, spread
from risk.model.forecast.naive import same_as_last_week, same_as_last_years
from risk.model.forecast.panel import (
    CARRIED_WEEKS,
    HORIZONS,
    Flags,
    Floats,
    Names,
    Panel,
    Rows,
    Vintage,
    known_at,
    season_of,
    weeks_missing,
)
from risk.model.forecast.revisions import corrected, correction
from risk.model.forecast.ridge import ridged
from risk.model.forecast.scale import Scale
from risk.model.forecast.training import Source, own_source, own_table, reference_table

Model = Literal["radar", "baseline"]
FEWEST_ORIGINS: Final = 500
"""Number of past origins, over all areas and sources, below which nothing is learned; nor without an earlier season."""
TOO_LITTLE: Final = "too few past weeks to learn from: the forecast is the same as last week, and wide"
NO_VALUE: Final = "no value in the last weeks: the forecast is what earlier seasons were, and wide"
SHORT_HISTORY: Final = "short history: its level is taken from the other areas, and the forecast is wider"
SHORT_SPREAD: Final = 1.5
"""Factor by which the forecast is wider for an area whose level is unknown; our choice."""


@dataclass(frozen=True, slots=True)
class Forecast:
    """Quantiles of one as-of date, in the unit of the rows.

    ``areas`` (n,): those of the vintage. ``quantiles`` (n, horizons, 23): not negative, in order. ``members``: the same
    for each member and for the two naive forecasts. ``flags``: remarks on an area; "" stands for all areas.
    """

    as_of: np.datetime64
    areas: Names
    quantiles: Floats
    members: Mapping[str, Floats]
    flags: tuple[tuple[str, str], ...]


def forecasts(
    history: Rows,
    vintages: Sequence[Vintage],
    *,
    references: Sequence[Rows] = (),
    population: Mapping[str, float] | None = None,
    model: Model = "radar",
    settings: Boosting | None = None,
    seed: int = 0,
) -> Iterator[Forecast]:
    """Yield a forecast from each vintage, oldest first, using nothing but what was known on its date.

    ``references``: other series in percent with past seasons to learn from, one for each source. ``population``: people
    by area. Earlier vintages provide revisions, the spread, and how origins looked when they were new.
    """
    people = population or {}
    memory = _Memory()
    for vintage in sorted(vintages, key=lambda one: one.as_of):
        known = known_at(history, vintage)
        panel = corrected(known, correction(known, memory.known))
        source = own_source(panel, np.array([people.get(str(area), np.nan) for area in panel.areas]))
        made = _naive(source, people)
        if model == "radar":
            table = joined([own_table(source, memory.corrected), *memory.references(references, vintage.as_of)])
            # One random stream for each date, so that a forecast does not depend on how many others are requested.
            rng = np.random.default_rng([seed, int(vintage.as_of.astype("datetime64[D]").astype(np.int64))])
            made = _learned(made, source, table, memory, settings=settings or Boosting(), rng=rng)
        memory.known.append(known)
        memory.corrected[vintage.as_of] = panel
        yield _of(made, np.unique(vintage.rows.area[vintage.rows.week <= vintage.as_of]))


@dataclass(slots=True)
class _Memory:
    """What earlier vintages leave for later ones.

    Panels as reported and as corrected, forecasts before calibration, and tables of references by their number and the
    rows published.
    """

    known: list[Panel] = field(default_factory=list)
    corrected: dict[np.datetime64, Panel] = field(default_factory=dict)
    past: list[Past] = field(default_factory=list)
    tables: dict[tuple[int, int], Table] = field(default_factory=dict)

    def references(self, references: Sequence[Rows], as_of: np.datetime64) -> list[Table]:
        """Return tables of what references had published by the date, computed once for the same rows."""
        found = []
        for number, rows in enumerate(references, start=1):
            key = number, int((rows.week <= as_of).sum())
            if key not in self.tables:
                self.tables[key] = reference_table(rows, number=number, as_of=as_of)
            found.append(self.tables[key])
        return found


def _naive(source: Source, people: Mapping[str, float]) -> Forecast:
    """Return a forecast of the newest value; if it is too old, one of earlier seasons."""
    panel = source.panel
    members = {
        "same as last week": same_as_last_week(panel),
        "same as last years": same_as_last_years(panel, source.scale.population),
    }
    stale = np.isnan(members["same as last week"])
    quantiles = np.where(stale, members["same as last years"], members["same as last week"])
    return Forecast(panel.as_of, panel.areas, quantiles, members, _flags(panel, source.scale, people))


def _learned(
    naive: Forecast,
    source: Source,
    table: Table,
    memory: _Memory,
    *,
    settings: Boosting,
    rng: np.random.Generator,
) -> Forecast:
    """Return the mixture of the members, and keep it in memory.

    Return the naive forecast if there is nothing to learn from or no level to start from.
    """
    panel, scale = source.panel, source.scale
    if not _teaches(table, panel.as_of):
        return replace(naive, flags=(("", TOO_LITTLE), *naive.flags))
    features = source.features(panel)
    usable = ~np.isnan(features[:, COLUMN["level"]])
    if not usable.any():
        return naive
    x = _members(table, features, usable, settings, rng)
    mixed = Past(panel, scale, averaged(x))
    wide = factors(memory.past, panel) * _uncertainty(panel, scale.short)
    memory.past.append(mixed)
    quantiles = np.where(usable[:, None, None], _values(spread(mixed.quantiles, wide), scale), naive.quantiles)
    return replace(
        naive,
        quantiles=quantiles,
        members={**{name: _values(own, scale) for name, own in x.items()}, **naive.members},
    )


def _teaches(table: Table, as_of: np.datetime64) -> bool:
    """Return whether there are enough origins, some of them in earlier seasons."""
    known = ~np.isnan(table.change)
    earlier = table.season < season_of(np.array([as_of]))[0]
    return bool(earlier.any()) and int(known.sum(axis=0).min()) >= FEWEST_ORIGINS


def _members(
    table: Table, features: Floats, usable: Flags, settings: Boosting, rng: np.random.Generator
) -> dict[str, Floats]:
    """Return quantiles (areas, horizons, 23) of x by each member; NaN if there is no level to start from."""
    wanted = features[usable]
    level = wanted[:, COLUMN["level"], None, None]
    changes = {
        "boosting": boosted(table, wanted, settings=settings, rng=rng),
        "ridge": ridged(table, wanted),
        "analogues": analogous(table, wanted),
    }
    members = {name: np.full((len(features), HORIZONS, len(LEVELS)), np.nan) for name in changes}
    for name, change in changes.items():
        members[name][usable] = level + change
    return members


def _uncertainty(panel: Panel, short: Flags) -> Floats:
    """Return how much wider than usual (areas, horizons) a forecast is.

    The reasons are a short history and a newest value that is not of the last week.
    """
    ahead = np.arange(1.0, HORIZONS + 1.0)
    age = np.minimum(weeks_missing(panel.values), CARRIED_WEEKS)[:, None]
    return np.sqrt((ahead + age) / ahead) * np.where(short, SHORT_SPREAD, 1.0)[:, None]


def _values(x: Floats, scale: Scale) -> Floats:
    """Convert x (areas, horizons, 23) to values, in order."""
    return np.sort(np.moveaxis(scale.values(np.moveaxis(x, 0, -1)), -1, 0), axis=-1)


def _flags(panel: Panel, scale: Scale, people: Mapping[str, float]) -> tuple[tuple[str, str], ...]:
    flags = []
    age = weeks_missing(panel.values)
    for at, area in enumerate(panel.areas.tolist()):
        if age[at] > CARRIED_WEEKS:
            flags.append((area, NO_VALUE))
        elif age[at]:
            flags.append((area, f"the newest value is {age[at]} weeks old: the forecast is wider"))
        if scale.short[at]:
            flags.append((area, SHORT_HISTORY))
        if people and area not in people:
            flags.append((area, "no population: its own level represents it"))
    return tuple(flags)


def _of(forecast: Forecast, areas: Names) -> Forecast:
    kept = np.isin(forecast.areas, areas)
    names = {"", *areas.tolist()}
    return Forecast(
        forecast.as_of,
        forecast.areas[kept],
        forecast.quantiles[kept],
        {name: member[kept] for name, member in forecast.members.items()},
        tuple(flag for flag in forecast.flags if flag[0] in names),
    )
