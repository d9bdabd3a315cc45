"""Forecast every series that has a new week: once for each week, and never changed afterwards."""

from __future__ import annotations

import datetime as dt
import logging
from typing import Final

import numpy as np
from django.db import transaction

from exports.radar.models import RadarForecast, RadarRun
from exports.radar.outlooks import Known, Outlook, outlooks
from exports.radar.signals import record_released_weeks
from exports.radar.skill import Published, skill_of
from risk.model.forecast.boosting import Boosting
from risk.models import Series
from risk.radar.series import numbers_known

log = logging.getLogger(__name__)

EARLIER: Final = 3
"""Number of earlier states of knowledge that are forecast from, to learn revisions and spread; each takes a fit."""
SCORED_RUNS: Final = 52
DIGITS: Final = 5
"""Significant digits of stored numbers."""


def forecast_all(*, now: dt.datetime, settings: Boosting | None = None) -> list[RadarRun]:
    """Record the released weeks, then forecast every series with a new week; return the new runs.

    A series that fails is retried next time and does not stop the others; the same holds for the released weeks.
    """
    try:
        record_released_weeks(now=now)
    except Exception:
        # Official series are forecast even if this fails.
        log.exception("signals of released weeks could not be recorded")
    made = []
    for series in Series.objects.exclude(unit=Series.Unit.SCORE).order_by("pk"):
        try:
            run = forecast_series(series=series, now=now, settings=settings)
        except Exception:
            log.exception("series %d could not be forecast", series.pk)
            continue
        if run is not None:
            made.append(run)
    return made


def forecast_series(*, series: Series, now: dt.datetime, settings: Boosting | None = None) -> RadarRun | None:
    """Forecast a series from its newest week; return None if that week or a later one was forecast before.

    So neither a revision nor a file of older weeks changes a published forecast.
    """
    numbers = numbers_known(series, at=now)
    if not numbers:
        return None
    as_of = max(week for _region, week in numbers)
    runs = list(RadarRun.objects.filter(series=series).order_by("-as_of")[:SCORED_RUNS])
    if runs and runs[0].as_of >= as_of:
        return None
    earlier = [Known(run.as_of, numbers_known(series, at=run.made_at)) for run in reversed(runs[:EARLIER])]
    found, flags = outlooks(Known(as_of, numbers), earlier, unit=series.unit, settings=settings)
    skill = skill_of(_published(runs), {key: one.value for key, one in numbers.items()})
    with transaction.atomic():
        run, is_new = RadarRun.objects.get_or_create(
            series=series, as_of=as_of, defaults={"made_at": now, "flags": flags, "skill": skill}
        )
        if not is_new:
            return None
        RadarForecast.objects.bulk_create([_row(run, one) for one in found], batch_size=500)
    return run


def _published(runs: list[RadarRun]) -> list[Published]:
    rows = RadarForecast.objects.filter(run__in=runs).exclude(baseline=None).select_related("run").order_by("pk")
    return [
        Published(row.run.as_of, row.region, np.array(row.quantiles), np.array(row.baseline))
        for row in rows.iterator(chunk_size=500)
    ]


def _row(run: RadarRun, one: Outlook) -> RadarForecast:
    return RadarForecast(
        run=run,
        region=one.region,
        level=one.level,
        sample_size=one.sample_size,
        quantiles=rounded(one.quantiles),
        baseline=None if one.baseline is None else rounded(one.baseline),
        doubling=None if one.doubling is None else rounded(one.doubling),
        flags=list(one.flags),
    )


def rounded(values: np.ndarray) -> list[float] | list[list[float]]:
    """Return numbers rounded to the stored number of significant digits; their order does not change."""
    found: list[float] | list[list[float]] = np.vectorize(lambda value: float(f"{value:.{DIGITS}g}"))(values).tolist()
    return found
