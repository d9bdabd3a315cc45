"""Make the folder of a contest: several different towns, their releases, and their truth, part of which is kept secret.

A town follows from its seed, so a team that found the seed would have the truth. Seeds have 128 bits from the system's
random generator, are stored only in the secret folder, and no published file follows from a smaller seed.
"""

import dataclasses
import datetime as dt
import json
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from crowdtrace.town.open_release import drawn_days, open_tables
from crowdtrace.town.world.plan import TownPlan
from crowdtrace.town.world.streams import stream
from crowdtrace.town.world.town import Town, TownDay
from exports.benchmark.contest import (
    KEPT,
    TOWN,
    TRUTH,
    baseline_file,
    baseline_shares,
    scores_of,
    towns_held_back,
    towns_to_learn,
)
from exports.benchmark.leaderboard import OPEN, standings, write_leaderboard
from exports.benchmark.score import KEYS
from exports.benchmark.submissions import MOST, RULES, read_log
from exports.dataset.engines import lookup_rows
from risk.model.parameters import Parameters

SEED_BITS: Final = 128
FIRST_DAY: Final = dt.date(2020, 1, 6)
TABLES: Final = {"rows": "rows.parquet", "dp_counts": "dp_counts.parquet", "signals": "signals.parquet"}


def new_seed() -> int:
    """Return a seed that cannot be found by search."""
    return secrets.randbits(SEED_BITS)


def varied_plan(seed: int, *, visitors: int, days: int, parameters: Parameters) -> TownPlan:
    """Return a plan that follows from its seed, with about this many visitors: no two towns of a contest are alike."""
    random = stream(seed, "plan")

    def between(low: float, high: float) -> float:
        return float(np.exp(random.uniform(np.log(low), np.log(high))))

    people = max(1, round(visitors * between(0.6, 1.6)))
    return TownPlan(
        visitors=people,
        venues=max(17, round(people / between(60, 140))),
        days=days,
        seed=seed,
        start=FIRST_DAY + dt.timedelta(days=int(random.integers(0, 700))),
        app_share=float(random.uniform(0.4, 0.95)),
        first_infected=between(0.002, 0.02),
        imported_per_day=between(0.0001, 0.0008),
        activity=between(0.7, 1.4),
        staying_home_symptoms=float(random.uniform(0.2, 0.8)),
        staying_home_diagnosed=float(random.uniform(0.6, 0.95)),
        rating_share=float(random.uniform(0.05, 0.3)),
        checkout_share=float(random.uniform(0.6, 0.95)),
        household_per_day=between(0.015, 0.035),
        parameters=parameters,
    )


def make_contest(
    folder: Path,
    *,
    learn: int,
    held_back: int,
    visitors: int,
    days: int,
    submissions: int = MOST,
    budget: float,
    parameters: Parameters,
    step: Callable[[], None] = lambda: None,
) -> None:
    """Make the folder, which must not exist; call `step` after each town."""
    (folder / KEPT).mkdir(mode=0o700, parents=True)
    (folder / OPEN).mkdir()
    plans = {}
    for number in range(1, learn + held_back + 1):
        name = f"{TOWN}-{number}"
        plan = varied_plan(new_seed(), visitors=visitors, days=days, parameters=parameters)
        truths = folder / (OPEN if number <= learn else KEPT) / name
        _make_town(plan, folder / OPEN / name, truths, budget)
        plans[name] = _described(plan)
        step()
    _write_private(folder / KEPT / "plans.json", plans)
    _write_private(folder / KEPT / RULES, {"submissions_per_team": submissions})
    _write_shared(folder, budget)
    renew_leaderboard(folder)


def renew_leaderboard(folder: Path) -> None:
    """Rewrite the leaderboard from the log of submissions."""
    towns = towns_held_back(folder)
    usual = scores_of({town.name: baseline_shares(town) for town in towns}, towns)
    write_leaderboard(folder / OPEN, standings(read_log(folder / KEPT), usual))


def _make_town(plan: TownPlan, handed_out: Path, truths: Path, budget: float) -> None:
    town = Town(plan)
    tables: dict[str, list[pa.Table]] = {name: [] for name in TABLES}
    truth = []
    for day, date, drawn in drawn_days(town, budget=budget):
        truth.append(_truth_of(day, date, town))
        for name, table in open_tables(drawn).items():
            tables[name].append(table)
    for path in (handed_out, truths):
        path.mkdir(exist_ok=True)
    for name, file in TABLES.items():
        pq.write_table(pa.concat_tables(tables[name]), handed_out / file, compression="zstd")
    whole = pd.concat(truth)
    whole.to_csv(truths / TRUTH, index=False)
    whole[list(KEYS)].to_csv(handed_out / "lines.csv", index=False)


def _truth_of(day: TownDay, date: dt.date, town: Town) -> pd.DataFrame:
    area = np.array(town.areas.zip3)[town.venues.area[day.stays.venue]]
    lines = pd.DataFrame({"zip": area, "infectious": day.infectious[day.stays.person].astype(int)})
    found = lines.groupby("zip")["infectious"].agg(visits="size", infectious="sum").reset_index()
    return found.assign(day=date.isoformat())[["day", "zip", "visits", "infectious"]]


def _write_shared(folder: Path, budget: float) -> None:
    towns = [*towns_to_learn(folder), *towns_held_back(folder)]
    baseline_file(towns).to_csv(folder / OPEN / "baseline.csv", index=False)
    pq.write_table(lookup_rows(), folder / OPEN / "zip3.parquet")
    about = {
        "simulated": True,
        "epsilon_of_a_day": budget,
        "learn": [town.name for town in towns_to_learn(folder)],
        "held_back": [town.name for town in towns_held_back(folder)],
    }
    (folder / OPEN / "about.json").write_text(json.dumps(about, indent=1))


def _described(plan: TownPlan) -> dict[str, Any]:
    values = {one.name: getattr(plan, one.name) for one in dataclasses.fields(plan) if one.name != "parameters"}
    # As text, because the seed exceeds the exact integers of JSON.
    return values | {"seed": str(plan.seed), "start": plan.start.isoformat(), "parameters": plan.parameters.version}


def _write_private(path: Path, content: dict[str, Any]) -> None:
    path.touch(mode=0o600)
    path.write_text(json.dumps(content, indent=1, default=str))
