"""The operator's status: whether everything is done, anything is due, or anything looks wrong. Reads only.

It has figures of the deployment and of devices, never a row of a visit. A part whose store does not respond is
`None`, so that the page is shown when it is needed most.
"""

import datetime as dt
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final, TypeVar

from django.db import connection
from redis import RedisError

from common import task_record, valkey
from common.task_record import Work
from common.time import deployment_zone
from crowdtrace.site.vitals import counts
from crowdtrace.site.vitals.counts import PageSpeed
from exports import conf
from exports.lake import deployment
from exports.lake.deployment import storage
from exports.lake.storage import LocalObjects, local_path
from exports.models import Release, Step
from exports.selectors import verified_failures
from passes import selectors as of_passes
from passes.abuse_figures import OddDay, odd_days
from passes.codec.epochs import last_ended_day
from passes.models import IssuerKey
from passes.ticket_keys import days_without_keys
from risk.estimates.beliefs import refused_last
from risk.models import LearnedEstimate
from venues.models import Organisation

KEYS_AHEAD_DAYS: Final = 2
"""Check-in for tomorrow opens today, so the key of tomorrow must exist before."""
LATE_AFTER: Final[dict[str, dt.timedelta]] = {
    "risk.crowd.refresh": dt.timedelta(minutes=20),
    "passes.alerts": dt.timedelta(minutes=10),
    "passes.keys": dt.timedelta(hours=3),
    "passes.abuse": dt.timedelta(hours=30),
    "risk.estimate": dt.timedelta(hours=30),
    "common.purge": dt.timedelta(hours=30),
    "passes.mixing": dt.timedelta(hours=30),
    "exports.release": dt.timedelta(hours=30),
}
"""Time after its last success from which a scheduled task is late: its period plus a margin."""
LONG_QUEUE: Final = 100
QUIET: Final = LATE_AFTER["passes.alerts"]
"""Time without the end of any task from which worker or schedule is not running: a task is sent each minute."""
FEW_BYTES_FREE: Final = 5_000_000_000
"""The same figure as in the alert `CrowdTraceDiskFull`."""

Part = TypeVar("Part")


class Program(Enum):
    """A program that does the scheduled work."""

    WORKER = "worker"
    SCHEDULE = "schedule"


@dataclass(frozen=True, slots=True)
class TaskState:
    """A task of the schedule."""

    name: str
    done: dt.datetime | None
    failures: int
    is_late: bool


@dataclass(frozen=True, slots=True)
class KeyState:
    """Whether the key that signs a day's passes exists."""

    day: dt.date
    is_there: bool


@dataclass(frozen=True, slots=True)
class Storage:
    """Sizes in bytes; `None` if unknown here."""

    database: int
    valkey: int | None
    lake: int | None
    free: int | None

    @property
    def is_nearly_full(self) -> bool:
        """Return whether little space is known to be free."""
        return self.free is not None and self.free < FEW_BYTES_FREE


@dataclass(frozen=True, slots=True)
class Status:
    """Everything on the page."""

    work: Work | None
    stopped: Program | None
    counts_limits: bool
    lake_responds: bool
    tasks: list[TaskState]
    latest: Release | None
    stuck: list[Release]
    stuck_verified: list[str]
    budget: float
    keys: list[KeyState]
    ticket_days_missing: list[dt.date]
    storage: Storage
    odd: list[OddDay]
    causes: dict[str, int]
    causes_day: dt.date
    waiting: int
    speeds: list[PageSpeed]
    refused: LearnedEstimate | None

    @property
    def warnings(self) -> int:
        """Return the number of things that require attention."""
        return sum(
            (
                self.work is None or self.work.waiting > LONG_QUEUE,
                self.stopped is not None,
                not self.counts_limits,
                not self.lake_responds,
                self.storage.is_nearly_full,
                any(task.is_late or task.failures for task in self.tasks),
                bool(self.stuck),
                bool(self.stuck_verified),
                not all(key.is_there for key in self.keys),
                bool(self.ticket_days_missing),
                bool(self.odd),
                self.refused is not None,
            )
        )


def status(now: dt.datetime) -> Status:
    """Return the state of the deployment."""
    work = _or_none(lambda: task_record.read_work(now))
    ended = last_ended_day(now, deployment_zone())
    return Status(
        work=work,
        stopped=None if work is None else stopped_program(work, now),
        lake_responds=deployment.responds(),
        counts_limits=bool(_or_none(valkey.limits().ping)),
        tasks=_tasks(work, now),
        latest=Release.objects.filter(step=Step.ANNOUNCED).order_by("-day").first(),
        stuck=list(Release.objects.exclude(failure="").exclude(step=Step.ANNOUNCED).order_by("-day")[:10]),
        stuck_verified=verified_failures()[-10:],
        budget=conf.budget(),
        keys=_keys(now),
        ticket_days_missing=days_without_keys(now),
        storage=_storage(),
        odd=odd_days(now),
        causes=of_passes.causes_of_day(ended, now),
        causes_day=ended,
        waiting=Organisation.objects.filter(closed_at=None, verified_at=None).count(),
        speeds=counts.page_speeds(now),
        refused=refused_last(),
    )


def stopped_program(work: Work, now: dt.datetime) -> Program | None:
    """Return the program that seems to have stopped: the worker if tasks wait or are in progress, else the schedule.

    A new deployment, in which no task has ended yet, lacks a worker once as many tasks wait as are sent in that time.
    """
    if not work.done:
        return Program.WORKER if work.waiting > QUIET / dt.timedelta(minutes=1) else None
    if now - max(work.done.values()) <= QUIET or (work.last_failed and now - work.last_failed <= QUIET):
        return None
    return Program.WORKER if work.waiting or work.unfinished else Program.SCHEDULE


def _tasks(work: Work | None, now: dt.datetime) -> list[TaskState]:
    if work is None:
        return []
    names = sorted({*LATE_AFTER, *work.failures})
    return [
        TaskState(name, work.done.get(name), work.failures.get(name, 0), _is_late(name, work.done.get(name), now))
        for name in names
    ]


def _is_late(name: str, done: dt.datetime | None, now: dt.datetime) -> bool:
    """Return whether a task is late. A task that never ran is not: a new deployment waits for its first night."""
    return done is not None and name in LATE_AFTER and now - done > LATE_AFTER[name]


def _keys(now: dt.datetime) -> list[KeyState]:
    today = now.astimezone(deployment_zone()).date()
    days = [today + dt.timedelta(days=ahead) for ahead in range(KEYS_AHEAD_DAYS)]
    there = set(IssuerKey.objects.filter(epoch__in=days).values_list("epoch", flat=True))
    return [KeyState(day, day in there) for day in days]


def _storage() -> Storage:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_database_size(current_database())")
        (database,) = cursor.fetchone()
    lake, free = _lake()
    return Storage(database, _or_none(_valkey_bytes), lake, free)


def _valkey_bytes() -> int:
    info: Any = valkey.client().info("memory")
    return int(info["used_memory"])


def _lake() -> tuple[int | None, int | None]:
    """Return the size of a lake in a folder and the free space of its disk; only a provider knows a bucket's size."""
    files = storage()
    if files.is_s3:
        return None, None
    folder = local_path(files.url)
    try:
        sizes = [each.size for each in LocalObjects().versions(files.url)]
        return sum(sizes), shutil.disk_usage(folder).free
    except OSError:
        return None, None


def _or_none(read: Callable[[], Part]) -> Part | None:
    try:
        return read()
    except RedisError:
        return None
