"""URLs of built files that change with their content, so that a page never loads a script of another version."""

import hashlib
from functools import lru_cache
from pathlib import Path

from django.contrib.staticfiles import finders
from django.templatetags.static import static


def content(name: str) -> bytes:
    """Return the bytes of a static file. Raise `FileNotFoundError` for an unknown name."""
    found = finders.find(name)
    if not isinstance(found, str):
        raise FileNotFoundError(name)
    return Path(found).read_bytes()


@lru_cache(maxsize=256)
def address(name: str) -> str:
    """Return the URL of a static file with a short hash of its content, computed once in each process."""
    return f"{static(name)}?v={hashlib.sha256(content(name)).hexdigest()[:10]}"
