"""A released day in a lake, from counts, for tests of everything that reads releases."""

import datetime as dt

import numpy as np

from exports.dataset.engines import lookup_rows
from exports.dataset.tables import CROWD_TRACING, DP_COUNTS, SIGNALS, ZIP3, states_by_zip3
from exports.lake.catalogue import Lake
from exports.lake.write import overwrite_day, overwrite_table
from exports.policy.draw import Drawn, draw
from exports.policy.fit import Fitted, fit
from exports.policy.rows import deal, dp_counts
from exports.policy.signals import signals_of
from exports.release.signals import signals_table
from tests.exports.policy.factories import a_day_of, tables


def release_day(lake: Lake, *, day: dt.date, size: int, seed: int = 0) -> Fitted:
    """Draw a day of about `size` passes and write it, with the lookup table; return its released counts."""
    drawn = draw(day=day, counts=a_day_of(size, seed=seed), tables=tables(), budget=4.0)
    fitted = fit(drawn)
    write_release(lake, drawn, fitted)
    return fitted


def write_release(lake: Lake, drawn: Drawn, fitted: Fitted) -> None:
    """Write a drawn day's rows, counts and signals, and the lookup table."""
    day, job = drawn.day, f"release-{drawn.day.isoformat()}"
    rows, counts = deal(drawn, fitted), dp_counts(drawn, fitted)
    overwrite_day(lake=lake, described=CROWD_TRACING, day=day, batches=rows.batches, job=job)
    overwrite_day(lake=lake, described=DP_COUNTS, day=day, batches=counts.to_batches, job=job)
    signals = signals_table(signals_of(drawn, states_by_zip3()))
    overwrite_day(lake=lake, described=SIGNALS, day=day, batches=signals.to_batches, job=job)
    overwrite_table(lake=lake, described=ZIP3, batches=lookup_rows().to_batches, job="lookup")


def expected_daily(fitted: Fitted) -> tuple[int, ...]:
    """Return what `daily_counts.sql` must give for a day: four answers and the total."""
    answers = [int(np.take(fitted.answers, 1, axis=2 + place).sum()) for place in range(4)]
    return (*answers, fitted.total)
