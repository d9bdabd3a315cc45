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
    """A program that keeps going when the server fails, as a real one does."""
    return APIClient(raise_request_exception=False)


@pytest.fixture(autouse=True)
def fresh_limits() -> Iterator[None]:
    """No request of an earlier test counts."""
    client = valkey.limits()
    for name in client.scan_iter(f"{throttles.PREFIX}*"):
        client.delete(name)
    throttles._outage.__init__()  # type: ignore[misc]
    yield
    throttles._outage.__init__()  # type: ignore[misc]
