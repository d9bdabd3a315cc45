"""Measure seconds from the command to a ready server: the first start of a home, and later ones.

The floor is the same home with the services only, PostgreSQL and Valkey; no start can be faster than that.

    python -m benchmarks.start [--rounds 3]
"""

import argparse
import statistics
import tempfile
import time
from pathlib import Path

import embedded
from embedded.network import free_port
from tests.live import running


def seconds_to_serve(home: Path) -> float:
    """Return the seconds of one start of `manage.py serve`, stopped as soon as it is ready."""
    port, started = free_port(), time.monotonic()
    with running(home, port):
        return time.monotonic() - started


def seconds_of_services(home: Path) -> float:
    """Return the seconds of one start of the services only."""
    started = time.monotonic()
    with embedded.services(home):
        return time.monotonic() - started


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--rounds", type=int, default=3)
    rounds: int = parser.parse_args().rounds
    with tempfile.TemporaryDirectory(prefix="crowdtrace-start-") as folder:
        home = Path(folder) / "home"
        try:
            first = seconds_to_serve(home)
            later = statistics.median(seconds_to_serve(home) for _ in range(rounds))
            floor = statistics.median(seconds_of_services(home) for _ in range(rounds))
        finally:
            embedded.destroy(home)
    print(f"first start, demonstration included: {first:.1f} s")
    print(f"later starts: {later:.1f} s; services alone (floor): {floor:.1f} s; ratio {later / floor:.1f}")


if __name__ == "__main__":
    main()
