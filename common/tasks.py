"""Scheduled tasks."""

import logging

from celery import shared_task
from redis import RedisError

from common import valkey
from common.purge import purge_expired
from common.time import utc_now

log = logging.getLogger(__name__)


@shared_task(name="common.purge")
def purge() -> None:
    """Delete data past its retention."""
    counts = purge_expired(now=utc_now())
    log.info("purged %d rows or fields of %d kinds", sum(counts.values()), len(counts))
    forget_expired_keys()


def forget_expired_keys() -> None:
    """Make Valkey rewrite its append-only file, so that expired keys are removed from disk too.

    A managed server may refuse; its operator decides what it writes.
    """
    try:
        valkey.client().bgrewriteaof()
    except RedisError as error:
        log.info("Valkey did not rewrite its append-only file", exc_info=error)
