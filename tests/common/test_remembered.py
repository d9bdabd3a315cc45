"""What is remembered for all processes is computed without the cache where that does not respond."""

import socket
from collections.abc import Iterator

import pytest
from django.core.cache import cache
from pytest_django.fixtures import Settings

from common import remembered
from common.remembered import remembered as remember


@pytest.fixture
def silent(settings: Settings) -> Iterator[None]:
    """Put a server that takes connections and never responds, as a paused one, in the place of the cache."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"redis://127.0.0.1:{server.getsockname()[1]}/0"
        settings.CACHES = {"default": settings.CACHES["default"] | {"LOCATION": url}}
        yield
    remembered.outage.clear()


def test_a_value_is_made_once() -> None:
    made: list[int] = []

    def make() -> list[int]:
        made.append(1)
        return made

    cache.delete("remembered")
    assert remember("remembered", make, seconds=60, kind=list) == [1]
    assert remember("remembered", make, seconds=60, kind=list) == [1]
    assert len(made) == 1


def test_a_value_of_another_kind_is_made_again() -> None:
    cache.set("remembered", "of a former version", 60)
    assert remember("remembered", lambda: [2], seconds=60, kind=list) == [2]


@pytest.mark.usefixtures("silent")
def test_a_cache_that_does_not_respond_is_left_alone_for_a_moment() -> None:
    assert remember("remembered", lambda: [3], seconds=60, kind=list) == [3]
    assert remembered.outage.lasts()
    assert remember("remembered", lambda: [4], seconds=60, kind=list) == [4]
