"""Settings of the benchmarks of scans and tickets: those of the product, and the floor's address, without limits."""

from crowdtrace.settings import *  # noqa: F403
from crowdtrace.settings import THROTTLES

ROOT_URLCONF = "benchmarks.scan_floor"
THROTTLES = THROTTLES | dict.fromkeys(("device", "address", "draw", "signing"), "1000000/second")
