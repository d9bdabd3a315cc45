"""Settle the answers of ended days, count self-reported results, and learn from them."""

import dataclasses
import json
from typing import Any

from django.core.management.base import BaseCommand

from common.time import utc_now
from risk.crowd.answers import settle_answers
from risk.crowd.reports import fold_reports
from risk.estimates.nightly import learn_tonight


class Command(BaseCommand):
    """Print what was settled and counted and what the gate decided, as JSON."""

    help = "Settle answers of ended days, count self-reported results and learn from them, as the nightly task does."

    def handle(self, *args: Any, **options: Any) -> None:
        """Settle, count and learn now."""
        now = utc_now()
        settled = settle_answers(now=now)
        folded, night = fold_reports(now=now), learn_tonight(now=now)
        done = dataclasses.asdict(folded) | {"answered_days": settled, "estimates": dataclasses.asdict(night)}
        self.stdout.write(json.dumps(done))
