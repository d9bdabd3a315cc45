"""The vectors of tickets: six complete ones and eight that must be refused, made by an independent implementation."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_der_private_key

from passes.codec.identity import decode_base64url
from passes.codec.ticket_keys import TicketKey, read_jwk
from tests.passes.vectors import DATA

_FILE: dict[str, Any] = json.loads((DATA / "ticket_vectors.json").read_text())
REFUSED: list[dict[str, Any]] = _FILE["refused"]


@dataclass(frozen=True)
class TicketVector:
    """One vector; base64url fields as bytes."""

    secret: bytes
    epoch_start: int
    i: int
    jwk: dict[str, Any]
    private_key_pkcs8: bytes
    nonce: bytes
    salt: bytes
    r: bytes
    message: bytes
    blinded: bytes
    blind_signature: bytes
    signature: bytes
    authorization: str

    @property
    def key(self) -> TicketKey:
        return read_jwk(self.jwk)

    @property
    def private(self) -> RSAPrivateKey:
        key = load_der_private_key(self.private_key_pkcs8, None)
        assert isinstance(key, RSAPrivateKey)
        return key


def _vector(fields: dict[str, Any]) -> TicketVector:
    plain = {"epoch_start", "i", "authorization"}
    values: dict[str, Any] = {
        name: value if name in plain else decode_base64url(value)
        for name, value in fields.items()
        if name not in {"class", "key"}
    }
    return TicketVector(jwk=fields["key"], **values)


TICKET_VECTORS = tuple(_vector(fields) for fields in _FILE["vectors"])


def refused(where: str) -> list[dict[str, Any]]:
    """Return the refusals at one place: `draw`, `key list` or `spend`."""
    return [one for one in REFUSED if one["where"] == where]
