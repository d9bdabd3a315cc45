"""Fit noisy counts of days with Private-PGM (`mbi`), in an environment of its own and without our code.

It reads `{"domain": {axis: size}, "iterations", "days": [[{"axes", "noisy", "stddev"}, ...], ...]}` from stdin and
writes `{"version", "days": [{"seconds", "total", "answers": {name: yes}, "areas": [...]}, ...]}` to stdout. `noisy` is
flat, in the order of the axes. The first day is fitted twice: the first time compiles.
"""

import json
import sys
import time
from importlib.metadata import version
from typing import Any

import mbi
import numpy as np

ANSWERS = ("symptoms", "diagnosed", "contact", "near")


def fitted(domain: mbi.Domain, tables: list[dict[str, Any]], iterations: int) -> Any:
    """Return the model of one day, by mirror descent; mbi estimates the total itself."""
    measured = [
        mbi.LinearMeasurement(np.array(table["noisy"], float), tuple(table["axes"]), stddev=table["stddev"])
        for table in tables
    ]
    return mbi.estimation.MirrorDescent().estimate(domain, measured, iters=iterations)


def main() -> None:
    """Fit all days."""
    given = json.load(sys.stdin)
    domain = mbi.Domain(tuple(given["domain"]), tuple(given["domain"].values()))
    fitted(domain, given["days"][0], given["iterations"]).project(("zip",)).datavector()
    days = []
    for tables in given["days"]:
        started = time.perf_counter()
        model = fitted(domain, tables, given["iterations"])
        answers = {name: float(model.project((name,)).datavector()[1]) for name in ANSWERS}
        areas = [float(value) for value in model.project(("zip",)).datavector()]
        seconds = time.perf_counter() - started
        days.append({"seconds": seconds, "total": sum(areas), "answers": answers, "areas": areas})
    json.dump({"version": version("mbi"), "days": days}, sys.stdout)


if __name__ == "__main__":
    main()
