"""The signed bundle: what a kiosk must know to decide without a network."""

import datetime as dt
from typing import Final

from django.db import connection

from common.remembered import remembered
from common.statements import one_row
from passes import keys
from passes.clock import calendar, moment
from passes.codec import Bundle, Occupancy, RevocationList, sign_bundle
from passes.codec.epochs import Epoch
from passes.codec.occupancy import STEP_SECONDS
from passes.reads import DAYS_BY_INVITATION
from passes.revocations import PUBLISHED_EVERY_S, publication_at
from passes.rules import door_requirements, epoch_day
from passes.services.revocations import published_list
from venues.models import Venue
from venues.selectors import DeviceContext

GOOD_FOR: Final = dt.timedelta(hours=24)
"""How long a kiosk may use a bundle: it has the keys of tomorrow's epoch, but need not have later ones."""
COUNTED_EVERY_S: Final = 10
"""How long one count of the people inside is used for all kiosks of the venue: a stadium has hundreds."""
_STAYS: Final = """
    SELECT floor(extract(epoch FROM times_out_at - %(at)s) / %(step_s)s)::integer, count(*) FROM passes_visit
    WHERE venue_id = %(venue)s AND left_at IS NULL AND arrived_at <= %(at)s AND times_out_at > %(at)s GROUP BY 1
"""


def make_bundle(*, device: DeviceContext, now: dt.datetime) -> bytes:
    """Return the signed bundle for a device, as specified in `docs/protocol.md`, section 8."""
    epochs = calendar().unfinished_epochs(now.timestamp())
    occupancy = remembered(
        f"passes:inside:{device.venue_id}",
        lambda: _occupancy(device, now),
        seconds=COUNTED_EVERY_S,
        kind=Occupancy,
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
        name=Venue.objects.values_list("name", flat=True).get(pk=device.venue_id),
        unmanned=device.unmanned,
    )
    return sign_bundle(bundle, root_key=keys.root_key())


def _invitation_epochs(device: DeviceContext, epochs: tuple[Epoch, ...]) -> frozenset[int]:
    starts, ends = zip(*(epoch_day(epoch) for epoch in epochs), strict=True)
    row = one_row(DAYS_BY_INVITATION, {"venue": device.venue_id, "day_starts": list(starts), "day_ends": list(ends)})
    return frozenset(epoch.start for epoch, invited in zip(epochs, row[0] if row else [], strict=True) if invited)


def _revocations(device: DeviceContext, epochs: tuple[Epoch, ...], now: dt.datetime) -> RevocationList:
    published_at = publication_at(now.timestamp())
    return remembered(
        f"passes:revocations:{device.venue_id}:{published_at}",
        lambda: published_list(venue=device.venue, venue_id=device.venue_id, epochs=epochs, published_at=published_at),
        seconds=PUBLISHED_EVERY_S,
        kind=RevocationList,
    )


def _occupancy(device: DeviceContext, now: dt.datetime) -> Occupancy:
    counted_at = int(now.timestamp())
    with connection.cursor() as cursor:
        cursor.execute(_STAYS, {"venue": device.venue_id, "at": moment(counted_at), "step_s": STEP_SECONDS})
        return Occupancy.of(counted_at, cursor.fetchall())
