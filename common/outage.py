"""Do without a store for a moment after it failed, so that requests do not all wait for it.

One request at a time asks a store that failed: after each rest the first one asks, and the others go on resting until
it got a response.
"""

import logging
import math
import threading
import time
from typing import Final

REST_SECONDS: Final = 2.0
LOG_EVERY_SECONDS: Final = 60.0

log = logging.getLogger(__name__)


class Outage:
    """Whether a store is left alone at present. `sentence` is logged once a minute while it fails."""

    def __init__(self, sentence: str) -> None:
        self._sentence = sentence
        self._lock = threading.Lock()
        self.clear()
        self._logged = -math.inf

    def clear(self) -> None:
        """Note that the store responded."""
        self._until = -math.inf
        self._failed = False

    def lasts(self) -> bool:
        """Return whether to do without the store; after a rest, `False` for one caller only."""
        if not self._failed:
            return False
        with self._lock:
            now = time.monotonic()
            if now < self._until:
                return True
            self._until = now + REST_SECONDS
            return False

    def note(self, error: BaseException) -> None:
        """Note a failure."""
        now = time.monotonic()
        self._failed, self._until = True, now + REST_SECONDS
        if now - self._logged >= LOG_EVERY_SECONDS:
            self._logged = now
            log.warning(self._sentence, exc_info=error)  # the sentence itself: values of a line are left out of the log
