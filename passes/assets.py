"""Addresses of built files that change with their content, so that a page never meets a script of another version."""

import hashlib
from functools import lru_cache
from pathlib import Path

from django.contrib.staticfiles import finders
from django.templatetags.static import static


def content(name: str) -> bytes:
    """The bytes of a static file; FileNotFoundError for an unknown name."""
    found = finders.find(name)
    if not isinstance(found, str):
        raise FileNotFoundError(name)
    return Path(found).read_bytes()


@lru_cache(maxsize=256)
def address(name: str) -> str:
    """Where browsers find a static file: its address with a short hash of its content. Computed once a process."""
    return f"{static(name)}?v={hashlib.sha256(content(name)).hexdigest()[:10]}"
