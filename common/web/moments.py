"""The moment at which a response is sent. The request alone determines it, so its time reveals nothing else.

The first moment is later than the slowest cause of a response, further ones follow at equal steps, counted from when
the request was read. A response waits for the first moment that it has not missed, and then for a part of `spread`,
which hides what an idle processor still adds to the moment, fractions of a millisecond by cause. The part is random, or
determined by what the view names with `spread_by` and by the minute: all repeats of one thing then wait equally, so
that neither their mean nor their minimum reveals more than one of them does. Of two causes that differ by `d` seconds
after the moment, one response takes longer than the other with a probability of at most 0.5 + d / spread. If the server
misses the first moment, the time shows in which step the response was ready. Waiting takes no thread.
"""

import asyncio
import datetime as dt
import math
import random
from dataclasses import dataclass
from typing import Final

from django.conf import settings
from django.http.response import HttpResponseBase

from common.crypto import keyed_hash

_RANDOM: Final = random.SystemRandom()


@dataclass(frozen=True, slots=True)
class Moments:
    """The moments of one URL, in seconds after arrival.

    `first` for a body without length, `per_kib` more for each 1,024 bytes of it (what is decided grows with what is
    sent), `step` between the further ones, and `spread`, of which a part is added to each.
    """

    first: float
    step: float
    spread: float
    per_kib: float = 0.0

    def after(self, seconds: float, body_bytes: int) -> float:
        """Return the first moment not before `seconds`, for a body of `body_bytes`, without its part of the spread."""
        first = self.first + self.per_kib * body_bytes / 1024
        return first + self.step * max(0, math.ceil((seconds - first) / self.step))


def moments_of(path: str) -> Moments | None:
    """Return the moments of a URL's path; `None` if a response is sent as soon as it is ready."""
    given = settings.ANSWER_MOMENTS.get(path)
    return None if given is None else Moments(**given)


def spread_by(response: HttpResponseBase, name: bytes, now: dt.datetime) -> None:
    """Let a response wait like every other one that has this name in this minute. The name is stored nowhere."""
    digest = keyed_hash("moment", int(now.timestamp() // 60).to_bytes(8, "big") + name)
    response.moment_part = int.from_bytes(digest[:6], "big") / 2**48  # type: ignore[attr-defined]


async def wait_for_moment(moments: Moments, arrived: float, body_bytes: int, part: float | None = None) -> None:
    """Wait until the next moment and a part of its spread.

    `arrived` is when the request was read, in seconds by the clock of the running loop. `part` is from 0 to 1, random
    by default.
    """
    clock = asyncio.get_running_loop().time
    spread = moments.spread * (_RANDOM.random() if part is None else part)
    await asyncio.sleep(arrived + moments.after(clock() - arrived, body_bytes) + spread - clock())
