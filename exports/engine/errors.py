"""Errors of a query, with their place in the text."""

from dataclasses import dataclass
from typing import Final

MOST_OF_A_DETAIL: Final = 1000
"""Characters of an error that quotes names or values of a query, which may have millions."""


@dataclass
class QueryError(Exception):
    """A query is refused or fails. `line` and `column` count from 1; `nearest` has similar known names."""

    code: str
    detail: str
    line: int | None = None
    column: int | None = None
    nearest: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        self.detail = shortened(self.detail)

    def __str__(self) -> str:
        return self.detail


class LateError(QueryError):
    """An error in the types or columns of a query: Athena accepts the text, and the query fails later."""


class QueryBusyError(Exception):
    """The maximum number of queries is running; try again later."""


def shortened(detail: str) -> str:
    """Return the text of an error with at most `MOST_OF_A_DETAIL` characters: an ellipsis replaces the middle."""
    if len(detail) <= MOST_OF_A_DETAIL:
        return detail
    half = MOST_OF_A_DETAIL // 2
    return f"{detail[: half - 2]} … {detail[1 - half :]}"


def place(sql: str, offset: int) -> tuple[int, int]:
    """Return line and column, from 1, of a character's offset in a text."""
    before = sql[: max(0, offset)]
    return before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1
