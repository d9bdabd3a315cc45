"""Delete what is past its retention."""

import json
from typing import Any

from django.core.management.base import BaseCommand

from common.purge import purge_expired
from common.time import utc_now


class Command(BaseCommand):
    """Print what went, as JSON: rows of a model, or fields that were blanked."""

    help = "Delete what is past its retention, as every model declares it; what the nightly task does."

    def handle(self, *args: Any, **options: Any) -> None:
        """Purge now."""
        self.stdout.write(json.dumps(purge_expired(now=utc_now()), indent=2))
