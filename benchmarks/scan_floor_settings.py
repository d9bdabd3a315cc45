"""Settings of the scan benchmark: those of the product, the floor's address beside its own, and room for the load."""

from crowdtrace.settings import *  # noqa: F403
from crowdtrace.settings import THROTTLES

ROOT_URLCONF = "benchmarks.scan_floor"
THROTTLES = THROTTLES | {"device": "1000000/second", "address": "1000000/second"}
