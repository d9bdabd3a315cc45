"""Create an operator's account. The password is prompted for, or read from the first line of standard input."""

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
        "Create an account that verifies organisations. A terminal prompts for the password; otherwise it is read from "
        "the first line of standard input; it is never an argument, because process lists show those."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add the argument for the name."""
        parser.add_argument("--username", required=True)

    def handle(self, *args: Any, **options: Any) -> None:
        """Create the account."""
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
