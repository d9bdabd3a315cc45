"""Metrics of the deployment in Prometheus's text format: counts of `common.measures`, and the operator's status.

A token of the operator (`METRICS_TOKEN`) protects them; without one the URL does not exist.
"""

import datetime as dt
import hmac
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Final

from django.conf import settings
from django.db import Error as DatabaseError
from django.http import Http404, HttpRequest, HttpResponse
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.registry import Collector, CollectorRegistry
from redis import RedisError

from common import measures
from common.measures import Measure
from common.time import utc_now
from common.web import throttles
from common.web.problems import MethodNotAllowed, Unauthorized
from crowdtrace.site.operator.health import CHECKS, WITHOUT, states
from crowdtrace.site.operator.status import Status
from crowdtrace.site.operator.status import status as state_of_deployment

READING: Final = ("GET", "HEAD")
SCHEME: Final = "Bearer"


def metrics(request: HttpRequest) -> HttpResponse:
    """Return the metrics to a client that sends the token."""
    if request.method not in READING:
        raise MethodNotAllowed(READING)
    if not settings.METRICS_TOKEN:
        raise Http404
    given = request.headers.get("Authorization", "").encode("utf-8", "surrogateescape")
    if not hmac.compare_digest(given, f"{SCHEME} {settings.METRICS_TOKEN}".encode()):
        throttles.check(request, "login")
        raise Unauthorized(scheme=SCHEME)
    registry = CollectorRegistry(auto_describe=False)
    registry.register(DeploymentCollector(utc_now()))
    return HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


class DeploymentCollector(Collector):
    """Reads everything once per scrape. If a store is down, its metrics are missing and its readiness is 0."""

    def __init__(self, now: dt.datetime) -> None:
        self._now = now

    def collect(self) -> Iterator[Metric]:
        """Yield the metric families."""
        ready = GaugeMetricFamily("crowdtrace_ready", "Whether a part that requests need is available", labels=["part"])
        found = states(CHECKS | WITHOUT)
        for part, is_there in found.items():
            if is_there is not None:
                ready.add_metric([part.replace(" ", "_")], is_there)
        yield ready
        # Each further question to a store that does not respond would wait as long as the first, and a monitor
        # that gets no response in time (10 s is usual) sees only that the web server is down.
        if found["valkey"]:
            with suppress(RedisError):
                yield from of_counts(measures.read())
        if found["database"]:
            with suppress(DatabaseError):
                yield from of_status(state_of_deployment(self._now), self._now)


def of_counts(counts: Mapping[Measure, Mapping[tuple[str, ...], int]]) -> Iterator[Metric]:
    """Yield counters and histograms. Histograms have no sum, because it would change with each request."""
    for measure, values in counts.items():
        if not measure.bounds:
            counter = CounterMetricFamily(measure.name, measure.help, labels=measure.labels)
            for labels, value in sorted(values.items()):
                counter.add_metric(labels, value)
            yield counter
            continue
        edges = [*map(str, measure.bounds), "+Inf"]
        histogram = HistogramMetricFamily(measure.name, measure.help, labels=measure.labels)
        for labels in sorted({key[:-1] for key in values}):
            buckets = [(edge, float(values[*labels, str(at)])) for at, edge in enumerate(edges)]
            histogram.add_metric(labels, buckets, sum_value=None)
        yield histogram


def of_status(state: Status, now: dt.datetime) -> Iterator[Metric]:
    """Yield gauges of what the operator's page shows."""
    yield from _of_work(state)
    yield _gauge("crowdtrace_warnings", "Warnings of the status page", state.warnings)
    yield _gauge("crowdtrace_keys_missing", "Days of today and tomorrow without an issuer key", _missing_keys(state))
    yield _gauge("crowdtrace_releases_stuck", "Days whose release failed", len(state.stuck) + len(state.stuck_verified))
    yield _gauge("crowdtrace_release_epsilon", "Privacy budget of a day of the open release", state.budget)
    yield _gauge("crowdtrace_devices_odd", "Devices whose scans look unusual", len({one.device for one in state.odd}))
    yield _gauge("crowdtrace_organisations_waiting", "Organisations that wait for verification", state.waiting)
    yield _gauge("crowdtrace_estimates_refused", "Whether the last estimates were refused", state.refused is not None)
    if state.latest is not None:
        age = (now.date() - state.latest.day).days
        yield _gauge("crowdtrace_release_age_days", "Days since the newest released day", age)
    sizes = GaugeMetricFamily("crowdtrace_storage_bytes", "Size of each store, and what is free", labels=["store"])
    for store in ("database", "valkey", "lake", "free"):
        if (size := getattr(state.storage, store)) is not None:
            sizes.add_metric([store], size)
    yield sizes


def _of_work(state: Status) -> Iterator[Metric]:
    if state.work is None:
        return
    yield _gauge("crowdtrace_tasks_waiting", "Tasks in the queue", state.work.waiting)
    yield _gauge("crowdtrace_tasks_unfinished", "Tasks that a worker has taken", state.work.unfinished)
    done = GaugeMetricFamily("crowdtrace_task_done_seconds", "Unix time of a task's last success", labels=["task"])
    failed = GaugeMetricFamily("crowdtrace_task_failures", "Failures of a task in 14 days", labels=["task"])
    late = GaugeMetricFamily("crowdtrace_task_late", "Whether a task of the schedule is late", labels=["task"])
    for task in state.tasks:
        if task.done is not None:
            done.add_metric([task.name], task.done.timestamp())
        failed.add_metric([task.name], task.failures)
        late.add_metric([task.name], task.is_late)
    yield from (done, failed, late)


def _missing_keys(state: Status) -> int:
    return sum(not key.is_there for key in state.keys)


def _gauge(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(name, text, value=float(value))
