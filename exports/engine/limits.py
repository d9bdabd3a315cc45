"""Limits of one query: the length of its text, and the resources of its process."""

from dataclasses import dataclass
from typing import Final

MAX_CHARACTERS: Final = 20_000
"""A longer query is refused before it is parsed."""


@dataclass(frozen=True)
class Limits:
    """The resources of one query; `parallel` queries run at once in a home.

    `parse_seconds` is processor time, `seconds` wall-clock time. `memory_mb` limits all memory of a process, Python and
    libraries included, so all queries of a home together use at most `parallel` times as much; the fork servers
    that start them are not counted. `max_values` counts the cells of a result, with those inside lists, rows and maps,
    because some take no bytes.
    """

    seconds: float = 30.0
    parse_seconds: float = 1.5
    memory_mb: int = 1024
    threads: int = 2
    max_rows: int = 10_000
    max_values: int = 500_000
    max_output_bytes: int = 16 * 1024 * 1024
    parallel: int = 4
