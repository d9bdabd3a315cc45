"""When an answer leaves: at a moment that follows from what was sent, so that its time says nothing else.

The first moment lies above the slowest cause of an answer, further ones a step apart, counted from when the request was
read. An answer waits for the first one that it has not missed. Where the server is in time for the first, time says
nothing of the cause; beyond it, it says in which step the answer was ready. Waiting takes no thread.
"""

import asyncio
import math
from dataclasses import dataclass

from django.conf import settings


@dataclass(frozen=True, slots=True)
class Moments:
    """The moments of one address, in seconds after arrival.

    `first` for a body without length, `per_kib` more for each 1,024 bytes of it (what is decided grows with what is
    sent), and `step` between the further ones.
    """

    first: float
    step: float
    per_kib: float = 0.0

    def after(self, seconds: float, body_bytes: int) -> float:
        """The first moment not before `seconds`, for a body of so many bytes."""
        first = self.first + self.per_kib * body_bytes / 1024
        return first + self.step * max(0, math.ceil((seconds - first) / self.step))


def moments_of(path: str) -> Moments | None:
    """Those of an address; `None` where an answer leaves as soon as it is there."""
    given = settings.ANSWER_MOMENTS.get(path)
    return None if given is None else Moments(**given)


async def wait_for_moment(moments: Moments, arrived: float, body_bytes: int) -> None:
    """Wait until the next moment. `arrived`: when the request was there, by the clock of the running loop."""
    clock = asyncio.get_running_loop().time
    await asyncio.sleep(arrived + moments.after(clock() - arrived, body_bytes) - clock())
