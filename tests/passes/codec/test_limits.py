"""The protocol's numbers; `tests/frontend/limits.test.mjs` holds what the browser has of them to the same file."""

import json
from pathlib import Path
from typing import Any, Final

from passes.codec import limits
from risk.model import shield

LIMITS: Final[dict[str, Any]] = json.loads((Path(__file__).parents[2] / "data" / "limits.json").read_text())


def test_the_numbers_are_those_of_the_protocol() -> None:
    assert {
        "SLOTS": limits.SLOTS,
        "SLOT_SECONDS": limits.SLOT_SECONDS,
        "EPOCH_SECONDS": limits.EPOCH_SECONDS,
        "CHECKIN_LEAD_SECONDS": limits.CHECKIN_LEAD_SECONDS,
        "PASSES_PER_EPOCH": limits.PASSES_PER_EPOCH,
        "COUNTED_PASSES": limits.COUNTED_PASSES,
        "UNMARKED_ONE_IN": limits.UNMARKED_ONE_IN,
        "VISIT_RETENTION_DAYS": limits.VISIT_RETENTION.days,
        "OLDEST_TEST_DAYS": limits.OLDEST_TEST.days,
        "FULL_DAYS": shield.FULL_DAYS,
        "GONE_DAYS": shield.GONE_DAYS,
    } == LIMITS
    assert limits.EPOCH_LENGTH.total_seconds() == limits.EPOCH_SECONDS
