"""Everything the server stores, as bytes to search: tables in binary and as text, broker and cache."""

import base64
from collections.abc import Iterator

from base45 import b45encode
from django.db import connection

from common import valkey

WINDOW_BYTES = 8


def dump_tables() -> dict[str, bytes]:
    """Return every table of the database, in COPY's binary format and as text."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT format('%I.%I', schemaname, tablename) FROM pg_tables WHERE schemaname = 'public'")
        tables = [name for (name,) in cursor.fetchall()]
        dumped = {}
        for table in tables:
            parts = []
            for form in ("binary", "text"):
                with cursor.copy(f"COPY (SELECT * FROM {table}) TO STDOUT (FORMAT {form})") as copy:
                    parts += [bytes(part) for part in copy]
            dumped[table] = b"".join(parts)
    return dumped


def dump_valkey() -> bytes:
    """Return all keys and values of broker, cache and rate limits."""
    return b"\n".join(
        bytes(name) + b"\n" + (client.dump(name) or b"")
        for client in (valkey.client(), valkey.limits())
        for name in client.scan_iter("*")
    )


def traces(secret: bytes) -> Iterator[bytes]:
    """Yield 8-byte windows of a secret: raw, and inside any of the common encodings."""
    for at in range(len(secret) - WINDOW_BYTES + 1):
        window = secret[at : at + WINDOW_BYTES]
        yield window
        yield window.hex().encode()
        yield window.hex().upper().encode()
    for group, characters, encode in (
        (3, 4, base64.b64encode),
        (3, 4, base64.urlsafe_b64encode),
        (5, 8, base64.b32encode),
        (2, 3, b45encode),
    ):
        # Groups of input bytes become groups of characters; whichever way the secret is aligned, whole groups show.
        whole = -(-WINDOW_BYTES // group)
        for offset in range(group):
            aligned = secret[offset : offset + (len(secret) - offset) // group * group]
            text = bytes(encode(aligned))
            for at in range(0, len(text) - whole * characters + 1, characters):
                yield text[at : at + whole * characters]
