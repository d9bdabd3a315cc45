"""Entries of a venue's revocation list: short keyed hashes, so that a list reveals nothing without the pass."""

from __future__ import annotations

import hmac
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

ENTRY_BYTES: Final = 8
SALT_BYTES: Final = 16


def revocation_entry(list_salt: bytes, anchor: bytes) -> bytes:
    """Return `HMAC-SHA256(list salt, anchor)[:8]`."""
    return hmac.digest(list_salt, anchor, "sha256")[:ENTRY_BYTES]


@dataclass(frozen=True, slots=True)
class RevocationList:
    """One venue's list as published at a fixed time (Unix seconds), with its own salt."""

    salt: bytes
    published_at: int
    entries: frozenset[bytes] = frozenset()

    @classmethod
    def of(cls, anchors: Iterable[bytes], *, salt: bytes, published_at: int) -> RevocationList:
        """Return the list of these anchors. Raise `ValueError` for a salt that does not have 16 bytes."""
        if len(salt) != SALT_BYTES:
            raise ValueError("a list salt has 16 bytes")
        entries = frozenset(revocation_entry(salt, anchor) for anchor in anchors)
        return cls(salt=salt, published_at=published_at, entries=entries)

    def holds(self, anchor: bytes) -> bool:
        """Return whether the pass is revoked. With a million entries, one pass in 10^13 is a false positive."""
        return revocation_entry(self.salt, anchor) in self.entries
