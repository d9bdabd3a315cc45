"""The query engine of this deployment, with limits, sources and lock folder from the settings."""

from __future__ import annotations

import tempfile
from collections.abc import Collection, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from django.conf import settings

import embedded
from common.crypto import keyed_hash
from exports import conf
from exports.dataset.tables import LIVE_CROWD, OPEN_TABLES
from exports.engine.engine import Accepted, Source, accept
from exports.engine.introspection import INFORMATION_TABLES, Catalogue, IntrospectionQuery, information_rows
from exports.engine.limits import MAX_CHARACTERS, Limits
from exports.lake.deployment import Snapshots, lake_as_it_is, storage
from exports.models import Release

if TYPE_CHECKING:
    from exports.engine.parse import Dialect
    from exports.lake.storage import Storage


FILES: Final[dict[str, Any]] = {"max_rows": 100_000, "max_values": 5_000_000, "max_output_bytes": 64 * 1024 * 1024}
WHOLE: Final[dict[str, Any]] = {"max_rows": 1_000_000, "max_values": 50_000_000, "max_output_bytes": 1024**3}
NO_BUCKET: Final = "s3://this_deployment_has_no_bucket"
"""The bucket name that Athena's clients get if the lake is in a folder. No bucket can have underscores."""


def query_limits() -> Limits:
    """Return the limits of one query."""
    return Limits(**getattr(settings, "QUERY_LIMITS", {}))


def file_limits() -> Limits:
    """Return the limits of a query whose result is a file, which may have more rows than JSON."""
    given = getattr(settings, "QUERY_FILE_LIMITS", {})
    return replace(query_limits(), **FILES | given)


def athena_limits() -> Limits:
    """Return what a query of Athena's protocol may use: as many rows as a file, in fewer bytes, read for each page."""
    return replace(file_limits(), max_output_bytes=query_limits().max_output_bytes)


def whole_limits() -> Limits:
    """Return the limits of a query of the operator's own command, which writes rows as they are."""
    given = getattr(settings, "QUERY_WHOLE_LIMITS", {})
    return replace(query_limits(), **WHOLE | given)


def work_folder() -> Path:
    """Return the folder of locks that limit concurrent queries: of this home, or of this database on this machine."""
    if given := getattr(settings, "QUERY_SLOTS", ""):
        return Path(str(given))
    if settings.EMBEDDED:
        return embedded.home() / "queries"
    name = keyed_hash("query places", conf.database_url().encode())[:12].hex()
    return Path(tempfile.gettempdir()) / f"crowdtrace-{name}"


def accept_query(sql: str, *, dialect: Dialect, forwarded: bool = False, limits: Limits | None = None) -> Accepted:
    """Check a query on the open and the live tables in a separate process; `forwarded` ones have no live table.

    Raise `QueryError`, or `QueryBusyError` if too many are running.
    """
    offered = OPEN_TABLES if forwarded else (*OPEN_TABLES, LIVE_CROWD)
    catalogue = Catalogue(conf.database(), offered, shown_folder(), is_whole=not forwarded)
    asked = catalogue.asked(sql) if len(sql) <= MAX_CHARACTERS else IntrospectionQuery(sql)
    accepted = accept(
        asked.sql,
        dialect=dialect,
        schema=conf.database(),
        tables=[table.name for table in (*offered, *(() if forwarded else INFORMATION_TABLES))],
        limits=limits or query_limits(),
        places=work_folder(),
        runs=not forwarded,
    )
    return replace(accepted, explain=asked.explain)


def shown_folder() -> str:
    """Return the lake's URL as clients see it: that of a bucket, or a made-up one for a folder of this machine."""
    files = storage()
    return files.url if files.is_s3 else NO_BUCKET


def query_sources(
    *, release: Release | None, live: Sequence[Sequence[Any]], tables: Collection[str] = ()
) -> tuple[Source, ...]:
    """Return the open tables as of `release` (before the first one, the current ones) and the live rows.

    `tables` names views of `information_schema` to add.
    """
    offered = (*OPEN_TABLES, LIVE_CROWD)
    views = (
        Source(view, rows=information_rows(view, database=conf.database(), offered=offered))
        for view in INFORMATION_TABLES
        if view.name in tables
    )
    return (*_sources(storage(), conf.catalogue_url(), release), Source(LIVE_CROWD, rows=live), *views)


def _sources(storage: Storage, catalogue: str, release: Release | None) -> tuple[Source, ...]:
    from exports.engine.sources import open_sources

    if release is None:
        with lake_as_it_is() as lake:
            return open_sources(lake)
    return _planned(storage, catalogue, frozenset(release.snapshots.items()))


@lru_cache(maxsize=64)
def _planned(storage: Storage, catalogue: str, snapshots: Snapshots) -> tuple[Source, ...]:  # noqa: ARG001
    """Plan the files of a release, once per process and lake: its snapshots never change."""
    from exports.engine.sources import open_sources

    with lake_as_it_is() as lake:
        return open_sources(lake, snapshots={name: int(number) for name, number in snapshots})
