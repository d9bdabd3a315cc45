"""`manage.py compare`: compare the shield with contact tracing and a proximity app, on simulated towns."""

import dataclasses
import datetime as dt
import json
import math
from typing import Any, Final

import numpy as np
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from tqdm import tqdm

from crowdtrace.town.comparators import alarms, measure
from crowdtrace.town.comparators.record import Record, live
from crowdtrace.town.world.plan import BadPlan, TownPlan
from crowdtrace.town.world.streams import stream
from risk.crowd.parameters import build
from risk.model.parameters import Adaptive, Parameters
from risk.model.pathogens import Pathogen

START: Final = dt.date(2026, 3, 2)
FIRST_INFECTED: Final = 0.01
"""Larger than in other towns, so that few of them lack an epidemic."""
COLUMNS: Final = tuple(field.name for field in dataclasses.fields(measure.Score))
RATES: Final = ("contact tracing", "proximity app")
"""Methods whose own alarm rates serve as the common rates of the comparison."""


class Command(BaseCommand):
    """The command that prints the results: mean over towns and its standard error."""

    help = "Compare warning methods at equal alarm rates, on simulated towns whose truth is known."

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the options."""
        parser.add_argument("--towns", type=int, default=6, help="number of towns, with consecutive seeds from --seed")
        parser.add_argument("--visitors", type=int, default=2000)
        parser.add_argument("--venues", type=int, default=40)
        parser.add_argument("--days", type=int, default=28)
        parser.add_argument("--seed", type=int, default=1)
        parser.add_argument("--json", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        """Compare."""
        if options["towns"] < 1 or options["days"] <= measure.FIRST_DAY:
            raise CommandError(f"Give at least one town and {measure.FIRST_DAY + 1} days.")
        try:
            table = compare_towns(
                **{name: options[name] for name in ("towns", "seed", "visitors", "venues", "days")},
                pathogen=build(settings.PATHOGEN, Adaptive()).pathogen,
                progress=self.stderr,
            )
        except BadPlan as error:
            raise CommandError(str(error)) from error
        self.stdout.write(json.dumps(table) if options["json"] else _as_text(table))


Summary = dict[str, dict[str, float | None]]


def compare_towns(
    *, towns: int, seed: int, visitors: int, venues: int, days: int, pathogen: Pathogen, progress: Any = None
) -> dict[str, dict[str, Summary]]:
    """Compare all methods on towns with consecutive seeds; return results by reference method, then by method."""
    parameters = Parameters(pathogen=pathogen)
    found: dict[str, dict[str, list[measure.Score]]] = {rate: {} for rate in RATES}
    for number in tqdm(range(towns), desc="compare", unit="town", file=progress):
        plan = TownPlan(
            visitors=visitors,
            venues=venues,
            days=days,
            seed=seed + number,
            start=START,
            first_infected=FIRST_INFECTED,
            parameters=parameters,
        )
        for rate, scores in compare_town(plan, parameters).items():
            for name, score in scores.items():
                found[rate].setdefault(name, []).append(score)
    return {rate: {name: _summary(scores) for name, scores in of.items()} for rate, of in found.items()}


def compare_town(plan: TownPlan, parameters: Parameters) -> dict[str, dict[str, measure.Score]]:
    """Compare all methods on one town, at the rates at which contact tracing and the app raise alarms there."""
    record = live(plan)
    random = stream(plan.seed, "compare")
    ways = {
        "shield": alarms.shield_loss(record, parameters, known_active_per_person=_known_active(record)),
        "contact tracing": alarms.contact_tracing_shield(record),
        "proximity app": alarms.proximity_app(record, random=random),
        "by lot": random.random((record.has_app.size, record.days)),
    }
    out = {}
    for name in RATES:
        rate = measure.alarm_rate(record, ways[name], 0.0)
        out[name] = {
            way: measure.measure(record, measure.alarms_at_rate(record, scores, rate, random=random))
            for way, scores in ways.items()
        }
    return out


def _known_active(record: Record) -> float:
    """Return known active cases per person, the mean over the days, as an official series would report them."""
    days = np.arange(record.days)[None, :]
    known = (record.known_from[:, None] <= days) & (days < record.known_from[:, None] + 10)
    return float(known.mean())


def _summary(scores: list[measure.Score]) -> Summary:
    """Return the mean over towns of each column, and its standard error."""
    out: Summary = {}
    for column in COLUMNS:
        values = np.array([getattr(score, column) for score in scores])
        values = values[np.isfinite(values)]
        error = values.std(ddof=1) / math.sqrt(values.size) if values.size > 1 else None
        out[column] = {
            "mean": float(values.mean()) if values.size else None,
            "standard_error": None if error is None else float(error),
            "towns": int(values.size),
        }
    return out


def _as_text(table: dict[str, dict[str, Summary]]) -> str:
    lines = []
    for rate, ways in table.items():
        lines.append(f"At the alarm rate of the {rate}:")
        lines.append("".join([" " * 18, *(f"{column:>20}" for column in COLUMNS)]))
        for name, columns in ways.items():
            lines.append("".join([f"{name:<18}", *(f"{cell(columns[column]):>20}" for column in COLUMNS)]))
    return "\n".join(lines)


def cell(value: dict[str, float | None]) -> str:
    """Format a mean and its standard error."""
    if value["mean"] is None:
        return "-"
    error = value["standard_error"]
    return f"{value['mean']:.3f}" + ("" if error is None else f" +- {error:.3f}")
