#!/usr/bin/env python
"""Run a command of CrowdTrace. In the embedded mode it starts the services it needs and stops them again."""

import contextlib
import os
import signal
import sys
from types import FrameType

import embedded

WITHOUT_SERVICES = {
    "check",
    "collectstatic",
    "compilemessages",
    "diffsettings",
    "findstatic",
    "forecast",
    "help",
    "makemessages",
    "score",
    "spectacular",
    "version",
}
"""Commands that read neither database nor broker."""
ON_TABLES_AS_THEY_ARE = {
    "backup",
    "dbshell",
    "makemigrations",
    "migrate",
    "optimizemigration",
    "restore",
    "showmigrations",
    "sqlmigrate",
}
"""Commands about the tables themselves, and what must see them before they are brought up to date."""


def needs_services(arguments: list[str]) -> bool:
    """Return whether a command line uses database or broker, and their URLs are not set."""
    asks_for_help = not arguments or any(option in arguments for option in ("-h", "--help", "--version"))
    return not (asks_for_help or arguments[0] in WITHOUT_SERVICES or embedded.is_given("DATABASE_URL"))


def main() -> None:
    """Run the command line."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "crowdtrace.settings")
    # Exit in the same way as with Ctrl-C, so that the services are stopped.
    signal.signal(signal.SIGTERM, _leave)
    signal.signal(signal.SIGHUP, _leave)
    try:
        starts = needs_services(sys.argv[1:])
        with embedded.services(embedded.home()) if starts else contextlib.nullcontext():
            _run(on_fresh_tables=starts and sys.argv[1] not in ON_TABLES_AS_THEY_ARE)
    except (embedded.HomeError, embedded.ServiceError) as error:
        sys.exit(str(error))
    except KeyboardInterrupt:
        sys.exit(128 + signal.SIGINT)


def _run(*, on_fresh_tables: bool) -> None:
    import django
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line

    try:
        if not on_fresh_tables:
            execute_from_command_line(sys.argv)
            return
        django.setup()
        from common.tables import apply_migrations, close_connections

        apply_migrations()
        try:
            execute_from_command_line(sys.argv)
        finally:
            close_connections()
    except ImproperlyConfigured as error:
        sys.exit(str(error))


def _leave(number: int, _frame: FrameType | None) -> None:
    sys.exit(128 + number)


if __name__ == "__main__":
    main()
