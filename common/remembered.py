"""Values that are computed once for all processes, if the cache responds; without it they are computed each time."""

from collections.abc import Callable
from typing import Final, TypeVar

from django.core.cache import cache

from common.outage import Outage

T = TypeVar("T")

outage: Final = Outage("values are computed for each request because the cache does not respond")


def remembered(name: str, make: Callable[[], T], *, seconds: float, kind: type[T]) -> T:
    """Return the value of the cache if it is of that kind, otherwise make and store it."""
    found = _recall(name)
    if isinstance(found, kind):
        return found
    made = make()
    if not outage.lasts():
        try:
            cache.set(name, made, timeout=seconds)
            outage.clear()
        except Exception as error:  # the cache's client may raise anything
            outage.note(error)
    return made


def _recall(name: str) -> object:
    if outage.lasts():
        return None
    try:
        found: object = cache.get(name)
    except Exception as error:  # the cache's client may raise anything
        outage.note(error)
        return None
    outage.clear()
    return found
