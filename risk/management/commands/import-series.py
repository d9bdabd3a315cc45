"""Import an official weekly series."""  # noqa: N999 - the name of the command

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from common.time import utc_now
from risk.radar.files import BadFileError
from risk.radar.imports import import_file


class Command(BaseCommand):
    """Store known active cases, or a series that the radar forecasts: all rows of a file, or none."""

    help = (
        "Import a weekly series of states and ZIP3 areas from CSV or Parquet: known active cases per person (people "
        "whose positive result was reported within the last ten days, over all people), or a series in the shape of "
        "FluSight or COVIDcast, which the radar forecasts (see docs/radar.md)."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add the arguments for the file and the meaning of its numbers."""
        parser.add_argument("file", type=Path)
        parser.add_argument("--source", default="", help="publisher of the series, if the file does not name it")
        parser.add_argument("--signal", default="", help="what the series counts, if the file does not name it")
        parser.add_argument("--unit", choices=["count", "percent"], default="", help="of its values")
        parser.add_argument(
            "--total",
            action="store_true",
            help="numbers are shares of people who are infectious, including unreported carriers",
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
