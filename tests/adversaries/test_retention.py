"""P7: with the clock moved forward, no store contains data that should be deleted by then.

Tables are tested by their declarations; Valkey by the lifetime of each key; the lake, results of queries, mails and
logs by their folders; a door's replay set by its code, run in Node. A phone keeps its days until its holder deletes
them.
"""

from __future__ import annotations

import datetime as dt
import os
import secrets
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import pytest
from django.contrib.postgres.fields import ArrayField
from django.db import models

from common import valkey
from common.days import first_instant
from common.privacy import Subject, declared_models
from common.purge import purge_expired
from common.task_record import DONE
from common.time import deployment_zone
from embedded.supervisor import ROTATE_SECONDS, drop_mails, rotate_logs
from exports.athena import results
from exports.lake.deployment import storage
from exports.models import AthenaQuery
from tests.factories import NOW, make_device, make_venue
from tests.passes.people import Phone, result, scan, send

HOUR, DAY = dt.timedelta(hours=1), dt.timedelta(days=1)
SECOND = dt.timedelta(seconds=1)
EPOCH = 28 * HOUR
VISIT = EPOCH + 14 * DAY

LIVES: Final[Mapping[tuple[str, str], dt.timedelta]] = {
    # As documented for visitors (docs/visitors.md, the page of claims), counted from the start of the day for dates.
    ("passes.Visitor", ""): 211 * DAY,  # 180 days from the end of a month
    ("passes.DrawnSet", ""): EPOCH,
    ("passes.SpentTicket", ""): EPOCH,
    ("passes.Pass", ""): VISIT,
    ("passes.Pass", "anchor"): EPOCH,
    ("passes.RevokedEntry", ""): EPOCH,
    ("passes.Tombstone", ""): VISIT,
    ("passes.Scan", ""): VISIT,
    ("passes.Visit", ""): VISIT,
    ("passes.Exemption", ""): 0 * DAY,
    ("passes.Rating", ""): VISIT,
    ("passes.Name", ""): EPOCH,
    ("passes.SpentOwner", ""): VISIT,
    ("risk.CrowdDay", ""): VISIT,
    ("risk.ReportedDay", ""): VISIT,
    ("risk.AnsweredDay", ""): VISIT,
    ("risk.CountedDay", ""): VISIT,
    ("risk.ReportCell", ""): 28 * 27 * DAY,  # sums of the whole deployment, sealed
    ("exports.Erasure", ""): 90 * DAY,
    ("exports.ErasedOwner", ""): 15 * DAY,
    ("common.RememberedAnswer", ""): DAY,
    # Of nobody, or of people who run venues.
    ("passes.SealingKey", ""): EPOCH + 15 * DAY,
    ("risk.AirReading", ""): 9 * DAY,
    ("risk.AirHour", ""): 16 * DAY,
    ("risk.SeenDay", ""): VISIT,
    ("venues.PresenceCount", ""): 30 * DAY,
    ("exports.WebhookDelivery", ""): 90 * DAY,
    ("exports.Credential", ""): dt.timedelta(0),
    ("exports.AthenaQuery", ""): DAY,
    ("common.AuditEntry", ""): 365 * DAY,
    ("venues.Organisation", ""): 30 * DAY,
    ("venues.Venue", ""): 30 * DAY,
    ("venues.MemberCode", ""): DAY,
    ("venues.OwnerToken", ""): dt.timedelta(0),
    ("venues.EnrolmentCode", ""): DAY,
    ("site.VitalsCount", ""): 91 * DAY,
    ("admin.LogEntry", ""): 365 * DAY,
    ("sessions.Session", ""): dt.timedelta(0),
}
GIVEN: Final[Mapping[str, dict[str, Any]]] = {
    "passes.Visit": {"arrived_at": NOW, "times_out_at": NOW + HOUR},
    "passes.Rating": {"masks": 1, "distancing": 1},
    "admin.LogEntry": {"action_flag": 1},
    "venues.Device": {},
}
"""Values that a model's constraint requires."""


def a_value(field: models.Field[Any, Any]) -> Any:
    """Return a value that the column accepts."""
    length = field.max_length or 8
    match field:
        case models.BinaryField():
            return secrets.token_bytes(min(length, 16))
        case models.UUIDField() | models.JSONField() if field.has_default():
            return field.get_default()
        case models.JSONField():
            return {}
        case ArrayField():
            return [1] * (field.size or 1)
        case models.BooleanField():
            return False
        case models.DateTimeField():
            return NOW
        case models.DateField():
            return NOW.date()
        case models.IntegerField():
            return 1
        case models.FloatField():
            return 0.5
        case _:
            return secrets.token_hex(16)[:length]


def a_row(model: type[models.Model], **given: Any) -> models.Model:
    """Create a row with everything that it depends on."""
    values: dict[str, Any] = GIVEN.get(model._meta.label, {}) | given
    for field in model._meta.concrete_fields:
        if field.name in values or isinstance(field, models.AutoField) or (field.null and field.name != "anchor"):
            continue
        if isinstance(field, models.ForeignKey):
            values[field.name] = make_venue() if field.name == "venue" else a_row(field.related_model)
        elif not field.has_default() and field.db_default is models.NOT_PROVIDED:
            values[field.name] = a_value(field)
    return model._base_manager.create(**values)


def retentions() -> list[Any]:
    return [
        pytest.param(model, retention, id=f"{model._meta.label}.{retention.blank or 'row'}")
        for model, privacy in declared_models()
        for retention in privacy.retention
    ]


class TestTables:
    @pytest.mark.django_db
    @pytest.mark.parametrize(("model", "retention"), retentions())
    def test_a_row_exists_until_its_retention_ends_and_not_longer(self, model: Any, retention: Any) -> None:
        lives = LIVES[model._meta.label, retention.blank or ""]
        path, *onto = retention.field.split("__")
        owner = model._meta.get_field(path).related_model if onto else model
        field = owner._meta.get_field(onto[0] if onto else path)
        is_time = isinstance(field, models.DateTimeField)
        born = {field.name: NOW if is_time else NOW.date()}
        row = a_row(model, **({path: a_row(owner, **born)} if onto else born))
        ends = (NOW if is_time else first_instant(NOW.date(), deployment_zone())) + lives

        def is_there() -> bool:
            found = model._base_manager.filter(pk=row.pk)
            return bool(found.exclude(**{retention.blank: None}).exists() if retention.blank else found.exists())

        purge_expired(now=ends - SECOND)
        assert is_there()
        purge_expired(now=ends)
        assert not is_there()

    def test_every_term_is_named_here_and_nothing_of_a_visit_is_without_one(self) -> None:
        declared = {
            (model._meta.label, retention.blank or "")
            for model, privacy in declared_models()
            for retention in privacy.retention
        }
        assert declared == set(LIVES)
        for model, privacy in declared_models():
            if privacy.subject in (Subject.VISIT, Subject.VISITOR):
                assert privacy.retention, model


class TestValkey:
    @pytest.mark.django_db
    def test_no_key_left_by_an_action_of_a_visitor_outlives_two_days(self) -> None:
        """All keys are checked, regardless of who created them; only those of the schedule remain."""
        for client in (valkey.client(), valkey.limits()):
            for name in client.scan_iter("*"):
                client.delete(name)
        place = make_venue()
        door = make_device(venue=place)
        held = Phone().check_in(place)
        assert result(scan(door, held.on_screen(NOW), now=NOW)) == "Approved"
        send("POST", "/api/v1/ratings", {"owner": held.owner, "masks": 4, "distancing": 2}, now=NOW)
        send("POST", "/api/v1/erasures", {"owners": [held.owner]}, now=NOW)
        lives = {
            bytes(name).decode(): client.ttl(name)
            for client in (valkey.client(), valkey.limits())
            for name in client.scan_iter("*")
        }
        assert lives
        lasting = {name for name, seconds in lives.items() if seconds < 0}
        # The queue and its bindings empty as tasks run; `DONE` says when a task of the schedule last ended.
        assert {name for name in lasting if not name.startswith(("celery", "_kombu", "unacked"))} <= {DONE}
        assert max(lives.values()) <= (2 * DAY).total_seconds()


class TestFolders:
    @pytest.mark.django_db
    def test_results_of_queries_go_with_their_queries(self, settings: Any, tmp_path: Path) -> None:
        settings.LAKE_URL = (tmp_path / "lake").as_uri()
        query = AthenaQuery.objects.create(
            token=secrets.token_hex(8),
            sql="SELECT 1",
            state=AthenaQuery.State.SUCCEEDED,
            submitted_at=NOW,
            stored_bytes=results.BLOCK,
        )
        storage().write(f"{results.FOLDER}/{query.pk}.csv", b"1")
        results.sweep_results()
        assert self.kept(results.FOLDER) == [f"{query.pk}.csv"]
        purge_expired(now=NOW + DAY)
        results.sweep_results()
        assert self.kept(results.FOLDER) == []

    def kept(self, folder: str) -> list[str]:
        return [each.url.rsplit("/", 1)[-1] for each in storage().objects().versions(storage().at(folder))]

    def test_mails_that_no_server_took_go_within_a_turn_of_the_logs(self, tmp_path: Path) -> None:
        mail = tmp_path / "1.log"
        mail.write_text("To: rosa@example.org")
        drop_mails(tmp_path, older_than=ROTATE_SECONDS)
        assert mail.exists()
        old = time.time() - ROTATE_SECONDS - 1
        os.utime(mail, (old, old))
        drop_mails(tmp_path, older_than=ROTATE_SECONDS)
        assert not mail.exists()
        assert (7 * DAY).total_seconds() >= ROTATE_SECONDS

    def test_a_line_of_a_log_is_gone_after_two_turns_which_fit_into_a_fortnight(self, tmp_path: Path) -> None:
        log = tmp_path / "web.log"
        log.write_text("a line of long ago\n")
        rotate_logs(tmp_path)
        log.write_text("a line of today\n")
        rotate_logs(tmp_path)
        assert "long ago" not in "".join(file.read_text() for file in tmp_path.iterdir())
        assert (14 * DAY).total_seconds() >= 2 * ROTATE_SECONDS
