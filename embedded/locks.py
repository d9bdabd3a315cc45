"""Locks between processes. The kernel releases them with their process, so a killed one never leaves a lock behind."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .processes import ServiceError

PATIENCE_SECONDS = 120.0
"""Longer than a first start with initdb on a slow disk."""
POLL_SECONDS = 0.02


def open_lock(path: Path) -> int:
    """Open a lock file of mode 0600 that child processes running another program do not inherit."""
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


def try_lock(descriptor: int, *, shared: bool = False) -> bool:
    """Acquire the lock, or convert the held one to this kind, without waiting; return whether it is held."""
    kind = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@contextmanager
def exclusive(path: Path, *, patience: float = PATIENCE_SECONDS) -> Iterator[None]:
    """Hold a lock exclusively, waiting until it is free."""
    descriptor = open_lock(path)
    try:
        deadline = time.monotonic() + patience
        while not try_lock(descriptor):
            if time.monotonic() > deadline:
                raise ServiceError(f"Another process has held {path} for too long; stop it and start again.")
            time.sleep(POLL_SECONDS)
        yield
    finally:
        os.close(descriptor)
