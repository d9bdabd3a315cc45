"""Scheduled tasks. Each imports what it needs when it runs, so that a worker starts quickly."""

import logging

from celery import shared_task

from common.time import utc_now

log = logging.getLogger(__name__)


@shared_task(name="risk.crowd.refresh")
def crowd() -> None:
    """Update crowd state and cards."""
    from risk.crowd.refresh import refresh_crowd
    from risk.model.readings import compile_ahead
    from risk.scouting.curves import refresh_cards

    done = refresh_crowd(now=utc_now())
    cards = refresh_cards(now=utc_now())
    compile_ahead()
    log.info("refreshed crowd of %d venues from %d visits, and %d cards", done.venues, done.visits, cards)


@shared_task(name="risk.estimate")
def estimate() -> None:
    """Settle the answers of the ended day, count self-reported results, and learn from them."""
    from risk.crowd.answers import settle_answers
    from risk.crowd.reports import fold_reports
    from risk.estimates.nightly import learn_tonight

    settled = settle_answers(now=utc_now())
    done = fold_reports(now=utc_now())
    log.info("settled answers of %d venue-days", settled)
    log.info("counted %d reports on %d days; %d wait for review", done.reports, done.days, done.waiting)
    night = learn_tonight(now=utc_now())
    log.info("estimates from %d reporters: %s", night.reporters, night.reason)
