"""`manage.py benchmark FOLDER`: make a contest of several simulated towns."""

import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from crowdtrace.town.contest import make_contest
from crowdtrace.town.world.plan import BadPlan
from exports import conf
from exports.benchmark.submissions import MOST
from risk.crowd.parameters import parameters_at_start


class Command(BaseCommand):
    """The command that makes the folder and prints a summary as JSON."""

    help = "Make a contest: training towns with their truth, held-out towns, a baseline and a leaderboard."

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the options."""
        parser.add_argument("folder", type=Path, help="must not exist; its open/ is published, its kept/ never")
        parser.add_argument("--learn", type=int, default=3, help="towns whose truth is published; %(default)s")
        parser.add_argument("--held-back", type=int, default=3, help="towns that are scored; %(default)s")
        parser.add_argument(
            "--visitors", type=int, default=12_000, help="approximate number for each town (default %(default)s)"
        )
        parser.add_argument("--days", type=int, default=28, help="of each town; %(default)s")
        parser.add_argument("--submissions", type=int, default=MOST, help="of a team; %(default)s")

    def handle(self, *args: Any, **options: Any) -> None:
        """Make the contest."""
        folder: Path = options["folder"]
        if min(options["learn"], options["held_back"], options["submissions"]) < 1:
            raise CommandError("A contest has at least one town of each kind and one submission.")
        if folder.exists():
            raise CommandError(f"{folder} exists; give the path of a new folder.")
        try:
            make_contest(
                folder,
                learn=options["learn"],
                held_back=options["held_back"],
                visitors=options["visitors"],
                days=options["days"],
                submissions=options["submissions"],
                budget=conf.budget(),
                parameters=parameters_at_start(),
                step=lambda: self.stderr.write("."),
            )
        except (BadPlan, OSError) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(json.dumps({"hand_out": str(folder / "open"), "keep": str(folder / "kept")}))
