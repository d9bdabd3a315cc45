"""Work of the schedule. Each task loads what it works with when it runs, so that a worker starts at once."""

import logging

from celery import shared_task

from common.time import utc_now

log = logging.getLogger(__name__)


@shared_task(name="risk.crowd.refresh")
def crowd() -> None:
    """Bring crowd state and cards up to date."""
    from risk.crowd.refresh import refresh_crowd
    from risk.model.readings import compile_ahead
    from risk.scouting.curves import refresh_cards

    done = refresh_crowd(now=utc_now())
    cards = refresh_cards(now=utc_now())
    compile_ahead()
    log.info("crowd of %d venues from %d visits, %d cards", done.venues, done.visits, cards)


@shared_task(name="risk.estimate")
def estimate() -> None:
    """Settle the answers of the day that ended, have self-reported results show, and learn from them."""
    from risk.crowd.answers import settle_answers
    from risk.crowd.reports import fold_reports
    from risk.estimates.nightly import learn_tonight

    settled = settle_answers(now=utc_now())
    done = fold_reports(now=utc_now())
    log.info("settled answers of %d venue-days", settled)
    log.info("folded %d reports into %d days, %d results wait", done.reports, done.days, done.waiting)
    night = learn_tonight(now=utc_now())
    log.info("estimates from %d reporters: %s", night.reporters, night.reason)
