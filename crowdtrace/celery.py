"""The Celery application and its schedule; each app keeps its tasks in `tasks.py`."""

import os
from typing import Any

from celery import Celery
from celery.schedules import crontab
from celery.signals import beat_init

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "crowdtrace.settings")

app = Celery("crowdtrace", task_cls="common.task_record:RecordedTask")
app.config_from_object("django.conf:settings", namespace="CELERY")
# Nightly work waits until 04:30, because passes of the previous day are valid until 04:00.
app.conf.beat_schedule = {
    "keys": {"task": "passes.keys", "schedule": crontab(minute=7)},
    "abuse": {"task": "passes.abuse", "schedule": crontab(hour=4, minute=35)},
    # Days whose scans may have arrived since: a pass of yesterday is valid until 04:00, so there are two.
    "abuse today": {"task": "passes.abuse", "args": (2,), "schedule": crontab(minute=12)},
    "alerts": {"task": "passes.alerts", "schedule": crontab()},
    "crowd": {"task": "risk.crowd.refresh", "schedule": crontab(minute="*/5")},
    "estimate": {"task": "risk.estimate", "schedule": crontab(hour=4, minute=30)},
    "purge": {"task": "common.purge", "schedule": crontab(hour=4, minute=45)},
    "mixing": {"task": "passes.mixing", "schedule": crontab(hour=4, minute=55)},
    "release": {"task": "exports.release", "schedule": crontab(hour=5, minute=0)},
    "webhooks": {"task": "exports.webhooks", "schedule": crontab(minute="*/5")},
    # A request starts its erasure itself; this task finds erasures that a worker left unfinished.
    "erase": {"task": "exports.erase", "schedule": crontab(minute="*/5")},
}
app.autodiscover_tasks()


@beat_init.connect
def _begin_with_the_crowd(**_: Any) -> None:
    """Compute the crowd at the start, so that pages do not show its state at the last stop."""
    app.send_task("risk.crowd.refresh", retry=False)
