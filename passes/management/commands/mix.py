"""Put rows that people's acts wrote into random order."""

import json
from typing import Any

from django.core.management.base import BaseCommand

from passes.services.mixing import mix_rows


class Command(BaseCommand):
    """Print how many rows of each model were mixed, as JSON."""

    help = "Put rows that people's acts wrote into random order; what the nightly task does, and a backup begins with."

    def handle(self, *args: Any, **options: Any) -> None:
        """Mix now."""
        self.stdout.write(json.dumps(mix_rows(), indent=2))
