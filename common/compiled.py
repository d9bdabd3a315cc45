"""Compile loops to machine code."""

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba

F = TypeVar("F", bound=Callable[..., Any])


def compiled(function: F) -> F:
    """Apply `numba.njit`, with a cache on disk next to the function's file if that is writable."""
    try:
        return cast(F, numba.njit(cache=True, nogil=True, error_model="numpy")(function))
    except RuntimeError:  # no writable folder for the cache
        return cast(F, numba.njit(nogil=True, error_model="numpy")(function))
