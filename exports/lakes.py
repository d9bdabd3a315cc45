"""The deployment's lake, opened from the settings. The lake's libraries are loaded when it is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from exports import conf
from exports.dataset.tables import LIVE_CROWD
from exports.engine.engine import Engine, Source
from exports.models import Release

if TYPE_CHECKING:
    from exports.lake.catalogue import Lake
    from exports.lake.storage import Storage

Snapshots = frozenset[tuple[str, str]]


def _opened() -> AbstractContextManager[Lake]:
    from exports.lake.catalogue import Lake

    storage, database, glue = conf.storage(), conf.database(), conf.glue_endpoint()
    if glue is None:
        return Lake.in_postgres(url=conf.catalogue_url(), storage=storage, database=database)
    return Lake.in_glue(endpoint=glue, storage=storage, database=database)


@contextmanager
def deployment_lake() -> Iterator[Lake]:
    """The lake, with its tables made where they are missing."""
    with _opened() as lake:
        lake.prepare()
        yield lake


def query_engine(*, release: Release | None, live: Sequence[Sequence[Any]] = (), ahead: bool = False) -> Engine:
    """The query engine over the open tables as a release left them (before the first, as they are) and live rows.

    `ahead`: keep a process that waits for the next query.
    """
    storage = conf.storage()
    return Engine(
        schema=conf.database(),
        sources=(*_sources(storage, conf.catalogue_url(), release), Source(LIVE_CROWD, rows=live)),
        storage=storage,
        limits=conf.query_limits(),
        slots=conf.work_folder(),
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
    """Files of a release: its snapshots never change, so they are planned once a process and lake."""
    from exports.engine.sources import open_sources

    with deployment_lake() as lake:
        return open_sources(lake, snapshots={name: int(number) for name, number in snapshots})
