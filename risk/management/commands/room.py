"""Compute a file of room scenarios."""

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from common.files import UnreadableFileError, read_text
from risk.model.far import room_integrals

KEY = "integrated_concentration_per_unit_emission_h_per_m3"


class Command(BaseCommand):
    """Print the same file, with the model's integral for each visit."""

    help = "Fill in room scenarios: emitters of one unit per hour, visits, integrated concentrations in h2/m3."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add the argument for the file."""
        parser.add_argument("file", type=Path)

    def handle(self, *args: Any, **options: Any) -> None:
        """Fill in every visit."""
        try:
            whole = json.loads(read_text(options["file"]))
            for at, scenario in enumerate(whole["scenarios"]):
                self._fill(at, scenario)
        except UnreadableFileError as error:
            raise CommandError(str(error)) from None
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise CommandError(f"The file is not a list of room scenarios: {error!r}") from None
        self.stdout.write(json.dumps(whole, indent=1))

    def _fill(self, at: int, scenario: dict[str, Any]) -> None:
        try:
            integrals = room_integrals(
                volume_m3=float(scenario["volume_m3"]),
                removal_rate_per_h=float(scenario["removal_rate_per_h"]),
                emitters_h=[(one["arrive_h"], one["leave_h"]) for one in scenario["emitters"]],
                visits_h=[(one["arrive_h"], one["leave_h"]) for one in scenario["visits"]],
            )
        except ValueError as error:
            raise CommandError(f"/scenarios/{at}: {error}") from None
        for visit, integral in zip(scenario["visits"], integrals, strict=True):
            visit[KEY] = float(integral)
