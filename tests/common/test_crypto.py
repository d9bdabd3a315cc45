"""Keyed hashes are HMACs, whatever the length of the key."""

import hmac
from typing import Any

import pytest

from common.crypto import keyed_hash


@pytest.mark.parametrize("length", [1, 32, 64, 65, 200])
def test_a_keyed_hash_is_an_hmac_under_the_pepper(settings: Any, length: int) -> None:
    settings.PEPPER = bytes(range(200))[:length]
    assert keyed_hash("tag", b"anchor") == hmac.digest(settings.PEPPER, b"taganchor", "sha256")
    assert keyed_hash("", bytes(100)) == hmac.digest(settings.PEPPER, bytes(100), "sha256")
