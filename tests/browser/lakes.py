"""A lake of a test's own, for pages that erase."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from exports.erasure import batches
from tests.browser.actions import now
from tests.databases import fresh_database


@contextmanager
def lake_of_its_own(settings: Any, folder: Path) -> Iterator[None]:
    """The deployment's lake lies in a fresh folder, with an empty catalogue."""
    with fresh_database() as catalogue:
        settings.LAKE_URL = (folder / "lake").as_uri()
        settings.LAKE_CATALOGUE_URL = catalogue
        yield


def work() -> int:
    """What the worker does in the background: carry out erasures that wait."""
    return batches.run_erasures(now=now())
