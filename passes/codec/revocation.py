"""Entries of a venue's revocation list: short keyed hashes, so that a list tells nothing to who has not the pass."""

from __future__ import annotations

import hmac
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

ENTRY_BYTES: Final = 8
SALT_BYTES: Final = 16


def revocation_entry(list_salt: bytes, anchor: bytes) -> bytes:
    """`HMAC-SHA256(list salt, anchor)[:8]`."""
    return hmac.digest(list_salt, anchor, "sha256")[:ENTRY_BYTES]


@dataclass(frozen=True, slots=True)
class RevocationList:
    """One venue's list as published at a fixed time (Unix seconds), under a salt of its own."""

    salt: bytes
    published_at: int
    entries: frozenset[bytes] = frozenset()

    @classmethod
    def of(cls, anchors: Iterable[bytes], *, salt: bytes, published_at: int) -> RevocationList:
        """The list of these anchors; ValueError for a salt that has not 16 bytes."""
        if len(salt) != SALT_BYTES:
            raise ValueError("a list salt has 16 bytes")
        entries = frozenset(revocation_entry(salt, anchor) for anchor in anchors)
        return cls(salt=salt, published_at=published_at, entries=entries)

    def holds(self, anchor: bytes) -> bool:
        """Whether the pass is revoked. With a million entries, a false yes once in 10^13 passes."""
        return revocation_entry(self.salt, anchor) in self.entries
