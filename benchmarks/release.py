"""Measure the accuracy of the open release on simulated days: bias, error and coverage, over many seeded draws.

    python -m benchmarks.release [--rows 500 5000 ...] [--draws 300] [--areas 20] [--epsilon 1] [--seed 1]

The truth is that of the estimand: passes scanned or refused, at most three per person. Every draw tosses the coin of
each pass again. The noise has the same distribution as OpenDP's, from a seeded generator, so that a run can be
repeated; the release itself uses OpenDP. It prints the tables of docs/accuracy.md.
"""

import argparse
import datetime as dt
import math
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from benchmarks.days import Day, simulated_day
from exports.dataset.tables import ANSWERS, states_by_zip3
from exports.policy.domain import RISK_RESULT_ANSWERS, TOTAL, ZIP_RISK_RESULT, Workload, workloads
from exports.policy.draw import Drawn, _draw
from exports.policy.estimates import REACH
from exports.policy.fit import Fitted, fit
from exports.policy.noise import Counts, Mechanism
from exports.policy.rows import dp_counts
from exports.policy.signals import signals_of

DATE = dt.date(2020, 10, 15)
SHOWN = ("checkins", *ANSWERS)
# Number of draws of a size whose intervals of noisy counts are checked: each has hundreds.
WITH_INTERVALS = 20


def seeded(rng: np.random.Generator) -> Mechanism:
    """Return the discrete Laplace mechanism as the difference of two geometric variables."""

    def mechanism(counts: Counts, scale: float, l1: int) -> tuple[Counts, float]:
        up, down = rng.geometric(1 - math.exp(-1 / scale), (2, *counts.shape))
        return counts + up - down, l1 / scale

    return mechanism


@dataclass
class Measured:
    """Results of the draws of one size, by signal unless stated otherwise."""

    truth: dict[str, float]
    values: dict[str, list[float]] = field(default_factory=dict)
    errors: dict[str, list[float]] = field(default_factory=dict)
    rows: dict[str, list[float]] = field(default_factory=dict)
    inside: list[bool] = field(default_factory=list)
    areas_inside: list[bool] = field(default_factory=list)
    in_counts: dict[str, list[bool]] = field(default_factory=dict)
    widths: dict[str, list[float]] = field(default_factory=dict)
    false_areas: int = 0
    shown_areas: int = 0
    nulls: Counter[str] = field(default_factory=Counter)


def measure(day: Day, tables: tuple[Workload, ...], *, draws: int, budget: float, seed: int) -> Measured:
    """Draw a day many times."""
    named = {table.name: table for table in tables}
    joint = day.truth(named[RISK_RESULT_ANSWERS])
    truth = {"checkins": float(day.truth(named[TOTAL]).sum())}
    truth |= {name: float(joint.take(1, axis=2 + at).sum()) for at, name in enumerate(ANSWERS)}
    made, rng = Measured(truth), np.random.default_rng(seed)
    for number in range(draws):
        counts = day.toss(rng).exact(tables)
        drawn = _draw(day=DATE, counts=counts, tables=tables, budget=budget, mechanism=seeded(rng))
        fitted = fit(drawn)
        _note(made, drawn, fitted, day.truth(named[ZIP_RISK_RESULT]))
        if number < WITH_INTERVALS:
            _note_intervals(made, drawn, fitted, {table.name: day.truth(table).ravel() for table in tables})
    return made


def _note(made: Measured, drawn: Drawn, fitted: Fitted, cells: Counts) -> None:
    signals = signals_of(drawn, {})
    found = {each.signal: each for each in signals if each.geo_type == "nation"}
    rows = {name: float(fitted.answers.take(1, axis=2 + at).sum()) for at, name in enumerate(ANSWERS)}
    for name, true in made.truth.items():
        made.values.setdefault(name, []).append(found[name].value)
        made.errors.setdefault(name, []).append(found[name].stderr)
        made.rows.setdefault(name, []).append(rows.get(name, float(fitted.total)))
        made.inside.append(abs(found[name].value - true) <= REACH * found[name].stderr)
    errors = [each.stderr for each in signals if (each.geo_type, each.signal) == ("zip3", "checkins")]
    off = np.abs((fitted.cells - cells).sum(axis=(1, 2)))
    made.areas_inside += (off <= REACH * np.array(errors))[1:].tolist()
    shown = fitted.cells[1:].sum(axis=(1, 2)) > 0
    made.shown_areas += int(shown.sum())
    made.false_areas += int((shown & (cells[1:].sum(axis=(1, 2)) == 0)).sum())
    made.nulls.update(fitted.nulls)


def _note_intervals(made: Measured, drawn: Drawn, fitted: Fitted, truth: dict[str, Counts]) -> None:
    published = dp_counts(drawn, fitted).select(["measure", "low", "high"]).to_pandas()
    for name, part in published.groupby("measure"):
        made.in_counts.setdefault(str(name), []).extend((part["low"] <= truth[name]) & (truth[name] <= part["high"]))
        made.widths.setdefault(str(name), []).extend(part["high"] - part["low"])


def _errors(rows: int, made: Measured) -> list[str]:
    """Return the lines of a size in the table of errors."""
    lines = []
    for name in SHOWN:
        true, noise = made.truth[name], float(np.mean(made.errors[name]))
        signal, released = np.array(made.values[name]) - true, np.array(made.rows[name]) - true
        percent = f"{100 * released.mean() / true:+.1f} %" if true else "-"
        lines.append(
            f"| {rows:,} | {name} | {true:,.0f} | {noise:.0f} | {signal.mean():+.1f} | {np.abs(signal).mean():.0f} "
            f"| {released.mean():+.1f} | {released.mean() / noise:+.2f} | {percent} | {np.abs(released).mean():.0f} |"
        )
    return lines


def _shares(rows: int, draws: int, made: Measured) -> str:
    """Return the line of a size in the table of shares."""
    total = np.array(made.rows["checkins"]) / made.truth["checkins"] - 1
    held = [each for found in made.in_counts.values() for each in found]
    least = min((float(np.mean(found)), name) for name, found in made.in_counts.items())
    nulls = ", ".join(f"{name} {100 * count / draws:.0f}" for name, count in made.nulls.most_common()) or "none"
    false = f"{100 * made.false_areas / max(1, made.shown_areas):.1f} %"
    return (
        f"| {rows:,} | {100 * np.mean(made.inside):.1f} % | {100 * np.mean(held):.1f} % | {100 * least[0]:.1f} % "
        f"({least[1]}) | {100 * np.mean(made.areas_inside):.1f} % | {100 * (np.abs(total) > 0.1).mean():.1f} % "
        f"| {false} | {nulls} |"
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rows", type=int, nargs="+", default=[500, 5000, 10_000, 30_000, 100_000, 1_000_000])
    parser.add_argument("--draws", type=int, default=300)
    parser.add_argument("--areas", type=int, default=20)
    parser.add_argument("--epsilon", type=float, default=1.0)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    tables = workloads(zip3=sorted(states_by_zip3())[: options.areas], readings=False)
    shares = []
    print("| rows | signal | true | standard error | signal: bias | error | rows: bias | in s.e. | in % | error |")
    print("|---:|---|---:|---:|---:|---:|---:|---:|---:|---:|")
    for rows in options.rows:
        day = simulated_day(rows=rows, seed=options.seed, areas=options.areas)
        made = measure(day, tables, draws=options.draws, budget=options.epsilon, seed=options.seed)
        print("\n".join(_errors(rows, made)), flush=True)
        shares.append(_shares(rows, options.draws, made))
    print("\n| rows | signals in | counts in | least of a table | areas in | total off 10 % | false areas | null, % |")
    print("|---:|---:|---:|---|---:|---:|---:|---|")
    print("\n".join(shares))
    return 0


if __name__ == "__main__":
    sys.exit(main())
