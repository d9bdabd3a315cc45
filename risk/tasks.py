"""Work of the schedule."""

import logging

from celery import shared_task

from crowdtrace.common.time import utc_now
from risk.crowd import refresh_crowd
from risk.estimates import fold_reports
from risk.model.readings import compile_ahead
from risk.scouting import refresh_cards

log = logging.getLogger(__name__)


@shared_task(name="risk.crowd")
def crowd() -> None:
    """Bring crowd state and cards up to date."""
    done = refresh_crowd(now=utc_now())
    cards = refresh_cards(now=utc_now())
    compile_ahead()
    log.info("crowd of %d venues from %d visits, %d cards", done.venues, done.visits, cards)


@shared_task(name="risk.estimate")
def estimate() -> None:
    """Fold self-reported results."""
    done = fold_reports(now=utc_now())
    log.info("folded %d reports into %d days, %d results wait", done.reports, done.days, done.waiting)
