"""A separate lake for each test, for pages that erase."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from exports.erasure import batches
from tests.browser.actions import now
from tests.databases import fresh_database


@contextmanager
def lake_of_its_own(settings: Any, folder: Path) -> Iterator[None]:
    """Put the deployment's lake into a new folder, with an empty catalogue."""
    with fresh_database() as catalogue:
        settings.LAKE_URL = (folder / "lake").as_uri()
        settings.LAKE_CATALOGUE_URL = catalogue
        yield


def work() -> int:
    """Carry out pending erasures, as the worker does in the background."""
    return batches.run_erasures(now=now())
