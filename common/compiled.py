"""Loops that run as machine code."""

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba

F = TypeVar("F", bound=Callable[..., Any])


def compiled(function: F) -> F:
    """`numba.njit` with a cache on disk, beside the function's file, where one can be written."""
    try:
        return cast(F, numba.njit(cache=True, nogil=True, error_model="numpy")(function))
    except RuntimeError:  # no writable place for the cache
        return cast(F, numba.njit(nogil=True, error_model="numpy")(function))
