"""Entries of revocation lists, by which an offline door declines a pass that was revoked or erased."""

import datetime as dt
from collections.abc import Iterable

from passes.clock import epoch_of, moment
from passes.codec import RevocationList, revocation_entry
from passes.codec.epochs import Epoch
from passes.hashes import list_salt, random_entry_key
from passes.models import Pass, RevokedEntry
from passes.revocations import random_entries, random_publication


def list_pass(row: Pass, now: dt.datetime) -> None:
    """Add a pass of a running epoch to its venue's list, at one random publication, whatever happens later."""
    epoch = epoch_of(row.epoch)
    if not row.go or row.anchor is None or epoch is None or epoch.end <= now.timestamp():
        return
    entry = revocation_entry(list_salt(row.venue.public_id), bytes(row.anchor))
    appears_at = moment(random_publication(now.timestamp()))
    RevokedEntry.objects.bulk_create(
        [RevokedEntry(venue=row.venue, epoch=row.epoch, entry=entry, appears_at=appears_at)], ignore_conflicts=True
    )


def published_list(*, venue: str, venue_id: int, epochs: Iterable[Epoch], published_at: int) -> RevocationList:
    """Return a venue's list as published at a time: entries that have appeared, among random ones."""
    days, key = list(epochs), random_entry_key(venue)
    rows = RevokedEntry.objects.filter(
        venue=venue_id, epoch__in=[epoch.date for epoch in days], appears_at__lte=moment(published_at)
    )
    entries = {bytes(one) for one in rows.values_list("entry", flat=True)}
    for epoch in days:
        entries.update(random_entries(key, epoch=epoch, published_at=published_at))
    return RevocationList(salt=list_salt(venue), published_at=published_at, entries=frozenset(entries))
