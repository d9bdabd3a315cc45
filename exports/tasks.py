"""Work of the schedule. Each task loads what it works with when it runs, so that a worker starts at once."""

import logging

from celery import shared_task

from crowdtrace.common.time import deployment_zone, utc_now

log = logging.getLogger(__name__)


@shared_task(name="exports.release")
def release() -> None:
    """Note that today is served, release every closed day that waits, and clear away results of old queries."""
    from exports.services import athena, releases, verified

    now = utc_now()
    releases.mark_served(days={now.astimezone(deployment_zone()).date()})
    releases.release_waiting(now=now)
    verified.publish_waiting(now=now)
    athena.sweep_results()


@shared_task(name="exports.webhooks")
def tell() -> None:
    """Tell registered addresses of releases, again those that did not take it."""
    from exports.services import webhooks

    webhooks.deliver_due(now=utc_now())


@shared_task(name="exports.erase")
def erase() -> None:
    """Carry out erasures that wait, or that a worker left behind."""
    from exports.services import erasing

    if finished := erasing.run_erasures(now=utc_now()):
        log.info("%d erasures finished", finished)
