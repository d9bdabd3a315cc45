"""Readers of the verified tier: approved by the operator, for a limited time, with every access logged."""

import datetime as dt
import io
from typing import Any

import pyarrow.parquet as pq
import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from common import crypto
from common.models import AuditEntry
from embedded.network import free_port
from exports.erasure import batches, requests
from exports.models import Credential, Recipient, VerifiedDay
from exports.release import recipients
from passes.models import Pass
from tests.exports.published import publish
from tests.exports.rows import CLOSED, DAY, a_place, a_scanned_pass
from tests.factories import make_user
from tests.passes.people import send

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("deployment")]

NOW = CLOSED + dt.timedelta(hours=2)
WEEK = {"days": 7, "first_day": "2026-05-01", "last_day": "2026-05-31"}
OPERATOR = "/api/v1/owner/operator/recipients"


@pytest.fixture
def rows() -> list[Pass]:
    place = a_place()
    made = [a_scanned_pass(place, contact=number % 3 == 0) for number in range(60)]
    publish(made, day=DAY)
    VerifiedDay.objects.create(day=DAY, step=VerifiedDay.Step.ANNOUNCED, rows=60, announced_at=CLOSED)
    return made


def a_token(*, days: int = 14, first: dt.date = DAY, last: dt.date = DAY) -> tuple[Recipient, dict[str, str]]:
    recipient = recipients.approve_recipient(name="Institute", actor="op", now=NOW)
    _, token = recipients.make_credential(
        recipient=recipient, days=days, first_day=first, last_day=last, actor="op", now=NOW
    )
    return recipient, {"Authorization": f"Recipient {token}"}


def read(headers: dict[str, str], *, day: dt.date = DAY, number: int = 0, now: dt.datetime = NOW) -> Any:
    return send("GET", f"/api/v1/verified/{day}/{number}", now=now, headers=headers)


def test_a_bucket_that_does_not_respond_gets_503(rows: list[Pass], settings: Any) -> None:
    _recipient, headers = a_token()
    settings.LAKE_URL, settings.LAKE_S3_ENDPOINT = "s3://bucket/prefix", f"http://127.0.0.1:{free_port()}"
    settings.LAKE_S3_ACCESS_KEY = settings.LAKE_S3_SECRET_KEY = "none"
    response = read(headers)
    assert (response.status_code, "Retry-After" in response) == (503, True)


class TestTheOperator:
    @pytest.fixture
    def operator(self) -> Client:
        client = Client(raise_request_exception=False)
        client.force_login(make_user(is_staff=True))
        return client

    def post(self, client: Client, path: str, body: Any) -> Any:
        return client.post(path, body, content_type="application/json")

    def test_an_organisation_is_approved_gets_a_credential_and_loses_both(self, operator: Client) -> None:
        made = self.post(operator, OPERATOR, {"name": "Institute"})
        assert made.status_code == 201
        address = f"{OPERATOR}/{made.json()['id']}"
        given = self.post(
            operator, f"{address}/credentials", {"days": 7, "first_day": "2026-05-01", "last_day": "2026-05-31"}
        )
        assert given.status_code == 201
        assert given["Cache-Control"] == "no-store"
        header = {"Authorization": f"Recipient {given.json()['token']}"}
        assert operator.get("/api/v1/verified", headers=header).status_code == 200
        assert operator.delete(address).status_code == 204
        assert operator.delete(address).status_code == 204
        assert operator.get("/api/v1/verified", headers=header).status_code == 401
        again = self.post(
            operator, f"{address}/credentials", {"days": 7, "first_day": "2026-05-01", "last_day": "2026-05-31"}
        )
        assert again.status_code == 410
        assert [each["withdrawn_at"] is None for each in operator.get(OPERATOR).json()["results"]] == [False]
        verbs = list(AuditEntry.objects.order_by("at").values_list("verb", flat=True))
        for verb in ("recipient.approved", "credential.made", "recipient.withdrawn"):
            assert verbs.count(verb) == 1

    def test_nobody_else_may(self) -> None:
        owner = Client(raise_request_exception=False)
        assert self.post(owner, OPERATOR, {"name": "X"}).status_code == 401
        owner.force_login(make_user())
        for path in (OPERATOR, f"{OPERATOR}/r_0000000000/credentials"):
            assert self.post(owner, path, {"name": "X"}).status_code == 403
        assert not Recipient.objects.exists()

    @pytest.mark.parametrize(
        "body",
        [
            {"days": 31, "first_day": "2026-05-01", "last_day": "2026-05-31"},
            {"days": 0, "first_day": "2026-05-01", "last_day": "2026-05-31"},
            {"days": 7, "first_day": "2026-05-31", "last_day": "2026-05-01"},
            {"days": 7},
        ],
    )
    def test_a_credential_is_short_lived_and_for_named_days(self, operator: Client, body: dict[str, Any]) -> None:
        recipient = recipients.approve_recipient(name="Institute", actor="op", now=NOW)
        assert self.post(operator, f"{OPERATOR}/{recipient.public_id}/credentials", body).status_code == 400
        assert self.post(operator, f"{OPERATOR}/r_0000000000/credentials", body).status_code in (400, 404)
        assert not Credential.objects.exists()


class TestAReader:
    def test_reads_the_rows_of_its_days_and_each_access_is_written_down(self, rows: list[Pass]) -> None:
        recipient, header = a_token()
        listed = send("GET", "/api/v1/verified", now=NOW, headers=header)
        assert listed.json()["results"] == [{"day": DAY.isoformat(), "rows": 60, "dropped": 0, "files": 1}]
        assert "does not hold towards you" in listed.json()["guarantee"]
        answer = read(header)
        assert answer.status_code == 200
        assert pq.read_table(io.BytesIO(answer.content)).num_rows == 60
        noted = AuditEntry.objects.filter(actor=f"recipient {recipient.public_id}")
        assert set(noted.values_list("verb", "subject")) == {
            ("verified.listed", "days"),
            ("verified.read", f"{DAY}/0"),
        }

    @pytest.mark.parametrize("kind", ["application/vnd.apache.parquet", "application/octet-stream"])
    def test_gets_the_type_that_it_accepts(self, rows: list[Pass], kind: str) -> None:
        _, header = a_token()
        answer = read(header | {"Accept": kind})
        assert (answer.status_code, answer["Content-Type"]) == (200, kind)

    def test_erased_rows_are_not_in_later_reads(self, rows: list[Pass]) -> None:
        _, header = a_token()
        requests.request_erasure(owner_hashes=[bytes(rows[0].owner_hash)], now=NOW)
        batches.run_erasures(now=NOW)
        assert pq.read_table(io.BytesIO(read(header).content)).num_rows == 59

    def test_reads_nothing_beyond_its_days_files_and_time(self, rows: list[Pass]) -> None:
        _, header = a_token(days=2)
        _, other_token = a_token(first=DAY + dt.timedelta(days=1), last=DAY + dt.timedelta(days=9))
        assert read(header, number=1).status_code == 404
        assert read(header, day=DAY + dt.timedelta(days=1)).status_code == 404
        assert read(other_token).status_code == 404
        assert send("GET", "/api/v1/verified", now=NOW, headers=other_token).json()["results"] == []
        assert send("GET", "/api/v1/verified/yesterday/0", now=NOW, headers=header).status_code == 404
        assert read(header, now=NOW + dt.timedelta(days=2)).status_code == 401
        assert not AuditEntry.objects.filter(verb="verified.read").exists()

    @pytest.mark.parametrize("header", [{}, {"Authorization": "Recipient nobody"}, {"Authorization": "Owner nobody"}])
    def test_nobody_reads_without_a_credential(self, rows: list[Pass], header: dict[str, str]) -> None:
        assert read(header).status_code == 401
        assert send("GET", "/api/v1/verified", now=NOW, headers=header).status_code == 401

    def test_a_day_that_is_not_announced_is_not_there(self, rows: list[Pass]) -> None:
        VerifiedDay.objects.update(step=VerifiedDay.Step.WRITTEN)
        _, header = a_token()
        assert read(header).status_code == 404

    def test_only_a_hash_of_the_token_is_kept(self) -> None:
        _, header = a_token()
        token = header["Authorization"].split()[1]
        assert bytes(Credential.objects.get().token_hash) == crypto.token_hash(token)

    def test_reading_costs_few_statements(self, rows: list[Pass]) -> None:
        _, header = a_token()
        with CaptureQueriesContext(connection) as asked:
            read(header)
        assert len(asked) <= 4
