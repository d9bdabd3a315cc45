"""The Celery application; each room keeps its tasks in `tasks.py`."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "crowdtrace.settings")

app = Celery("crowdtrace", task_cls="crowdtrace.common.task_record:RecordedTask")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
