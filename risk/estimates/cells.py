"""Cells of reported results in the database: filled as reports arrive, read merged.

One report adds one person to one row. A row is identified by the 28-day period, whether a prompt asked, the band of
total expected hits, the kind of venue that contributed most and the band of its share. The sums are encrypted with the
master key: a reader of the table sees how many people reported, but not the hits of a single reporter. No row has an
owner, a day or a place.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable
from typing import Any, Final

import numpy as np
from django.db import transaction

from common import crypto
from common.locks import keep_rows
from common.time import deployment_zone
from risk.crowd.parameters import parameters_at_start
from risk.model.kinds import Kind
from risk.model.learning.cells import PERIOD_DAYS, Cells, added, cells_of, coarsened, elsewhere, no_cells
from risk.model.visits import KIND_INDEX, KINDS
from risk.models import ReportCell
from risk.shield.answer import Fortnight, fortnight_of

OLDEST_TEST_DAYS: Final = 2
"""Age in days after which a test teaches nothing: visits are stored for 14 days, so its fortnight is partly gone."""
_PURPOSE: Final = "report cells"
_ORIGIN: Final = dt.date(2020, 1, 6)
_PLACE: Final = ("begins", "prompted", "band", "kind", "share")


def period_of(day: dt.date) -> int:
    """Return the number of the 28-day period that contains a day."""
    return (day - _ORIGIN).days // PERIOD_DAYS


def first_day(period: int) -> dt.date:
    """Return the first day of a period."""
    return _ORIGIN + dt.timedelta(days=period * PERIOD_DAYS)


def count_reporter(
    *, owner_hashes: set[bytes], tested_on: dt.date, positive: bool, prompted: bool, now: dt.datetime
) -> bool:
    """Add one person to a cell in a separate transaction, and return whether there was anything to learn from.

    There is nothing if no visit of the fortnight before the test counted at a verified place: anyone can set up a place
    whose doors admit invented visitors, and so could distort everybody's estimates without leaving home.
    """
    today = now.astimezone(deployment_zone()).date()
    if not dt.timedelta(0) <= today - tested_on <= dt.timedelta(days=OLDEST_TEST_DAYS):
        return False
    parameters = parameters_at_start()
    midnight = dt.datetime.combine(tested_on + dt.timedelta(days=1), dt.time(), deployment_zone())
    met = fortnight_of(owner_hashes=owner_hashes, until=min(midnight, now), parameters=parameters, now=now)
    if not met.visits:
        return False
    add_to_cells(_one(met, period_of(today), positive=positive, prompted=prompted))
    return True


def _one(met: Fortnight, period: int, *, positive: bool, prompted: bool) -> Cells:
    infectious_days = parameters_at_start().pathogen.infectious_days.value
    return cells_of(
        period=[period],
        prompted=[int(prompted)],
        positive=[positive],
        hits=met.hits[None],
        elsewhere=[elsewhere(met.prevalence, infectious_days)],
    )


def add_to_cells(cells: Cells) -> None:
    """Add reporters to the rows of their cells, each cell in a separate transaction."""
    for at in range(cells.size):
        _add(cells.where(np.array([at])))


@transaction.atomic
def _add(one: Cells) -> None:
    keep_rows()
    place = dict(zip(_PLACE, _place_of(one), strict=True))
    nobody = _sealed(no_cells())
    ReportCell.objects.bulk_create([ReportCell(**place, sums=nobody)], ignore_conflicts=True)
    row = ReportCell.objects.select_for_update().get(**place)
    whole = added([one, _cells_of([row])]) if row.reporters else one
    row.reporters, row.positives, row.sums = int(whole.reporters[0]), int(whole.positives[0]), _sealed(whole)
    row.save(update_fields=["reporters", "positives", "sums"])


def _place_of(one: Cells) -> tuple[Any, ...]:
    kind = KINDS[int(one.kind[0])].value
    return first_day(int(one.period[0])), bool(one.prompted[0]), int(one.band[0]), kind, int(one.share[0])


def _sealed(one: Cells) -> bytes:
    """Encrypt the sums of a cell, keyed by the names of kinds, because their order may change with the program."""
    hits = {kind.value: float(value) for kind, value in zip(KINDS, one.hits.sum(axis=0), strict=True) if value}
    sums = {"hits": hits, "elsewhere": float(one.elsewhere.sum()), "squares": float(one.squares.sum())}
    return crypto.encrypt(_PURPOSE, json.dumps(sums).encode())


def _cells_of(rows: Iterable[ReportCell]) -> Cells:
    """Return rows as cells, without cells that hold nobody yet."""
    parts = [_cell_of(row) for row in rows if row.reporters]
    return added(parts) if parts else no_cells()


def _cell_of(row: ReportCell) -> Cells:
    sums = json.loads(crypto.decrypt(_PURPOSE, bytes(row.sums)))
    hits = np.zeros((1, len(KINDS)))
    for name, value in sums["hits"].items():
        hits[0, KIND_INDEX[Kind(name)]] = value
    return Cells(
        period=np.array([period_of(row.begins)]),
        prompted=np.array([int(row.prompted)]),
        band=np.array([row.band]),
        kind=np.array([KIND_INDEX[Kind(row.kind)]]),
        share=np.array([row.share]),
        reporters=np.array([row.reporters]),
        positives=np.array([row.positives]),
        elsewhere=np.array([sums["elsewhere"]]),
        squares=np.array([sums["squares"]]),
        hits=hits,
    )


def kept_cells() -> Cells:
    """Return all cells, merged until each has five reporters or more; fewer than five in a period and stream wait."""
    return coarsened(_cells_of(ReportCell.objects.all()))[0]
