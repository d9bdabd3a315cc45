"""Entry point of the WSGI application."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "crowdtrace.settings")

# The Celery application must exist before a request enqueues a task.
from crowdtrace.celery import app as celery_app
from passes.codec.chain import compile_when_used

compile_when_used()
application = get_wsgi_application()
__all__ = ["application", "celery_app"]
