"""When a response is sent: at a moment determined by the request alone, so that its time reveals nothing else.

The first moment is later than the slowest cause of a response, further ones follow at equal steps, counted from when
the request was read. A response waits for the first moment that it has not missed, and then for a random part of
`spread`, which hides what an idle processor still adds to the moment, fractions of a millisecond by cause. Of two
causes that differ by `d` seconds after the moment, one response takes longer than the other with a probability of at
most 0.5 + d / spread. If the server misses the first moment, the time shows in which step the response was ready.
Waiting takes no thread.
"""

import asyncio
import math
import random
from dataclasses import dataclass
from typing import Final

from django.conf import settings

_RANDOM: Final = random.SystemRandom()


@dataclass(frozen=True, slots=True)
class Moments:
    """The moments of one URL, in seconds after arrival.

    `first` for a body without length, `per_kib` more for each 1,024 bytes of it (what is decided grows with what is
    sent), `step` between the further ones, and `spread`, below which a random part is added to each.
    """

    first: float
    step: float
    spread: float
    per_kib: float = 0.0

    def after(self, seconds: float, body_bytes: int) -> float:
        """Return the first moment not before `seconds`, for a body of `body_bytes`, without its random part."""
        first = self.first + self.per_kib * body_bytes / 1024
        return first + self.step * max(0, math.ceil((seconds - first) / self.step))


def moments_of(path: str) -> Moments | None:
    """Return the moments of a URL's path; `None` if a response is sent as soon as it is ready."""
    given = settings.ANSWER_MOMENTS.get(path)
    return None if given is None else Moments(**given)


async def wait_for_moment(moments: Moments, arrived: float, body_bytes: int) -> None:
    """Wait until the next moment and its random part.

    `arrived` is when the request was read, in seconds by the clock of the running loop.
    """
    clock = asyncio.get_running_loop().time
    leaves = arrived + moments.after(clock() - arrived, body_bytes) + moments.spread * _RANDOM.random()
    await asyncio.sleep(leaves - clock())
