"""Compute crowd state anew from all visits."""

import dataclasses
import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from common.time import utc_now
from risk.crowd.refresh import recompute_crowd
from venues.models import Venue


class Command(BaseCommand):
    """Print what was done, as JSON."""

    help = "Compute the crowd state of every venue anew, from its first visit that is kept."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The engine."""
        parser.add_argument("--engine", choices=["local"], default="local")

    def handle(self, *args: Any, **options: Any) -> None:
        """Compute all venues."""
        venues = list(Venue.objects.order_by("pk").values_list("pk", flat=True))
        self.stdout.write(json.dumps(dataclasses.asdict(recompute_crowd(venues=venues, now=utc_now()))))
