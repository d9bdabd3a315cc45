"""Versions of the estimates as a nightly run leaves them."""

import datetime as dt
from typing import Any

from risk.model.learning.posterior import NAMES
from risk.models import LearnedEstimate
from tests.factories import NOW


def make_version(number: int, **changes: Any) -> LearnedEstimate:
    """Create a version of a separate day, whose scale is learned to be 1.5 (1.2 to 1.9)."""
    summary = {name: [0.0, 0.5, -0.8, 0.8] for name in NAMES}
    summary |= {"scale": [0.405, 0.14, 0.182, 0.642], "liars": [-4.6, 0.5, -5.3, -3.9]}
    given: dict[str, Any] = {
        "version": f"{number:012x}",
        "period": 80,
        "created_at": NOW + dt.timedelta(days=number),
        "reporters": 128,
        "positives": 37,
        "prompted": 54,
        "accepted": True,
        "reason": "learned",
        "difference": 1.0,
        "standard_error": 1.0,
        "judged_positives": 12,
        "summary": summary,
    }
    return LearnedEstimate.objects.create(**(given | changes))
