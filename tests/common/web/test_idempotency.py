"""Retrying a request without repeating its effect."""

import datetime as dt
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import time_machine
from django.db import connection, connections
from rest_framework.test import APIClient

from common import time
from common.models import AuditEntry, RememberedAnswer
from common.web import idempotency
from tests.common import views

pytestmark = [pytest.mark.urls("tests.common.views"), pytest.mark.django_db(transaction=True)]

KEY = "3f1c9a52-8d3e-4f0b-9a41-5b2f6f2b7c11"


def send(api: APIClient, verb: str = "paint", key: str | None = KEY, **headers: str) -> Any:
    """Send the request that writes a row."""
    with_key = {} if key is None else {"Idempotency-Key": key}
    return api.post("/api/v1/rows", {"verb": verb}, format="json", headers=with_key | headers)


def rows() -> int:
    """Return how often the effect happened."""
    return AuditEntry.objects.count()


def test_a_repeated_request_gets_the_first_answer_and_has_no_second_effect(api: APIClient) -> None:
    first, second = send(api), send(api)
    assert rows() == 1
    assert first.status_code == second.status_code == 201
    assert first.content == second.content == b'{"verb":"paint"}'
    assert first["Location"] == second["Location"] == "/api/v1/rows/paint"
    assert first["Content-Type"] == second["Content-Type"] == "application/json"


def test_without_a_key_each_request_counts(api: APIClient) -> None:
    send(api, key=None)
    send(api, key=None)
    assert rows() == 2
    assert not RememberedAnswer.objects.exists()


def test_the_same_key_with_another_body_is_refused(api: APIClient) -> None:
    send(api)
    response = send(api, verb="other")
    assert response.status_code == 422
    assert response.json()["type"] == "/problems/key-reused"
    assert rows() == 1


def test_the_same_key_of_another_caller_is_another_key(api: APIClient) -> None:
    for token in ("Owner aaaa", "Owner bbbb"):
        assert send(api, verb=token, Authorization=token).status_code == 201
    assert rows() == 2


def test_quotes_of_the_draft_are_no_part_of_the_key(api: APIClient) -> None:
    assert send(api, key=f'"{KEY}"').content == send(api, key=KEY).content
    assert rows() == 1


@pytest.mark.parametrize("key", ["", "short", "x" * 129, "with spaces in the key", '"unbalanced-quote-key', "ключ" * 8])
def test_a_key_of_another_form_is_named(api: APIClient, key: str) -> None:
    response = send(api, key=key.encode().decode("latin-1"))
    assert response.status_code == 400
    assert response.json()["errors"][0]["pointer"] == "Idempotency-Key:"
    assert rows() == 0


def test_a_refused_request_changed_nothing_and_may_be_tried_again(api: APIClient) -> None:
    assert send(api, verb="conflict").status_code == 409
    assert send(api, verb="crash").status_code == 500
    assert send(api, verb="x" * 65).status_code == 400
    assert (rows(), RememberedAnswer.objects.count()) == (0, 0)
    assert send(api, verb="fine").status_code == 201


def test_nothing_stored_reveals_key_caller_body_or_response(api: APIClient) -> None:
    send(api, Authorization="Owner very-secret-token")
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT t::text FROM {RememberedAnswer._meta.db_table} t")
        ((kept,),) = cursor.fetchall()
    row = RememberedAnswer.objects.get()
    assert row.answer is not None
    everything = kept.encode() + bytes(row.answer) + bytes(row.key_hash) + bytes(row.request_hash)
    for secret in (KEY, "very-secret-token", "paint"):
        assert secret.encode() not in everything
        assert secret.encode().hex().encode() not in everything


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Iterator["Gate"]:
    """Yield a gate that holds the effect until it is released."""
    gate = Gate()
    original = time.utc_now

    def waiting() -> dt.datetime:
        gate.entered.set()
        assert gate.open.wait(20)
        return original()

    monkeypatch.setattr(views, "utc_now", waiting)
    yield gate
    gate.open.set()


class Gate:
    def __init__(self) -> None:
        self.entered, self.open = threading.Event(), threading.Event()


def in_thread(verb: str = "paint") -> tuple[int, bytes]:
    """Send from a thread with a separate connection."""
    try:
        response = send(APIClient(raise_request_exception=False), verb)
        return response.status_code, response.content
    finally:
        connections.close_all()


def test_a_concurrent_twin_gets_retry_after(api: APIClient, gate: Gate) -> None:
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(in_thread)
        assert gate.entered.wait(20)
        twin = send(api)
        other = send(api, verb="other")
        gate.open.set()
        assert first.result()[0] == 201
    assert twin.status_code == 409
    assert twin.json()["type"] == "/problems/in-progress"
    assert int(twin["Retry-After"]) >= 1
    assert other.status_code == 422
    assert send(api).status_code == 201
    assert rows() == 1


def test_one_of_many_identical_requests_has_an_effect() -> None:
    barrier = threading.Barrier(6)

    def run(_: int) -> tuple[int, bytes]:
        barrier.wait()
        return in_thread()

    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(run, range(6)))
    assert rows() == 1
    assert {status for status, _ in answers} <= {201, 409}
    assert {content for status, content in answers if status == 201} == {b'{"verb":"paint"}'}


def test_a_mark_whose_process_died_is_taken_over(api: APIClient) -> None:
    def die(names: Any, stamp: dt.datetime, response: Any) -> Any:
        raise SystemExit

    with pytest.MonkeyPatch.context() as patch:
        # A killed process neither writes the response nor removes its mark; the database undoes the effect.
        patch.setattr(idempotency, "_remember", die)
        patch.setattr(idempotency, "_forget", lambda names, stamp: None)
        with pytest.raises(SystemExit):
            send(api)
    assert (rows(), RememberedAnswer.objects.count()) == (0, 1)
    assert send(api).status_code == 409
    with time_machine.travel(dt.datetime.now(dt.UTC) + idempotency.TAKEN_OVER_AFTER + dt.timedelta(seconds=1)):
        assert send(api).status_code == 201
        assert send(api).status_code == 201
    assert rows() == 1


def test_a_mark_from_before_the_clock_was_set_back_is_taken_over(api: APIClient) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(idempotency, "_forget", lambda names, stamp: None)
        patch.setattr(idempotency, "_remember", lambda names, stamp, response: sys.exit())
        with time_machine.travel(dt.datetime.now(dt.UTC) + dt.timedelta(hours=1)), pytest.raises(SystemExit):
            send(api)
    assert send(api).status_code == 201
    assert rows() == 1


def test_a_slow_request_whose_mark_was_taken_over_has_no_effect(gate: Gate) -> None:
    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(in_thread)
        assert gate.entered.wait(20)
        later = dt.datetime.now(dt.UTC) + dt.timedelta(minutes=2)
        assert RememberedAnswer.objects.update(at=later) == 1
        gate.open.set()
        assert slow.result()[0] == 409
    assert rows() == 0
    assert RememberedAnswer.objects.get().at == later
