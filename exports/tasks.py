"""Work of the schedule."""

import logging

from celery import shared_task

from crowdtrace.common.time import deployment_zone, utc_now
from exports.services import athena, erasing, releases, verified, webhooks

log = logging.getLogger(__name__)


@shared_task(name="exports.release")
def release() -> None:
    """Note that today is served, release every closed day that waits, and clear away results of old queries."""
    now = utc_now()
    releases.mark_served(days={now.astimezone(deployment_zone()).date()})
    releases.release_waiting(now=now)
    verified.publish_waiting(now=now)
    athena.sweep_results()


@shared_task(name="exports.webhooks")
def tell() -> None:
    """Tell registered addresses of releases, again those that did not take it."""
    webhooks.deliver_due(now=utc_now())


@shared_task(name="exports.erase")
def erase() -> None:
    """Carry out erasures that wait, or that a worker left behind."""
    if finished := erasing.run_erasures(now=utc_now()):
        log.info("%d erasures finished", finished)
