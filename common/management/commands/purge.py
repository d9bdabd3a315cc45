"""Delete data past its retention."""

import json
from typing import Any

from django.core.management.base import BaseCommand

from common.purge import purge_expired
from common.time import utc_now


class Command(BaseCommand):
    """Print the counts as JSON: deleted rows by model, and fields set to NULL."""

    help = "Delete data past the retention that its model declares, as the nightly task does."

    def handle(self, *args: Any, **options: Any) -> None:
        """Purge now."""
        self.stdout.write(json.dumps(purge_expired(now=utc_now()), indent=2))
