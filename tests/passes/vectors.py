"""The three complete vectors, from the secret to the rotating text, made by an independent implementation."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from passes.codec import IssuerKey, Keyring

DATA = Path(__file__).parents[1] / "data"


@dataclass(frozen=True)
class Vector:
    """One vector; hexadecimal fields as bytes."""

    secret: bytes
    k_auth: bytes
    k_pass: bytes
    k_erase: bytes
    epoch_start: int
    index: int
    owner: bytes
    owner_hash: bytes
    x_last: bytes
    x_1: bytes
    anchor: bytes
    issuer_private: bytes
    issuer_public: bytes
    kid: bytes
    venue: str
    pass_hex: bytes
    credential: str
    shown_at: int
    slot: int
    rotating: str

    @property
    def signer(self) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(self.issuer_private)

    @property
    def keys(self) -> Keyring:
        return Keyring.of([IssuerKey(self.issuer_public, frozenset({self.epoch_start}))])


def _vector(fields: dict[str, Any]) -> Vector:
    plain = {"epoch_start", "index", "venue", "credential", "shown_at", "slot", "rotating"}
    values: dict[str, Any] = {name: value if name in plain else bytes.fromhex(value) for name, value in fields.items()}
    return Vector(**values)


VECTORS = tuple(_vector(fields) for fields in json.loads((DATA / "pass_vectors.json").read_text()))
