"""Run CERN CAiMIRA on the scenarios of `benchmarks.dose`, in the second environment and without our code.

It reads `{"venues": [{"volume_m3", "air_changes_per_h", "visits": [[arrive_h, leave_h], ...]}]}` from stdin and writes
`{"version", "seconds", "visits", "removal_rate_per_h": [...], "integrals": [[...], ...]}` to stdout. There is one model
per venue in which everybody emits one unit per hour; each visit then requests its integral, its own breath included,
which saves CAiMIRA a model per visit.
"""

import json
import sys
import time
from importlib.metadata import version
from itertools import pairwise

import numpy as np
from caimira.calculator.models import models
from caimira.calculator.store.data_registry import DataRegistry


def model_of(venue: dict[str, list[tuple[float, float]]], registry: DataRegistry) -> models.ConcentrationModel:
    """Return the venue's room with as many emitters as people are inside."""
    edges = sorted({0.0, 24.0, *(t for visit in venue["visits"] for t in visit)})
    middle = [(a + b) / 2 for a, b in pairwise(edges)]
    number = tuple(sum(a <= t < b for a, b in venue["visits"]) for t in middle)
    infected = models.EmittingPopulation(
        data_registry=registry,
        number=models.IntPiecewiseConstant(tuple(edges), number),
        presence=None,
        mask=models.Mask.types["No mask"],
        activity=models.Activity.types["Seated"],
        virus=models.Virus.types["SARS_CoV_2"],
        host_immunity=0.0,
        known_individual_emission_rate=1.0,
    )
    return models.ConcentrationModel(
        data_registry=registry,
        room=models.Room(venue["volume_m3"], models.PiecewiseConstant((0.0, 24.0), (293,)), 0.5),
        ventilation=models.AirChange(
            active=models.PeriodicInterval(period=120, duration=120), air_exch=venue["air_changes_per_h"]
        ),
        infected=infected,
        evaporation_factor=0.3,
    )


def main() -> None:
    """Time all venues."""
    venues, registry = json.load(sys.stdin)["venues"], DataRegistry()
    model_of(venues[0], registry).integrated_concentration(0.0, 1.0)  # imports and tables
    started = time.perf_counter()
    built = [model_of(venue, registry) for venue in venues]
    integrals = [
        [float(np.mean(model.integrated_concentration(a, b))) for a, b in venue["visits"]]
        for venue, model in zip(venues, built, strict=True)
    ]
    seconds = time.perf_counter() - started
    rates = [float(np.mean(model.infectious_virus_removal_rate(12.0))) for model in built]
    answer = {
        "version": version("caimira"),
        "seconds": seconds,
        "visits": sum(len(venue["visits"]) for venue in venues),
        "removal_rate_per_h": rates,
        "integrals": integrals,
    }
    json.dump(answer, sys.stdout)


if __name__ == "__main__":
    main()
