"""`manage.py october`: publish the sixteen days of October 2020 in a demonstration's lake."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from common.time import utc_now
from crowdtrace.town.october import ensure_october


class Command(BaseCommand):
    """The command that publishes those days if they are missing."""

    help = "Publish 1 to 16 October 2020 of a simulated town in the demonstration's lake; the first start does this."

    def handle(self, *args: Any, **options: Any) -> None:
        """Publish."""
        if not settings.EMBEDDED:
            raise CommandError("The demonstration is for the embedded mode, in which DATABASE_URL is not set.")
        self.stdout.write("Published." if ensure_october(now=utc_now()) else "They are already published.")
