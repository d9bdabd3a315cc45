"""Measure the radar on a real season of influenza: skill of the mixture and of each member, time and memory.

python -m benchmarks.forecast --flusight FOLDER [--season] [--seeds 2]

FOLDER has vintages_2023_24.parquet and hospital_admissions.csv.gz (hospital admissions as known each week, and in the
end), forecasts_2023_24.parquet (of FluSight's hub), populations.csv and ilinet_1997_2023.parquet. These files are not
part of CrowdTrace. Without --season, one week is refitted and timed against the baseline; with it, all weeks.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import resource
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from risk.model.forecast.panel import Rows, Vintage
from risk.model.forecast.radar import Forecast, Model, forecasts
from risk.model.forecast.score import report
from risk.radar.files import (
    read_forecasts,
    read_history,
    read_population,
    read_references,
    read_truth,
    read_vintages,
    write_forecasts,
)

HISTORY = "hospital_admissions.csv.gz"
HUB = "forecasts_2023_24.parquet"
POPULATIONS = "populations.csv"
REFERENCE = "ilinet_1997_2023.parquet"
VINTAGES = "vintages_2023_24.parquet"


@dataclasses.dataclass(frozen=True)
class Data:
    """The inputs of a season's forecasts."""

    history: Rows
    vintages: list[Vintage]
    references: list[Rows]
    population: dict[str, float]

    def forecast(self, vintages: Sequence[Vintage], *, model: Model = "radar", seed: int = 0) -> list[Forecast]:
        """Return all forecasts of these vintages."""
        return list(
            forecasts(
                self.history,
                vintages,
                references=self.references,
                population=self.population,
                model=model,
                seed=seed,
            )
        )


def main() -> None:
    """Print one JSON object, or a line with the missing files."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--flusight", type=Path, default=Path("data/flusight"))
    parser.add_argument("--season", action="store_true", help="forecast every week of the season (several minutes)")
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--without-reference", action="store_true")
    given = parser.parse_args()
    absent = [name for name in (HISTORY, HUB, POPULATIONS, REFERENCE, VINTAGES) if not (given.flusight / name).exists()]
    if absent:
        print(f"Not measured: {given.flusight} has no {', '.join(absent)}; choose another folder with --flusight.")
        return
    data = Data(
        read_history(given.flusight / HISTORY),
        read_vintages(given.flusight / VINTAGES),
        [] if given.without_reference else read_references([given.flusight / REFERENCE]),
        read_population(given.flusight / POPULATIONS),
    )
    found: dict[str, Any] = {"week": _week(data)}
    if given.season:
        truth, hub = read_truth(given.flusight / HISTORY), read_forecasts(given.flusight / HUB)
        found["season"] = [_season(data, seed, truth, hub) for seed in range(given.seeds)]
        found["hub"] = report(hub, truth, hub)["models"]
    print(json.dumps(found, indent=2))


def _week(data: Data) -> dict[str, float]:
    """Return the figures of one refit, with everything the season had taught by then except earlier forecasts."""
    middle = data.vintages[len(data.vintages) // 2 :][:1]
    times = {}
    for model in ("baseline", "radar"):
        wall, cpu = time.perf_counter(), time.process_time()
        data.forecast(middle, model=model)
        times[f"{model}_s"], times[f"{model}_cpu_s"] = time.perf_counter() - wall, time.process_time() - cpu
    return {
        **{name: round(seconds, 2) for name, seconds in times.items()},
        "radar_to_baseline": round(times["radar_cpu_s"] / times["baseline_cpu_s"], 1),
        "peak_mb": _peak_mb(),
    }


def _season(data: Data, seed: int, truth: pd.DataFrame, hub: pd.DataFrame) -> dict[str, Any]:
    wall, cpu = time.perf_counter(), time.process_time()
    made = data.forecast(data.vintages, seed=seed)
    spent = {"seconds": round(time.perf_counter() - wall, 1), "cpu_s": round(time.process_time() - cpu, 1)}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "forecasts.parquet"
        tables = []
        for name in ("radar", *made[-1].members):
            own = [
                one if name == "radar" else dataclasses.replace(one, quantiles=one.members[name])
                for one in made
                if name == "radar" or name in one.members
            ]
            write_forecasts(path, own, model=name)
            tables.append(read_forecasts(path))
    return {"seed": seed, **spent, "peak_mb": _peak_mb(), **report(pd.concat(tables), truth, hub)}


def _peak_mb() -> float:
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024.0, 1)


if __name__ == "__main__":
    main()
