"""Shared by the tests of this app."""

from crowdtrace.celery import app as celery_app

assert celery_app.conf.broker_url  # a device's first request enqueues a task, so the application must know its broker
