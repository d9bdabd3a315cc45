"""Restore a backup into an empty deployment, or over an existing one with `replace`.

    check -> files of the lake -> logs -> database -> pointers -> sweep -> migrate -> tickets -> erasures again

Everything from the backup is checked before anything changes. Repeat an interrupted restore with `replace`.
"""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import DatabaseError
from django.db.migrations.loader import MigrationLoader

import embedded
from common.logs import kind_of
from common.tables import close_connections
from exports import conf
from exports.backup import database, keys, lake
from exports.backup.folder import DUMP, BackupError, Manifest, check_files, read_manifest
from exports.dataset.tables import VERIFIED
from exports.lake.deployment import lake_as_it_is, storage

AFTERWARDS: Final = (("migrate", "--verbosity", "0"), ("restored",), ("forget", "--again"))
"""Commands that complete a restore."""
AGAIN: Final = "Remove the cause, then begin again with --replace; start no server before."


def check_backup(*, folder: Path) -> Manifest:
    """Return the manifest of a complete backup that this version can read; raise `BackupError`."""
    manifest = read_manifest(folder)
    known = MigrationLoader(None, ignore_no_migrations=True).disk_migrations
    newer = [f"{app}.{name}" for app, name in manifest.migrations.items() if (app, name) not in known]
    if newer:
        raise BackupError(
            f"The backup was made by a newer version of CrowdTrace (it has {newer[0]}): restore it with that version."
        )
    check_files(folder, manifest)
    return manifest


def restore(*, folder: Path, secrets: Path | None, logs: Path | None, replace: bool) -> Manifest:
    """Restore database and lake, and repeat the erasures since the backup. Raise `BackupError`."""
    manifest = check_backup(folder=folder)
    given = keys.read_secrets(secrets) if secrets is not None else keys.present()
    keys.refuse_others(given, manifest.keys)
    if secrets is not None and not settings.EMBEDDED and given != keys.present():
        raise BackupError("The secrets in the environment differ from those of --secrets: set these first.")
    if logs is not None and not any((logs / each).is_dir() for each in lake.LOG_FOLDERS):
        raise BackupError(f"{logs} has neither {' nor '.join(lake.LOG_FOLDERS)}: name the lake's folder, or a copy.")
    _refuse_served()
    _refuse_to_overwrite(manifest, replace=replace)
    if secrets is not None and settings.EMBEDDED:
        embedded.put_secrets(embedded.home(), given)
    try:
        _put_back(folder, manifest, logs)
    except BackupError:
        raise
    except Exception as error:
        raise BackupError(f"The restore is not finished: {kind_of(error)}. {AGAIN}") from error
    _run_afterwards(given)
    return manifest


def _put_back(folder: Path, manifest: Manifest, logs: Path | None) -> None:
    files = storage()
    lake.put_back(files, manifest.tables, folder, manifest.files, old=manifest.lake)
    for each in (folder / manifest.logs, *([logs] if logs else [])):
        lake.put_logs(files, each)
    database.clear()
    database.restore(folder / DUMP)
    with lake_as_it_is() as opened:
        lake.point(opened, manifest.tables)
        if VERIFIED.name in manifest.tables:
            lake.remove_unreached(opened)


def _refuse_served() -> None:
    """Refuse while servers or workers have connections: they would write during the replacement."""
    if (open_sessions := database.others()) > 0:
        raise BackupError(
            f"{open_sessions} other sessions are in the database: stop web servers, worker and schedule first."
        )


def _refuse_to_overwrite(manifest: Manifest, *, replace: bool) -> None:
    if replace:
        return
    if not database.is_empty():
        raise BackupError(
            "The database is not empty: a restore would delete what is in it. Restore into an empty one, or give "
            "--replace."
        )
    if lake.holds_rows(storage(), manifest.files):
        raise BackupError(
            "The lake has data files that the backup does not have: a restore would no longer name them, and remove "
            "rows of the verified tier. Move them away, or give --replace."
        )


def _run_afterwards(given: Mapping[str, str]) -> None:
    """Migrate, account for tickets, and repeat erasures, with the secrets of the backup."""
    for command in AFTERWARDS:
        try:
            if given == keys.present():
                call_command(*command)
            else:
                _run_apart(command, given)
        except (CommandError, DatabaseError, subprocess.CalledProcessError) as error:
            raise BackupError(
                f"The restore is not finished: manage.py {' '.join(command)} failed ({kind_of(error)}). {AGAIN}"
            ) from error
    close_connections()


def _run_apart(command: tuple[str, ...], given: Mapping[str, str]) -> None:
    """Run a command in a separate process, because its secrets differ from those of this one."""
    subprocess.run(
        [sys.executable, str(settings.BASE_DIR / "manage.py"), *command],
        env={**os.environ, **given, "DATABASE_URL": conf.database_url()},
        check=True,
    )
