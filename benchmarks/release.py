"""How accurate the open release is, on simulated days, against flat noise with clipping in the same run.

    python -m benchmarks.release [--rows 10000 100000 1000000] [--epsilon 0.5 1 2] [--draws 5] [--seed 1]

Errors are relative to the truth of all passes that were scanned or refused, so the cap and the coin are in them. For
cells, the median of |released - true| / true; a suppressed cell counts as released with nothing. `suppressed` is the
share of passes with a known ZIP that the release does not show under it.
"""

import argparse
import datetime as dt
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.days import Day, simulated_day
from exports.dataset.tables import states_by_zip3
from exports.policy.domain import (
    ANSWER_AXES,
    CAP,
    KEEP,
    RESULT,
    RISK,
    RISK_RESULT_ANSWERS,
    TOTAL,
    ZIP_RISK_RESULT,
    Workload,
    workloads,
)
from exports.policy.draw import draw
from exports.policy.fit import fit
from exports.policy.noise import Counts, discrete_laplace

DATE = dt.date(2020, 10, 15)


@dataclass(frozen=True)
class Errors:
    """Relative errors of one release; `answers` is the largest of the four, `suppressed` a share of passes."""

    total: float
    symptoms: float
    answers: float
    large_cells: float
    small_cells: float
    suppressed: float


def _compare(
    *, total: float, answers: NDArray[np.float64], cells: Counts, day: Day, named: Mapping[str, Workload]
) -> Errors:
    true_total = float(day.truth(named[TOTAL]))
    true_answers = _yes(day.truth(named[RISK_RESULT_ANSWERS]))
    true_cells = day.truth(named[ZIP_RISK_RESULT])[1:]
    error = np.abs(cells[1:] - true_cells) / np.maximum(true_cells, 1)
    answer_errors = np.abs(answers - true_answers) / np.maximum(true_answers, 1)
    return Errors(
        total=abs(total - true_total) / true_total,
        symptoms=float(answer_errors[0]),
        answers=float(answer_errors.max()),
        large_cells=_median(error[true_cells >= 100]),
        small_cells=_median(error[(true_cells >= 10) & (true_cells < 100)]),
        suppressed=max(0.0, 1 - float(cells[1:].sum()) / float(true_cells.sum())),
    )


def _yes(table: Counts) -> NDArray[np.float64]:
    """Passes with each answer yes, from [risklevel, result, four answers]."""
    return np.array([table.take(1, axis=2 + place).sum() for place in range(4)], dtype=np.float64)


def _median(values: NDArray[np.float64]) -> float:
    return float(np.median(values)) if values.size else float("nan")


def released(day: Day, tables: tuple[Workload, ...], budget: float) -> Errors:
    """Errors of the release as it is made."""
    drawn = draw(day=DATE, counts=day.exact(tables), tables=tables, budget=budget)
    fitted = fit(drawn)
    named = {table.name: table for table in tables}
    return _compare(total=fitted.total, answers=_yes(fitted.answers), cells=fitted.cells, day=day, named=named)


def flat(day: Day, tables: tuple[Workload, ...], budget: float) -> Errors:
    """Errors of the plain way: the whole budget on one table of everything, negative counts set to zero."""
    named = {table.name: table for table in tables}
    joint = Workload("joint", (named[ZIP_RISK_RESULT].axes[0], RISK, RESULT, *ANSWER_AXES), 1000)
    noisy, _ = discrete_laplace(day.exact((joint,))["joint"], CAP / budget, CAP)
    clipped = np.maximum(noisy, 0) / KEEP
    return _compare(
        total=float(clipped.sum()),
        answers=_yes(clipped.sum(axis=0)),
        cells=clipped.sum(axis=(3, 4, 5, 6)),
        day=day,
        named=named,
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Print one line a scheme, size and budget: means over the draws, in percent."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rows", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--epsilon", type=float, nargs="+", default=[0.5, 1.0, 2.0])
    parser.add_argument("--draws", type=int, default=5)
    parser.add_argument("--seed", type=int, default=1, help="of the simulated day; the noise has none")
    options = parser.parse_args(arguments)
    tables = workloads(zip3=tuple(states_by_zip3()), readings=True)
    print("| rows | epsilon | scheme | total | symptoms | worst answer | cells 100+ | cells 10-99 | suppressed | s |")
    print("|---:|---:|---|---:|---:|---:|---:|---:|---:|---:|")
    for rows in options.rows:
        day = simulated_day(rows=rows, seed=options.seed)
        for epsilon in options.epsilon:
            for scheme in (released, flat):
                started = time.perf_counter()
                errors = [scheme(day, tables, epsilon) for _ in range(options.draws)]
                seconds = (time.perf_counter() - started) / options.draws
                mean = np.mean([list(vars(each).values()) for each in errors], axis=0) * 100
                figures = " | ".join(f"{value:.2f} %" for value in mean)
                print(f"| {rows:,} | {epsilon:g} | {scheme.__name__} | {figures} | {seconds:.2f} |", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
