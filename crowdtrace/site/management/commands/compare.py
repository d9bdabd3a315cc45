"""`manage.py compare`: the shield against contact tracing and a proximity app, on simulated towns."""

import datetime as dt
import json
import math
from typing import Any, Final

import numpy as np
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from tqdm import tqdm

from crowdtrace.site.comparators import alarms, measure
from crowdtrace.site.comparators.record import Record, live
from crowdtrace.site.town.plan import BadPlan, TownPlan
from crowdtrace.site.town.streams import stream
from risk.model.parameters import Parameters
from risk.model.pathogens import PROFILES

START: Final = dt.date(2026, 3, 2)
FIRST_INFECTED: Final = 0.01
"""More than in other towns, so that few of them have no epidemic to warn of."""
COLUMNS: Final = ("alarm_rate", "sensitivity", "silent_sensitivity", "precision", "lead_days")


class Command(BaseCommand):
    """Prints what comes out: mean over towns and the standard error of it."""

    help = "Compare ways to warn at the alarm rate of contact tracing, on simulated towns whose truth is known."

    def add_arguments(self, parser: CommandParser) -> None:
        """Options."""
        parser.add_argument("--towns", type=int, default=6, help="number of towns; their seeds follow --seed")
        parser.add_argument("--visitors", type=int, default=2000)
        parser.add_argument("--venues", type=int, default=40)
        parser.add_argument("--days", type=int, default=28)
        parser.add_argument("--seed", type=int, default=1)
        parser.add_argument("--json", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        """Compare."""
        parameters = Parameters(pathogen=PROFILES[settings.PATHOGEN])
        if options["towns"] < 1 or options["days"] <= measure.FIRST_DAY:
            raise CommandError(f"Give at least one town and {measure.FIRST_DAY + 1} days.")
        found: dict[str, list[measure.Score]] = {}
        for number in tqdm(range(options["towns"]), desc="compare", unit="town", file=self.stderr):
            numbers = {name: options[name] for name in ("visitors", "venues", "days")}
            try:
                plan = TownPlan(
                    **numbers,
                    seed=options["seed"] + number,
                    start=START,
                    first_infected=FIRST_INFECTED,
                    parameters=parameters,
                )
            except BadPlan as error:
                raise CommandError(str(error)) from error
            for name, score in compare_town(plan, parameters).items():
                found.setdefault(name, []).append(score)
        table = {name: _summary(scores) for name, scores in found.items()}
        self.stdout.write(json.dumps(table) if options["json"] else _as_text(table))


def compare_town(plan: TownPlan, parameters: Parameters) -> dict[str, measure.Score]:
    """Every way to warn on one town, at the rate at which contact tracing raises alarms there."""
    record = live(plan)
    random = stream(plan.seed, "compare")
    tracing = alarms.contact_tracing_shield(record)
    rate = measure.alarm_rate(record, tracing, 0.0)
    loss = alarms.shield_loss(record, parameters, known_active_per_person=_known_active(record))
    app = alarms.proximity_app(record, random=random)
    by_name = {"shield": loss, "contact tracing": tracing, "proximity app": app}
    by_lot = {"by lot": random.random(loss.shape)}
    return {
        name: measure.measure(record, measure.alarms_at_rate(record, scores, rate, random=random))
        for name, scores in (by_name | by_lot).items()
    }


def _known_active(record: Record) -> float:
    """Known active cases a head, mean over the days: what an official series would say."""
    days = np.arange(record.days)[None, :]
    known = (record.known_from[:, None] <= days) & (days < record.known_from[:, None] + 10)
    return float(known.mean())


def _summary(scores: list[measure.Score]) -> dict[str, dict[str, float | None]]:
    out: dict[str, dict[str, float | None]] = {}
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


def _as_text(table: dict[str, dict[str, dict[str, float | None]]]) -> str:
    lines = ["".join([" " * 18, *(f"{column:>24}" for column in COLUMNS)])]
    for name, columns in table.items():
        cells = [_cell(columns[column]) for column in COLUMNS]
        lines.append("".join([f"{name:<18}", *(f"{cell:>24}" for cell in cells)]))
    return "\n".join(lines)


def _cell(value: dict[str, float | None]) -> str:
    if value["mean"] is None:
        return "-"
    error = value["standard_error"]
    return f"{value['mean']:.3f}" + ("" if error is None else f" +- {error:.3f}")
