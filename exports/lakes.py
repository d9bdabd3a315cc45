"""The deployment's lake, opened from the settings."""

from collections.abc import Iterator
from contextlib import contextmanager

from exports import conf
from exports.engine.engine import Engine
from exports.engine.sources import open_sources
from exports.lake.catalogue import Lake
from exports.models import Release, Step


@contextmanager
def deployment_lake() -> Iterator[Lake]:
    """The lake, with its tables made where they are missing."""
    with Lake.in_postgres(url=conf.catalogue_url(), storage=conf.storage(), database=conf.database()) as lake:
        lake.prepare()
        yield lake


def query_engine(lake: Lake, *, release: Release | None = None) -> Engine:
    """The query engine over the open tables, as they are now or as a release left them."""
    snapshots = {name: int(number) for name, number in release.snapshots.items()} if release else {}
    return Engine(
        schema=lake.database,
        sources=open_sources(lake, snapshots=snapshots),
        storage=lake.storage,
        limits=conf.query_limits(),
        slots=conf.work_folder(),
    )


def latest_release() -> Release | None:
    """The newest day that was announced."""
    return Release.objects.filter(step=Step.ANNOUNCED).order_by("-day").first()
