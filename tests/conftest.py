"""Services and settings of the whole test run.

The services start when this file is imported, before anything reads the settings: pytest-django would load settings
named in `pyproject.toml` earlier than any conftest, so they are named here. `DATABASE_URL` and `REDIS_URL` from
outside are used as they are; without them PostgreSQL and Valkey of a temporary home are started, without fsync.
"""

import os
import signal
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from types import FrameType

import django
import hypothesis
import pytest
from playwright.sync_api import Playwright, sync_playwright

import embedded

# The same examples in every run, and no clock that fails a slow machine.
hypothesis.settings.register_profile("crowdtrace", derandomize=True, deadline=None, database=None)
hypothesis.settings.load_profile("crowdtrace")

_stack = ExitStack()


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _start_services() -> None:
    os.environ["CROWDTRACE_FAST"] = "1"
    os.environ["CROWDTRACE_HOME"] = tempfile.mkdtemp(prefix="crowdtrace-tests-")
    home = embedded.home()
    _stack.callback(embedded.destroy, home)
    _stack.enter_context(embedded.services(home))
    os.environ["DJANGO_SETTINGS_MODULE"] = "crowdtrace.settings"
    django.setup()


# A terminated run leaves like an interrupted one, so that no service stays behind.
signal.signal(signal.SIGTERM, _interrupt)
try:
    _start_services()
except (embedded.HomeError, embedded.ServiceError) as error:
    _stack.close()
    pytest.exit(str(error), returncode=3)
except BaseException:
    _stack.close()
    raise


def pytest_unconfigure() -> None:
    """Stop the services and remove their home."""
    _stack.close()


@pytest.fixture(autouse=True)
def _forget_keys() -> None:
    """Databases of tests come and go; a process remembers keys."""
    from passes import keys

    keys.forget()


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    """The one driver of Chromium: it keeps an event loop in this thread, so there can be no second."""
    with sync_playwright() as driver:
        yield driver
