"""The web server of a home, and its URL: at most one per home, visible to every other command."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .home import replace_private
from .locks import open_lock, try_lock
from .processes import wait_until

NOTICE_SECONDS = 1.0
"""Time that a server which was just asked to stop needs to report it."""
STOPPING_SECONDS = 25.0
"""Longer than a supervisor takes to end its programs, and the services after them."""


def served_url(home: Path) -> str | None:
    """Return the URL at which this home is being served; `None` if it is not."""
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
    """Signal that this server is stopping, so that the next one waits for it."""
    (home / "run" / "serve.json").unlink(missing_ok=True)


@contextmanager
def serving(home: Path, url: str) -> Iterator[bool]:
    """Claim serving this home inside this context; yield `False` if another process already serves it.

    A server that is stopping is waited for: `make run` that was killed and restarted meets its predecessor.
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
