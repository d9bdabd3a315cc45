"""The query engine of this deployment, with the limits, sources and lock folder that the settings name."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.conf import settings

from exports import conf
from exports.dataset.tables import LIVE_CROWD
from exports.engine.engine import Engine, Source
from exports.engine.limits import Limits
from exports.lake.deployment import Snapshots, deployment_lake, storage
from exports.models import Release

if TYPE_CHECKING:
    from exports.lake.storage import Storage


def query_limits() -> Limits:
    """Return what one query may use."""
    return Limits(**getattr(settings, "QUERY_LIMITS", {}))


def work_folder() -> Path:
    """Return the local folder for the locks of running queries."""
    return Path(str(getattr(settings, "QUERY_SLOTS", tempfile.gettempdir())))


def query_engine(*, release: Release | None, live: Sequence[Sequence[Any]] = (), ahead: bool = False) -> Engine:
    """Return the engine over the open tables as of `release` (before the first one, as they are) and the live rows.

    `ahead`: keep a process ready for the next query.
    """
    used = storage()
    return Engine(
        schema=conf.database(),
        sources=(*_sources(used, conf.catalogue_url(), release), Source(LIVE_CROWD, rows=live)),
        storage=used,
        limits=query_limits(),
        slots=work_folder(),
        ahead=ahead,
    )


def _sources(storage: Storage, catalogue: str, release: Release | None) -> tuple[Source, ...]:
    from exports.engine.sources import open_sources

    if release is None:
        with deployment_lake() as lake:
            return open_sources(lake)
    return _planned(storage, catalogue, frozenset(release.snapshots.items()))


@lru_cache(maxsize=64)
def _planned(storage: Storage, catalogue: str, snapshots: Snapshots) -> tuple[Source, ...]:  # noqa: ARG001
    """Plan the files of a release, once for each process and lake: its snapshots never change."""
    from exports.engine.sources import open_sources

    with deployment_lake() as lake:
        return open_sources(lake, snapshots={name: int(number) for name, number in snapshots})
