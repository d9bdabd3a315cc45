"""The status page names the part that is gone, and opens without it; readiness and metrics say the same."""

import datetime as dt
import shutil
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from common import valkey
from common.task_record import DONE, LAST_FAILED, QUEUE, UNFINISHED, Work
from common.time import utc_now, z
from crowdtrace.site.operator.status import Program, Status, status, stopped_program
from embedded.network import free_port
from tests.exports.s3 import S3Server
from tests.factories import NOW, make_user

pytestmark = pytest.mark.django_db
PAGE = reverse("owner-page-operator")
TOKEN = "a token of the operator"
MINUTE = dt.timedelta(minutes=1)


@pytest.fixture(autouse=True)
def _lake_in_a_folder(settings: Any, tmp_path: Any) -> None:
    settings.METRICS_TOKEN = TOKEN
    settings.LAKE_URL = tmp_path.as_uri()


@pytest.fixture
def operator(client: Client) -> Client:
    client.force_login(make_user(username="olga", is_staff=True, now=utc_now()))
    return client


def page_of(operator: Client) -> tuple[Status, str]:
    shown = operator.get(PAGE)
    assert shown.status_code == 200
    return shown.context["status"], shown.content.decode()


def ready(client: Client, part: str) -> str:
    """Return what metrics say of a part."""
    text = client.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"}).content.decode()
    [line] = [line for line in text.splitlines() if line.startswith(f'crowdtrace_ready{{part="{part}"}}')]
    return line.split()[-1]


def gone() -> str:
    return f"127.0.0.1:{free_port()}"


def test_a_bucket_that_is_gone_is_named(operator: Client, settings: Any) -> None:
    before, _text = page_of(operator)
    settings.LAKE_URL = "s3://bucket/prefix"
    settings.LAKE_S3_ENDPOINT = f"http://{gone()}"
    settings.LAKE_S3_ACCESS_KEY = settings.LAKE_S3_SECRET_KEY = "none"
    state, text = page_of(operator)
    assert (before.lake_responds, state.lake_responds) == (True, False)
    assert state.warnings == before.warnings + 1
    assert "does not answer" in text
    assert ready(operator, "lake") == "0.0"
    assert "lake" not in operator.get("/readyz").json()["missing"], "requests can do without it"


def test_a_bucket_that_responds_is_not_marked(
    operator: Client, settings: Any, s3: S3Server, shared_bucket: str
) -> None:
    bucket = s3.storage(shared_bucket)
    settings.LAKE_URL, settings.LAKE_S3_ENDPOINT = bucket.url, bucket.endpoint
    settings.LAKE_S3_ACCESS_KEY, settings.LAKE_S3_SECRET_KEY = bucket.access_key, bucket.secret_key
    state, text = page_of(operator)
    assert state.lake_responds
    assert "in a bucket" in text
    assert ready(operator, "lake") == "1.0"


def test_a_folder_that_is_gone_is_named(operator: Client, settings: Any, tmp_path: Any) -> None:
    settings.LAKE_URL = (tmp_path / "unmounted").as_uri()
    state, text = page_of(operator)
    assert not state.lake_responds
    assert (state.storage.lake, state.storage.free) == (None, None)
    assert "does not answer" in text


def test_little_free_space_is_marked_from_where_the_alert_begins(
    operator: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def free(size: int) -> Status:
        monkeypatch.setattr(shutil, "disk_usage", lambda _folder: shutil._ntuple_diskusage(10**12, 0, size))
        return page_of(operator)[0]

    enough, few = free(5 * 10**9), free(5 * 10**9 - 1)
    assert (enough.storage.is_nearly_full, few.storage.is_nearly_full) == (False, True)
    assert few.warnings == enough.warnings + 1


def test_a_link_to_nothing_is_not_counted(operator: Client, settings: Any, tmp_path: Any) -> None:
    (tmp_path / "kept").write_bytes(bytes(7))
    (tmp_path / "dangling").symlink_to(tmp_path / "removed")
    assert page_of(operator)[0].storage.lake == 7


def test_without_the_broker_it_opens_and_says_so(operator: Client, settings: Any) -> None:
    settings.REDIS_URL = f"redis://{gone()}/0"
    state, text = page_of(operator)
    assert (state.work, state.stopped, state.tasks) == (None, None, [])
    assert "Valkey does not answer" in text
    assert ready(operator, "valkey") == "0.0"


def test_without_the_limits_it_opens_and_says_so(operator: Client, settings: Any) -> None:
    settings.LIMITS_URL = f"redis://{gone()}/0"
    assert "Rate limits are off" in page_of(operator)[1]
    assert ready(operator, "limits") == "0.0"


@pytest.mark.parametrize(
    ("waiting", "minutes", "stopped"),
    [
        (0, 10, None),
        (50, 10, None),
        (1, 11, Program.WORKER),
        (0, 11, Program.SCHEDULE),
        (10, None, None),
        (11, None, Program.WORKER),
        (0, None, None),
    ],
)
def test_a_stopped_worker_and_a_stopped_schedule_are_not_confused(
    waiting: int, minutes: int | None, stopped: Program | None
) -> None:
    done = {} if minutes is None else {"passes.alerts": NOW - minutes * MINUTE, "exports.release": NOW - 300 * MINUTE}
    assert stopped_program(Work(waiting=waiting, unfinished=0, done=done, failures={}), NOW) is stopped


def test_tasks_that_fail_or_hang_are_not_taken_for_a_schedule_that_stopped() -> None:
    done = {"passes.alerts": NOW - 20 * MINUTE}
    failing = Work(waiting=0, unfinished=0, done=done, failures={}, last_failed=NOW - MINUTE)
    assert stopped_program(failing, NOW) is None
    hanging = Work(waiting=0, unfinished=1, done=done, failures={})
    assert stopped_program(hanging, NOW) is Program.WORKER


def test_the_page_says_that_the_worker_has_stopped(operator: Client) -> None:
    store: Any = valkey.client()
    there, queued = store.hgetall(DONE), store.lrange(QUEUE, 0, -1)
    store.delete(DONE, QUEUE, UNFINISHED, LAST_FAILED)
    try:
        store.hset(DONE, "passes.alerts", z(utc_now() - 20 * MINUTE))
        assert "the schedule is not running" in page_of(operator)[1]
        before = status(utc_now()).warnings
        store.rpush(QUEUE, b"a task")
        assert "the worker is not running" in page_of(operator)[1]
        store.hset(DONE, "passes.alerts", z(utc_now()))
        assert status(utc_now()).warnings < before
    finally:
        store.delete(DONE, QUEUE)
        if there:
            store.hset(DONE, mapping=there)
        if queued:
            store.rpush(QUEUE, *queued)
