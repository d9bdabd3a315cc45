"""Celery tasks of this app. Each task imports its libraries when it runs, so that a worker starts quickly."""

import datetime as dt
import logging
from typing import Any, Final

from celery import shared_task
from kombu.exceptions import OperationalError as BrokerAway
from redis import RedisError

from common.time import deployment_zone, utc_now

log = logging.getLogger(__name__)

PAUSE_S: Final = 1
"""Pause between two days of a catch-up, because pages and doors have priority."""


@shared_task(name="exports.release")
def release() -> None:
    """Run the nightly work.

    Record that the deployment is in service today, plan tomorrow, release waiting days, draw the statistics of venues,
    and remove old results of queries.
    """
    from exports.athena import results
    from exports.dataset.whole import renew_whole_files
    from exports.release import closed_days, plans, verified
    from exports.statistics.draws import draw_waiting

    now = utc_now()
    closed_days.mark_served(days={now.astimezone(deployment_zone()).date()})
    plans.freeze_ahead(now=now)
    closed_days.release_waiting(now=now)
    verified.publish_waiting(now=now)
    draw_waiting(now=now)
    results.sweep_results()
    renew_whole_files()
    _enqueue(radar)


@shared_task(name="exports.catch_up")
def catch_up(after: str = "") -> None:
    """Release the oldest waiting day after the day `after`, and queue a task for the next one.

    This is for a machine that was off at night, and for the simulated past at the first start. One day takes a second
    or two, so it delays neither a shutdown nor other tasks for longer.
    """
    from exports.dataset.whole import renew_whole_files
    from exports.release import closed_days, verified
    from exports.statistics.draws import draw_waiting

    now = utc_now()
    closed_days.mark_served(days={now.astimezone(deployment_zone()).date()})
    if not after:
        draw_waiting(now=now)
    day = closed_days.release_next(now=now, after=dt.date.fromisoformat(after) if after else dt.date.min)
    if day is None:
        renew_whole_files()
        _enqueue(radar)
        return
    verified.publish_waiting(now=now)
    catch_up.apply_async((day.isoformat(),), countdown=PAUSE_S)


@shared_task(name="exports.radar")
def radar() -> None:
    """Forecast every series that has a new week, after each release; forecast weeks do not change.

    Months of a large series take a minute or two, so this is a separate task, after the release has been announced.
    """
    from exports.radar.runs import forecast_all

    if made := forecast_all(now=utc_now()):
        log.info("%d series forecast", len(made))


@shared_task(name="exports.webhooks")
def deliver_webhooks() -> None:
    """Send due webhook deliveries, retries included."""
    from exports.announce import webhooks

    webhooks.deliver_due(now=utc_now())


@shared_task(name="exports.erase")
def erase() -> None:
    """Process waiting erasures, and unfinished ones of a dead worker."""
    from exports.erasure import batches

    if finished := batches.run_erasures(now=utc_now()):
        log.info("%d erasures finished", finished)


def enqueue_erase() -> None:
    """Queue a task for waiting erasures. Without a broker, the schedule finds them a little later."""
    _enqueue(erase)


def _enqueue(task: Any) -> None:
    try:
        task.apply_async(retry=False, ignore_result=True)
    except (BrokerAway, RedisError, OSError):
        log.warning("the broker does not respond: %s waits for the schedule", task.name)
