"""Work of the schedule."""

import logging
from typing import Final

from celery import shared_task

from common.time import utc_now
from passes import alerts, keys, ticket_keys
from passes.services import mixing, scoring
from venues.tasks import mail_alert

log = logging.getLogger(__name__)
MAIL_WAITS: Final = 300
"""Seconds until a mail is old news; the look at the places in the next minute asks for another."""


@shared_task(name="passes.keys")
def make_and_blank_keys() -> None:
    """Make keys ahead, blank those of ended epochs, drop ticket keys of closed ones; twice does no more than once."""
    now = utc_now()
    keys.make_keys(now)
    ticket_keys.make_ticket_keys(now)
    blanked = keys.blank_ended(now)
    dropped = ticket_keys.drop_closed(now)
    log.info("keys: %d blanked, %d of tickets dropped", blanked, dropped)


@shared_task(name="passes.alerts")
def watch_capacity() -> None:
    """Have the members told who want to know that their place fills up; a mail that waits too long is none."""
    now = utc_now()
    due = alerts.watch_capacity(now=now)
    for one in due:
        mail_alert.apply_async((one.alert_id, one.heads, now.isoformat()), expires=MAIL_WAITS)
    log.info("alerts: %d mails due", len(due))


@shared_task(name="passes.mixing")
def mix() -> None:
    """Put rows that people's acts wrote into random order."""
    counts = mixing.mix_rows()
    log.info("mixed %d rows of %d kinds", sum(counts.values()), len(counts))


@shared_task(name="passes.abuse")
def score_scans() -> None:
    """Score the scans of the last days."""
    log.info("scores: %d changed", scoring.score_scans(now=utc_now()))
