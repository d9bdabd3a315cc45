"""Random streams: one generator for each use of randomness, so that a new draw in one place changes no other draw."""

from __future__ import annotations

import hashlib
from typing import Final

import numpy as np

from common.ids import ALPHABET

_WORD: Final = 4


def stream(seed: int, *labels: str | int) -> np.random.Generator:
    """Return the generator of one use of a seed, such as `stream(7, "visits", 3)`."""
    words = hashlib.sha256("/".join(map(str, (seed, *labels))).encode()).digest()
    entropy = [int.from_bytes(words[at : at + _WORD], "big") for at in range(0, len(words), _WORD)]
    return np.random.Generator(np.random.PCG64DXSM(entropy))


def seeded_id(prefix: str, seed: int, *labels: str | int, length: int = 10) -> str:
    """Return an id in the format of `common.ids.public_id` that follows from the seed."""
    letters = stream(seed, "id", prefix, *labels).integers(0, len(ALPHABET), length)
    return f"{prefix}_" + "".join(ALPHABET[at] for at in letters)
