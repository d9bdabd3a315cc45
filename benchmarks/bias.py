"""Test whether the bias of 300 draws is chance: the signals of answers under many seeds, and the effect of the cut.

    python -m benchmarks.bias [--rows 500 5000 100000] [--seeds 40] [--draws 300] [--areas 20]

It draws only the tables by answers and areas, from one table of all these attributes, so that 12,000 draws take
seconds. It prints one line per size: the mean error of each answer over all seeds with its standard error, how many
seeds are more than 2.6 standard errors off, and how much the cut of refusals (`exports/policy/cut.py`) removes from a
day on average.
"""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.days import Day, simulated_day
from benchmarks.release import DATE, seeded
from exports.dataset.tables import ANSWERS, states_by_zip3
from exports.policy.cut import cut_counts
from exports.policy.domain import (
    CAP,
    KEEP,
    RESULT_ANSWERS,
    RISK_RESULT_ANSWERS,
    ZIP_RISK_RESULT,
    ZIP_SYMPTOMS,
    Workload,
    split,
    workloads,
)
from exports.policy.draw import Drawn, DrawnTable
from exports.policy.estimates import Estimates
from exports.policy.noise import Counts, Floats

DRAWN = (ZIP_RISK_RESULT, RESULT_ANSWERS, RISK_RESULT_ANSWERS, ZIP_SYMPTOMS)
FAR = 2.6


@dataclass(frozen=True)
class Joint:
    """The tables to draw with their scales, and the table of all their axes, from which theirs are sums."""

    tables: tuple[tuple[Workload, float], ...]
    whole: Workload

    def sums(self, counts: Counts, table: Workload) -> Counts:
        """Return the counts of one table."""
        names, kept = ([axis.name for axis in each.axes] for each in (self.whole, table))
        left = [name for name in names if name in kept]
        summed = counts.sum(axis=tuple(at for at, name in enumerate(names) if name not in kept))
        return np.asarray(summed.transpose([left.index(name) for name in kept]))


def joint_of(areas: int) -> Joint:
    """Return the tables over the first areas of the list, with the scales that they have at epsilon 1."""
    tables = workloads(zip3=sorted(states_by_zip3())[:areas], readings=False)
    parts, named = split(tables), {table.name: table for table in tables}
    axes = {axis.name: axis for name in DRAWN for axis in named[name].axes}
    whole = Workload("whole", tuple(axes.values()), 0)
    return Joint(tuple((named[name], CAP / parts[name]) for name in DRAWN), whole)


def errors(day: Day, joint: Joint, *, draws: int, seed: int) -> tuple[Floats, float]:
    """Return the errors of each answer's signal as (draws, answers), and the mean that the cut removes from a day."""
    rng, counts = np.random.default_rng(seed), day.truth(joint.whole)
    true = [float(joint.sums(counts, table)[..., 1].sum()) for table in _by_answer(joint.whole)]
    found, taken = np.zeros((draws, len(ANSWERS))), 0.0
    for number in range(draws):
        tossed = rng.binomial(counts, KEEP)
        noisy = [(table, scale, *seeded(rng)(joint.sums(tossed, table), scale, CAP)) for table, scale in joint.tables]
        tables = tuple(DrawnTable(table, drawn, scale, epsilon) for table, scale, drawn, epsilon in noisy)
        drawn = Drawn(DATE, 1.0, CAP, KEEP, tables, DATE)
        estimates = Estimates(drawn)
        found[number] = [float(estimates.of(name)[0][1]) for name in ANSWERS]
        taken += float((drawn.table(RESULT_ANSWERS).noisy - cut_counts(drawn)[RESULT_ANSWERS]).sum()) / KEEP
    return found - true, taken / draws


def _by_answer(whole: Workload) -> list[Workload]:
    named = {axis.name: axis for axis in whole.axes}
    return [Workload(name, (named[name],), 0) for name in ANSWERS]


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rows", type=int, nargs="+", default=[500, 5000, 100_000])
    parser.add_argument("--seeds", type=int, default=40)
    parser.add_argument("--draws", type=int, default=300)
    parser.add_argument("--areas", type=int, default=20)
    options = parser.parse_args(arguments)
    joint = joint_of(options.areas)
    print(f"| rows | {' | '.join(ANSWERS)} | seeds above {FAR} s.e. | taken by the cut |")
    print("|---:|---:|---:|---:|---:|---:|---:|")
    for rows in options.rows:
        day = simulated_day(rows=rows, seed=1, areas=options.areas)
        made = [errors(day, joint, draws=options.draws, seed=seed) for seed in range(1, options.seeds + 1)]
        means = np.array([found.mean(axis=0) / (found.std(axis=0) / options.draws**0.5) for found, _ in made])
        every = np.concatenate([found for found, _ in made])
        cells = [f"{each.mean():+.2f} ± {each.std() / len(each) ** 0.5:.2f}" for each in every.T]
        far = int((np.abs(means).max(axis=1) > FAR).sum())
        taken = float(np.mean([cut for _, cut in made]))
        print(f"| {rows:,} | {' | '.join(cells)} | {far} of {options.seeds} | {taken:.3f} |", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
