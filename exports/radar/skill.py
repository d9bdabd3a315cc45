"""The skill of earlier forecasts, compared with `same as last week` on the same weeks."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, TypedDict

import numpy as np

from risk.model.forecast.levels import CENTRAL
from risk.model.forecast.panel import HORIZONS, Floats
from risk.model.forecast.score import wis
from risk.radar.regions import NATION
from risk.radar.series import Key

ALL: Final = ""
"""Key of the skill over all regions except the country, whose errors would outweigh theirs."""


class Skill(TypedDict):
    """Skill over `tasks` forecast weeks whose values are known.

    `relative_wis` is the sum of weighted interval scores divided by that of `same as last week`: below 1 is better;
    None if that was never wrong. `since` and `until` are the first and last as-of date, coverages the shares of weeks
    inside the central 50 and 95 % intervals.
    """

    tasks: int
    relative_wis: float | None
    coverage_50: float
    coverage_95: float
    since: str
    until: str


@dataclass(frozen=True, slots=True)
class Published:
    """A published forecast: ``quantiles`` and ``baseline`` (horizons, 23)."""

    as_of: dt.date
    region: str
    quantiles: Floats
    baseline: Floats


@dataclass(frozen=True, slots=True)
class _Task:
    region: str
    as_of: dt.date
    ours: float
    theirs: float
    inside: tuple[bool, ...]


def skill_of(published: Iterable[Published], truth: Mapping[Key, float]) -> dict[str, Skill]:
    """Return the skill by region, and over all regions under `ALL`; weeks without a known value are not scored."""
    tasks = [task for one in published for task in _tasks(one, truth)]
    by_region: dict[str, list[_Task]] = {}
    for task in tasks:
        by_region.setdefault(task.region, []).append(task)
    local = [task for task in tasks if task.region != NATION]
    groups = by_region | ({ALL: local} if local else {})
    return {region: _skill(found) for region, found in sorted(groups.items())}


def _tasks(one: Published, truth: Mapping[Key, float]) -> Iterable[_Task]:
    for step in range(HORIZONS):
        value = truth.get((one.region, one.as_of + dt.timedelta(weeks=step + 1)))
        if value is None:
            continue
        quantiles = one.quantiles[step]
        inside = tuple(bool(quantiles[low] <= value <= quantiles[high]) for low, high in CENTRAL.values())
        ours, theirs = (float(wis(which, np.array(value))) for which in (quantiles, one.baseline[step]))
        yield _Task(one.region, one.as_of, ours, theirs, inside)


def _skill(tasks: list[_Task]) -> Skill:
    theirs = sum(task.theirs for task in tasks)
    covered = [sum(task.inside[place] for task in tasks) / len(tasks) for place in range(len(CENTRAL))]
    days = [task.as_of for task in tasks]
    return Skill(
        tasks=len(tasks),
        relative_wis=round(sum(task.ours for task in tasks) / theirs, 4) if theirs > 0.0 else None,
        coverage_50=round(covered[0], 4),
        coverage_95=round(covered[1], 4),
        since=min(days).isoformat(),
        until=max(days).isoformat(),
    )
