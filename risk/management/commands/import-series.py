"""Import an official weekly series."""  # noqa: N999 - the name of the command

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from common.time import utc_now
from risk.radar.files import BadFileError
from risk.radar.imports import import_file


class Command(BaseCommand):
    """Known active cases, or a series that the radar forecasts; all rows of a file are stored, or none."""

    help = (
        "Import a weekly series of states and ZIP3 areas from CSV or Parquet: known active cases per person (people "
        "whose positive result was reported within the last ten days, over all people), or a series in the shape of "
        "FluSight or COVIDcast, which the radar forecasts; docs/radar.md."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The file, and what its numbers are."""
        parser.add_argument("file", type=Path)
        parser.add_argument("--source", default="", help="who publishes the series, where the file does not say it")
        parser.add_argument("--signal", default="", help="what it counts, where the file does not say it")
        parser.add_argument("--unit", choices=["count", "percent"], default="", help="of its values")
        parser.add_argument(
            "--total",
            action="store_true",
            help="known active cases are shares of people infectious, hidden carriers included",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Store the rows."""
        given = {name: options[name] for name in ("source", "signal", "unit", "total")}
        try:
            done = import_file(options["file"], now=utc_now(), **given)
        except BadFileError as error:
            raise CommandError(str(error)) from None
        self.stdout.write(
            f"{done.stored} numbers stored, {done.known} were known already, {done.empty} rows have no value"
        )
