"""Numbers of the pass protocol, each defined only here; `docs/protocol.md` states them for other clients.

`passes/frontend/core/epoch.js` has the ones that a browser needs; tests compare both with `tests/data/limits.json`.
"""

import datetime as dt
from typing import Final

SLOTS: Final = 1680
"""Number of rotating codes of a pass, which are numbered from 1."""
SLOT_SECONDS: Final = 60
EPOCH_SECONDS: Final = SLOTS * SLOT_SECONDS
"""28 hours: a day and four hours, so that a party may continue after midnight. No stay is longer."""
EPOCH_LENGTH: Final = dt.timedelta(seconds=EPOCH_SECONDS)
CHECKIN_LEAD_SECONDS: Final = 24 * 3600
"""Check-in opens this long before the epoch starts."""
TICKETS_LEAD_SECONDS: Final = 15 * 24 * 3600
"""Keys of tickets are public this long before their epoch starts, and until its check-in closes."""
PASSES_PER_EPOCH: Final = 16
"""Tickets that one secret draws in an epoch, and so the largest number of its passes and refusals."""
COUNTED_PASSES: Final = 3
"""Number of the first of these tickets, whose passes may count in the open dataset: bounds one secret's effect."""
MOST_DRAWS: Final = 15
"""Largest number of epochs in one draw."""
UNMARKED_ONE_IN: Final = 10
"""One in this number of these passes is unmarked by a coin, so that a rare unmarked pass identifies nobody."""
FASTEST_SURVEY_S: Final = 2
"""Four questions that were answered in fewer seconds were not read: such a pass is in no crowd and no release."""
VISIT_RETENTION: Final = dt.timedelta(days=14)
"""Visits, answers and ratings are kept this long after the end of their epoch."""
OLDEST_TEST: Final = dt.timedelta(days=28)
"""Older tests say nothing about visits that are still stored."""
