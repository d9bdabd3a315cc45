"""Settings of the benchmarks of scans and tickets: the product's, with the floor's URL, and without limits.

With `WITHOUT_MOMENTS` in the environment, responses are sent as soon as they are ready.
"""

import os

from crowdtrace.settings import *  # noqa: F403
from crowdtrace.settings import THROTTLES, WEB_LANE_OF

ROOT_URLCONF = "benchmarks.scan_floor"
WEB_LANE_OF = WEB_LANE_OF | {"/floor": "doors"}  # the queue of pages refuses some of 128 clients
if os.environ.get("WITHOUT_MOMENTS"):
    ANSWER_MOMENTS = {}
THROTTLES = THROTTLES | dict.fromkeys(
    ("device", "address", "code", "batch", "queued", "draw", "signing"), "1000000/second"
)
