"""The operator's metrics."""

import datetime as dt
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.db import OperationalError
from django.test import Client
from prometheus_client.parser import text_string_to_metric_families

from common import measures, valkey
from crowdtrace.site.operator import metrics
from crowdtrace.site.operator.health import ASK_DATABASE, CHECKS
from passes.admission import Result
from tests.factories import NOW, make_device, make_venue
from tests.passes.people import Phone, result, scan

ROOT = Path(__file__).resolve().parents[2]
MONITORING = ROOT / "infrastructure" / "monitoring"
TOKEN = "a token of the operator"
Samples = dict[str, list[tuple[dict[str, str], float]]]

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def counted(settings: Any) -> Iterator[None]:
    settings.METRICS_TOKEN = TOKEN
    there = settings.REDIS_URL
    measures.flush()
    valkey.client().delete(measures.KEY)
    yield
    settings.REDIS_URL = there
    measures.flush()
    valkey.client().delete(measures.KEY)


def ask(client: Client, token: str = TOKEN, **more: Any) -> Any:
    return client.get("/metrics", headers={"Authorization": f"Bearer {token}"}, **more)


def read(client: Client) -> Samples:
    """Return the samples by name, as a Prometheus server reads them."""
    response = ask(client)
    assert response.status_code == 200
    found: Samples = {}
    for family in text_string_to_metric_families(response.content.decode()):
        for sample in family.samples:
            found.setdefault(sample.name, []).append((sample.labels, sample.value))
    return found


class TestTheUrl:
    def test_is_not_there_without_a_token_of_the_operator(self, client: Client, settings: Any) -> None:
        settings.METRICS_TOKEN = ""
        assert ask(client, "").status_code == 404

    @pytest.mark.parametrize("token", ["", "another", TOKEN[:-1], TOKEN + "x", "\udcff"])
    def test_refuses_another_token(self, client: Client, token: str) -> None:
        response = client.get("/metrics", HTTP_AUTHORIZATION=f"Bearer {token}")
        assert response.status_code == 401
        assert response["WWW-Authenticate"].startswith("Bearer")
        assert b"crowdtrace_" not in response.content

    def test_ends_guessing(self, client: Client, settings: Any) -> None:
        settings.THROTTLES = settings.THROTTLES | {"login": "3/minute"}
        statuses = [ask(client, "wrong").status_code for _ in range(5)]
        assert statuses == [401] * 3 + [429] * 2
        assert ask(client).status_code == 200, "the operator's server is not locked out"

    def test_is_for_reading(self, client: Client) -> None:
        assert client.post("/metrics", headers={"Authorization": f"Bearer {TOKEN}"}).status_code == 405


class TestWhatIsShown:
    def test_scans_are_counted_in_steps_of_ten(self, client: Client) -> None:
        venue = make_venue()
        door = make_device(venue=venue)
        for number in range(14):
            assert result(scan(door, f"no pass {number}", now=NOW)) == Result.DECLINED
        assert read(client)["crowdtrace_scans_total"] == [({"way": "live", "result": "Declined"}, 10.0)]

    def test_no_label_is_finer_than_the_deployment(self, client: Client) -> None:
        """Every byte is searched for names and ids in the deployment."""
        venue = make_venue()
        door = make_device(venue=venue)
        phone = Phone()
        phone.check_in(venue)
        scan(door, "no pass", now=NOW)
        text = ask(client).content.decode()
        for value in (venue.public_id, venue.name, door.device.public_id, venue.zip, venue.organisation.name):
            assert value not in text
        allowed = {"lane", "status", "way", "result", "limit", "part", "task", "store", "le"}
        labels = {name for values in read(client).values() for labels, _ in values for name in labels}
        assert labels <= allowed

    def test_one_person_more_changes_no_byte(self, client: Client) -> None:
        venue = make_venue()
        door = make_device(venue=venue)
        for number in range(12):
            scan(door, f"no pass {number}", now=NOW)
        Phone().check_in(venue)

        def shown() -> list[str]:
            lines = ask(client).content.decode().splitlines()
            return [line for line in lines if not line.startswith("crowdtrace_storage_bytes")]

        before = shown()
        Phone().check_in(venue)
        scan(door, "one more", now=NOW)
        assert shown() == before

    def test_a_store_that_is_down_leaves_its_metrics_out(self, client: Client, settings: Any) -> None:
        settings.REDIS_URL = "redis://127.0.0.1:1/0"
        shown = read(client)
        assert ({"part": "valkey"}, 0.0) in shown["crowdtrace_ready"]
        assert ({"part": "database"}, 1.0) in shown["crowdtrace_ready"]
        assert "crowdtrace_tasks_waiting" not in shown
        assert "crowdtrace_keys_missing" in shown

    def test_a_database_that_does_not_respond_is_asked_once(
        self, client: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Prometheus gives up after ten seconds, and would then say that the web server is down."""

        def away() -> bool:
            asked.append(1)
            raise OperationalError

        def ask_again(_now: dt.datetime) -> None:
            asked.append(1)
            raise OperationalError

        asked: list[int] = []
        monkeypatch.setattr(metrics, "CHECKS", CHECKS | dict.fromkeys(("database", *ASK_DATABASE), away))
        monkeypatch.setattr(metrics, "state_of_deployment", ask_again)
        shown = read(client)
        assert ({"part": "database"}, 0.0) in shown["crowdtrace_ready"]
        assert len(asked) == 1

    def test_a_late_task_is_marked(self, client: Client) -> None:
        from common.task_record import DONE

        late = dt.datetime.now(dt.UTC) - dt.timedelta(hours=2)
        valkey.client().hset(DONE, "risk.crowd.refresh", late.strftime("%Y-%m-%dT%H:%M:%SZ"))
        assert ({"task": "risk.crowd.refresh"}, 1.0) in read(client)["crowdtrace_task_late"]


class TestTheFilesForAMonitoringServer:
    def names(self, client: Client) -> set[str]:
        """Return every name of a sample that the deployment can show."""
        names = set(read(client))
        for measure in measures.MEASURES:
            names.add(f"{measure.name}_bucket" if measure.bounds else f"{measure.name}_total")
        return names | {
            "crowdtrace_release_age_days",
            "crowdtrace_task_done_seconds",
            "up",
        }

    def test_alerts_name_metrics_that_exist_and_a_section_that_says_what_to_do(self, client: Client) -> None:
        rules = yaml.safe_load((MONITORING / "alerts.yml").read_text())
        operators = (ROOT / "docs" / "operators.md").read_text()
        alerts = [rule for group in rules["groups"] for rule in group["rules"]]
        assert len(alerts) >= 10
        for alert in alerts:
            assert used(alert["expr"]) <= self.names(client), alert
            assert f"`{alert['alert']}`" in operators, alert["alert"]
            assert alert["annotations"]["summary"]

    def test_the_dashboard_shows_metrics_that_exist(self, client: Client) -> None:
        dashboard = json.loads((MONITORING / "dashboard.json").read_text())
        expressions = [target["expr"] for panel in dashboard["panels"] for target in panel.get("targets", [])]
        assert len(expressions) >= 10
        for expression in expressions:
            assert used(expression) <= self.names(client), expression


def used(expression: str) -> set[str]:
    """Return the names of metrics in an expression of PromQL."""
    return set(re.findall(r"\b(?:crowdtrace_\w+|up)\b", expression))
