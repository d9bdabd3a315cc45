"""Cursors: where to continue a truncated result. They name the query, its release and the next row, and are signed.

Several threads return the rows of a query without ORDER BY in any order. So results that can be continued are computed
by one thread, which returns equal tables in the same order each time.
"""

import hashlib
from dataclasses import dataclass
from typing import Final, Self

from django.core import signing

SALT: Final = "query-cursor"


class CursorError(ValueError):
    """A cursor is invalid, or belongs to another query."""


@dataclass(frozen=True)
class Cursor:
    """The row to continue with, from 0, and the number of the release to read."""

    start: int
    release: int

    @classmethod
    def read(cls, text: str, *, sql: str, dialect: str) -> Self:
        """Read a cursor of this query; raise `CursorError`."""
        try:
            start, release, digest = signing.Signer(salt=SALT).unsign_object(text)
        except (signing.BadSignature, ValueError, TypeError):
            raise CursorError("This is no cursor of an answer: send `next` of the answer before, unchanged.") from None
        if digest != _digest(sql, dialect):
            raise CursorError("This cursor belongs to another query: send the same text and dialect with it.")
        return cls(int(start), int(release))

    def text(self, *, sql: str, dialect: str) -> str:
        """Return the cursor as text."""
        return signing.Signer(salt=SALT).sign_object([self.start, self.release, _digest(sql, dialect)])


def _digest(sql: str, dialect: str) -> str:
    return hashlib.sha256(f"{dialect}\n{sql}".encode()).hexdigest()[:32]
