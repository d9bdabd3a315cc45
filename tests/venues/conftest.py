"""Shared by the tests of this room."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection

Race = Callable[[Callable[[], Any], int], list[Any]]


@pytest.fixture
def race() -> Race:
    """Call something several times at once, each on a connection of its own; what each returned or raised."""

    def run(call: Callable[[], Any], times: int = 2) -> list[Any]:
        start = threading.Barrier(times)
        results: list[Any] = [None] * times

        def one(index: int) -> None:
            start.wait()
            try:
                results[index] = call()
            except Exception as error:  # the test looks at it
                results[index] = error
            finally:
                connection.close()

        threads = [threading.Thread(target=one, args=(index,)) for index in range(times)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return results

    return run
