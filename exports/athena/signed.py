"""Signed URLs of results: with one, a client can read the rows as CSV for an hour, without keys of a bucket."""

import uuid
from typing import Final

from django.core.signing import BadSignature, TimestampSigner

from exports.models import AthenaQuery

SECONDS: Final = 3600
_SIGNER: Final = TimestampSigner(salt="athena-results")
PREFIX: Final = "/athena/results/"


def signed_path(row: AthenaQuery) -> str:
    """Return the path of the rows of a query, valid for an hour."""
    return f"{PREFIX}{_SIGNER.sign(str(row.pk))}.csv"


def query_of(signed: str) -> uuid.UUID | None:
    """Return the query of a signed name, or `None` if it is forged or too old."""
    try:
        return uuid.UUID(_SIGNER.unsign(signed, max_age=SECONDS))
    except (BadSignature, ValueError):
        return None
