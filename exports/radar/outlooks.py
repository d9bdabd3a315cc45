"""Forecast each region of a series from what is known, in the stored form. No database is read."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np

from risk.model.forecast.boosting import Boosting
from risk.model.forecast.outlook import chance_above, reconciled
from risk.model.forecast.panel import CARRIED_WEEKS, Floats, Rows, Vintage
from risk.model.forecast.radar import NO_VALUE, SHORT_HISTORY, TOO_LITTLE, Forecast, forecasts
from risk.radar.regions import geo_type, state_of
from risk.radar.series import Key, Number

PERCENT: Final = "percent"
HIGHEST_PERCENT: Final = 100.0
DOUBLED: Final = 2.0
CODES: Final[Mapping[str, str]] = {
    TOO_LITTLE: "too_little_history",
    SHORT_HISTORY: "short_history",
    NO_VALUE: "no_recent_value",
}
LATE: Final = "late"
RECONCILED: Final = "reconciled"


@dataclass(frozen=True, slots=True)
class Outlook:
    """The forecast of one region.

    ``quantiles`` and ``baseline`` (horizons, 23) are in the unit of the series; ``baseline``, ``level`` and
    ``doubling`` (horizons,) are None if there is no recent value to start from.
    """

    region: str
    level: float | None
    sample_size: float | None
    quantiles: Floats
    baseline: Floats | None
    doubling: Floats | None
    flags: tuple[str, ...] = field(default=())


@dataclass(frozen=True, slots=True)
class Known:
    """The known values of a series on a date: numbers by region and week, none later than ``as_of``."""

    as_of: dt.date
    numbers: Mapping[Key, Number]

    def vintage(self) -> Vintage:
        """Return the same for the forecast core."""
        kept = [one for one in self.numbers.values() if one.week <= self.as_of]
        weeks = np.array([one.week for one in kept], "datetime64[D]")
        regions = np.array([one.region for one in kept], np.str_)
        rows = Rows(weeks, regions, np.array([one.value for one in kept], np.float64))
        return Vintage(np.datetime64(self.as_of, "D"), rows)

    def newest(self, region: str) -> Number | None:
        """Return a region's newest number if it is at most three weeks old."""
        for age in range(CARRIED_WEEKS + 1):
            found = self.numbers.get((region, self.as_of - dt.timedelta(weeks=age)))
            if found is not None:
                return found
        return None


def outlooks(
    known: Known, earlier: Sequence[Known], *, unit: str, settings: Boosting | None = None
) -> tuple[list[Outlook], list[str]]:
    """Return forecasts of every region from what is known, and codes of flags that apply to all of them.

    Revisions and spread are learnt from ``earlier`` states of knowledge. Areas without a recent value get no forecast
    of their own, and ZIP3 areas agree with their state (`reconciled`).
    """
    nothing = Rows(np.array([], "datetime64[D]"), np.array([], np.str_), np.array([], np.float64))
    vintages = [one.vintage() for one in (*earlier, known)]
    *_past, made = forecasts(nothing, vintages, settings=settings)
    found = {region: _outlook(known, made, at, unit) for at, region in enumerate(made.areas.tolist())}
    kept = {
        region: one
        for region, one in found.items()
        if one.level is not None or geo_type(region) != "zip3" or state_of(region) not in found
    }
    flags = [CODES[text] for area, text in made.flags if area == "" and text in CODES]
    return [_with_doubling(one) for one in _agreeing(kept, unit)], flags


def _outlook(known: Known, made: Forecast, at: int, unit: str) -> Outlook:
    region = str(made.areas[at])
    newest = known.newest(region)
    highest = HIGHEST_PERCENT if unit == PERCENT else np.inf
    baseline = np.minimum(made.members["same as last week"][at], highest)
    texts = [text for area, text in made.flags if area == region]
    late = [LATE] if newest is not None and newest.week < known.as_of else []
    return Outlook(
        region=region,
        level=None if newest is None else newest.value,
        sample_size=None if newest is None else newest.sample_size,
        quantiles=np.minimum(made.quantiles[at], highest),
        baseline=None if np.isnan(baseline).any() else baseline,
        doubling=None,
        flags=(*(CODES[text] for text in texts if text in CODES), *late),
    )


def _agreeing(found: Mapping[str, Outlook], unit: str) -> list[Outlook]:
    """Return the outlooks with ZIP3 areas and their states adjusted to agree."""
    moved = dict(found)
    for state in {state_of(region) for region in found if geo_type(region) == "zip3"}:
        whole = found.get(state or "")
        parts = [one for region, one in found.items() if geo_type(region) == "zip3" and state_of(region) == state]
        weights = _weights(parts, whole, unit)
        if whole is None or whole.level is None or weights is None:
            continue
        ours, theirs = reconciled(
            np.array([one.quantiles for one in parts]),
            whole.quantiles,
            weights=weights,
            level=np.array([one.level for one in parts], np.float64),
            whole_level=whole.level,
        )
        highest = HIGHEST_PERCENT if unit == PERCENT else np.inf
        for one, quantiles in zip((*parts, whole), (*ours, theirs), strict=True):
            flags = (*one.flags, RECONCILED)
            moved[one.region] = replace(one, quantiles=np.minimum(quantiles, highest), flags=flags)
    return [moved[region] for region in sorted(moved)]


def _weights(parts: Sequence[Outlook], whole: Outlook | None, unit: str) -> Floats | None:
    """Return the weights of areas in their state: counts add up, percentages by sample size; None if it is unknown."""
    if any(one.level is None for one in parts):
        return None
    if unit != PERCENT:
        return np.ones(len(parts))
    if whole is None or not whole.sample_size or any(not one.sample_size for one in parts):
        return None
    return np.array([one.sample_size for one in parts], np.float64) / whole.sample_size


def _with_doubling(one: Outlook) -> Outlook:
    """Return the outlook with the chance of at least twice the level in each week, unless the level is 0."""
    if not one.level:
        return one
    return replace(one, doubling=chance_above(one.quantiles, np.array(DOUBLED * one.level)))
