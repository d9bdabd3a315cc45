"""Fold self-reported results."""

import dataclasses
import json
from typing import Any

from django.core.management.base import BaseCommand

from common.time import utc_now
from risk.crowd.reports import fold_reports


class Command(BaseCommand):
    """Print what was folded, as JSON."""

    help = "Have self-reported results of the day show in the likelihoods of venue hours; what the nightly task does."

    def handle(self, *args: Any, **options: Any) -> None:
        """Fold now."""
        self.stdout.write(json.dumps(dataclasses.asdict(fold_reports(now=utc_now()))))
