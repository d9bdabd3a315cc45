"""Current estimates of the model: each one now, before any report, and how it moved. Read-only.

Numbers concern the whole deployment and at least five reporters; counts of people are rounded down to a multiple of
five.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Final

import numpy as np

from common.privacy import FEWEST_SHOWN
from risk.estimates.nightly import PRIOR
from risk.model.learning.posterior import KIND, LIARS, NAMES, PROMPTED_LIARS, RISE
from risk.models import LearnedEstimate

_Z95: Final = 1.6448536269514722
MOST_VERSIONS: Final = 60
SHARES: Final = frozenset({NAMES[LIARS], NAMES[PROMPTED_LIARS]})
POWERS: Final = frozenset({NAMES[RISE]})


@dataclass(frozen=True, slots=True)
class Interval:
    """Median, 5 % and 95 % points of a factor, a share, or (``rise``) a power."""

    middle: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Believed:
    """One estimate. ``name`` is one of `NAMES`; for the factor of a venue kind it is the name of the kind."""

    name: str
    before: Interval
    now: Interval

    @property
    def is_kind(self) -> bool:
        """Return whether it is the factor of one kind of venue relative to the others."""
        return NAMES.index(self.name) >= KIND

    @property
    def is_share(self) -> bool:
        """Return whether it is a share of people rather than a factor."""
        return self.name in SHARES

    @property
    def learned(self) -> float:
        """Return the share of the prior's width that the reports removed."""
        return max(0.0, 1.0 - _width(self.name, self.now) / _width(self.name, self.before))


@dataclass(frozen=True, slots=True)
class Version:
    """One version that was put in force, with its estimate of the scale."""

    version: str
    day: dt.date
    reporters: int
    scale: Interval


@dataclass(frozen=True, slots=True)
class Beliefs:
    """The estimates now. ``versions`` that were put in force, oldest first; if there is none, ``all`` holds the priors.

    ``refused``: the newest fit, if it was refused.
    """

    all: list[Believed]
    versions: list[Version]
    reporters: int
    positives: int
    prompted: int
    refused: LearnedEstimate | None


def beliefs() -> Beliefs:
    """Return the current estimates, in three statements at most."""
    accepted = list(LearnedEstimate.objects.filter(accepted=True).defer("draws").order_by("-pk")[:MOST_VERSIONS])
    newest = accepted[0] if accepted else None
    before = prior_intervals()
    now = {name: _interval(name, *row) for name, row in newest.summary.items()} if newest else {}
    return Beliefs(
        all=[Believed(name, before[name], now.get(name, before[name])) for name in NAMES],
        versions=[_version(row) for row in reversed(accepted)],
        reporters=_few(newest.reporters) if newest else 0,
        positives=_few(newest.positives) if newest else 0,
        prompted=_few(newest.prompted) if newest else 0,
        refused=refused_last(),
    )


def refused_last() -> LearnedEstimate | None:
    """Return the newest fit if the gate refused it, so that somebody can look at it."""
    row = LearnedEstimate.objects.defer("draws").order_by("-pk").first()
    return row if row is not None and not row.accepted else None


def prior_intervals() -> dict[str, Interval]:
    """Return the estimates before any report."""
    ends = PRIOR.mean - _Z95 * PRIOR.sd, PRIOR.mean + _Z95 * PRIOR.sd
    rows = zip(NAMES, PRIOR.mean, PRIOR.sd, *ends, strict=True)
    return {name: _interval(name, *(float(value) for value in row)) for name, *row in rows}


def _version(row: LearnedEstimate) -> Version:
    return Version(row.version, row.created_at.date(), _few(row.reporters), _interval("scale", *row.summary["scale"]))


def _few(people: int) -> int:
    return people // FEWEST_SHOWN * FEWEST_SHOWN


def _interval(name: str, mean: float, _sd: float, low: float, high: float) -> Interval:
    if name in POWERS:
        return Interval(mean, low, high)
    values = np.exp([mean, low, high])
    if name in SHARES:
        values = values / (1.0 + values)
    return Interval(*(float(value) for value in values))


def _width(name: str, interval: Interval) -> float:
    if name in POWERS:
        return interval.high - interval.low
    return float(np.log(interval.high / interval.low))
