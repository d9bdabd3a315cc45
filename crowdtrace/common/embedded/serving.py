"""Who serves a home, and where: at most one web server a home, known to every command beside it."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .home import replace_private
from .locks import open_lock, try_lock


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


@contextmanager
def serving(home: Path, url: str) -> Iterator[bool]:
    """Be the one who serves this home while inside; False when another already does."""
    descriptor = open_lock(home / "run" / "serve.lock")
    try:
        if not try_lock(descriptor):
            yield False
            return
        replace_private(home / "run" / "serve.json", json.dumps({"url": url}))
        yield True
    finally:
        os.close(descriptor)
