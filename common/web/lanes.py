"""Threads that answer requests, in lanes: a request takes a thread of its own lane and of no other."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Done = TypeVar("Done")


class Full(Exception):
    """Every thread of the lane works, and nobody may wait, or nobody was done in time."""


class Lane:
    """Threads, the requests that may wait for one, and how many seconds they wait at most.

    Used from the event loop alone, which is why its counters need no lock.
    """

    def __init__(self, name: str, *, threads: int, queue: int, seconds: float) -> None:
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix=name)
        self._free = asyncio.Semaphore(threads)
        self._queue = queue
        self._seconds = seconds
        self._waiting = 0

    async def run(self, work: Callable[[], Done]) -> Done:
        """Do the work in a thread and return what it returns; raises `Full`."""
        await self._take()
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, work)
        finally:
            self._free.release()

    async def _take(self) -> None:
        if not self._free.locked():
            await self._free.acquire()
            return
        if self._waiting >= self._queue:
            raise Full
        self._waiting += 1
        try:
            async with asyncio.timeout(self._seconds):
                await self._free.acquire()
        except TimeoutError:
            raise Full from None
        finally:
            self._waiting -= 1
