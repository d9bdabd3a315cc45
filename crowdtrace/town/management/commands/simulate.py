"""`manage.py simulate`: simulate a town with known truth through the real services."""

import argparse
import datetime as dt
import json
from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from tqdm import tqdm

import embedded
from common.time import deployment_zone, utc_now
from crowdtrace.town import simulation
from crowdtrace.town.world.plan import BadPlan, TownPlan
from risk.crowd.parameters import build
from risk.model.parameters import Adaptive

# Size of the default simulation: enough for meaningful figures, and done in minutes on a laptop.
VISITORS: Final = 5_000
VENUES: Final = 120
DAYS: Final = 14
SEED: Final = 1


def _date(text: str) -> dt.date:
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text} is not a date like 2026-03-02") from None


class Command(BaseCommand):
    """The command that simulates a town and prints what was written, as JSON."""

    help = "Simulate a town day by day on its own clock. The truth goes to files, never into the product's tables."

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the options."""
        parser.add_argument("--visitors", type=int, default=VISITORS, help="people who use the app; %(default)s")
        parser.add_argument("--venues", type=int, default=VENUES, help="places; %(default)s")
        parser.add_argument("--days", type=int, default=DAYS, help="days; %(default)s")
        parser.add_argument("--seed", type=int, default=SEED, help="%(default)s; one seed and start give one town")
        parser.add_argument("--start", type=_date, help="first day; by default the town ends today")
        parser.add_argument("--release", action="store_true", help="also run crowd, purge and release every night")
        parser.add_argument("--owners-out", type=Path, help="file for owners of some visitors' passes, one a line")
        parser.add_argument("--truth-out", type=Path, help="folder for the truth; by default in the home")
        parser.add_argument("--add", action="store_true", help="even if there is more than the demonstration")

    def handle(self, *args: Any, **options: Any) -> None:
        """Simulate."""
        now = utc_now()
        if simulation.holds_more_than_the_demonstration() and not options["add"]:
            raise CommandError("This copy has more than the demonstration. Use --add, or another CROWDTRACE_HOME.")
        plan = self._plan(options, now)
        if options["owners_out"] and not options["owners_out"].absolute().parent.is_dir():
            raise CommandError("The folder of --owners-out does not exist.")
        if options["owners_out"] and options["owners_out"].is_dir():
            raise CommandError("--owners-out is a folder; it must be a file.")
        folder = options["truth_out"] or self._default_folder(plan)
        if folder.exists() and not folder.is_dir():
            raise CommandError("--truth-out is a file; it must be a folder.")
        try:
            with tqdm(total=plan.venues + plan.days, desc="simulate", unit="step", file=self.stderr) as bar:

                def step() -> None:
                    bar.update()

                summary = simulation.simulate_town(
                    plan=plan,
                    owner=simulation.simulation_owner(now=now),
                    label=f"Town {plan.seed}",
                    truth_folder=folder,
                    now=now,
                    release=options["release"],
                    step=step,
                )
        except simulation.SimulationRefused as error:
            raise CommandError(str(error)) from error
        written = {"passes": summary.passes, "visits": summary.visits, "ratings": summary.ratings}
        written |= {"full_chain": summary.full_chain, "infections": summary.infections}
        if options["owners_out"]:
            written["owners"] = simulation.write_owners(options["owners_out"], summary.owners)
        self.stdout.write(json.dumps(written | {"truth": str(folder)}))

    def _plan(self, options: dict[str, Any], now: dt.datetime) -> TownPlan:
        today = now.astimezone(deployment_zone()).date()
        start = options["start"] or today - dt.timedelta(days=options["days"] - 1)
        if start > today:
            raise CommandError("A simulation ends in the past; start it today or earlier.")
        numbers = {name: options[name] for name in ("visitors", "venues", "days", "seed")}
        try:
            return TownPlan(**numbers, start=start, parameters=build(settings.PATHOGEN, Adaptive()))
        except BadPlan as error:
            raise CommandError(str(error)) from error

    def _default_folder(self, plan: TownPlan) -> Path:
        if not settings.EMBEDDED:
            raise CommandError("Use --truth-out: without a home, the truth has no default folder.")
        return embedded.home() / "simulation" / f"town-{plan.seed}-{plan.start}"
