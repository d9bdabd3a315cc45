"""Exact counts of a day, computed by PostgreSQL: rows never leave it, and the counts exist only until the draw."""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
from django.db import connection
from django.db.models import Q, QuerySet
from psycopg import sql

from common.time import deployment_zone
from exports.policy.domain import Workload
from exports.policy.noise import Counts
from exports.reads import make_rows
from passes.codec.epochs import epoch_end, last_ended_day
from passes.limits import EPOCH_LENGTH, VISIT_RETENTION
from venues.models import Organisation


def exact_counts(
    *,
    day: dt.date,
    tables: Sequence[Workload],
    levels: Mapping[str, Sequence[int]],
    first_day: dt.date | None = None,
    frozen_at: dt.datetime | None = None,
) -> dict[str, Counts]:
    """Return exact counts of a day in the shape of each table; call it inside a transaction.

    With `first_day`, of all days from it to `day`; with `frozen_at`, at venues that were verified by then. `levels` has
    the class of each pattern of answers by 3-digit ZIP (`risklevels.levels_by_zip3`), including the empty text. Counts
    are of marked passes.
    """
    with connection.cursor() as cursor:
        make_rows(cursor, day=day, levels=levels, first_day=first_day, frozen_at=frozen_at)
        return {table.name: _count(cursor, table) for table in tables}


# The purge may start while a release runs; this margin allows for it.
MARGIN: Final = dt.timedelta(days=1)


def rows_may_be_gone(*, day: dt.date, now: dt.datetime, of: QuerySet[Organisation] | None = None) -> bool:
    """Return whether the purge may have deleted rows of a day by `now`, of any organisation that existed then.

    `of`: the counted organisations, by default the verified ones. Each has its own clock. Without any organisation, the
    real clock applies.
    """
    zone = deployment_zone()
    ended = epoch_end(day, zone)
    begun = ended - EPOCH_LENGTH
    counted = Organisation.objects.exclude(verified_at=None) if of is None else of
    there = counted.filter(Q(closed_at=None) | Q(closed_at__gt=begun), created_at__lt=ended)
    clocks = {until or now for until in there.values_list("simulated_until", flat=True).distinct()} or {now}
    return any(day <= last_ended_day(clock + MARGIN - VISIT_RETENTION, zone) for clock in clocks)


def _count(cursor: Any, table: Workload) -> Counts:
    """Count one table: PostgreSQL groups, so only cells are transferred."""
    counts = np.zeros(table.shape, dtype=np.int64)
    columns = sql.SQL(", ").join([*(sql.Identifier(axis.name) for axis in table.axes), sql.SQL("count(*)")])
    groups = sql.SQL(", ").join(sql.SQL(str(place)) for place in range(1, len(table.axes) + 1))
    query = sql.SQL("SELECT {} FROM release_rows WHERE counted GROUP BY {}").format(columns, groups)
    cursor.execute(query)
    for *place, number in cursor.fetchall():
        counts[tuple(place)] = number
    return counts
