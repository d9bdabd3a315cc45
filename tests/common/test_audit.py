"""The audit log."""

import datetime as dt

import pytest
from django.db import models, transaction

from common import audit
from common.models import AuditEntry

pytestmark = pytest.mark.django_db

NOW = dt.datetime(2026, 8, 14, 12, tzinfo=dt.UTC)


def test_an_action_is_recorded_in_words_and_public_ids() -> None:
    audit.record(actor="ann", verb="close", subject="v_1", now=NOW, organisation="o_1", reason="over", count=3)
    entry = audit.entries_of("o_1").get()
    assert (entry.at, entry.actor, entry.verb, entry.subject) == (NOW, "ann", "close", "v_1")
    assert entry.details == {"reason": "over", "count": 3}


def test_organisations_see_their_own_actions_newest_first() -> None:
    for minute, organisation in enumerate(["o_1", "o_2", "o_1"]):
        at = NOW + dt.timedelta(minutes=minute)
        audit.record(actor="ann", verb=f"act{minute}", subject="s", now=at, organisation=organisation)
    assert [entry.verb for entry in audit.entries_of("o_1")] == ["act2", "act0"]


def test_an_action_that_is_rolled_back_leaves_no_entry() -> None:
    with transaction.atomic():
        audit.record(actor="ann", verb="close", subject="v_1", now=NOW)
        transaction.set_rollback(True)
    assert not AuditEntry.objects.exists()


def test_the_log_has_no_keys_to_other_tables() -> None:
    assert not [field for field in AuditEntry._meta.get_fields() if isinstance(field, models.ForeignKey)]
