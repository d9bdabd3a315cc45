"""Limits of one query: the length of its text, and what it may use while it runs."""

from dataclasses import dataclass
from typing import Final

MAX_CHARACTERS: Final = 20_000
"""A longer query is refused before it is parsed."""


@dataclass(frozen=True)
class Limits:
    """What one query may use; `parallel` queries run at once on this machine."""

    seconds: float = 30.0
    memory_mb: int = 1024
    threads: int = 2
    max_rows: int = 10_000
    max_output_bytes: int = 16 * 1024 * 1024
    parallel: int = 4
    wait_seconds: float = 2.0
