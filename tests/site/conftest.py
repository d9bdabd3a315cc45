"""One running copy for every test in the folder that examines it from outside."""

from collections.abc import Iterator
from pathlib import Path

import pytest

import embedded
from embedded.network import free_port
from tests.exports.conftest import released, shared_release  # noqa: F401
from tests.live import Copy, running


@pytest.fixture(scope="session")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Copy]:
    home: Path = tmp_path_factory.mktemp("copy") / "home"
    with running(home, free_port()) as served:
        yield served
    embedded.destroy(home)
