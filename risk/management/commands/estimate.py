"""Fold self-reported results, and learn from them."""

import dataclasses
import json
from typing import Any

from django.core.management.base import BaseCommand

from common.time import utc_now
from risk.crowd.reports import fold_reports
from risk.estimates.nightly import learn_tonight


class Command(BaseCommand):
    """Print what was folded and what the gate said, as JSON."""

    help = "Have self-reported results of the day show in venue hours, and learn from them; what the nightly task does."

    def handle(self, *args: Any, **options: Any) -> None:
        """Fold and learn now."""
        folded, night = fold_reports(now=utc_now()), learn_tonight(now=utc_now())
        self.stdout.write(json.dumps({**dataclasses.asdict(folded), "estimates": dataclasses.asdict(night)}))
