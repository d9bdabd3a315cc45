"""Release a day in processes that are killed with SIGKILL, one after another, and then in one that is not.

    python -m tests.exports.dying_release DAY NOW MODULE:FUNCTION ...

Each argument names the function at whose call the next process dies. Settings of the lake come from the environment.
The modules of the release are imported once; each attempt is a fork.
"""

import datetime as dt
import importlib
import os
import signal
import sys
from typing import Any

import django

LAKE = ("LAKE_CATALOGUE_URL", "QUERY_SLOTS")


def work(day: dt.date, now: dt.datetime) -> None:
    """Release a day, as one night does."""
    from exports.release.closed_days import release_day
    from exports.release.verified import publish_day

    release_day(day=day, now=now)
    publish_day(day=day, now=now)


def die_at(place: str) -> None:
    """Kill this process when that function is called."""

    def die(*_: Any, **__: Any) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    module, _, name = place.partition(":")
    setattr(importlib.import_module(module), name, die)


def main() -> int:
    """Fork and die repeatedly; the last process lives."""
    django.setup()
    from django.conf import settings

    for name in LAKE:
        setattr(settings, name, os.environ[name])
    settings.DATASET_EPSILON = 8.0
    day, now = dt.date.fromisoformat(sys.argv[1]), dt.datetime.fromisoformat(sys.argv[2])
    importlib.import_module("exports.release.verified")
    for place in (*sys.argv[3:], ""):
        child = os.fork()
        if child == 0:
            if place:
                die_at(place)
            work(day, now)
            os._exit(0)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        expected = -signal.SIGKILL if place else 0
        if status != expected:
            sys.stderr.write(f"at {place or 'the end'}: {status}\n")
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
