"""Public ids: short, random, hard to guess, and easy to read aloud."""

import secrets
from typing import Final

# Crockford's base 32, without the letters that look like digits.
ALPHABET: Final = "0123456789abcdefghjkmnpqrstvwxyz"


def public_id(prefix: str, length: int = 10) -> str:
    """Return a random id such as `v_7h3kq2m4xz` (50 bits at the default length)."""
    return f"{prefix}_" + "".join(secrets.choice(ALPHABET) for _ in range(length))
