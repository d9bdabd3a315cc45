"""Scheduled tasks."""

import logging
from typing import Final

from celery import shared_task

from common.time import utc_now
from passes import alerts, keys, ticket_keys
from passes.services import mixing, scoring
from venues.services.events import forget_uses
from venues.tasks import mail_alert

log = logging.getLogger(__name__)
MAIL_WAITS: Final = 300
"""Seconds after which a mail is outdated; the check in the next minute sends another."""


@shared_task(name="passes.keys")
def make_and_blank_keys() -> None:
    """Make keys in advance, erase those of ended epochs, delete ticket keys of closed ones. Safe to repeat."""
    now = utc_now()
    keys.make_keys(now)
    ticket_keys.make_ticket_keys(now)
    blanked = keys.blank_ended(now)
    dropped = ticket_keys.drop_closed(now)
    log.info("erased %d private issuer keys, deleted %d ticket keys", blanked, dropped)


@shared_task(name="passes.alerts")
def watch_capacity() -> None:
    """Notify the members who asked to know that their place is filling up; drop mails that wait too long."""
    now = utc_now()
    due = alerts.watch_capacity(now=now)
    for one in due:
        mail_alert.apply_async((one.alert_id, one.heads, now.isoformat()), expires=MAIL_WAITS)
    log.info("alerts: %d mails due", len(due))


@shared_task(name="passes.mixing")
def mix() -> None:
    """Put rows written by people's actions into random order, and forget uses of invitations that are over."""
    forget_uses(now=utc_now())
    counts = mixing.mix_rows()
    log.info("mixed %d rows of %d kinds", sum(counts.values()), len(counts))


@shared_task(name="passes.abuse")
def score_scans(days: int = scoring.DAYS_BACK) -> None:
    """Score the scans of the last days."""
    log.info("scores: %d changed", scoring.score_scans(now=utc_now(), days=days))
