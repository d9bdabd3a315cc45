"""Lanes of threads that process requests: a request uses a thread of its own lane only."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Done = TypeVar("Done")


class Full(Exception):
    """No thread of the lane is free and the queue is full, or no thread became free in time."""


class Lane:
    """Threads, the number of requests that may wait for one, and how many seconds they wait at most.

    Each thread calls `prepare` first.

    Used only from the event loop, so its counters need no lock.
    """

    def __init__(
        self, name: str, *, threads: int, queue: int, seconds: float, prepare: Callable[[], None] | None = None
    ) -> None:
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix=name, initializer=prepare)
        self._free = asyncio.Semaphore(threads)
        self._queue = queue
        self._seconds = seconds
        self._waiting = 0

    async def run(self, work: Callable[[], Done]) -> Done:
        """Run a function in a thread and return its result. Raise `Full`."""
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
