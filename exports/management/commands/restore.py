"""`manage.py restore FOLDER [--secrets FILE] [--logs FOLDER] [--replace]`: restore a backup."""

from pathlib import Path
from typing import Any

import psycopg
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import OperationalError

from common.tables import close_connections
from exports.backup import restore
from exports.backup.folder import BackupError


class Command(BaseCommand):
    """Restore with servers stopped; erasures since the backup are repeated before it ends."""

    help = "Restore a backup into an empty database and lake. Stop web servers, worker and schedule first."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the folder and the options."""
        parser.add_argument("folder", type=Path, help="a folder that backup wrote")
        parser.add_argument("--secrets", type=Path, metavar="FILE", help="the file that backup --secrets wrote")
        parser.add_argument(
            "--logs", type=Path, metavar="FOLDER", help="newer erasures/ and draws/, of a surviving lake"
        )
        parser.add_argument("--replace", action="store_true", help="delete what is in the database and the lake now")
        parser.add_argument("--check", action="store_true", help="only check that the backup is whole")

    def handle(self, *args: Any, **options: Any) -> None:
        """Check, and restore."""
        folder = options["folder"].absolute()
        close_connections()  # each step must have the only session in the database
        try:
            if options["check"]:
                made = restore.check_backup(folder=folder)
                self.stdout.write(f"Whole: {len(made.files)} files of {made.made_at}, logs of {made.logs_at}.")
                return
            made = restore.restore(
                folder=folder, secrets=options["secrets"], logs=options["logs"], replace=options["replace"]
            )
        except BackupError as error:
            raise CommandError(str(error)) from error
        except (psycopg.OperationalError, OperationalError) as error:
            raise CommandError("The database does not answer. Look at DATABASE_URL, and whether it runs.") from error
        self.stdout.write(
            f"Restored: the backup of {made.made_at}. Erasures and draws are known until {made.logs_at} at least.\n"
            "Days that were released after it come back, as they were, with the next night or `manage.py release`."
        )
