"""Draw the plots and write the tables of docs/model.md on learning: `python -m docs.plots.learning` (half an hour).

Every row is the same number of simulated towns (`docs.plots.reporters`), seeded, each with a separate truth.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

import numpy as np

from docs.plots.markers import between
from docs.plots.reporters import A_MONTH, HALF_A_YEAR, SHARES, VISITED, Town, reports, truth_of
from risk.model.learning.cells import Cells, Floats, added
from risk.model.learning.gate import Learned, Reason, learn
from risk.model.learning.posterior import (
    KIND,
    LEAST_EFFECTIVE,
    LIARS,
    PROMPTED_LIARS,
    RISE,
    SCALE,
    Belief,
    DivergedError,
    Estimate,
    Prior,
    fit,
)

HERE: Final = Path(__file__).parent
DOCUMENT: Final = HERE.parent / "model.md"
BEGIN, END = "<!-- learning: begin -->", "<!-- learning: end -->"
TOWNS: Final = 200
FEWER_TOWNS: Final = 100
"""Number of towns if an assumption is wrong, and for the gate."""
SEED: Final = 14
WEIGHTS: Final = np.array(list(SHARES.values()))
VOLUNTEERS, PROMPTED = False, True
Streams = tuple[tuple[bool, int], ...]
Table = dict[str, dict[str, "Found"]]


@dataclass(frozen=True, slots=True)
class Setting:
    """One row: the number of positive reports and their stream, the town, the prior, and how the truth differs.

    ``moved`` adds to the truth drawn from the prior, ``fixed`` replaces it, each (index, value). ``alone``: every
    reporter is a separate cell, which may not be stored: the most that reports can reveal.
    """

    streams: Streams
    town: Town = HALF_A_YEAR
    prior: Prior = field(default_factory=Prior)
    moved: tuple[tuple[int, float], ...] = ()
    fixed: tuple[tuple[int, float], ...] = ()
    alone: bool = False


@dataclass(frozen=True, eq=False)
class Found:
    """The results, one row for each town.

    ``errors``, ``prior_errors``: posterior and prior mean minus truth, of every parameter and, last, of the level: log
    of the value of a hit of the town's usual mix of kinds. ``inside``: whether the 90 % interval contains the truth;
    ``ranks``: posterior probability of less. ``kept``: there was no estimate, and the prior was kept.
    """

    errors: Floats
    prior_errors: Floats
    inside: Floats
    ranks: Floats
    effective: Floats
    reporters: Floats
    cells: Floats
    kept: Floats

    def error(self, at: Any) -> float:
        """Return the root mean square error relative to the prior's."""
        return float(np.sqrt((self.errors[:, at] ** 2).mean() / (self.prior_errors[:, at] ** 2).mean()))

    def holds(self, at: Any) -> float:
        """Return the share of towns whose 90 % interval contains the truth."""
        return float(self.inside[:, at].mean())


LEVEL: Final = -1
KINDS_VISITED: Final = KIND + VISITED


def with_level(parameters: Floats) -> Floats:
    """Append the level to parameters (..., p)."""
    level = np.log(np.exp(parameters[..., [SCALE]] + parameters[..., KINDS_VISITED]) @ WEIGHTS)
    return np.concatenate([parameters, level[..., None]], axis=-1)


def run(setting: Setting, towns: int = TOWNS, seed: int = SEED) -> Found:
    """Run one row."""
    rows = together(functools.partial(_one, setting, seed), towns)
    return Found(*(np.array(column) for column in zip(*rows, strict=True)))


def together(one: Callable[[int], Any], towns: int) -> list[Any]:
    """Call once for each town, spread over the processors; the result does not depend on how many there are."""
    if towns < 100:
        return [one(number) for number in range(towns)]
    with ProcessPoolExecutor() as pool:
        return list(pool.map(one, range(towns), chunksize=5))


def _one(setting: Setting, seed: int, number: int) -> tuple[Any, ...]:
    rng = np.random.default_rng([seed, number])
    truth = truth_of(setting.prior, rng)
    for at, value in setting.moved:
        truth[at] += value
    for at, value in setting.fixed:
        truth[at] = value
    streams = [
        reports(setting.town, truth, rng, positives=positives, prompted=prompted)
        for prompted, positives in setting.streams
    ]
    cells = streams[0].alone() if setting.alone else added(one.cells() for one in streams)
    # A town and period can only reveal the product of scale and prevalence, in visits and elsewhere.
    product = truth.copy()
    product[[SCALE, SCALE + 1]] += np.log(setting.town.prevalence)
    estimate = estimated(cells, setting, number)
    held = estimate or fit(cells.where(np.zeros(0, np.int64)), setting.prior, period=0, seed=number)
    seen = replace(held, draws=with_level(held.draws))
    true = with_level(product)
    return (
        seen.mean - true,
        with_level(setting.prior.mean) - true,
        (seen.low <= true) & (true <= seen.high),
        seen.rank(true),
        held.effective,
        sum(one.positive.size for one in streams),
        cells.size,
        estimate is None,
    )


def estimated(cells: Cells, setting: Setting, seed: int) -> Estimate | None:
    """Return the estimate; `None` if it is refused and the prior stays."""
    try:
        found = fit(cells, setting.prior, period=setting.town.last_period, seed=seed)
    except DivergedError:
        return None
    return found if found.effective >= LEAST_EFFECTIVE else None


def _v(positives: int) -> Streams:
    return ((VOLUNTEERS, positives),)


def _p(positives: int) -> Streams:
    return ((PROMPTED, positives),)


WRONG: Final = {
    "200 volunteers": _v(200),
    "50 prompted": _p(50),
    "200 volunteers and 20 prompted": (*_v(200), *_p(20)),
}
LIE: Final = float(np.log(0.05 / 0.95))
ALIKE: Final = replace(Prior(), rise=Belief(0.0, 1e-3))
"""The belief that reporting does not depend on the dose."""
LEARNING: Final = {
    "half a year": {
        "50 volunteers": Setting(_v(50)),
        "200 volunteers": Setting(_v(200)),
        "500 volunteers": Setting(_v(500)),
        "50 prompted": Setting(_p(50)),
        "200 prompted": Setting(_p(200)),
        "200 volunteers and 20 prompted": Setting((*_v(200), *_p(20))),
        "500 volunteers and 50 prompted": Setting((*_v(500), *_p(50))),
    },
    "a month": {
        "50 volunteers": Setting(_v(50), A_MONTH),
        "200 volunteers": Setting(_v(200), A_MONTH),
        "500 volunteers": Setting(_v(500), A_MONTH),
        "50 prompted": Setting(_p(50), A_MONTH),
    },
    "half a year, where reporting is known not to depend on dose": {
        "50 volunteers": Setting(_v(50), prior=ALIKE),
        "200 volunteers": Setting(_v(200), prior=ALIKE),
        "500 volunteers": Setting(_v(500), prior=ALIKE),
    },
    "half a year, where every reporter is kept alone (which is not done: the most that reports can tell)": {
        "50 volunteers": Setting(_v(50), alone=True),
        "200 volunteers": Setting(_v(200), alone=True),
    },
}
CHANGES: Final[dict[str, dict[str, Any]]] = {
    "scale three times what the prior says": {"moved": ((SCALE, float(np.log(3.0))),)},
    "scale a third of it": {"moved": ((SCALE, -float(np.log(3.0))),)},
    "5 % liars in each stream (the prior: 0.25 % to 4 %)": {"fixed": ((LIARS, LIE), (PROMPTED_LIARS, LIE))},
    "prevalence twice what was assumed": {"town": replace(HALF_A_YEAR, prevalence=2.0)},
    "prevalence half of it": {"town": replace(HALF_A_YEAR, prevalence=0.5)},
    "reporting rises with dose (power 0.5)": {"fixed": ((RISE, 0.5),)},
    "the same, and the model believes it does not": {"fixed": ((RISE, 0.5),), "prior": ALIKE},
}
HEAD: Final = (
    "| positive reports | reporters | cells | scale: error | 90 % holds | level: error | 90 % holds "
    "| kinds: error | 90 % holds | effective draws | prior kept |",
    "|---" * 11 + "|",
)


def row(name: str, found: Found) -> str:
    def pair(at: Any) -> str:
        return f"{found.error(at):.2f} | {100 * found.holds(at):.0f} %"

    return (
        f"| {name} | {np.median(found.reporters):.0f} | {np.median(found.cells):.0f} | {pair([SCALE])} "
        f"| {pair([LEVEL])} | {pair(KINDS_VISITED)} | {100 * found.effective.mean():.0f} % | {found.kept.sum():.0f} |"
    )


def settings_when_wrong() -> dict[str, dict[str, Setting]]:
    """Return every change of `CHANGES` for every stream of `WRONG` that it concerns."""
    return {
        change: {
            name: Setting(streams, **what)
            for name, streams in WRONG.items()
            if not ((RISE, 0.5) in what.get("fixed", ()) and streams == _p(50))
        }
        for change, what in CHANGES.items()
    }


def gate_rows(towns: int = FEWER_TOWNS, seed: int = SEED) -> Iterable[str]:
    """Yield the gate's decisions, with honest reports and with a month in which some are false."""
    yield f"| the 28 days before the newest | {' | '.join(reason.value for reason in Reason)} |"
    yield "|---" * (1 + len(Reason)) + "|"
    for name, share in (("honest", 0.0), ("3 in 10 reporters say positive whatever happened", 0.3)):
        said = [one.verdict.reason for one in together(functools.partial(judged, share, seed), towns)]
        yield f"| {name} | {' | '.join(str(said.count(reason)) for reason in Reason)} |"


def judged(share: float, seed: int, number: int) -> Learned:
    """Return the gate's decision on one town of 700 positive volunteers, a share of whom lied in one period."""
    rng = np.random.default_rng([seed, 1, number])
    truth = truth_of(Prior(), rng)
    sent = reports(HALF_A_YEAR, truth, rng, positives=700, prompted=False)
    newest = HALF_A_YEAR.last_period - 1  # the last has two weeks only
    lies = (rng.random(sent.period.size) < share) & (sent.period == newest - 1)
    sent = replace(sent, positive=sent.positive | lies)
    cells = sent.cells()
    reference = fit(cells.where(cells.period < newest - 1), Prior(), period=newest - 2, seed=number)
    cells = cells.where(cells.period <= newest)
    return learn(cells, Prior(), period=newest, seed=number, in_force=reference, reference=reference)


def uniformity(ranks: Floats, bins: int = 10) -> float:
    """Return the chance of ranks less uniform than these, by the chi-squared test."""
    from scipy.stats import chisquare

    return float(chisquare(np.histogram(ranks, bins=bins, range=(0.0, 1.0))[0]).pvalue)


def tables(found: Table, wrong: Table, gate: Iterable[str]) -> str:
    """Return the text between the markers."""
    lines = [f"Errors are root mean squares over towns ({TOWNS} a row), relative to the prior's."]
    for towns, rows in found.items():
        lines += ["", f"Towns of {towns}, truth from the prior:", "", *HEAD]
        lines += [row(name, one) for name, one in rows.items()]
    lines += ["", f"Half a year, where something is not as believed ({FEWER_TOWNS} towns a row):"]
    for change, rows in wrong.items():
        lines += ["", f"{change[0].upper()}{change[1:]}:", "", *HEAD]
        lines += [row(name, one) for name, one in rows.items()]
    lines += ["", f"The gate, on {FEWER_TOWNS} towns of half a year with 700 positive volunteers:", "", *gate]
    tests = ", ".join(f"{name} {uniformity(one.ranks[:, SCALE]):.2f}" for name, one in found["half a year"].items())
    lines += ["", f"Are ranks of the true scale uniform (p of a chi-squared test over ten bins)? {tests}."]
    return "\n".join(lines)


def draw(found: Table, curve: dict[bool, list[tuple[int, Found]]]) -> None:
    """Write the plots next to this file."""
    import matplotlib as mpl

    mpl.use("svg")
    mpl.rcParams.update({"svg.hashsalt": "crowdtrace", "font.size": 9, "axes.grid": True, "grid.alpha": 0.3})
    from matplotlib import pyplot as plt

    figure, panels = plt.subplots(1, 2, figsize=(7.2, 3.2))
    for prompted, points in curve.items():
        label = "prompted at random" if prompted else "volunteers"
        at = [positives for positives, _ in points]
        panels[0].plot(at, [one.error([SCALE]) for _, one in points], "o-", label=label)
        panels[1].plot(at, [one.error(KINDS_VISITED) for _, one in points], "o-", label=label)
    for panel, title in zip(panels, ("scale (times prevalence)", "kinds"), strict=True):
        panel.set(xscale="log", ylim=(0.0, 1.1), xlabel="positive reports", title=title)
    panels[0].set(ylabel="error relative to the prior's")
    panels[0].legend()
    figure.tight_layout()
    figure.savefig(HERE / "learning.svg", metadata={"Date": None})
    plt.close(figure)

    rows = {name: one for name, one in found["half a year"].items() if " and " not in name}
    figure, axes = plt.subplots(1, len(rows), figsize=(7.2, 2.2), sharey=True)
    for panel, (name, one) in zip(axes, rows.items(), strict=True):
        panel.hist(one.ranks[:, SCALE], bins=10, range=(0.0, 1.0))
        panel.axhline(one.ranks.shape[0] / 10, color="black", linewidth=0.8)
        panel.set(title=name, xlabel="rank of the truth")
    axes[0].set(ylabel=f"towns of {TOWNS}")
    figure.tight_layout()
    figure.savefig(HERE / "learning_ranks.svg", metadata={"Date": None})
    plt.close(figure)


def curves(known: dict[str, Found]) -> dict[bool, list[tuple[int, Found]]]:
    """Return rows by number of positive reports, for the plot."""
    out: dict[bool, list[tuple[int, Found]]] = {}
    for stream, word, sizes in ((VOLUNTEERS, "volunteers", (20, 50, 200, 500)), (PROMPTED, "prompted", (10, 50, 200))):
        named = [(size, f"{size} {word}") for size in sizes]
        out[stream] = [(size, known.get(name) or run(Setting(((stream, size),)))) for size, name in named]
    return out


def all_of(settings: dict[str, dict[str, Setting]], towns: int) -> Table:
    """Run every row, printing which one."""
    out: Table = {}
    for what, rows in settings.items():
        out[what] = {}
        for name, setting in rows.items():
            out[what][name] = run(setting, towns)
            print(what, row(name, out[what][name]), file=sys.stderr, flush=True)
    return out


if __name__ == "__main__":
    learned = all_of(LEARNING, TOWNS)
    misled = all_of(settings_when_wrong(), FEWER_TOWNS)
    draw(learned, curves(learned["half a year"]))
    DOCUMENT.write_text(between(DOCUMENT.read_text(), BEGIN, END, tables(learned, misled, gate_rows())))
