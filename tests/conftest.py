"""Services and settings of the whole test run.

The services start when this file is imported, before anything reads the settings: pytest-django would load settings
named in `pyproject.toml` earlier than any conftest, so they are named here. `DATABASE_URL` and `REDIS_URL` from outside
are used unchanged; without them, PostgreSQL and Valkey of a temporary home are started, without fsync.

Under pytest-xdist (`-n`), each worker starts separate services. The process that only distributes the tests starts
none.
"""

import argparse
import gc
import importlib
import itertools
import os
import signal
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from types import FrameType
from typing import TYPE_CHECKING, Any, Final

import django
import hypothesis
import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from playwright.sync_api import Playwright, sync_playwright

import embedded
from embedded.network import free_port
from tests import databases
from tests.live import Copy, running

if TYPE_CHECKING:
    from tests.exports.ledger import ReleasedLake
    from tests.exports.s3 import S3Server

# The same examples in every run, and neither a deadline nor a measured time that fails on a busy machine.
hypothesis.settings.register_profile(
    "crowdtrace",
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)
hypothesis.settings.load_profile("crowdtrace")

# A run starts about sixty Python processes; without bytecode on disk each would compile everything it imports.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

_stack = ExitStack()


# Files that share an expensive server run in one worker, one after another; every other file runs in any worker, but as
# a whole.
GROUPS: Final = {
    "tests/town/test_demo.py": "running copy",
    "tests/site/test_tutorial.py": "running copy",
    "tests/site/test_faults.py": "running copy",
    "tests/exports/": "lake",
    "tests/adversaries/test_holder.py": "lake",
}
# The longest tests come first, and short files fill the rest, so that all workers end together. The running copy comes
# late, because its tasks take time from the tests until the end; what kills its parts is the last to use it.
LONGEST: Final = (
    "tests/exports/",
    "tests/browser/",
    "tests/site/",
    "tests/town/",
    "tests/adversaries/",
    "tests/risk/",
    "tests/venues/test_schema.py",
    "tests/town/test_demo.py",
    "tests/site/test_tutorial.py",
    "tests/site/test_faults.py",
    "tests/embedded/",
    "tests/common/",
)


WORKERS_A_CORE: Final = 2
BYTES_A_WORKER: Final = 3 * 1024**3


def _deals_out(arguments: Sequence[str]) -> bool:
    """Return whether this process only distributes tests to the workers of pytest-xdist."""
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("-n", "--numprocesses", default="0")
    asked = parser.parse_known_args(arguments)[0].numprocesses
    return asked != "0" and "PYTEST_XDIST_WORKER" not in os.environ


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _start_services() -> None:
    # Collecting creates a million objects that stay, and looking for garbage among them takes a quarter of its time.
    gc.disable()
    os.environ["CROWDTRACE_FAST"] = "1"
    os.environ["CROWDTRACE_HOME"] = tempfile.mkdtemp(prefix="crowdtrace-tests-")
    home = embedded.home()
    _stack.callback(embedded.destroy, home)
    _stack.enter_context(embedded.services(home))
    os.environ["DJANGO_SETTINGS_MODULE"] = "crowdtrace.settings"
    django.setup()
    # As the web server does: without its application a task would look for another broker.
    importlib.import_module("crowdtrace.celery")
    from tests import shortcuts

    shortcuts.take()


# A terminated run exits like an interrupted one, so that no service is left running.
signal.signal(signal.SIGTERM, _interrupt)
try:
    if _deals_out(sys.argv[1:]):
        os.environ["DJANGO_SETTINGS_MODULE"] = "crowdtrace.settings"
        django.setup()
    else:
        _start_services()
except (embedded.HomeError, embedded.ServiceError) as error:
    _stack.close()
    pytest.exit(str(error), returncode=3)
except BaseException:
    _stack.close()
    raise


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Return the workers of `-n auto`: two for each core, because tests wait for browsers and servers half of the time.

    Each worker takes up to 3 GB of memory, with its services and browsers.
    """
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return max(1, min(WORKERS_A_CORE * (os.cpu_count() or 1), memory // BYTES_A_WORKER))


def pytest_configure() -> None:
    """Hide the settings from future workers, which would load them before their services have URLs."""
    if _deals_out(sys.argv[1:]):
        os.environ.pop("DJANGO_SETTINGS_MODULE", None)


# First, because pytest-xdist reads the groups in the same hook.
@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Assign tests to workers, and put the longest first."""
    items.sort(key=_turn)
    for item in items:
        item.add_marker(pytest.mark.xdist_group(_group(item)))


def pytest_collection_finish() -> None:
    """Look for garbage from now on, but only among what the tests create."""
    gc.freeze()
    gc.enable()


def _path(item: pytest.Item) -> str:
    return item.path.relative_to(item.config.rootpath).as_posix()


def _turn(item: pytest.Item) -> int:
    """Return the place of a test's file, or else of its folder, among the slowest."""
    path = _path(item)
    found = max((start for start in LONGEST if path.startswith(start)), key=len, default=None)
    return LONGEST.index(found) if found else len(LONGEST)


def _group(item: pytest.Item) -> str:
    """Return the name of the group that a test runs in: of its folder, or of its file."""
    path = _path(item)
    return next((group for start, group in GROUPS.items() if path.startswith(start)), path)


def pytest_unconfigure() -> None:
    """Stop the services and remove their home."""
    if not _deals_out(sys.argv[1:]):
        databases.drop_spare()
    _stack.close()


@pytest.fixture(autouse=True)
def _forget_keys() -> None:
    """Clear cached keys, because test databases are replaced."""
    from passes import keys, ticket_keys

    keys.forget()
    ticket_keys.forget()


@pytest.fixture(scope="session")
def rsa_keys() -> tuple[RSAPrivateKey, ...]:
    """Return a few real keys, because generating one takes a tenth of a second and every database needs 34."""
    from passes.codec.blind import new_key

    return tuple(new_key() for _ in range(8))


@pytest.fixture(autouse=True)
def _keys_are_at_hand(rsa_keys: tuple[RSAPrivateKey, ...], monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    """Take ticket keys from the few in turn, and let draws of many tests at once use a whole core."""
    turns = itertools.cycle(rsa_keys)
    monkeypatch.setattr("passes.codec.blind.new_key", lambda: next(turns))
    settings.THROTTLES = settings.THROTTLES | {"signing": "1000000/second"}


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    """Yield the only driver of Chromium: it keeps an event loop in this thread, so there can be no second one."""
    with sync_playwright() as driver:
        yield driver


# Fixtures of a session that several folders use are only here: a conftest that imports one makes another fixture of it,
# with a server or a lake of its own.
@pytest.fixture(scope="session")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Copy]:
    """Yield one running copy for every test that examines it from outside."""
    home = tmp_path_factory.mktemp("copy") / "home"
    with running(home, free_port()) as served:
        yield served
    embedded.destroy(home)


@pytest.fixture(scope="session")
def s3() -> Iterator["S3Server"]:
    """Yield the S3 server of the test run."""
    from tests.exports.s3 import s3_server

    with s3_server() as server:
        yield server


@pytest.fixture(scope="session")
def shared_bucket(s3: "S3Server") -> str:
    """Create one versioned bucket for the run: each bucket uses volumes of the server."""
    s3.make_bucket("lake", versioned=True)
    return "lake"


@pytest.fixture(scope="session")
def shared_release(
    tmp_path_factory: pytest.TempPathFactory, django_db_setup: None, django_db_blocker: Any
) -> Iterator["ReleasedLake"]:
    """Create a lake with two released days, once; tests must not write to it."""
    from tests.exports.ledger import released_lake

    with databases.fresh_database() as url:
        with django_db_blocker.unblock():
            made = released_lake(tmp_path_factory.mktemp("released"), url)
        yield made
