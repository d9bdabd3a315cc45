"""The nightly purge."""

import datetime as dt
import json
import logging
import os
import uuid
from concurrent.futures import ThreadPoolExecutor
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection, connections, transaction
from pytest_django.fixtures import Settings

from common import purge as module
from common import tasks
from common.models import AuditEntry, RememberedAnswer
from common.privacy import declared_models
from common.purge import purge_expired
from common.tasks import purge
from passes.models import Name, Pass, Rating, Scan
from venues.models import Organisation, Venue

pytestmark = pytest.mark.django_db

DAY = dt.date(2026, 8, 14)
SECOND = dt.timedelta(seconds=1)


def utc(year: int, month: int, day: int, hour: int = 0, minute: int = 0) -> dt.datetime:
    """Return a time in UTC."""
    return dt.datetime(year, month, day, hour, minute, tzinfo=dt.UTC)


def make_venue(simulated_until: dt.datetime | None = None) -> Venue:
    """Create a venue of an organisation, simulated or not."""
    created = utc(2026, 1, 1)
    organisation = Organisation.objects.create(
        name="o", kind="school", created_at=created, simulated_until=simulated_until
    )
    return Venue.objects.create(organisation=organisation, name="v", kind="school", created_at=created)


def make_pass(venue: Venue, epoch: dt.date) -> Pass:
    """Create a pass with everything that depends on it."""
    row = Pass.objects.create(
        tag=os.urandom(16),
        anchor=os.urandom(16),
        venue=venue,
        epoch=epoch,
        owner_hash=os.urandom(32),
        symptoms=False,
        diagnosed=False,
        contact=False,
        near=False,
        survey_seconds=9,
        go=True,
        counted=True,
    )
    Rating.objects.create(pass_row=row, masks=3, distancing=4)
    Name.objects.create(pass_row=row, text=b"x")
    return row


def answer(at: dt.datetime) -> RememberedAnswer:
    """Create a stored response."""
    return RememberedAnswer.objects.create(key_hash=os.urandom(32), request_hash=b"", at=at)


def test_a_row_goes_at_its_instant_and_not_a_second_before() -> None:
    now = utc(2026, 8, 14, 12)
    answer(now - dt.timedelta(days=1))
    kept = answer(now - dt.timedelta(days=1) + SECOND)
    assert purge_expired(now=now) == {"common.RememberedAnswer": 1}
    assert list(RememberedAnswer.objects.all()) == [kept]


@pytest.mark.parametrize(
    ("zone", "end"),
    [
        ("UTC", utc(2026, 8, 15, 4)),
        ("America/New_York", utc(2026, 8, 15, 8)),
        ("Asia/Kolkata", utc(2026, 8, 14, 22, 30)),
    ],
)
def test_visits_go_a_fortnight_after_their_epoch_ends_where_the_deployment_is(
    settings: Settings, zone: str, end: dt.datetime
) -> None:
    settings.DEPLOYMENT_TIME_ZONE = zone
    venue = make_venue()
    make_pass(venue, DAY)
    at_end = dt.timedelta(days=14)
    purge_expired(now=end + at_end - SECOND)
    assert Pass.objects.count() == Rating.objects.count() == 1
    counts = purge_expired(now=end + at_end)
    assert counts == {"passes.Pass": 1, "passes.Rating": 1}
    assert Pass.objects.count() == Rating.objects.count() == 0


def test_an_anchor_is_blanked_and_a_name_removed_when_the_epoch_ends() -> None:
    row = make_pass(make_venue(), DAY)
    assert purge_expired(now=utc(2026, 8, 15, 4) - SECOND) == {}
    counts = purge_expired(now=utc(2026, 8, 15, 4))
    assert counts == {"passes.Name": 1, "passes.Pass.anchor": 1}
    row.refresh_from_db()
    assert row.anchor is None
    assert not Name.objects.exists()
    assert purge_expired(now=utc(2026, 8, 15, 4)) == {}


def test_simulated_rows_live_by_the_end_of_their_simulation() -> None:
    real = make_pass(make_venue(), dt.date(2024, 3, 1))
    old = make_pass(make_venue(simulated_until=utc(2024, 3, 20)), dt.date(2024, 3, 1))
    recent = make_pass(make_venue(simulated_until=utc(2024, 3, 20)), dt.date(2024, 3, 10))
    ahead = make_pass(make_venue(simulated_until=utc(2030, 1, 1)), dt.date(2026, 8, 13))
    purge_expired(now=utc(2026, 8, 14))
    assert set(Pass.objects.values_list("pk", flat=True)) == {recent.pk}
    assert real.pk != old.pk != ahead.pk
    recent.refresh_from_db()
    assert recent.anchor is None


def test_a_scan_goes_even_when_its_device_is_gone() -> None:
    Scan.objects.create(
        scan_id=uuid.uuid4().hex,
        venue=make_venue(),
        tag=None,
        epoch=DAY,
        type="Checkin",
        slot=1,
        scanned_at=utc(2026, 8, 14),
        approved=False,
        cause="forged",
    )
    assert purge_expired(now=utc(2026, 9, 14)) == {"passes.Scan": 1}


def test_large_amounts_go_in_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BATCH", 7)
    for _ in range(20):
        answer(utc(2026, 1, 1))
    assert purge_expired(now=utc(2026, 8, 14)) == {"common.RememberedAnswer": 20}


def test_running_it_again_does_nothing() -> None:
    make_pass(make_venue(), DAY)
    assert purge_expired(now=utc(2026, 10, 1))
    assert purge_expired(now=utc(2026, 10, 1)) == {}


@pytest.mark.django_db(transaction=True)
def test_two_at_once_count_each_row_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BATCH", 5)
    for _ in range(60):
        answer(utc(2026, 1, 1))

    def run(_: int) -> int:
        try:
            return purge_expired(now=utc(2026, 8, 14)).get("common.RememberedAnswer", 0)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(3) as pool:
        assert sum(pool.map(run, range(3))) == 60


@pytest.mark.django_db(transaction=True)
def test_a_row_that_somebody_is_changing_is_left_for_the_next_time() -> None:
    held, free = answer(utc(2026, 1, 1)), answer(utc(2026, 1, 2))

    def run() -> dict[str, int]:
        try:
            return purge_expired(now=utc(2026, 8, 14))
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as pool, transaction.atomic():
        RememberedAnswer.objects.select_for_update().get(pk=held.pk)
        assert pool.submit(run).result(30) == {"common.RememberedAnswer": 1}
    assert [bytes(key) for key in RememberedAnswer.objects.values_list("pk", flat=True)] == [held.pk]
    assert free.pk != held.pk


def test_sessions_and_audit_entries_have_terms_too() -> None:
    from django.contrib.sessions.models import Session

    Session.objects.create(session_key="k", session_data="d", expire_date=utc(2026, 8, 1))
    AuditEntry.objects.create(at=utc(2025, 8, 1), actor="a", verb="v", subject="s")
    AuditEntry.objects.create(at=utc(2026, 8, 1), actor="a", verb="v", subject="s")
    assert purge_expired(now=utc(2026, 8, 14)) == {"common.AuditEntry": 1, "sessions.Session": 1}


def test_the_command_prints_what_went() -> None:
    answer(utc(2026, 1, 1))
    out = StringIO()
    call_command("purge", stdout=out)
    assert json.loads(out.getvalue()) == {"common.RememberedAnswer": 1}


def test_the_task_purges_and_lets_expired_keys_leave_the_disk() -> None:
    answer(utc(2026, 1, 1))
    assert purge.name == "common.purge"
    purge.apply(throw=True)
    assert not RememberedAnswer.objects.exists()


def test_a_store_that_is_away_does_not_stop_the_purge(settings: Settings, caplog: pytest.LogCaptureFixture) -> None:
    answer(utc(2026, 1, 1))
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    with caplog.at_level(logging.INFO, tasks.__name__):
        purge.apply(throw=True)
    assert not RememberedAnswer.objects.exists()
    assert "did not rewrite its append-only file" in caplog.text


def test_purging_nothing_asks_little(django_assert_max_num_queries: Any) -> None:
    with django_assert_max_num_queries(6 * len(declared_models())):
        purge_expired(now=utc(2026, 8, 14))
    assert connection.in_atomic_block
