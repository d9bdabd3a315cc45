"""Records of erased passes: their anchors and owner hashes stay known as keyed hashes, and nothing else does.

A request with one of them gets the response for a known anchor. The venue of a pass can be read only with the pass,
because a wallet file requires that its signature is valid for its venue.
"""

import secrets
from typing import Final

from django.db import connection

from passes.hashes import VENUE_BYTES, erased_owner_mark, erased_pass_mark, erased_venue_mask, pass_tag
from passes.models import Pass, Tombstone
from venues.models import Venue

_KNOWN_OR_ERASED: Final = """
    SELECT (SELECT venue_id FROM passes_pass WHERE tag = %(tag)s AND go),
           (SELECT sealed_venue FROM passes_tombstone WHERE mark = %(mark)s)
"""


def bury(row: Pass) -> None:
    """Record a pass or refusal that is being erased, in the caller's transaction."""
    tag = bytes(row.tag)
    venue = row.venue_id.to_bytes(VENUE_BYTES, "big")
    Tombstone.objects.bulk_create(
        [
            Tombstone(mark=erased_pass_mark(tag), sealed_venue=_masked(venue, tag), epoch=row.epoch),
            Tombstone(
                mark=erased_owner_mark(bytes(row.owner_hash)),
                sealed_venue=secrets.token_bytes(VENUE_BYTES),
                epoch=row.epoch,
            ),
        ],
        ignore_conflicts=True,
    )


def venue_of_pass(anchor: bytes) -> str | None:
    """Return the public id of the venue of a pass that is known or erased, with the same statements for both."""
    tag = pass_tag(anchor)
    with connection.cursor() as cursor:
        cursor.execute(_KNOWN_OR_ERASED, {"tag": tag, "mark": erased_pass_mark(tag)})
        known, sealed = cursor.fetchone()
    erased = int.from_bytes(_masked(bytes(sealed), tag), "big") if sealed is not None else -1
    return Venue.objects.filter(pk=erased if known is None else known).values_list("public_id", flat=True).first()


def _masked(venue: bytes, tag: bytes) -> bytes:
    return bytes(one ^ other for one, other in zip(venue, erased_venue_mask(tag), strict=True))
