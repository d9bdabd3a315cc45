"""Settings of the benchmarks of scans and tickets: those of the product, and the floor's address, without limits.

With `WITHOUT_MOMENTS` in the environment answers leave as soon as they are there.
"""

import os

from crowdtrace.settings import *  # noqa: F403
from crowdtrace.settings import THROTTLES

ROOT_URLCONF = "benchmarks.scan_floor"
if os.environ.get("WITHOUT_MOMENTS"):
    ANSWER_MOMENTS = {}
THROTTLES = THROTTLES | dict.fromkeys(
    ("device", "address", "code", "batch", "queued", "draw", "signing"), "1000000/second"
)
