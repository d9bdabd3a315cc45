"""Update crowd state and cards."""

import dataclasses
import json
from typing import Any

from django.core.management.base import BaseCommand

from common.time import utc_now
from risk.crowd.refresh import refresh_crowd
from risk.scouting.curves import refresh_cards


class Command(BaseCommand):
    """Print the result as JSON."""

    help = "Compute the crowd of venues whose visits or ratings changed, as the five-minute task does."

    def handle(self, *args: Any, **options: Any) -> None:
        """Refresh now."""
        now = utc_now()
        done = dataclasses.asdict(refresh_crowd(now=now))
        self.stdout.write(json.dumps(done | {"cards": refresh_cards(now=now)}))
