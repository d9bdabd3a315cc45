"""Keyed hashes of this app. Without the pepper, nobody can search the database for a holder."""

from common.crypto import keyed_hash


def index_hash(owner_hash: bytes) -> bytes:
    """Return `HMAC(pepper, "index" || owner hash)`, the key of a verified row in the erasure index."""
    return keyed_hash("index", owner_hash)


def receipt_hash(capability: bytes) -> bytes:
    """Return the hash that is stored in place of the capability that opens a receipt."""
    return keyed_hash("receipt", capability)
