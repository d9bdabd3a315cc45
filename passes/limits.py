"""Numbers of the pass protocol, each defined here once; `docs/protocol.md` gives them to other clients.

`passes/frontend/core/epoch.js` has those that a browser needs; tests of both hold them to `tests/data/limits.json`.
"""

import datetime as dt
from typing import Final

SLOTS: Final = 1680
"""Rotating codes of a pass, numbered from 1."""
SLOT_SECONDS: Final = 60
EPOCH_SECONDS: Final = SLOTS * SLOT_SECONDS
"""28 hours: a day and four hours, so that a party may go on. No stay is longer."""
EPOCH_LENGTH: Final = dt.timedelta(seconds=EPOCH_SECONDS)
CHECKIN_LEAD_SECONDS: Final = 24 * 3600
"""Check-in opens this long before the epoch starts."""
TICKETS_LEAD_SECONDS: Final = 15 * 24 * 3600
"""Keys of tickets are public this long before their epoch starts, and until its check-in closes."""
PASSES_PER_EPOCH: Final = 16
"""Tickets that one secret draws in an epoch, and so its passes and refusals at most."""
COUNTED_PASSES: Final = 3
"""Of these tickets the first ones, whose passes may count in the open dataset: its bound on what one secret changes."""
MOST_DRAWS: Final = 15
"""Epochs of one draw."""
UNMARKED_ONE_IN: Final = 10
"""One in this number of these passes is unmarked by a coin, so that a rare unmarked pass identifies nobody."""
VISIT_RETENTION: Final = dt.timedelta(days=14)
"""Visits, answers and ratings are kept this long after the end of their epoch."""
OLDEST_TEST: Final = dt.timedelta(days=28)
"""Reports of older tests say nothing of visits that are still known."""
