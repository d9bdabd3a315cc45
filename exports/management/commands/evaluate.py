"""`manage.py evaluate FILE`: score a file of predictions against the truth of a simulated town."""

import json
from pathlib import Path
from typing import Any

import pandas as pd
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

import embedded
from exports import conf
from exports.benchmark.baseline import QUERY, baseline
from exports.benchmark.score import KEYS, BadPredictionError, read_prediction, results
from exports.benchmark.truth import PLAN, NoTruthError, read_truth
from exports.engine.run import run_query


class Command(BaseCommand):
    """Print scores as JSON; with `--write-baseline` write the baseline's own predictions instead."""

    help = "Score predictions (CSV: day,zip,share) made from a simulated town's open release; docs/benchmark.md."

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the file and the town."""
        parser.add_argument("file", type=Path)
        parser.add_argument("--truth", type=Path, help="folder that simulate wrote; by default the home's newest town")
        parser.add_argument("--write-baseline", action="store_true", help="write FILE: what to hand in, as an example")

    def handle(self, *args: Any, **options: Any) -> None:
        """Score the file, or write the baseline."""
        try:
            truth = read_truth(options["truth"] or _newest_town())
        except NoTruthError as error:
            raise CommandError(str(error)) from error
        released = run_query(sql=QUERY.format(database=conf.database()), ahead=False).result.table.to_pandas()
        usual = baseline(released, truth.index)
        path: Path = options["file"]
        if options["write_baseline"]:
            usual.rename("share").reset_index().to_csv(path, index=False)
            self.stdout.write(json.dumps({"lines": len(usual), "file": str(path)}))
            return
        try:
            given = read_prediction(pd.read_csv(path, dtype=dict.fromkeys(KEYS, str)), truth)
        except (BadPredictionError, OSError, ValueError) as error:
            raise CommandError(f"{path.name}: {error}") from error
        self.stdout.write(json.dumps(results(given, usual, truth), indent=2))


def _newest_town() -> Path:
    if not settings.EMBEDDED:
        raise CommandError("Give --truth: without a home there is no place for the truth.")
    plans = (embedded.home() / "simulation").glob(f"town-*/{PLAN}")
    newest = max(plans, key=lambda plan: plan.stat().st_mtime, default=None)
    if newest is None:
        raise CommandError("No town was simulated here. Run simulate --release first, or give --truth.")
    return newest.parent
