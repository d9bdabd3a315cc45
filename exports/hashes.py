"""Keyed hashes of this room: what the database keeps of a holder cannot be searched for without the pepper."""

from common.crypto import keyed_hash


def index_hash(owner_hash: bytes) -> bytes:
    """`HMAC(pepper, "index" || owner hash)`: where the erasure index has a row of the verified tier."""
    return keyed_hash("index", owner_hash)


def receipt_hash(capability: bytes) -> bytes:
    """What is kept of the capability that opens a receipt."""
    return keyed_hash("receipt", capability)
