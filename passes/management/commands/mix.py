"""Put rows written by people's actions into random order."""

import json
from typing import Any

from django.core.management.base import BaseCommand

from passes.services.mixing import mix_rows


class Command(BaseCommand):
    """Print the number of mixed rows of each model, as JSON."""

    help = "Put rows written by people's actions into random order, as the nightly task and a backup do."

    def handle(self, *args: Any, **options: Any) -> None:
        """Mix now."""
        self.stdout.write(json.dumps(mix_rows(), indent=2))
