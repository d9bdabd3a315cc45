"""Entry point of the WSGI application."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "crowdtrace.settings")

# The Celery application must exist before a request enqueues a task.
from crowdtrace.celery import app as celery_app
from passes.codec.chain import compile_when_used

compile_when_used()
_django = get_wsgi_application()

from common.web.short_ways import ShortWays  # noqa: E402 - it imports modules that need the apps loaded above

application = ShortWays(_django)
__all__ = ["application", "celery_app"]
