"""Recompute crowd state from all visits."""

import dataclasses
import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from common.time import utc_now
from risk.crowd.refresh import recompute_crowd
from venues.models import Venue


class Command(BaseCommand):
    """Print the result as JSON."""

    help = "Recompute the crowd state of every venue, from its first stored visit on."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add the argument for the engine."""
        parser.add_argument("--engine", choices=["local"], default="local")

    def handle(self, *args: Any, **options: Any) -> None:
        """Recompute all venues."""
        venues = list(Venue.objects.order_by("pk").values_list("pk", flat=True))
        self.stdout.write(json.dumps(dataclasses.asdict(recompute_crowd(venues=venues, now=utc_now()))))
