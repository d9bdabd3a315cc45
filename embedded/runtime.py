"""Who uses the services of a home: the first starts them, the last stops them.

Every user holds a shared lock on `run/users.lock`. On leaving, whoever gets it alone is the last and stops the
services. Starting and stopping take turns through `run/start.lock`, so that nobody starts what another is stopping.
Both locks belong to the kernel: a user killed by any means simply no longer counts. What a last user who was killed
left running is used again by the next one.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from . import postgres, valkey
from .home import secrets
from .locks import exclusive, open_lock, try_lock

STORES = {"REDIS_URL": valkey.BROKER, "LIMITS_URL": valkey.LIMITS}


@contextmanager
def services(home: Path) -> Iterator[None]:
    """Keep PostgreSQL and both Valkeys of a home running and their addresses in the environment while inside.

    Sets `DATABASE_URL`, `REDIS_URL`, `LIMITS_URL`, `SECRET_KEY`, `PEPPER`, `MASTER_KEY`, `LAKE_URL`, `EMAIL_URL`,
    `CROWDTRACE_HOME` and `CROWDTRACE_EMBEDDED`, but none that is given (by itself or as `*_FILE`); a service whose
    address is given is not started.
    """
    for name in ("run", "log", "lake", "mail"):
        (home / name).mkdir(mode=0o700, exist_ok=True)
    descriptor = open_lock(home / "run" / "users.lock")
    try:
        with exclusive(home / "run" / "start.lock"):
            try_lock(descriptor, shared=True)  # held alone only inside start.lock, so this never waits
            try:
                values = _start(home)
            except BaseException:
                _stop_if_last(home, descriptor)
                raise
        try:
            with _environment(values):
                yield
        finally:
            with exclusive(home / "run" / "start.lock"):
                _stop_if_last(home, descriptor)
    finally:
        os.close(descriptor)


def destroy(home: Path) -> None:
    """Stop the services of a home and delete it, with its database. For homes of tests."""
    if home.exists():
        _stop_valkeys(home)
        postgres.stop(home)
        postgres.remove(home)
        shutil.rmtree(home)


def is_given(name: str) -> bool:
    """Return whether a setting is given in the environment, by itself or as the path of a file."""
    return bool(os.environ.get(name) or os.environ.get(f"{name}_FILE"))


def _start(home: Path) -> dict[str, str]:
    values = {
        **secrets(home),
        "LAKE_URL": (home / "lake").as_uri(),
        "EMAIL_URL": f"filemail:/{(home / 'mail').as_uri().removeprefix('file:')}",
        "CROWDTRACE_HOME": str(home),
        "CROWDTRACE_EMBEDDED": "1",
    }
    for name, store in STORES.items():
        if not is_given(name):
            values[name] = valkey.url(home, valkey.ensure(home, store))
    if not is_given("DATABASE_URL"):
        values["DATABASE_URL"] = postgres.url(home, postgres.ensure(home))
    return {name: value for name, value in values.items() if not is_given(name)}


def _stop_if_last(home: Path, descriptor: int) -> None:
    if try_lock(descriptor):
        try:
            _stop_valkeys(home)
        finally:
            postgres.stop(home)


def _stop_valkeys(home: Path) -> None:
    for store in STORES.values():
        valkey.stop(home, store)


@contextmanager
def _environment(values: dict[str, str]) -> Iterator[None]:
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in values.items():
            if os.environ.get(name) == value:
                del os.environ[name]
