"""The eight characters by which people compare ticket keys."""

import json
from pathlib import Path
from typing import Any, Final

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicNumbers
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from common.crypto import b64decode
from passes.codec.fingerprint import ticket_fingerprint

VECTORS: Final[list[dict[str, Any]]] = json.loads(
    (Path(__file__).parents[2] / "data" / "ticket_fingerprints.json").read_text()
)["vectors"]


def spki(modulus: str) -> bytes:
    key = RSAPublicNumbers(65537, int.from_bytes(b64decode(modulus), "big")).public_key()
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["fingerprint"])
def test_fingerprints_equal_the_vectors(vector: dict[str, Any]) -> None:
    found = ticket_fingerprint(
        epoch_start=vector["epoch_start"], counted=spki(vector["counted"]), other=spki(vector["other"])
    )
    assert found == vector["fingerprint"]


def test_another_start_and_exchanged_keys_look_different() -> None:
    vector = VECTORS[0]
    counted, other = spki(vector["counted"]), spki(vector["other"])
    start = vector["epoch_start"]
    shown = {
        ticket_fingerprint(epoch_start=start, counted=counted, other=other),
        ticket_fingerprint(epoch_start=start + 1, counted=counted, other=other),
        ticket_fingerprint(epoch_start=start, counted=other, other=counted),
    }
    assert len(shown) == 3
    assert {len(text) for text in shown} == {8}
