"""What a kiosk must know to decide without a network, signed."""

import datetime as dt
import logging
from typing import Final

from django.core.cache import cache

from passes import keys
from passes.clock import calendar, moment
from passes.codec import Bundle, RevocationList, revocation_entry, sign_bundle
from passes.epochs import Epoch
from passes.hashes import list_salt
from passes.models import Pass, RevokedEntry
from passes.rules import door_requirements
from venues.models import Event
from venues.selectors import DeviceContext

GOOD_FOR: Final = dt.timedelta(hours=24)
"""How long a kiosk may decide on one bundle: keys of tomorrow's epoch are in it, those of the day after need not be."""
PUBLISHED_EVERY_S: Final = 600
"""Revocation lists are published every ten minutes, so that a list does not tell when somebody revoked."""

_log = logging.getLogger(__name__)


def make_bundle(*, device: DeviceContext, now: dt.datetime) -> bytes:
    """The signed bundle for a device, as `docs/protocol.md` section 8 lays it out."""
    epochs = calendar().unfinished_epochs(now.timestamp())
    bundle = Bundle(
        venue=device.venue,
        server_time=int(now.timestamp()),
        good_until=int((now + GOOD_FOR).timestamp()),
        keys=tuple(keys.published_keys(now)),
        requirements=door_requirements(device, invitation_epochs=_invitation_epochs(device, epochs), since=now),
        revocations=_revocations(device, epochs, now),
        sealing_key=keys.sealing_key(now),
    )
    return sign_bundle(bundle, root_key=keys.root_key())


def _invitation_epochs(device: DeviceContext, epochs: tuple[Epoch, ...]) -> frozenset[int]:
    first, last = epochs[0], epochs[-1]
    starts = Event.objects.filter(
        venue=device.venue_id,
        cancelled_at=None,
        invitation_needed=True,
        starts_at__gte=moment(first.start),
        starts_at__lt=moment(calendar().checkin_closes(last)),
    ).values_list("starts_at", flat=True)
    return frozenset(calendar().current(start.timestamp()).start for start in starts)


def _revocations(device: DeviceContext, epochs: tuple[Epoch, ...], now: dt.datetime) -> RevocationList:
    published_at = int(now.timestamp()) // PUBLISHED_EVERY_S * PUBLISHED_EVERY_S
    salt = list_salt(device.venue)
    entries = _published(f"passes:revoked:{device.venue_id}:{published_at}")
    if entries is None:
        entries = frozenset(_entries(device.venue_id, epochs, salt))
        _publish(f"passes:revoked:{device.venue_id}:{published_at}", entries)
    return RevocationList(salt=salt, published_at=published_at, entries=entries)


def _entries(venue_id: int, epochs: tuple[Epoch, ...], salt: bytes) -> list[bytes]:
    dates = [epoch.date for epoch in epochs]
    revoked = Pass.objects.filter(venue=venue_id, epoch__in=dates, revoked=True).exclude(anchor=None)
    anchors = revoked.values_list("anchor", flat=True)
    erased = RevokedEntry.objects.filter(venue=venue_id, epoch__in=dates).values_list("entry", flat=True)
    return [revocation_entry(salt, bytes(anchor)) for anchor in anchors if anchor] + [bytes(one) for one in erased]


# The list of one publication is the same for all kiosks and processes while the cache answers; without it each is
# made anew, which only makes it fresher.
def _published(name: str) -> frozenset[bytes] | None:
    try:
        found = cache.get(name)
    except Exception:  # the cache's client raises what it likes, and a kiosk needs its bundle
        _log.warning("a revocation list was not read: the cache does not answer")
        return None
    return found if isinstance(found, frozenset) else None


def _publish(name: str, entries: frozenset[bytes]) -> None:
    try:
        cache.add(name, entries, timeout=PUBLISHED_EVERY_S)
    except Exception:
        _log.warning("a revocation list was not remembered: the cache does not answer")
