"""A draw's entry in the ledger, with each venue's part of it in a row of its own."""

import datetime as dt

from exports.models import StatisticsDraw, VenueFigures
from exports.policy.draw import Drawn
from venues.models import Venue

AT_ONCE = 1000


def enter(row: StatisticsDraw, drawn: Drawn, at: dt.datetime) -> None:
    """Put a draw into its saved entry, which the caller saves again, and write the rows of venues that are there."""
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
