"""Requests to the small views of this app."""

from collections.abc import Iterator

import pytest
from rest_framework.test import APIClient

from common import valkey
from common.web import throttles

THING = {
    "venue": "v_7h3kq2m4xz",
    "anchor": "AAECAwQFBgcICQoLDA0ODw",
    "answers": {"symptoms": False},
}


@pytest.fixture
def api() -> APIClient:
    """Return a client that continues when the server fails, like a real one."""
    return APIClient(raise_request_exception=False)


@pytest.fixture(autouse=True)
def fresh_limits() -> Iterator[None]:
    """Clear the counts of earlier tests."""
    client = valkey.limits()
    for name in client.scan_iter(f"{throttles.PREFIX}*"):
        client.delete(name)
    throttles.outage.clear()
    yield
    throttles.outage.clear()
