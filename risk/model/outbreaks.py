"""Compare the model with published outbreaks: what it would have predicted, with nothing fitted to any of them.

There is one index case with a load drawn from Gamma(k, 1/k), and emission, room, near range and susceptibility are
drawn from their ranges; far range and near range are added, as for a shield. Two conditions represent having been
published. The weaker one is at least 2 secondary cases. The one used for the table: in addition, each secondary case is
equally likely to be the one that triggered the investigation, so that an outbreak of n becomes known in proportion to n
(single ascertainment: Fisher 1934, doi:10.1111/j.1469-1809.1934.tb02105.x, source not seen; that large outbreaks are
observed preferentially, Zelner 2020, doi:10.1101/2020.11.02.20224832, abstract read). It has no constant that could be
tuned: it is the limit of ``1 - (1 - q)^n`` for a small chance q, and q is small, because hardly any of the outbreaks
that the model expects in buses and restaurants every day is ever published.

There is no random generator: the points are those of `uncertainty.uniforms`, and the number of cases given a chance is
summed over exactly.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

import numpy as np
from scipy.special import gammaincinv
from scipy.stats import binom, kstest

from risk.model.constants import Constant, fixed
from risk.model.kinds import PRIORS, Kind
from risk.model.parameters import Bodies
from risk.model.pathogens import PROFILES, SARS_COV_2_ANCESTRAL, Pathogen
from risk.model.uncertainty import HIGH, LOW, Floats, quantile, uniforms

PUBLISHED_FROM: Final = 2
DRAWS: Final = 2**18
"""Number of draws at which the ends of an interval no longer move by a case."""
LEFT_OUT: Final = 1e-6
"""Probability cut off at both ends of a draw: far less than for shields, because outbreaks come from the rarest
loads."""
MOST_UNEQUAL: Final = Constant(0.1, 0.1, 0.1, "k of a gamma", "low end of the bracket 0.1 to 0.4")
NEAR_SEATS: Final = Constant(
    0.25,
    0.12,
    0.4,
    "share",
    "of the seats within three rows and five columns, those within 1.5 m: about 9 of 34 at 1 m between rows and 0.5 m "
    "between seats; our assumption",
)
_NODES: Final = 2**12
_HALF: Final = np.full((8, 1), 0.5)


@dataclass(frozen=True, slots=True)
class Outbreak:
    """One published outbreak: one index case among ``exposed`` others for ``hours`` in one room."""

    name: str
    pathogen: Pathogen
    kind: Kind
    exposed: int
    infected_low: int
    infected_high: int
    hours: float
    talk_share: float
    sing_share: float
    breathing_m3_per_h: Constant
    volume_m3: Constant
    air_changes_per_h: Constant
    susceptible: Constant
    circular: bool
    source: str


def _range(values: list[float], unit: str, source: str) -> Constant:
    value, low, high = values
    return Constant(value, low, high, unit, source)


def outbreak(row: Mapping[str, Any]) -> Outbreak:
    """Return an outbreak from a row of a table of outbreaks."""
    pathogen, source = PROFILES[row["pathogen"]], str(row["source"])
    bodies = Bodies()
    low, high = row["infected"]
    return Outbreak(
        name=row["name"],
        pathogen=pathogen,
        kind=Kind(row["kind"]),
        exposed=row["exposed"],
        infected_low=low,
        infected_high=high,
        hours=row["hours"],
        talk_share=row["talk"],
        sing_share=row["sing"],
        breathing_m3_per_h=bodies.breathing_light_m3_per_h
        if row["breathing"] == "light"
        else bodies.breathing_rest_m3_per_h,
        volume_m3=_range(row["volume_m3"], "m3", source),
        air_changes_per_h=_range(row["air_per_h"], "1/h", source),
        susceptible=_range(row["susceptible"], "share", source) if "susceptible" in row else pathogen.susceptible,
        circular=row["circular"],
        source=source,
    )


def _emission(pathogen: Pathogen, talk: float, sing: float, u: Floats) -> Floats:
    rest = 1.0 - talk - sing
    return (
        rest * quantile(pathogen.quanta_rest_per_h, u)
        + talk * quantile(pathogen.quanta_talk_per_h, u)
        + sing * quantile(pathogen.quanta_sing_per_h, u)
    )


def unit_integral_h2_per_m3(hours: Floats | float, volume_m3: Floats, removal_per_h: Floats) -> Floats:
    """Return the integral of the concentration from one unit emitter in a fresh room while both people stay."""
    x = removal_per_h * hours
    return np.asarray((x + np.expm1(-x)) / (removal_per_h**2 * volume_m3))


@dataclass(frozen=True, slots=True)
class Attack:
    """A predictive distribution of the attack rate: median, 90 % interval, percentile of the observed rate (0-100)."""

    low: float
    median: float
    high: float
    percentile: float


@dataclass(frozen=True, slots=True)
class Prediction:
    """Prediction of one outbreak.

    ``published``: given that it became known in proportion to its size. ``two_or_more``: given only 2 or more secondary
    cases. ``chance_of_two``: chance of 2 or more. ``implied_load``: the load (times the mean) that fits at central
    values. ``mean_rate``: attack rate of an average index case.
    """

    published: Attack
    two_or_more: Attack
    observed_low: float
    observed_high: float
    chance_of_two: float
    implied_load: float
    mean_rate: float

    def holds(self, attack: Attack) -> bool:
        """Return whether any of the observed range is in the 90 % interval."""
        return self.observed_high >= attack.low and self.observed_low <= attack.high

    @staticmethod
    def strictly_holds(attack: Attack) -> bool:
        """Return whether the middle of the observed range is between the 5 % and 95 % points.

        Half of a tie counts below.
        """
        return 100.0 * LOW <= attack.percentile <= 100.0 * HIGH

    @property
    def inside(self) -> bool:
        """Return whether it is inside, given that it was published."""
        return self.holds(self.published)


def predict(case: Outbreak, *, draws: int = DRAWS) -> Prediction:
    """Return the predictive distribution of one outbreak."""
    cases = _cases(chances_of(case, draws), case.exposed)
    low, high = case.infected_low / case.exposed, case.infected_high / case.exposed
    numbers = np.arange(case.exposed + 1)
    enough = np.where(numbers >= PUBLISHED_FROM, cases, 0.0)
    seen = (case.infected_low + case.infected_high) / 2
    central = float(_dose(case, _HALF)[0])
    susceptible = case.susceptible.value
    share = min(seen / case.exposed / susceptible, 0.99)
    return Prediction(
        published=_attack(enough * numbers, seen),
        two_or_more=_attack(enough, seen),
        observed_low=low,
        observed_high=high,
        chance_of_two=float(enough.sum()),
        implied_load=float(-np.log1p(-share)) / central,
        mean_rate=susceptible * float(-np.expm1(-central)),
    )


def _dose(case: Outbreak, u: Floats) -> Floats:
    """Return the hazard of one exposed person for an index case of mean load: from the room, plus the near range.

    In the near range, everybody is equally likely to be the close one, as in `emission.KindDraws.near_per_h`. ``u``:
    uniforms (8, n).
    """
    emit, air, decay, settling, volume, breath, near, close = u
    p = case.pathogen
    removal = (
        quantile(case.air_changes_per_h, air)
        + quantile(p.viral_decay_per_h, decay)
        + quantile(p.settling_per_h, settling)
    )
    far = (
        _emission(p, case.talk_share, case.sing_share, emit)
        * quantile(case.breathing_m3_per_h, breath)
        * unit_integral_h2_per_m3(case.hours, quantile(case.volume_m3, volume), removal)
    )
    return far + quantile(p.near_per_h, near) * quantile(PRIORS[case.kind].close_share, close) * case.hours


def chances_of(case: Outbreak, draws: int) -> Floats:
    """Return the chance of each exposed person in ``draws`` worlds with one index case each."""
    u = uniforms(draws, 11, edge=LEFT_OUT).T
    dispersion = quantile(case.pathogen.load_dispersion, u[0])
    load = gammaincinv(dispersion, u[1]) / dispersion
    return np.asarray(quantile(case.susceptible, u[2]) * -np.expm1(-load * _dose(case, u[3:])))


def _cases(chance: Floats, exposed: int) -> Floats:
    """Return the distribution of the number of cases (exposed + 1,): binomial given the chance, averaged over worlds.

    Worlds of nearly equal chance are combined, which changes nothing that is published.
    """
    nodes = np.array([part.mean() for part in np.array_split(np.sort(chance), min(_NODES, chance.size))])
    numbers = np.arange(exposed + 1)[:, None]
    return np.asarray(binom.pmf(numbers, exposed, nodes).mean(axis=1))


def _attack(weights: Floats, seen: float) -> Attack:
    """Return quantiles of the attack rate from weights by number of cases, and the percentile of the observed rate."""
    share = weights / weights.sum()
    exposed, total = weights.size - 1, np.cumsum(share)
    low, median, high = (float(np.searchsorted(total, at)) / exposed for at in (LOW, 0.5, HIGH))
    numbers = np.arange(weights.size)
    below = share[numbers < seen].sum() + 0.5 * share[numbers == seen].sum()
    return Attack(low, median, high, 100.0 * float(below))


def uniformity(percentiles: Sequence[float]) -> float:
    """Return p of a Kolmogorov-Smirnov test that percentiles are uniform, as those of a correct model are."""
    return float(kstest(np.asarray(percentiles) / 100.0, "uniform").pvalue)


def overdispersed(case: Outbreak, dispersion: Constant = MOST_UNEQUAL) -> Outbreak:
    """Return the same outbreak with loads as unequal as the bracket allows."""
    return replace(case, pathogen=replace(case.pathogen, load_dispersion=dispersion))


def hourly_risk(
    setting: Literal["contact", "train-adjacent", "train"],
    *,
    volume_m3: Constant,
    air_changes_per_h: Constant,
    draws: Floats,
    pathogen: Pathogen = SARS_COV_2_ANCESTRAL,
    talk_share: float = 0.2,
) -> float:
    """Return the mean chance of infection in an hour with an infectious person, far and near.

    ``draws``: uniforms (8, n). The load is averaged over, so there is no selection. A contact and an adjacent seat are
    near throughout; of the nearby seats in a train, the share `NEAR_SEATS` is.
    """
    emission = _emission(pathogen, talk_share, 0.0, draws[0])
    removal = (
        quantile(air_changes_per_h, draws[1])
        + quantile(pathogen.viral_decay_per_h, draws[2])
        + quantile(pathogen.settling_per_h, draws[3])
    )
    steady = emission * Bodies().breathing_rest_m3_per_h.value / (removal * quantile(volume_m3, draws[4]))
    k = quantile(pathogen.load_dispersion, draws[5])
    far = -np.expm1(-k * np.log1p(steady / k))
    near = quantile(pathogen.near_per_h, draws[6])
    if setting == "train":
        near = near * quantile(NEAR_SEATS, draws[7])
    return float((-np.expm1(-near) + np.exp(-near) * far).mean())


def range_of(values: list[float], unit: str, source: str) -> Constant:
    """Return a constant from (value, low, high) of a table."""
    return _range(values, unit, source) if len(values) == 3 else fixed(values[0], unit, source)
