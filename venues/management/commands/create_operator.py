"""Make an operator's account. The password is asked for, or read from the first line of standard input."""

import getpass
import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from common.time import utc_now
from common.web.problems import Problem
from venues.services.accounts import create_operator


class Command(BaseCommand):
    """`manage.py create_operator --username NAME`."""

    help = (
        "Make an account that verifies organisations. The password is asked for at a terminal, else read from the "
        "first line of standard input; it is never an argument, for those show in lists of processes."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The name alone."""
        parser.add_argument("--username", required=True)

    def handle(self, *args: Any, **options: Any) -> None:
        """Make it."""
        try:
            user = create_operator(username=options["username"], password=_password(), now=utc_now())
        except Problem as problem:
            raise CommandError(" ".join(str(error.detail) for error in problem.errors)) from None
        self.stderr.write(f"Operator {user.username} can log in.")


def _password() -> str:
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    first = getpass.getpass("Password: ")
    if getpass.getpass("Once more: ") != first:
        raise CommandError("The two differ.")
    return first
