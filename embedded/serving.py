"""Who serves a home, and where: at most one web server a home, known to every command beside it."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .home import replace_private
from .locks import open_lock, try_lock
from .processes import wait_until

NOTICE_SECONDS = 1.0
"""The time that one who was just told to stop needs to say so."""
STOPPING_SECONDS = 25.0
"""Longer than a supervisor takes to end its programs, and the services after them."""


def served_url(home: Path) -> str | None:
    """Return the address at which this home is being served, None when nobody serves it."""
    path = home / "run" / "serve.lock"
    if not path.exists():
        return None
    descriptor = open_lock(path)
    try:
        if try_lock(descriptor, shared=True):
            return None
    finally:
        os.close(descriptor)
    try:
        return str(json.loads((home / "run" / "serve.json").read_text())["url"])
    except (OSError, ValueError, KeyError):
        return None


def note_stopping(home: Path) -> None:
    """Tell who wants to serve this home next that it need only wait."""
    (home / "run" / "serve.json").unlink(missing_ok=True)


@contextmanager
def serving(home: Path, url: str) -> Iterator[bool]:
    """Be the one who serves this home while inside; False when another already does.

    One that is stopping is waited for: `make run` that was killed and started again meets its former self.
    """
    descriptor = open_lock(home / "run" / "serve.lock")
    try:
        is_ours = wait_until(lambda: try_lock(descriptor), seconds=NOTICE_SECONDS)
        if not is_ours and served_url(home) is None:
            is_ours = wait_until(lambda: try_lock(descriptor), seconds=STOPPING_SECONDS)
        if is_ours:
            replace_private(home / "run" / "serve.json", json.dumps({"url": url}))
        yield is_ours
    finally:
        os.close(descriptor)
