"""Store a draw in the ledger, with a separate row for each venue's part."""

import datetime as dt

from exports.models import StatisticsDraw, VenueFigures
from exports.policy.draw import Drawn
from venues.models import Venue

AT_ONCE = 1000


def enter(row: StatisticsDraw, drawn: Drawn, at: dt.datetime) -> None:
    """Store a draw in its saved entry, which the caller must save again, and write the rows of existing venues."""
    row.drawn, row.epsilon, row.drawn_at, row.lost_at = drawn.to_bytes(), drawn.epsilon, at, None
    row.scales = {table.workload.name: table.scale for table in drawn.tables}
    ids = dict(Venue.objects.values_list("public_id", "pk"))
    places = drawn.tables[0].workload.axes[0].values
    rows = [
        VenueFigures(
            draw=row,
            venue_id=ids[place],
            noisy={table.workload.name: table.noisy[at].tolist() for table in drawn.tables},
        )
        for at, place in enumerate(places)
        if place in ids
    ]
    VenueFigures.objects.bulk_create(rows, batch_size=AT_ONCE, ignore_conflicts=True)
