"""`manage.py backup FOLDER [--secrets FILE]`: write everything that a restore needs, except the secrets, to a folder.

`manage.py backup FOLDER --logs`: renew the logs of erasures and draws in an existing backup.
"""

from pathlib import Path
from typing import Any

import psycopg
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import OperationalError

from common.tables import migrations_missing
from common.time import utc_now
from exports.backup import keys, make
from exports.backup.folder import BackupError
from passes.services.mixing import mix_rows


class Command(BaseCommand):
    """Back up while servers run, and print what is not in it."""

    help = "Back up database, lake, logs and the catalogue's pointers into a new folder; servers may keep running."

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the folder, `--secrets` and `--logs`."""
        parser.add_argument("folder", type=Path, help="a new folder; with --logs, one with a backup")
        parser.add_argument("--secrets", type=Path, metavar="FILE", help="a new file for secrets, not in the folder")
        parser.add_argument("--logs", action="store_true", help="only renew the logs of erasures and draws")

    def handle(self, *args: Any, **options: Any) -> None:
        """Back up."""
        now, folder = utc_now(), options["folder"].absolute()
        try:
            if options["logs"]:
                if options["secrets"]:
                    raise CommandError("--secrets cannot be used with --logs.")
                renewed = make.renew_logs(folder=folder, now=now)
                self.stdout.write(f"The logs in {folder} are those of {renewed.logs_at}.")
                return
            self._back_up(folder, options["secrets"])
        except BackupError as error:
            raise CommandError(str(error)) from error
        except (psycopg.OperationalError, OperationalError) as error:
            raise CommandError("The database does not answer. Look at DATABASE_URL, and whether it runs.") from error

    def _back_up(self, folder: Path, secrets: Path | None) -> None:
        if not make.has_tables():
            raise CommandError("There is nothing to back up: the database has no tables.")
        if migrations_missing():
            self.stderr.write("The tables are those of an older version: rows keep the order of their arrival.")
        else:
            mix_rows()  # otherwise rows of the day keep the order of people's requests
        made = make.back_up(folder=folder, secrets=secrets, now=utc_now())
        size = sum(file.bytes for file in made.files.values())
        self.stdout.write(f"{len(made.files)} files, {size:,} bytes, in {folder}.")
        if secrets:
            self.stdout.write(f"The secrets are in {secrets}: keep that file apart from the backup.")
        else:
            self.stdout.write("The secrets are not in it: keep them apart (--secrets FILE writes them).")
        for name, lost in keys.UNREADABLE.items():
            self.stdout.write(f"Without {name}, {lost}.")
