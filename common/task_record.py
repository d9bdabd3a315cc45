"""Last success and number of failures of each task, for the operator's status page: names and numbers only.

Stored in Valkey, next to the queue. A task whose record cannot be written still counts as done.
"""

import datetime as dt
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from celery import Task
from redis import RedisError

from common import valkey
from common.time import utc_now, z

DONE: Final = "crowdtrace:tasks:done"
FAILED: Final = "crowdtrace:tasks:failed"
LAST_FAILED: Final = "crowdtrace:tasks:last-failed"
FAILURES_LIVE: Final = dt.timedelta(days=14)
QUEUE: Final = "celery"
UNFINISHED: Final = "unacked"
"""Names used by the transport (kombu's for Redis): waiting tasks, and tasks that a worker took but has not finished."""

if TYPE_CHECKING:  # it is generic only for the type checker
    _Task = Task[..., Any]
else:
    _Task = Task

_log = logging.getLogger(__name__)


class RecordedTask(_Task):
    """A task that records how it ended."""

    abstract = True

    def on_success(self, retval: Any, task_id: str, args: Any, kwargs: Any) -> None:  # noqa: ARG002
        """Record the time."""
        _write(lambda store: store.hset(DONE, self.name, z(utc_now())))

    def on_failure(self, exc: BaseException, task_id: str, args: Any, kwargs: Any, einfo: Any) -> None:  # noqa: ARG002
        """Count the failure on its day."""

        def count(store: Any) -> None:
            name = f"{FAILED}:{utc_now().date().isoformat()}"
            store.hincrby(name, self.name, 1)
            store.expire(name, FAILURES_LIVE)
            store.set(LAST_FAILED, z(utc_now()))

        _write(count)


@dataclass(frozen=True, slots=True)
class Work:
    """The waiting tasks, and the state of each task; `failures` of the last 14 days, `last_failed` of any task."""

    waiting: int
    unfinished: int
    done: dict[str, dt.datetime]
    failures: dict[str, int]
    last_failed: dt.datetime | None = None


def read_work(now: dt.datetime) -> Work:
    """Return the present state. Raise `RedisError` if Valkey is not available."""
    store: Any = valkey.client()
    days = [(now - dt.timedelta(days=back)).date().isoformat() for back in range(FAILURES_LIVE.days)]
    pipe = store.pipeline(transaction=False)
    pipe.llen(QUEUE)
    pipe.hlen(UNFINISHED)
    pipe.hgetall(DONE)
    pipe.get(LAST_FAILED)
    for day in days:
        pipe.hgetall(f"{FAILED}:{day}")
    waiting, unfinished, done, last_failed, *failed = pipe.execute()
    failures: dict[str, int] = {}
    for day in failed:
        for name, count in day.items():
            failures[name.decode()] = failures.get(name.decode(), 0) + int(count)
    when = {name.decode(): dt.datetime.fromisoformat(at.decode()) for name, at in done.items()}
    last = dt.datetime.fromisoformat(last_failed.decode()) if last_failed else None
    return Work(waiting=waiting, unfinished=unfinished, done=when, failures=failures, last_failed=last)


def _write(action: Any) -> None:
    try:
        action(valkey.client())
    except RedisError:
        _log.warning("could not record the end of a task: Valkey does not respond")
