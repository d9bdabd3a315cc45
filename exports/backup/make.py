"""Make a backup while doors, worker and schedule keep running.

The lock of the verified tier is held for the moment in which the database's snapshot is taken and the catalogue's
pointers are read, so that no erasure and no publication of verified rows happens between the two. A release may; it
can be resumed from any step, as after a crash. Then the snapshot is dumped, and the files that the pointers reach are
copied. These never change; if an erasure removes one before it is copied, both steps are repeated. The logs are copied
last, so that they include every erasure and draw that dump and files may lack.
"""

import datetime as dt
import shutil
from contextlib import ExitStack
from pathlib import Path
from typing import Final

from common.logs import kind_of
from common.tables import migrations_missing
from common.time import z
from common.version import crowdtrace_version
from exports import conf
from exports.backup import database, keys, lake
from exports.backup.folder import (
    DUMP,
    LAKE,
    LOGS,
    BackupError,
    File,
    Manifest,
    make_empty,
    measured,
    read_manifest,
    with_files,
    write_manifest,
)
from exports.lake.deployment import deployment_lake, storage
from exports.lake.storage import local_path
from exports.locks import VERIFIED_TIER, holding
from passes.services.mixing import mix_rows

TRIES: Final = 3
_FIRST_LOGS: Final = f"{LOGS}1"


def has_tables() -> bool:
    """Return whether there is something to back up."""
    return bool(database.migrations())


def back_up(*, folder: Path, secrets: Path | None, now: dt.datetime) -> Manifest:
    """Write a complete backup into a new folder. After a `BackupError`, the folder may remain, without a manifest."""
    migrations = database.migrations()
    _refuse_inside(folder)
    make_empty(folder)
    if secrets is not None:
        keys.write_secrets(secrets, backup=folder)
    try:
        tables, files = _taken(folder)
        files |= lake.copy_logs(storage(), folder, _FIRST_LOGS)
    except BackupError:
        raise
    except Exception as error:
        raise BackupError(f"The backup is not whole: {kind_of(error)}. Remove {folder} and begin again.") from error
    manifest = Manifest(
        version=crowdtrace_version(),
        made_at=z(now),
        migrations=migrations,
        keys=keys.marks(keys.present()),
        lake=storage().url,
        catalogue="postgres" if conf.glue_endpoint() is None else "glue",
        tables=tables,
        logs=_FIRST_LOGS,
        logs_at=z(now),
        files=files,
    )
    write_manifest(folder, manifest)
    return manifest


def renew_logs(*, folder: Path, now: dt.datetime) -> Manifest:
    """Replace the logs of a complete backup by the current ones, so that it includes later erasures and draws."""
    manifest = read_manifest(folder)
    number = int(manifest.logs.removeprefix(LOGS)) + 1
    name = f"{LOGS}{number}"
    shutil.rmtree(folder / name, ignore_errors=True)  # left by an interrupted renewal
    kept = {path: file for path, file in manifest.files.items() if not path.startswith(f"{manifest.logs}/")}
    renewed = with_files(manifest, kept | lake.copy_logs(storage(), folder, name), logs=name, logs_at=z(now))
    write_manifest(folder, renewed)
    shutil.rmtree(folder / manifest.logs, ignore_errors=True)
    return renewed


def _taken(folder: Path) -> tuple[dict[str, str], dict[str, File]]:
    """Write a consistent dump and copy of files; return the catalogue's pointers and the files."""
    for _ in range(TRIES):
        try:
            return _take(folder, erasures_wait=False)
        except lake.MovedError:
            shutil.rmtree(folder / LAKE, ignore_errors=True)
    return _take(folder, erasures_wait=True)


def _take(folder: Path, *, erasures_wait: bool) -> tuple[dict[str, str], dict[str, File]]:
    """Try once; `erasures_wait`: make erasures wait until everything is copied. Raise `lake.MovedError`."""
    with ExitStack() as stack, deployment_lake() as opened:
        lock = stack.enter_context(ExitStack())
        lock.enter_context(holding(VERIFIED_TIER))
        if not migrations_missing():
            mix_rows()  # a dump keeps the order of rows, which shows what one request wrote until they are mixed
        snapshot = stack.enter_context(database.snapshot())
        tables = lake.pointers(opened)
        if not erasures_wait:
            lock.close()
        database.dump(folder / DUMP, snapshot=snapshot)
        with (folder / DUMP).open("rb") as dumped:
            files = {DUMP: measured(dumped)}
        return tables, files | lake.copy_out(opened, tables, folder)


def _refuse_inside(folder: Path) -> None:
    """Refuse a folder in the lake: sweeps would remove it, and readers would see it."""
    files = storage()
    if not files.is_s3 and folder.resolve().is_relative_to(local_path(files.url).resolve()):
        raise BackupError("The folder is in the lake: name one elsewhere.")
