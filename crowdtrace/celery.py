"""The Celery application and its schedule; each app keeps its tasks in `tasks.py`."""

import os
from typing import Any

from celery import Celery
from celery.schedules import crontab
from celery.signals import beat_init

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "crowdtrace.settings")

app = Celery("crowdtrace", task_cls="common.task_record:RecordedTask")
app.config_from_object("django.conf:settings", namespace="CELERY")
# Nightly work waits until 04:30: the passes of the day before live until 04:00.
app.conf.beat_schedule = {
    "keys": {"task": "passes.keys", "schedule": crontab(minute=7)},
    "abuse": {"task": "passes.abuse", "schedule": crontab(hour=4, minute=35)},
    "alerts": {"task": "passes.alerts", "schedule": crontab()},
    "crowd": {"task": "risk.crowd.refresh", "schedule": crontab(minute="*/5")},
    "estimate": {"task": "risk.estimate", "schedule": crontab(hour=4, minute=30)},
    "purge": {"task": "common.purge", "schedule": crontab(hour=4, minute=45)},
    "mixing": {"task": "passes.mixing", "schedule": crontab(hour=4, minute=55)},
    "release": {"task": "exports.release", "schedule": crontab(hour=5, minute=0)},
    "webhooks": {"task": "exports.webhooks", "schedule": crontab(minute="*/5")},
    # A request begins its erasure itself; this one finds what a worker left behind.
    "erase": {"task": "exports.erase", "schedule": crontab(minute="*/5")},
}
app.autodiscover_tasks()


@beat_init.connect
def _begin_with_the_crowd(**_: Any) -> None:
    """Whoever looks right after a start sees crowds as they are, not as they were at the last stop."""
    app.send_task("risk.crowd.refresh", retry=False)
