"""The radar of a demonstration: a simulated season with its forecasts, moved to the present.

Computing them takes minutes, so they come from `data/radar.json.gz`, which `tools/make_radar_demonstration.py` makes
with the code that forecasts real series. The series and everything that shows it say that it is simulated.
"""

import datetime as dt
import gzip
import json
from pathlib import Path
from typing import Any, Final

from django.db import transaction

from exports.radar.models import RadarForecast, RadarRun
from risk.models import Series, SeriesWeek
from risk.radar.series import week_of

SOURCE: Final = "Simulation"
SIGNAL: Final = "hospital admissions"
REPORTED_AFTER: Final = dt.timedelta(days=4, hours=12)
"""Days after the end of a week at which its value is known, as with official series."""
FILE: Final = Path(__file__).parent / "data" / "radar.json.gz"
BATCH: Final = 2000


def ensure_radar(*, now: dt.datetime) -> bool:
    """Load the simulated season, all of it or nothing, unless it is loaded; return whether it was loaded now."""
    if Series.objects.filter(source=SOURCE, signal=SIGNAL).exists():
        return False
    content = json.loads(gzip.decompress(FILE.read_bytes()))
    last = week_of((now - REPORTED_AFTER).date()) - dt.timedelta(weeks=1)
    with transaction.atomic():
        series = Series.objects.create(source=SOURCE, signal=SIGNAL, unit=Series.Unit.COUNT, simulated=True)
        SeriesWeek.objects.bulk_create(_weeks(series, content, last), batch_size=BATCH)
        for each in content["runs"]:
            _load_run(series, each, last)
    return True


def _weeks(series: Series, content: dict[str, Any], last: dt.date) -> list[SeriesWeek]:
    """Return every value, known a few days after its week."""
    return [
        SeriesWeek(
            series=series,
            region=region,
            week=_week(last, age),
            value=value,
            recorded_at=_reported(_week(last, age)),
        )
        for region, values in content["values"].items()
        for age, value in enumerate(reversed(values))
    ]


def _load_run(series: Series, content: dict[str, Any], last: dt.date) -> None:
    as_of = _week(last, content["age"])
    skill = {
        region: found | {name: _week(last, found[name]).isoformat() for name in ("since", "until")}
        for region, found in content["skill"].items()
    }
    run = RadarRun.objects.create(
        series=series, as_of=as_of, made_at=_reported(as_of), flags=content["flags"], skill=skill
    )
    RadarForecast.objects.bulk_create(
        [RadarForecast(run=run, **each) for each in content["forecasts"]], batch_size=BATCH
    )


def _week(last: dt.date, age: int) -> dt.date:
    return last - dt.timedelta(weeks=age)


def _reported(week: dt.date) -> dt.datetime:
    return dt.datetime.combine(week, dt.time(), dt.UTC) + REPORTED_AFTER
