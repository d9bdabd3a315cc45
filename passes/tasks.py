"""Work of the schedule."""

import logging

from celery import shared_task

from crowdtrace.common.time import utc_now
from passes import keys, services

log = logging.getLogger(__name__)


@shared_task(name="passes.keys")
def make_and_blank_keys() -> None:
    """Make keys ahead, blank those of ended epochs, drop counts of closed check-ins; twice does no more than once."""
    now = utc_now()
    keys.make_keys(now)
    blanked = keys.blank_ended(now)
    dropped = services.drop_closed_draws(now=now)
    log.info("keys: %d blanked, %d counts of closed days dropped", blanked, dropped)


@shared_task(name="passes.abuse")
def score_scans() -> None:
    """Score the scans of the last days."""
    log.info("scores: %d changed", services.score_scans(now=utc_now()))
