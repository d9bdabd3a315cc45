"""Reference counting of the services of a home: the first user starts them, the last one stops them.

Every user holds a shared lock on `run/users.lock`. An exiting user tries to take it exclusively; if that succeeds, it
is the last one and stops the services. Starting and stopping are serialised by `run/start.lock`, so that nobody starts
what another process is stopping. Both locks belong to the kernel, so a user that was killed no longer counts. Services
that a killed last user left running are reused by the next one.
"""

import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from . import postgres, valkey
from .home import secret, secrets
from .locks import exclusive, open_lock, try_lock
from .processes import Record

STORES = {"REDIS_URL": valkey.BROKER, "LIMITS_URL": valkey.LIMITS}


@dataclass(frozen=True)
class Service:
    """One service: its display name, the setting for its URL, the name of its password, its files, its start."""

    title: str
    setting: str
    password: str
    record: Path
    log: Path
    start: Callable[[], str]
    """Return the URL once it is running."""


@contextmanager
def services(home: Path) -> Iterator[None]:
    """Keep PostgreSQL and both Valkeys of a home running, with their URLs in the environment, inside this context.

    Set `DATABASE_URL`, `REDIS_URL`, `LIMITS_URL`, `SECRET_KEY`, `PEPPER`, `MASTER_KEY`, `LAKE_URL`, `EMAIL_URL`,
    `CROWDTRACE_HOME` and `CROWDTRACE_EMBEDDED`, except those that are already set (directly or as `*_FILE`). A service
    whose URL is already set is not started.
    """
    for name in ("run", "log", "lake", "mail"):
        (home / name).mkdir(mode=0o700, exist_ok=True)
    descriptor = open_lock(home / "run" / "users.lock")
    try:
        with exclusive(home / "run" / "start.lock"):
            try_lock(descriptor, shared=True)  # held exclusively only inside start.lock, so this never waits
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


def revive(home: Path, *, report: Callable[[str], None]) -> dict[str, str]:
    """Restart the services started by `services` that have ended; return the URLs that changed.

    Call it inside `services`. Raise `ServiceError` for a service that does not start.
    """
    ended = [each for each in _services(home) if _is_ours(home, each) and Record.read(each.record) is None]
    changed = {}
    for service in ended:
        began = time.monotonic()
        report(f"{service.title} ended and is being restarted; see {service.log}.")
        with exclusive(home / "run" / "start.lock"):
            address = service.start()
        report(f"{service.title} is running again after {time.monotonic() - began:.1f} s.")
        if os.environ[service.setting] != address:
            changed[service.setting] = os.environ[service.setting] = address
    return changed


def destroy(home: Path) -> None:
    """Stop the services of a home and delete it, with its database. For homes of tests."""
    if home.exists():
        _stop_valkeys(home)
        postgres.stop(home)
        postgres.remove(home)
        valkey.forget(home)
        shutil.rmtree(home)


def is_given(name: str) -> bool:
    """Return whether a setting is in the environment, directly or as the path of a file."""
    return bool(os.environ.get(name) or os.environ.get(f"{name}_FILE"))


def _start(home: Path) -> dict[str, str]:
    values = {
        **secrets(home),
        "LAKE_URL": (home / "lake").as_uri(),
        "EMAIL_URL": f"filemail:/{(home / 'mail').as_uri().removeprefix('file:')}",
        "CROWDTRACE_HOME": str(home),
        "CROWDTRACE_EMBEDDED": "1",
    }
    for service in _services(home):
        if not is_given(service.setting):
            values[service.setting] = service.start()
    return {name: value for name, value in values.items() if not is_given(name)}


def _services(home: Path) -> list[Service]:
    def start_store(store: valkey.Store) -> str:
        return valkey.url(home, valkey.ensure(home, store))

    def start_database() -> str:
        return postgres.url(home, postgres.ensure(home))

    stores = [
        Service(
            f"Valkey ({store.name})",
            setting,
            "VALKEY_PASSWORD",
            valkey.record_path(home, store),
            valkey.log_path(home, store),
            partial(start_store, store),
        )
        for setting, store in STORES.items()
    ]
    database = Service(
        "PostgreSQL",
        "DATABASE_URL",
        "POSTGRES_PASSWORD",
        postgres.record_path(home),
        postgres.log_path(home),
        start_database,
    )
    return [*stores, database]


def _is_ours(home: Path, service: Service) -> bool:
    """Return whether the URL in use is that of the home's own service: nobody else has its password."""
    return f":{secret(home, service.password)}@" in os.environ.get(service.setting, "")


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
