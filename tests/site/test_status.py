"""Health and readiness."""

import datetime as dt
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client
from pytest_django.fixtures import Settings

from common.time import deployment_zone
from crowdtrace.site.operator import health
from passes.models import IssuerKey


@pytest.fixture
def key(db: None) -> IssuerKey:
    """Create today's issuer key."""
    now = dt.datetime.now(dt.UTC)
    today = now.astimezone(deployment_zone()).date()
    return IssuerKey.objects.create(epoch=today, kid=b"1234", public=bytes(32), private=b"x", created_at=now)


def missing(client: Client) -> list[str]:
    """Return what `/readyz` misses, after checking its form."""
    response = client.get("/readyz")
    body: dict[str, Any] = response.json()
    assert response.status_code == (503 if body["missing"] else 200)
    assert body["status"] == ("missing" if body["missing"] else "ok")
    assert response["Cache-Control"] == "no-store"
    return list(body["missing"])


def test_a_database_that_does_not_respond_is_asked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    def away() -> bool:
        asked.append(1)
        raise OperationalError

    asked: list[int] = []
    monkeypatch.setattr(health, "CHECKS", health.CHECKS | dict.fromkeys(("database", *health.ASK_DATABASE), away))
    assert missing(Client()) == ["database"]
    assert len(asked) == 1


def test_health_asks_no_store(client: Client) -> None:
    # Without the mark for a database this test may not reach one.
    response = client.get("/healthz")
    assert (response.status_code, response.json()) == (200, {"status": "ok"})
    assert client.head("/healthz").status_code == 200


@pytest.mark.usefixtures("key")
def test_a_whole_deployment_is_ready(client: Client) -> None:
    assert missing(client) == []


@pytest.mark.django_db
def test_without_the_key_of_today_it_is_not_ready(client: Client) -> None:
    assert missing(client) == ["issuer key"]


@pytest.mark.usefixtures("key")
def test_a_migration_that_was_not_applied_is_missing(client: Client) -> None:
    MigrationRecorder(connection).record_unapplied("common", "0001_initial")
    assert missing(client) == ["migrations"]


@pytest.mark.usefixtures("key")
def test_without_valkey_it_is_not_ready(client: Client, settings: Settings) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    assert missing(client) == ["valkey"]


@pytest.mark.usefixtures("key")
def test_secrets_that_only_stand_in_are_missing(client: Client, settings: Settings) -> None:
    settings.PEPPER = bytes(32)
    assert missing(client) == ["secrets"]
