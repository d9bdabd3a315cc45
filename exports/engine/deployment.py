"""The query engine of this deployment, with the limits, sources and lock folder that the settings name."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.conf import settings

import embedded
from common.crypto import keyed_hash
from exports import conf
from exports.dataset.tables import LIVE_CROWD, OPEN_TABLES
from exports.engine.engine import Accepted, Source, accept
from exports.engine.limits import Limits
from exports.lake.deployment import Snapshots, lake_as_it_is, storage
from exports.models import Release

if TYPE_CHECKING:
    from exports.engine.parse import Dialect
    from exports.lake.storage import Storage


def query_limits() -> Limits:
    """Return what one query may use."""
    return Limits(**getattr(settings, "QUERY_LIMITS", {}))


def work_folder() -> Path:
    """Return the folder of the places for queries: of this home, or of this deployment's database on this machine."""
    if given := getattr(settings, "QUERY_SLOTS", ""):
        return Path(str(given))
    if settings.EMBEDDED:
        return embedded.home() / "queries"
    name = keyed_hash("query places", conf.database_url().encode())[:12].hex()
    return Path(tempfile.gettempdir()) / f"crowdtrace-{name}"


def accept_query(sql: str, *, dialect: Dialect, ahead: bool = True, forwarded: bool = False) -> Accepted:
    """Check a query on the open and the live tables in a process of its own; `forwarded` ones have no live table.

    `ahead`: keep a process ready for the next query. Raises `QueryError`, and `QueryBusyError` if no place is free.
    """
    offered = OPEN_TABLES if forwarded else (*OPEN_TABLES, LIVE_CROWD)
    return accept(
        sql,
        dialect=dialect,
        schema=conf.database(),
        tables=[table.name for table in offered],
        limits=query_limits(),
        places=work_folder(),
        ahead=ahead,
        runs=not forwarded,
    )


def query_sources(*, release: Release | None, live: Sequence[Sequence[Any]]) -> tuple[Source, ...]:
    """Return the open tables as of `release` (before the first one, as they are) and the live rows."""
    return (*_sources(storage(), conf.catalogue_url(), release), Source(LIVE_CROWD, rows=live))


def _sources(storage: Storage, catalogue: str, release: Release | None) -> tuple[Source, ...]:
    from exports.engine.sources import open_sources

    if release is None:
        with lake_as_it_is() as lake:
            return open_sources(lake)
    return _planned(storage, catalogue, frozenset(release.snapshots.items()))


@lru_cache(maxsize=64)
def _planned(storage: Storage, catalogue: str, snapshots: Snapshots) -> tuple[Source, ...]:  # noqa: ARG001
    """Plan the files of a release, once for each process and lake: its snapshots never change."""
    from exports.engine.sources import open_sources

    with lake_as_it_is() as lake:
        return open_sources(lake, snapshots={name: int(number) for name, number in snapshots})
