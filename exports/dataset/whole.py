"""The whole tables of this deployment's releases as files; see `exports.lake.whole`."""

import logging

from django.db import connection, transaction

from exports.lake.deployment import lake_as_it_is, storage
from exports.lake.files import StoredFile
from exports.lake.whole import held_files, make_files, remove_others
from exports.models import Release
from exports.selectors import tables_at

log = logging.getLogger(__name__)


def whole_files(release: Release) -> list[StoredFile]:
    """Return the whole files of an announced release, after creating them if they are missing. Raise `OSError`."""
    number = release.number or 0
    if found := held_files(storage(), number):
        return found
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended('crowdtrace/exports/whole', 0))")
        if found := held_files(storage(), number):
            return found
        with lake_as_it_is() as lake:
            return make_files(lake, release.snapshots, number)


def renew_whole_files() -> None:
    """Create the whole files of the newest release, and remove those of older ones."""
    release = tables_at().release
    if release is None:
        return
    try:
        whole_files(release)
        remove_others(storage(), release.number or 0)
    except OSError as error:
        log.error("the whole files of the newest release were not created", exc_info=error)
