"""What a kiosk must know to decide without a network, signed."""

import datetime as dt
import logging
from collections.abc import Callable
from typing import Final, TypeVar

from django.core.cache import cache
from django.db import connection

from passes import keys
from passes.clock import calendar, moment
from passes.codec import Bundle, Occupancy, RevocationList, revocation_entry, sign_bundle
from passes.codec.epochs import Epoch
from passes.codec.occupancy import STEP_SECONDS
from passes.hashes import list_salt
from passes.models import Pass, RevokedEntry
from passes.rules import door_requirements
from venues.models import Event
from venues.selectors import DeviceContext

GOOD_FOR: Final = dt.timedelta(hours=24)
"""How long a kiosk may decide on one bundle: keys of tomorrow's epoch are in it, those of the day after need not be."""
PUBLISHED_EVERY_S: Final = 600
"""Revocation lists are published every ten minutes, so that a list does not tell when somebody revoked."""
COUNTED_EVERY_S: Final = 10
"""A count of the people inside serves all kiosks of the venue for so long: a stadium has hundreds."""
_STAYS: Final = """
    SELECT floor(extract(epoch FROM times_out_at - %(at)s) / %(step_s)s)::integer, count(*) FROM passes_visit
    WHERE venue_id = %(venue)s AND left_at IS NULL AND arrived_at <= %(at)s AND times_out_at > %(at)s GROUP BY 1
"""

T = TypeVar("T")

_log = logging.getLogger(__name__)


def make_bundle(*, device: DeviceContext, now: dt.datetime) -> bytes:
    """The signed bundle for a device, as `docs/protocol.md` section 8 lays it out."""
    epochs = calendar().unfinished_epochs(now.timestamp())
    occupancy = _remembered(
        f"passes:inside:{device.venue_id}", Occupancy, COUNTED_EVERY_S, lambda: _occupancy(device, now)
    )
    bundle = Bundle(
        venue=device.venue,
        server_time=int(now.timestamp()),
        good_until=int((now + GOOD_FOR).timestamp()),
        keys=tuple(keys.published_keys(now)),
        requirements=door_requirements(device, invitation_epochs=_invitation_epochs(device, epochs), since=now),
        revocations=_revocations(device, epochs, now),
        sealing_key=keys.sealing_key(now),
        occupancy=occupancy,
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
    entries = _remembered(
        f"passes:revoked:{device.venue_id}:{published_at}",
        frozenset,
        PUBLISHED_EVERY_S,
        lambda: frozenset(_entries(device.venue_id, epochs, salt)),
    )
    return RevocationList(salt=salt, published_at=published_at, entries=entries)


def _entries(venue_id: int, epochs: tuple[Epoch, ...], salt: bytes) -> list[bytes]:
    dates = [epoch.date for epoch in epochs]
    revoked = Pass.objects.filter(venue=venue_id, epoch__in=dates, revoked=True).exclude(anchor=None)
    anchors = revoked.values_list("anchor", flat=True)
    erased = RevokedEntry.objects.filter(venue=venue_id, epoch__in=dates).values_list("entry", flat=True)
    return [revocation_entry(salt, bytes(anchor)) for anchor in anchors if anchor] + [bytes(one) for one in erased]


def _occupancy(device: DeviceContext, now: dt.datetime) -> Occupancy:
    counted_at = int(now.timestamp())
    with connection.cursor() as cursor:
        cursor.execute(_STAYS, {"venue": device.venue_id, "at": moment(counted_at), "step_s": STEP_SECONDS})
        return Occupancy.of(counted_at, cursor.fetchall())


# What is the same for all kiosks of a venue is made once for all processes while the cache answers; without it each
# is made anew, which only makes it fresher.
def _remembered(name: str, kind: type[T], seconds: int, make: Callable[[], T]) -> T:
    found = _recall(name)
    if isinstance(found, kind):
        return found
    made = make()
    try:
        cache.set(name, made, timeout=seconds)
    except Exception:  # the cache's client raises what it likes, and a kiosk needs its bundle
        _log.warning("a part of a bundle was not remembered: the cache does not answer")
    return made


def _recall(name: str) -> object:
    try:
        return cache.get(name)
    except Exception:
        _log.warning("a part of a bundle was not recalled: the cache does not answer")
        return None
