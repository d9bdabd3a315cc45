"""The schedule continues after the clock was set back, and after the broker was away."""

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import pytest
from celery import Celery
from celery.schedules import crontab
from kombu.exceptions import OperationalError

from common import schedule
from common.schedule import SteadyScheduler


class Sent(list[str]):
    """The tasks that a broker took; it takes none while it is away."""

    is_away = False


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> Sent:
    taken = Sent()

    def send(_scheduler: SteadyScheduler, name: str, *_arguments: object, **_options: object) -> None:
        if taken.is_away:
            raise OperationalError
        taken.append(name)

    monkeypatch.setattr(SteadyScheduler, "send_task", send)
    monkeypatch.setattr(SteadyScheduler, "producer", None)
    return taken


@pytest.fixture
def scheduler(tmp_path: Path, sent: Sent) -> Iterator[SteadyScheduler]:
    with Celery(set_as_current=False, broker="memory://") as app:
        app.conf.beat_schedule = {
            "crowd": {"task": "crowd", "schedule": crontab()},
            "release": {"task": "release", "schedule": crontab(hour=5, minute=0)},
        }
        made = SteadyScheduler(app, schedule_filename=str(tmp_path / "schedule"))
        yield made
        made.close()


def set_last_runs(scheduler: SteadyScheduler, back: dt.timedelta) -> None:
    for entry in scheduler.schedule.values():
        entry.last_run_at = entry.default_now() - back
    scheduler._heap = None


def run(scheduler: SteadyScheduler) -> float:
    """Tick until nothing is due."""
    while not (pause := scheduler.tick()):
        pass
    return pause


def test_after_the_clock_was_set_back_an_hour_the_schedule_goes_on_at_once(
    scheduler: SteadyScheduler, sent: Sent
) -> None:
    set_last_runs(scheduler, -dt.timedelta(hours=1))
    assert run(scheduler) <= 61
    assert sent == []


def test_after_the_clock_was_set_forward_each_task_runs_once(scheduler: SteadyScheduler, sent: Sent) -> None:
    set_last_runs(scheduler, dt.timedelta(days=1, hours=1))
    run(scheduler)
    assert sorted(sent) == ["crowd", "release"]


def test_a_task_that_the_broker_did_not_take_is_sent_once_it_is_back(
    scheduler: SteadyScheduler, sent: Sent, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schedule, "RETRY_SECONDS", 0.0)
    set_last_runs(scheduler, dt.timedelta(days=2))
    sent.is_away = True
    for _ in range(4):
        scheduler.tick()
    assert sent == []
    sent.is_away = False
    for _ in range(4):
        scheduler.tick()
    assert sorted(sent) == ["crowd", "release"]
