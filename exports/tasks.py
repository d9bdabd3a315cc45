"""Work of the schedule."""

from celery import shared_task

from crowdtrace.common.time import deployment_zone, utc_now
from exports.services import releases, webhooks


@shared_task(name="exports.release")
def release() -> None:
    """Note that today is served, and release every closed day that waits."""
    now = utc_now()
    releases.mark_served(days={now.astimezone(deployment_zone()).date()})
    releases.release_waiting(now=now)


@shared_task(name="exports.webhooks")
def tell() -> None:
    """Tell registered addresses of releases, again those that did not take it."""
    webhooks.deliver_due(now=utc_now())
