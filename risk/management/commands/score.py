"""Score forecasts against the values that were reported later."""

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from risk.model.forecast.score import report
from risk.radar.files import BadFileError, read_forecasts, read_truth


class Command(BaseCommand):
    """Print a table, or the same as JSON."""

    help = "Score quantile forecasts: weighted interval score, ratio to other forecasts on common tasks, and coverage."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add the arguments for files and format."""
        parser.add_argument("file", type=Path, help="forecasts as written by `forecast`")
        parser.add_argument("--truth", type=Path, required=True, help="date, location, value")
        parser.add_argument("--against", type=Path, help="forecasts of one or more other models, in the same format")
        parser.add_argument("--json", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        """Score every model of the file."""
        try:
            tasks, truth = read_forecasts(options["file"]), read_truth(options["truth"])
            others = read_forecasts(options["against"]) if options["against"] else None
        except BadFileError as error:
            raise CommandError(str(error)) from None
        found = report(tasks, truth, others)
        if not any(model["tasks"] for model in found["models"].values()):
            raise CommandError("No forecast matches a week and location of the truth file.")
        self.stdout.write(json.dumps(found, indent=2) if options["json"] else _table(found))


def _table(found: dict[str, Any]) -> str:
    lines = []
    for name, model in found["models"].items():
        lines += [
            f"{name}: {model['tasks']} forecasts scored, {model['without_truth']} without truth; {found['areas']}",
            _line("WIS", "log WIS", "in 50 %", "in 95 %"),
            _numbers("all", model),
            *(_numbers(f"horizon {key}", part) for key, part in model["by_horizon"].items()),
            *(_numbers(key, part) for key, part in model["by_phase"].items()),
        ]
        for other, ratio in model["against"].items():
            lines += [
                f"against {other}: {ratio['tasks']} common forecasts, relative WIS {_shown(ratio['relative_wis'])} "
                f"(90 %: {_shown(ratio['low'])} to {_shown(ratio['high'])}), "
                f"of logs {_shown(ratio['relative_log_wis'])}",
                *(f"  {key:<12}{_shown(part)}" for key, part in ratio["by_horizon"].items()),
                *(f"  {key:<12}{_shown(part)}" for key, part in ratio["by_phase"].items()),
            ]
    return "\n".join(lines)


def _numbers(name: str, part: dict[str, Any]) -> str:
    shown = (_shown(part[key]) for key in ("wis", "log_wis", "coverage_50", "coverage_95"))
    return _line(*shown, name=name)


def _line(*cells: str, name: str = "") -> str:
    return f"  {name:<12}" + "".join(f"{cell:>10}" for cell in cells)


def _shown(number: float | None) -> str:
    return "-" if number is None else f"{number:.3f}"
