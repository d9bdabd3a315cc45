"""Settle the answers of ended days and fold self-reported results."""

import dataclasses
import json
from typing import Any

from django.core.management.base import BaseCommand

from common.time import utc_now
from risk.crowd.answers import settle_answers
from risk.crowd.reports import fold_reports


class Command(BaseCommand):
    """Print what was settled and folded, as JSON."""

    help = "Have answers of ended days and self-reported results show in shields; what the nightly task does."

    def handle(self, *args: Any, **options: Any) -> None:
        """Settle and fold now."""
        now = utc_now()
        settled = settle_answers(now=now)
        self.stdout.write(json.dumps(dataclasses.asdict(fold_reports(now=now)) | {"answered_days": settled}))
