"""Self-reports beyond the cap of a venue-day: list them, and say whether they count."""

import datetime as dt
import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from common.time import utc_now
from risk.crowd.reports import settle_waiting
from risk.models import ReportedDay
from venues.models import Venue


class Command(BaseCommand):
    """Print the days that wait, as JSON, or how many reports were settled."""

    help = "Positive self-reports beyond three on a venue-day wait; without arguments, list them."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """What to settle."""
        parser.add_argument("venue", nargs="?", help="public id")
        parser.add_argument("day", nargs="?", type=dt.date.fromisoformat, help="UTC day")
        parser.add_argument("--accept", action="store_true", help="count them; else they are left out")

    def handle(self, *args: Any, **options: Any) -> None:
        """List, or settle."""
        if options["venue"] is None:
            rows = ReportedDay.objects.filter(waiting__gt=0).select_related("venue").order_by("day", "venue")
            found = [
                {"venue": row.venue.public_id, "day": str(row.day), "counted": row.reports, "waiting": row.waiting}
                for row in rows
            ]
            self.stdout.write(json.dumps(found))
            return
        venue = Venue.objects.filter(public_id=options["venue"]).first()
        if venue is None or options["day"] is None:
            raise CommandError("Name a venue by its public id, and a day.")
        settled = settle_waiting(
            venue=venue.pk, day=options["day"], accept=options["accept"], actor="operator", now=utc_now()
        )
        self.stdout.write(json.dumps({"settled": settled}))
