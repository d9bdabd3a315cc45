"""Head counts as published: coarse, so that nobody sees one person come or go."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from common.privacy import FEWEST_SHOWN
from risk.crowd.venue_days import Floats

_BANDS: Final = np.array(["empty", "quiet", "busy", "full"])
_FEW: Final = 2.0
"""Number that represents a crowd under five: the middle of 0 to 4."""


def coarse(heads: npt.ArrayLike) -> Floats:
    """Return head counts as published: all under five alike, then in steps of a half, rounded up."""
    many = np.maximum(np.asarray(heads, np.float64), FEWEST_SHOWN)
    steps = FEWEST_SHOWN * 1.5 ** np.ceil(np.log(many / FEWEST_SHOWN) / np.log(1.5) - 1e-9)
    return np.asarray(np.where(np.asarray(heads) < FEWEST_SHOWN, _FEW, steps))


def bands(heads: npt.ArrayLike, limit: float) -> npt.NDArray[np.str_]:
    """Return how full a place is: `empty` is fewer than five people, then thirds of the enforced limit."""
    many = np.asarray(heads, np.float64)
    third = (many >= limit / 3).astype(np.int64) + (many >= limit * 2 / 3)
    return np.asarray(_BANDS[np.where(many < FEWEST_SHOWN, 0, 1 + third)])


def band(heads: float, limit: float) -> str:
    """Return `bands` of one number."""
    return str(bands(heads, limit))
