"""`manage.py restored`, after a backup was restored and before servers start."""

from typing import Any

from django.core.management.base import BaseCommand

from common.time import utc_now
from passes import ticket_keys


class Command(BaseCommand):
    """Notes what a backup cannot know of tickets."""

    help = "After a restore: leave days whose ticket keys were public out of the release, and make no lost key again."

    def handle(self, *args: Any, **options: Any) -> None:
        """Note it."""
        lost = ticket_keys.note_restore(utc_now())
        self.stdout.write(f"Days whose ticket keys are lost, so that no tickets of them are given: {lost}.")
