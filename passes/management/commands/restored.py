"""`manage.py restored`: run after restoring a backup and before servers start."""

from typing import Any

from django.core.management.base import BaseCommand

from common.time import utc_now
from passes import ticket_keys


class Command(BaseCommand):
    """Record what a backup cannot know about tickets."""

    help = "After a restore: exclude days with published ticket keys from the release, and never recreate lost keys."

    def handle(self, *args: Any, **options: Any) -> None:
        """Record it."""
        lost = ticket_keys.note_restore(utc_now())
        self.stdout.write(f"Days whose ticket keys are lost, for which no tickets are issued: {lost}.")
