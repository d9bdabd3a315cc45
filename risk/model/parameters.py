"""The parameters of one deployment at one time: versioned, hashable, and complete.

Everything a shield depends on, other than the visits, is in a `Parameters`; its ``version`` is a short hash of it all.
"""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from risk.model.constants import ASSUMED, NOT_SEEN, Constant, fixed
from risk.model.kinds import PRIORS, Kind, KindPrior
from risk.model.pathogens import SARS_COV_2_OMICRON, Pathogen

FORM: Final = 4
"""Raised when the equations change, so that a version never means two different models."""


# Constants are immutable, so sharing one as a default is intended (ruff takes every call for a mutable default).
# ruff: noqa: RUF009


@dataclass(frozen=True, slots=True)
class Answers:
    """Relation of answers to being infectious: one odds ratio for each pattern, on the local prevalence."""

    odds_contact: Constant = Constant(3.0, 1.5, 8.0, "odds ratio", ASSUMED)
    odds_symptoms: Constant = Constant(
        7.0, 3.0, 15.0, "odds ratio", "6.7 for loss of smell, Menni 2020, doi:10.1038/s41591-020-0916-2" + NOT_SEEN
    )
    odds_diagnosed: Constant = Constant(
        100.0, 30.0, 300.0, "odds ratio", f"positive, or waiting for a result; {ASSUMED}"
    )
    honesty: Constant = Constant(0.8, 0.5, 0.95, "share", f"of those who know, answer yes; {ASSUMED}")
    share_contact: Constant = fixed(0.05, "share", f"of all check-ins; {ASSUMED}")
    share_symptoms: Constant = fixed(0.03, "share", f"of all check-ins; {ASSUMED}")
    share_diagnosed: Constant = fixed(0.005, "share", f"of all check-ins; {ASSUMED}")
    report_sensitivity: Constant = fixed(
        0.75, "share", f"of self-reported tests of the infected, between antigen and PCR tests; {ASSUMED}"
    )
    report_specificity: Constant = fixed(
        0.98, "share", f"lower than of the test itself, since nobody checks that a report is true; {ASSUMED}"
    )


@dataclass(frozen=True, slots=True)
class Bodies:
    """Breathing, and the effect of distance."""

    breathing_rest_m3_per_h: Constant = Constant(
        0.52, 0.45, 0.6, "m3/h", "sitting and standing, Adams 1993 as used by Buonanno 2020" + NOT_SEEN
    )
    breathing_light_m3_per_h: Constant = Constant(1.38, 1.1, 1.7, "m3/h", "light exercise, Adams 1993" + NOT_SEEN)
    breathing_hard_m3_per_h: Constant = Constant(
        2.8, 2.2, 3.5, "m3/h", "moderate to heavy exercise, Adams 1993" + NOT_SEEN
    )
    distancing_effect: Constant = Constant(
        0.7, 0.4, 0.9, "share", f"of close contact avoided where distancing is rated perfect; {ASSUMED}"
    )
    outdoor_near_factor: Constant = Constant(0.25, 0.08, 0.6, "factor", f"wind across a close contact; {ASSUMED}")
    exertion_emission: Constant = fixed(0.8, "per step of exertion", f"emission grows with breathing; {ASSUMED}")


ADOPTION: Final = Constant(0.75, 0.45, 0.93, "share", f"of the people present who check in; {ASSUMED}")
"""Estimate for a deployment that states none: doors that ask for a pass, and side entrances."""

EVERYBODY: Final = fixed(1.0, "share", "everybody present is counted")
AS_SAID: Final = "of the people present who check in, as the operator says"


def adoption_around(share: float) -> Constant:
    """Return the adoption of a deployment that states one figure: as wide as `ADOPTION` on a logit scale; 1 is certain.

    Raise `ValueError` if the figure is not above 0 and at most 1.
    """
    if share == 1.0:
        return EVERYBODY
    if not 0.0 < share < 1.0:
        raise ValueError("adoption is a share")

    def moved(end: float) -> float:
        odds = share / (1.0 - share) * (end / (1.0 - end)) / (ADOPTION.value / (1.0 - ADOPTION.value))
        return odds / (1.0 + odds)

    return Constant(share, moved(ADOPTION.low), moved(ADOPTION.high), "share", AS_SAID)


@dataclass(frozen=True, slots=True)
class Adaptive:
    """Factors that outcomes have changed; all 1 at the start. ``kind_intensity`` has one factor for each kind.

    ``learned``: what outcomes have taught (`risk.model.learned`), as (kind, factor on its hits, share of the spread of
    beliefs that is left, above 0 and at most 1).
    """

    dose_scale: float = 1.0
    hidden_carriers: float = 1.0
    kind_intensity: tuple[tuple[str, float], ...] = ()
    learned: tuple[tuple[str, float, float], ...] = ()

    def __post_init__(self) -> None:
        values = [self.dose_scale, self.hidden_carriers, *(factor for _, factor in self.kind_intensity)]
        values += [factor for _, factor, _ in self.learned]
        if not all(1e-3 <= value <= 1e3 for value in values):
            raise ValueError("an adaptive factor is not finite, or absurd")
        if not all(0.0 < spread <= 1.0 for _, _, spread in self.learned):
            raise ValueError("a learned spread is a share")

    def intensity(self, kind: Kind) -> float:
        """Return the factor of one venue kind."""
        return dict(self.kind_intensity).get(kind.value, 1.0)

    def taught(self, kind: Kind) -> tuple[float, float]:
        """Return the factor on the hits of one venue kind, and the share of the spread that is left."""
        return {name: (factor, spread) for name, factor, spread in self.learned}.get(kind.value, (1.0, 1.0))


@dataclass(frozen=True)
class Parameters:
    """All constants in force. Replace parts with `dataclasses.replace`; the version changes with them."""

    pathogen: Pathogen = SARS_COV_2_OMICRON
    answers: Answers = field(default_factory=Answers)
    bodies: Bodies = field(default_factory=Bodies)
    adaptive: Adaptive = field(default_factory=Adaptive)
    kinds: tuple[tuple[Kind, KindPrior], ...] = tuple(PRIORS.items())
    adoption: Constant = ADOPTION
    draws: int = 256

    @functools.cached_property
    def version(self) -> str:
        """Return a hash (12 hexadecimal digits) of all constants, ranges, units and sources, and of the equations."""
        text = json.dumps([FORM, dataclasses.asdict(self)], sort_keys=True, separators=(",", ":"), allow_nan=False)
        return hashlib.sha256(text.encode()).hexdigest()[:12]

    def __hash__(self) -> int:
        return hash(self.version)

    @functools.cached_property
    def priors(self) -> Mapping[Kind, KindPrior]:
        """Return the prior of each kind."""
        return dict(self.kinds)
