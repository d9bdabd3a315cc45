"""Write the table of docs/model.md on the value of learning: `python -m docs.plots.learned_value` (some minutes).

Towns of six weeks whose true scale and kinds are drawn from the prior. In the first four weeks some people report; then
the shields of the next two weeks, with fixed priors and with what was learned, and classical contact tracing are
compared with who was infected at a venue. All three use the same town, so differences are paired.
"""

from __future__ import annotations

import datetime as dt
import functools
import sys
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from crowdtrace.town.comparators import alarms
from crowdtrace.town.comparators.record import DAY_S, Record, live
from crowdtrace.town.world.plan import TownPlan
from docs.plots.learning import DOCUMENT, together
from docs.plots.markers import between
from risk.model import classes
from risk.model.learned import taught_by
from risk.model.learning.cells import Cells, Floats, Integers, cells_of, coarsened, elsewhere
from risk.model.learning.posterior import LIARS, DivergedError, Prior, fit
from risk.model.parameters import Adaptive, Parameters
from risk.model.uncertainty import draws_of
from risk.model.visits import KINDS

BEGIN, END = "<!-- value: begin -->", "<!-- value: end -->"
TOWNS: Final = 25
SEED: Final = 41
INFECTIOUS_DAYS: Final = Parameters().pathogen.infectious_days.value
LEARNED_DAYS: Final = 28
JUDGED_DAYS: Final = 14
PROMPTED_SHARE: Final = 0.3
"""Share of people with the app at the end of each fortnight: a town of this size is small for learning."""
FEWEST_CAUGHT: Final = 5
"""A town with fewer infections in the judged fortnight is not informative."""
DRAWS: Final = 64
"""Draws of a shield: a quarter of the product's, because only the mean is judged."""
SMALL: Final = 1e-3
"""Known active cases per person at which hits are proportional to them."""
VOLUNTEERS: Final = 0.1
"""Share of negative results that volunteers report."""


@dataclass(frozen=True, slots=True)
class Judged:
    """The result of one town.

    AUC of each method, expected over observed infections at venues for the two shields, error of the log product of
    scale and kinds over the hits of the town, and the number of positive reports.
    """

    fixed: float
    learned: float
    tracing: float
    fixed_ratio: float
    learned_ratio: float
    caught: int
    positives: int


def truth(seed: int) -> Adaptive:
    """Return scale and kinds of a true world, drawn from the prior."""
    rng, prior = np.random.default_rng([SEED, seed]), Prior()
    kinds = np.exp(prior.kinds.sd * rng.standard_normal(len(KINDS)))
    scale = float(np.exp(prior.scale.sd * rng.standard_normal()))
    return Adaptive(scale, kind_intensity=tuple(sorted((k.value, float(f)) for k, f in zip(KINDS, kinds, strict=True))))


def judge(visitors: int, number: int) -> Judged | None:
    """Judge one town; return `None` if too few people were infected."""
    world = Parameters(adaptive=truth(number))
    plan = TownPlan(
        visitors=visitors,
        venues=40,
        days=LEARNED_DAYS + JUDGED_DAYS,
        seed=SEED + number,
        start=dt.date(2026, 3, 2),
        first_infected=0.04,
        parameters=world,
    )
    record = live(plan)
    believed = Parameters(draws=DRAWS)
    stays, hits = hits_of(record, believed)
    cells = reported(record, stays, hits, number)
    try:
        learned = taught_by(fit(cells, Prior(), period=1, seed=number), Prior())
    except DivergedError:
        learned = ()  # the prior stays, as in the product
    taught = replace(believed, adaptive=Adaptive(learned=learned))
    return _judged(record, stays, hits, hits_of(record, taught)[1], int(cells.positives.sum()))


def hits_of(record: Record, parameters: Parameters) -> tuple[Integers, Floats]:
    """Return stays of people with the app, and their hits with the known active cases of an official series."""
    stays, hits = alarms.visit_hits(record, parameters, known_active_per_person=SMALL)
    known = np.array([_known_active(record, first) for first in range(0, record.days, 14)])
    fortnight = np.minimum(record.leave_s[stays] // DAY_S // 14, known.size - 1)
    return stays, hits * known[fortnight] / SMALL


def _known_active(record: Record, first: int) -> float:
    """Return the known active cases per person of a fortnight in an official series, averaged over its days."""
    days = np.arange(first, first + 14)[None, :]
    return float(((record.known_from[:, None] <= days) & (days < record.known_from[:, None] + 10)).mean())


def reported(record: Record, stays: Integers, hits: Floats, seed: int) -> Cells:
    """Return cells of the reports at the end of the first two fortnights, prompted and volunteered."""
    rng, people = np.random.default_rng([SEED, 7, seed]), record.has_app.size
    prior = Prior()
    odds = np.exp(prior.reporting.mean)
    parts = []
    for end in (14, 28):
        by_kind = _by_kind(record, stays, hits, end - 14, end)
        ill = (record.infected_day >= end - 14) & (record.infected_day < end)
        asked = record.has_app & (rng.random(people) < PROMPTED_SHARE)
        free = record.has_app & ~asked & (rng.random(people) < np.where(ill, min(1.0, odds * VOLUNTEERS), VOLUNTEERS))
        lies = rng.random(people) < np.exp(prior.mean[LIARS])
        chosen = np.flatnonzero((asked | free) & (by_kind.sum(axis=1) > 0.0))
        signal = [_known_active(record, end - 14)]
        prevalence = float(classes.prevalence(signal, draws_of(Parameters()), already_total=[False]).mean())
        parts.append(
            {
                "prompted": asked[chosen].astype(np.int64),
                "positive": (ill | lies)[chosen],
                "hits": by_kind[chosen],
                "elsewhere": np.full(chosen.size, elsewhere(prevalence, INFECTIOUS_DAYS)),
                "period": np.full(chosen.size, end // 28),
            }
        )
    return coarsened(cells_of(**{name: np.concatenate([part[name] for part in parts]) for name in parts[0]}))[0]


def _by_kind(record: Record, stays: Integers, hits: Floats, first: int, end: int) -> Floats:
    """Return expected hits of each person in days ``first`` to ``end``, (people, kinds)."""
    day = record.leave_s[stays] // DAY_S
    within = (day >= first) & (day < end)
    out = np.zeros((record.has_app.size, len(KINDS)))
    np.add.at(out, (record.person[stays[within]], record.town.venues.kind[record.venue[stays[within]]]), hits[within])
    return out


def _judged(record: Record, stays: Integers, fixed: Floats, learned: Floats, positives: int) -> Judged | None:
    first, end = LEARNED_DAYS, record.days
    at_risk = record.has_app & (record.infected_day >= first)
    caught = at_risk & record.at_venue & (record.infected_day < end)
    # A visit after the infection had no effect: for infected people, the risk up to that day counts.
    day = record.leave_s[stays] // DAY_S
    counts = (day >= first) & (day < end) & (day <= record.infected_day[record.person[stays]])
    sums = [np.bincount(record.person[stays[counts]], h[counts], record.has_app.size) for h in (fixed, learned)]
    tracing = alarms.contact_tracing_shield(record)[:, first:end].max(axis=1)
    ways = [_auc(score[at_risk], caught[at_risk]) for score in (*_whole(record, stays, fixed, learned), tracing)]
    if not FEWEST_CAUGHT <= caught.sum() < at_risk.sum():
        return None
    ratios = [float(-np.expm1(-total[at_risk]).sum() / caught.sum()) for total in sums]
    return Judged(*ways, *ratios, int(caught.sum()), positives)


def _whole(record: Record, stays: Integers, fixed: Floats, learned: Floats) -> list[Floats]:
    """Return hits of the whole judged fortnight of everybody, infected or not, so that no score knows who was."""
    return [_by_kind(record, stays, hits, LEARNED_DAYS, record.days).sum(axis=1) for hits in (fixed, learned)]


def _auc(scores: Floats, caught: np.ndarray) -> float:
    """Return the chance that an infected person scored higher than one who was not; ties count half."""
    from scipy.stats import rankdata

    ranks, size = rankdata(scores), int(caught.sum())
    return float((ranks[caught].sum() - size * (size + 1) / 2) / max(size * (caught.size - size), 1))


def table(found: list[Judged]) -> str:
    """Return the text between the markers."""

    def column(name: str) -> Floats:
        return np.array([getattr(one, name) for one in found])

    def said(values: Floats) -> str:
        return f"{values.mean():.3f} ± {values.std(ddof=1) / np.sqrt(values.size):.3f}"

    def off(name: str) -> Floats:
        return np.abs(np.log(column(name)))

    lines = [
        f"{len(found)} towns of {TOWNS} in which five people or more caught it at a venue in the judged fortnight; "
        f"{np.median(column('positives')):.0f} positive reports in the median town.",
        "",
        "| way | AUC | expected over observed infections, median (90 % of towns) | off by a factor of, typically |",
        "|---|---|---|---|",
    ]
    for label, name in (("shield, fixed priors", "fixed"), ("shield, learned", "learned")):
        ratio = column(f"{name}_ratio")
        low, middle, high = np.quantile(ratio, (0.05, 0.5, 0.95))
        spread = np.exp(np.sqrt((np.log(ratio) ** 2).mean()))
        lines.append(f"| {label} | {said(column(name))} | {middle:.2f} ({low:.2f} to {high:.2f}) | {spread:.2f} |")
    lines += [
        f"| contact tracing | {said(column('tracing'))} | no number | |",
        "",
        "Paired by town: AUC of the learned shield less that of fixed priors "
        f"{said(column('learned') - column('fixed'))}, less that of contact tracing "
        f"{said(column('learned') - column('tracing'))}; error of the log level, learned less fixed "
        f"{said(off('learned_ratio') - off('fixed_ratio'))}.",
    ]
    return "\n".join(lines)


def run(towns: int = TOWNS, visitors: int = 1500) -> list[Judged]:
    """Judge ``towns`` towns."""
    return [one for one in together(functools.partial(judge, visitors), towns) if one is not None]


if __name__ == "__main__":
    text = table(run())
    print(text, file=sys.stderr)
    DOCUMENT.write_text(between(DOCUMENT.read_text(), BEGIN, END, text))
