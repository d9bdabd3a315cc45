#!/usr/bin/env python
"""Run a command of CrowdTrace. In the embedded mode it starts the services it needs and stops them again."""

import contextlib
import os
import signal
import sys
from types import FrameType

from crowdtrace.common import embedded

WITHOUT_SERVICES = {
    "check",
    "collectstatic",
    "compilemessages",
    "diffsettings",
    "findstatic",
    "help",
    "makemessages",
    "spectacular",
    "version",
}
"""Commands that read neither database nor broker."""


def needs_services(arguments: list[str]) -> bool:
    """Return whether a command line reads database or broker, and nobody gave their addresses."""
    asks_for_help = not arguments or any(option in arguments for option in ("-h", "--help", "--version"))
    return not (asks_for_help or arguments[0] in WITHOUT_SERVICES or embedded.is_given("DATABASE_URL"))


def main() -> None:
    """Run the command line."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "crowdtrace.settings")
    # Leave the way Ctrl-C leaves, so that the services are stopped.
    signal.signal(signal.SIGTERM, _leave)
    signal.signal(signal.SIGHUP, _leave)
    try:
        with embedded.services(embedded.home()) if needs_services(sys.argv[1:]) else contextlib.nullcontext():
            _run()
    except (embedded.HomeError, embedded.ServiceError) as error:
        sys.exit(str(error))
    except KeyboardInterrupt:
        sys.exit(128 + signal.SIGINT)


def _run() -> None:
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line

    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:
        sys.exit(str(error))


def _leave(number: int, _frame: FrameType | None) -> None:
    sys.exit(128 + number)


if __name__ == "__main__":
    main()
