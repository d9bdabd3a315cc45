"""Page speed as visitors experience it: bare numbers, assigned to steps and counted by day and page, then discarded.

A quantile is reported as the upper bound of its step, so it is never better than the true one.
"""

import datetime as dt
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from django.db import connection
from django.urls import get_resolver
from django.utils.translation import gettext as _

from common.web.problems import Invalid
from crowdtrace.site.models import Metric, VitalsCount

BOUNDS: Final[Mapping[str, tuple[float, ...]]] = {
    Metric.LCP: (500, 1000, 1500, 2000, 2500, 3000, 4000, 6000, 10_000),  # milliseconds
    Metric.INP: (50, 100, 150, 200, 300, 500, 1000, 2000),  # milliseconds
    Metric.CLS: (0.01, 0.05, 0.1, 0.15, 0.25, 0.5),
}
"""Upper bounds of the steps; one more step is above the last."""
GOOD: Final[Mapping[str, float]] = {Metric.LCP: 2500, Metric.INP: 200, Metric.CLS: 0.1}
"""A page is good if three of four loads are within it (web.dev/vitals)."""
QUANTILE: Final = 0.75
SHOWN_DAYS: Final = 14
_PAGE_PREFIXES: Final = ("page-", "owner-page-", "docs")

_COUNT: Final = """
    INSERT INTO site_vitalscount (day, page, metric, step, count)
    SELECT %(day)s, %(page)s, metric, step, 1 FROM unnest(%(metrics)s::text[], %(steps)s::int[]) AS new (metric, step)
    ON CONFLICT (day, page, metric, step) DO UPDATE SET count = site_vitalscount.count + 1
"""


@dataclass(frozen=True, slots=True)
class PageSpeed:
    """A metric of a page over the displayed days: loads, and the bound of three in four loads."""

    page: str
    metric: str
    loads: int
    within: float | None
    is_good: bool


def step_of(metric: str, value: float) -> int:
    """Return the step of a number."""
    return bisect_left(BOUNDS[metric], value)


def count_vitals(*, page: str, values: Mapping[str, float], now: dt.datetime) -> None:
    """Count one load of a page; `values` by metric. Runs one statement. Raise `Invalid` for an unknown page."""
    if page not in pages():
        raise Invalid.field("/page", _("This page does not exist."), "unknown")
    measured = sorted((metric, step_of(metric, value)) for metric, value in values.items())
    if measured:
        metrics, steps = ([pair[at] for pair in measured] for at in (0, 1))
        with connection.cursor() as cursor:
            cursor.execute(_COUNT, {"day": now.date(), "page": page, "metrics": metrics, "steps": steps})


def page_speeds(now: dt.datetime) -> list[PageSpeed]:
    """Return every page and metric of the last days, by page."""
    since = now.date() - dt.timedelta(days=SHOWN_DAYS - 1)
    steps: dict[tuple[str, str], Counter[int]] = defaultdict(Counter)
    rows = VitalsCount.objects.filter(day__gte=since).values_list("page", "metric", "step", "count")
    for page, metric, step, count in rows:
        steps[page, metric][step] += count
    return [_speed(page, metric, counts) for (page, metric), counts in sorted(steps.items())]


@lru_cache(maxsize=1)
def pages() -> frozenset[str]:
    """Return the names of our pages: the closed list of pages that a report may name."""
    names = get_resolver().reverse_dict
    return frozenset(name for name in names if isinstance(name, str) and name.startswith(_PAGE_PREFIXES))


def _speed(page: str, metric: str, counts: Counter[int]) -> PageSpeed:
    loads, passed = counts.total(), 0
    for step in sorted(counts):
        passed += counts[step]
        if passed >= QUANTILE * loads:
            break
    bounds = BOUNDS[metric]
    within = bounds[step] if step < len(bounds) else None
    return PageSpeed(page, metric, loads, within, within is not None and within <= GOOD[metric])
