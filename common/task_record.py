"""When each task last succeeded and how often it failed, for the operator's status page. Names and numbers, no more.

Kept in Valkey, beside the queue: a task whose record cannot be written is still done.
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
FAILURES_LIVE: Final = dt.timedelta(days=14)
QUEUE: Final = "celery"
UNFINISHED: Final = "unacked"
"""Names of the transport (kombu's for Redis): what waits, and what a worker has taken but not finished."""

if TYPE_CHECKING:  # it is generic to the type checker alone
    _Task = Task[..., Any]
else:
    _Task = Task

_log = logging.getLogger(__name__)


class RecordedTask(_Task):
    """A task that writes down how it ended."""

    abstract = True

    def on_success(self, retval: Any, task_id: str, args: Any, kwargs: Any) -> None:  # noqa: ARG002
        """Note when."""
        _write(lambda store: store.hset(DONE, self.name, z(utc_now())))

    def on_failure(self, exc: BaseException, task_id: str, args: Any, kwargs: Any, einfo: Any) -> None:  # noqa: ARG002
        """Count it on its day."""

        def count(store: Any) -> None:
            name = f"{FAILED}:{utc_now().date().isoformat()}"
            store.hincrby(name, self.name, 1)
            store.expire(name, FAILURES_LIVE)

        _write(count)


@dataclass(frozen=True, slots=True)
class Work:
    """What waits, and how each task fares; `failures` of the last 14 days."""

    waiting: int
    unfinished: int
    done: dict[str, dt.datetime]
    failures: dict[str, int]


def read_work(now: dt.datetime) -> Work:
    """The present state; raises `RedisError` where Valkey is away."""
    store: Any = valkey.client()
    days = [(now - dt.timedelta(days=back)).date().isoformat() for back in range(FAILURES_LIVE.days)]
    pipe = store.pipeline(transaction=False)
    pipe.llen(QUEUE)
    pipe.hlen(UNFINISHED)
    pipe.hgetall(DONE)
    for day in days:
        pipe.hgetall(f"{FAILED}:{day}")
    waiting, unfinished, done, *failed = pipe.execute()
    failures: dict[str, int] = {}
    for day in failed:
        for name, count in day.items():
            failures[name.decode()] = failures.get(name.decode(), 0) + int(count)
    when = {name.decode(): dt.datetime.fromisoformat(at.decode()) for name, at in done.items()}
    return Work(waiting=waiting, unfinished=unfinished, done=when, failures=failures)


def _write(action: Any) -> None:
    try:
        action(valkey.client())
    except RedisError:
        _log.warning("the end of a task was not noted: Valkey does not answer")
