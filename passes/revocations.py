"""When an entry of a revocation list appears, and the random entries that lists always contain. Pure.

An erasure at two venues must not add an entry to both lists at the same time. Therefore each entry appears at a
separate publication, drawn from those of the next 12 hours, and every publication adds random entries, whatever
happens. From lists alone, entries of people who act on the same half-day cannot be matched. This does not hide
everything: a venue that scanned a pass can compute its entry, and sees in which 12 hours it was revoked or erased.
"""

import hashlib
import math
import secrets
from collections.abc import Callable, Iterator
from typing import Final

from passes.codec.epochs import Epoch
from passes.codec.revocation import ENTRY_BYTES

PUBLISHED_EVERY_S: Final = 600
APPEARS_WITHIN_S: Final = 12 * 3600
"""How long an offline door may continue to admit a pass; an online one declines at once."""
RANDOM_RATIO: Final = 2 / 3
"""P(n + 1 random entries of a publication) / P(n): geometric, so that one real entry changes no probability by more
than a factor of 1.5. The mean is two per publication and epoch, 288 a day: many times what 20 passes a day add. Our
choice."""
_MOST: Final = 64  # (2/3)^64 = 5e-12


def publication_at(now: float) -> int:
    """Return the publication that is current at a time: Unix seconds."""
    return int(now) // PUBLISHED_EVERY_S * PUBLISHED_EVERY_S


def random_publication(now: float, below: Callable[[int], int] = secrets.randbelow) -> int:
    """Return one of the publications of the next 12 hours, uniformly; `below(n)` draws from 0 to n - 1."""
    return publication_at(now) + PUBLISHED_EVERY_S * (1 + below(APPEARS_WITHIN_S // PUBLISHED_EVERY_S))


def random_entries(key: bytes, *, epoch: Epoch, published_at: int) -> Iterator[bytes]:
    """Yield all random entries of an epoch in the list of one venue, as published at a time.

    They are computed from a key of the venue instead of being stored, so that each stays until its epoch ends.
    """
    first = publication_at(epoch.checkin_opens)
    for at in range(first, published_at + 1, PUBLISHED_EVERY_S):
        yield from new_random_entries(key, epoch=epoch, published_at=at)


def new_random_entries(key: bytes, *, epoch: Epoch, published_at: int) -> list[bytes]:
    """Return the random entries of an epoch that a publication adds."""
    drawn = hashlib.shake_256(b"%s|%d|%d" % (key, epoch.start, published_at)).digest(8 + _MOST * ENTRY_BYTES)
    uniform = (int.from_bytes(drawn[:8], "big") + 1) / 2**64
    count = min(_MOST, int(math.log(uniform) / math.log(RANDOM_RATIO)))
    return [drawn[8 + ENTRY_BYTES * n : 8 + ENTRY_BYTES * (n + 1)] for n in range(count)]
