"""Shared by the tests of this app."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection

from common import valkey
from common.web import throttles
from crowdtrace.celery import app as celery_app

assert celery_app.conf.broker_url  # a device's first request enqueues a task, so the application must know its broker

Race = Callable[..., list[Any]]


@pytest.fixture(autouse=True)
def _fresh_limits() -> None:
    """Clear the counts of earlier tests."""
    client = valkey.limits()
    for name in client.scan_iter(f"{throttles.PREFIX}*"):
        client.delete(name)


@pytest.fixture
def race() -> Race:
    """Call functions concurrently, each on a separate connection; return what each returned or raised."""

    def run(*calls: Callable[[], Any]) -> list[Any]:
        start = threading.Barrier(len(calls))
        results: list[Any] = [None] * len(calls)

        def one(index: int) -> None:
            start.wait()
            try:
                results[index] = calls[index]()
            except Exception as error:  # the test looks at it
                results[index] = error
            finally:
                connection.close()

        threads = [threading.Thread(target=one, args=(index,)) for index in range(len(calls))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return results

    return run
