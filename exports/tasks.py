"""Work of the schedule."""

from celery import shared_task

from crowdtrace.common.time import deployment_zone, utc_now
from exports.services import releases


@shared_task(name="exports.release")
def release() -> None:
    """Note that today is served, and release every closed day that waits."""
    now = utc_now()
    releases.mark_served(days={now.astimezone(deployment_zone()).date()})
    releases.release_waiting(now=now)
