"""List self-reports beyond the cap of a venue-day, and decide whether they count."""

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
    """Print the days with waiting reports as JSON, or the number of reports that were settled."""

    help = "List positive self-reports beyond three on a venue-day, which wait for review, or settle those of one day."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add the arguments for what to settle."""
        parser.add_argument("venue", nargs="?", help="public id")
        parser.add_argument("day", nargs="?", type=dt.date.fromisoformat, help="UTC day")
        parser.add_argument("--accept", action="store_true", help="count the reports; without it they are discarded")

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
            raise CommandError("Give the public id of a venue and a day.")
        settled = settle_waiting(
            venue=venue.pk, day=options["day"], accept=options["accept"], actor="operator", now=utc_now()
        )
        self.stdout.write(json.dumps({"settled": settled}))
