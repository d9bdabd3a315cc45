"""Forecast a weekly series from what was known on each date."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

import numpy as np
from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from risk.model.forecast.panel import WEEK, Days
from risk.model.forecast.radar import forecasts
from risk.radar.files import (
    BadFileError,
    read_history,
    read_population,
    read_references,
    read_vintages,
    remarks,
    write_forecasts,
)


class Command(BaseCommand):
    """Write quantiles one to four weeks ahead of each vintage date as Parquet, and remarks to stderr."""

    help = "Forecast weekly counts by area from each as_of date of the vintages (see docs/radar.md)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add the arguments for files and the model."""
        parser.add_argument("--vintages", type=Path, required=True, help="date, location, value, as_of")
        parser.add_argument("--history", type=Path, required=True, help="date, location, value, for older weeks")
        parser.add_argument("--out", type=Path, required=True, help="the Parquet file to write")
        parser.add_argument(
            "--reference",
            type=Path,
            action="append",
            default=[],
            help="past seasons of another series: source, region, week_end, ili_percent; may be repeated",
        )
        parser.add_argument("--populations", type=Path, help="location, population")
        parser.add_argument("--model", choices=["radar", "baseline"], default="radar")
        parser.add_argument("--seed", type=int, default=0, help="of the bags of boosting")

    def handle(self, *args: Any, **options: Any) -> None:
        """Forecast from every vintage, oldest first."""
        if options["seed"] < 0:
            raise CommandError("--seed must be a whole number that is not negative.")
        out: Path = options["out"]
        if not out.parent.is_dir():
            raise CommandError(f"The folder {out.parent} does not exist.")
        try:
            vintages, history = read_vintages(options["vintages"]), read_history(options["history"])
            _check_weekdays(history.week, np.array([one.as_of for one in vintages]))
            population = read_population(options["populations"]) if options["populations"] else None
            references = read_references(options["reference"])
        except BadFileError as error:
            raise CommandError(str(error)) from None
        made = forecasts(
            history,
            vintages,
            references=references,
            population=population,
            model=options["model"],
            seed=options["seed"],
        )
        done = list(tqdm(made, total=len(vintages), unit="week", disable=None))
        try:
            write_forecasts(out, done, model=options["model"])
        except OSError as error:
            raise CommandError(f"{out} cannot be written: {error}") from None
        for remark in remarks(done):
            self.stderr.write(remark)
        self.stdout.write(f"{sum(one.quantiles.size for one in done)} quantiles of {len(done)} dates written")


def _check_weekdays(history: Days, as_of: Days) -> None:
    if len(history) and (history[0] - as_of[0]) % WEEK:
        raise BadFileError("Weeks of the history and of the vintages end on different weekdays.")
