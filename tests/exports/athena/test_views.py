"""Clients of Athena run their own code against a deployment: pyathena here, awswrangler in the second environment."""

import datetime as dt
import json
import os
import secrets
import subprocess
import time
import uuid
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import boto3
import pyarrow as pa
import pyathena
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from django.db import OperationalError, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from common import valkey
from common.time import utc_now
from common.web import throttles
from common.web.problems import TooMany
from exports.athena.results import FOLDER, forget_oldest, sweep_results
from exports.athena.wire import results_page, text, to_csv
from exports.engine.results import to_arrow
from exports.engine.run import run_query
from exports.lake.deployment import storage
from exports.models import AthenaQuery
from tests.exports.amazon import stand_in
from tests.exports.engine.factories import published
from tests.exports.ledger import ANNOUNCED, FIRST, SECOND, ReleasedLake, announce
from tests.exports.releases import expected_daily

ROOT = Path(__file__).parents[3]
PEERS = Path(os.environ.get("CROWDTRACE_PEERS") or ROOT / ".venv-peers" / "bin" / "python")
NAMES = ("daily_counts.sql", "counts_by_state_and_risklevel.sql")
GROUP = "covid-19-researchers"
KEYS: dict[str, Any] = {
    "aws_access_key_id": "anything",
    "aws_secret_access_key": "anything",
    "region_name": "us-east-1",
}
ENDLESS = "WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t) SELECT count(*) FROM t"


@pytest.fixture(autouse=True)
def local(settings: Any) -> None:
    """Set the deployment to answer the protocol itself."""
    settings.ATHENA = "local"


def client(server: Any, **config: Any) -> Any:
    return boto3.client("athena", endpoint_url=f"{server.url}/athena", config=Config(**config), **KEYS)


class TestForms:
    """Values are written as Athena writes them."""

    @pytest.mark.parametrize(
        ("value", "expected"),
        [
            (None, None), ("a", "a"), (True, "true"), (3, "3"), (0.5, "0.5"), (dt.date(2020, 10, 15), "2020-10-15"),
            (dt.datetime.fromisoformat("2020-10-15T01:02:03.004"), "2020-10-15 01:02:03.004"),
            (dt.datetime(2020, 10, 15, tzinfo=dt.UTC), "2020-10-15 00:00:00.000 UTC"),
            ([1, None], "[1, null]"), ({"a": 1}, "{a=1}"), (b"\x01\xff", "01 ff"),
            ([("a", 1), ("b", None)], "{a=1, b=null}"), (1e7, "1.0E7"), (-0.0005, "-5.0E-4"), (0.001, "0.001"),
            (1e100, "1.0E100"), (float("nan"), "NaN"), (float("-inf"), "-Infinity"), (-0.0, "-0.0"),
            (dt.datetime.fromisoformat("2020-10-15T01:02:03.004005"), "2020-10-15 01:02:03.004005"),
        ],
    )  # fmt: skip
    def test_values(self, value: Any, expected: str | None) -> None:
        assert text(value) == expected

    def test_a_type_decides_where_the_value_does_not(self) -> None:
        table = pa.table({
            "a": pa.array([0.1], pa.float32()), "b": pa.array([[0.1]], pa.list_(pa.float32())),
            "c": pa.array([[]], pa.map_(pa.string(), pa.int32())), "d": pa.array([[]], pa.list_(pa.int32())),
        })  # fmt: skip
        assert to_csv(table).decode().splitlines()[1] == '"0.1","[0.1]","{}","[]"'

    def test_the_file_tells_null_from_empty_text(self) -> None:
        table = pa.table({"a": ["", None, 'x"y'], "b": [1, 2, None]})
        assert to_csv(table).decode() == '"a","b"\n"","1"\n,"2"\n"x""y",\n'

    @pytest.mark.parametrize("most", [1, 2, 3, 5, 6, 7])
    def test_pages_follow_each_other_without_gap_or_repeat(self, most: int) -> None:
        table = pa.table({"n": list(range(5))})
        seen: list[str] = []
        start = 0
        while True:
            page = results_page(table, start=start, most=most)
            assert len(page["ResultSet"]["Rows"]) <= most
            seen += [row["Data"][0]["VarCharValue"] for row in page["ResultSet"]["Rows"]]
            if "NextToken" not in page:
                break
            start = int(page["NextToken"])
        assert seen == ["n", "0", "1", "2", "3", "4"]


@pytest.mark.django_db(transaction=True)
class TestPyAthena:
    """pyathena, unmodified, with our endpoint."""

    def test_the_published_queries_run_byte_for_byte(self, live_server: Any, released: ReleasedLake) -> None:
        with pyathena.connect(work_group=GROUP, endpoint_url=f"{live_server.url}/athena", **KEYS) as connection:
            cursor = connection.cursor()
            daily = cursor.execute(published(NAMES[0])).fetchall()
            assert [column[1] for column in cursor.description] == ["date", *["bigint"] * 5]
            assert [column[0] for column in cursor.description][::5] == ["date", "total_count"]
            by_state = cursor.execute(published(NAMES[1])).fetchall()
        assert daily == [(day, *expected_daily(released.fitted(day))) for day in (FIRST, SECOND)]
        ours = run_query(sql=published(NAMES[1])).result.table.to_pylist()
        assert set(by_state) == {tuple(row.values()) for row in ours}
        assert len(by_state) == len(ours) > 0

    def test_many_rows_come_in_pages(self, live_server: Any, released: ReleasedLake) -> None:
        with pyathena.connect(work_group=GROUP, endpoint_url=f"{live_server.url}/athena", **KEYS) as connection:
            rows = connection.cursor().execute("SELECT n FROM UNNEST(sequence(0, 2499)) AS t(n) ORDER BY 1").fetchall()
        assert [row[0] for row in rows] == list(range(2500))

    def test_a_wrong_query_is_an_error_of_the_client(self, live_server: Any, released: ReleasedLake) -> None:
        with pyathena.connect(work_group=GROUP, endpoint_url=f"{live_server.url}/athena", **KEYS) as connection:
            with pytest.raises(pyathena.error.DatabaseError, match="There is no table"):
                connection.cursor().execute("SELECT * FROM nothing")
            with pytest.raises(pyathena.error.OperationalError, match=r"line 1:8: .*symptomz"):
                connection.cursor().execute("SELECT symptomz FROM aspirevc_crowd_tracing")


@pytest.mark.django_db(transaction=True)
class TestTheProtocol:
    """Requests of boto3, one by one."""

    def test_a_query_is_begun_once_and_goes_through_its_states(self, live_server: Any, released: ReleasedLake) -> None:
        athena = client(live_server)
        token = str(uuid.uuid4())
        names = {
            athena.start_query_execution(QueryString="SELECT 1 AS one", ClientRequestToken=token)["QueryExecutionId"]
            for _ in range(2)
        }
        assert len(names) == 1
        found = wait(athena, names.pop())
        assert found["Status"]["State"] == "SUCCEEDED"
        assert found["Status"]["CompletionDateTime"] >= found["Status"]["SubmissionDateTime"]
        assert "ResultConfiguration" not in found
        assert found["ManagedQueryResultsConfiguration"]["Enabled"]
        with pytest.raises(ClientError, match="another query"):
            athena.start_query_execution(QueryString="SELECT 2", ClientRequestToken=token)

    def test_a_query_is_stopped(self, live_server: Any, released: ReleasedLake) -> None:
        athena = client(live_server)
        name = athena.start_query_execution(QueryString=ENDLESS)["QueryExecutionId"]
        athena.stop_query_execution(QueryExecutionId=name)
        assert wait(athena, name)["Status"]["State"] == "CANCELLED"
        with pytest.raises(ClientError, match="CANCELLED"):
            athena.get_query_results(QueryExecutionId=name)
        second = athena.start_query_execution(QueryString="SELECT 1 AS one")["QueryExecutionId"]
        assert wait(athena, second)["Status"]["State"] == "SUCCEEDED"

    def test_a_query_whose_process_died_is_reported_as_failed(self, live_server: Any) -> None:
        old = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
        row = AthenaQuery.objects.create(token="x", sql="SELECT 1", state="RUNNING", submitted_at=old)
        assert wait(client(live_server), str(row.pk))["Status"]["State"] == "FAILED"

    @pytest.mark.parametrize(
        "sql",
        [
            "DROP TABLE aspirevc_crowd_tracing",
            "SELECT * FROM read_csv('/etc/passwd')",
            "SELECT 1; SELECT 2",
            "x" * 30000,
        ],
    )
    def test_a_statement_that_does_not_query_the_tables_is_refused(self, live_server: Any, sql: str) -> None:
        with pytest.raises(ClientError):
            client(live_server).start_query_execution(QueryString=sql)
        assert not AthenaQuery.objects.exists()

    def test_results_of_forgotten_queries_are_removed(self, live_server: Any, released: ReleasedLake) -> None:
        athena = client(live_server)
        name = athena.start_query_execution(QueryString="SELECT 1 AS one")["QueryExecutionId"]
        wait(athena, name)
        folder = Path(released.url.removeprefix("file://")) / FOLDER
        assert len(list(folder.glob(f"{name}.*"))) == 2
        sweep_results()
        assert len(list(folder.glob(f"{name}.*"))) == 2
        AthenaQuery.objects.all().delete()
        sweep_results()
        assert not list(folder.glob("*"))


def wait(athena: Any, name: str) -> dict[str, Any]:
    """Return the query once it has ended."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        found: dict[str, Any] = athena.get_query_execution(QueryExecutionId=name)["QueryExecution"]
        if found["Status"]["State"] in ("SUCCEEDED", "FAILED", "CANCELLED"):
            return found
        time.sleep(0.1)
    raise AssertionError("the query never ended")


@pytest.mark.django_db(transaction=True)
class TestQuotas:
    """Anyone may query, so results are limited, for each client and in total."""

    LARGE = "SELECT rpad('x', 500, 'x') AS t FROM UNNEST(sequence(1, 1000)) AS u(n)"

    @pytest.fixture(autouse=True)
    def fresh(self, settings: Any) -> None:
        """Count the results of each test separately."""
        settings.THROTTLES = settings.THROTTLES | {"athena-results": f"{90_000 + secrets.randbelow(10_000)}/hour"}

    def start(self, athena: Any, sql: str) -> dict[str, Any]:
        return wait(athena, athena.start_query_execution(QueryString=sql)["QueryExecutionId"])

    def test_a_client_over_its_share_of_results_is_refused_with_advice(
        self, live_server: Any, released: ReleasedLake, settings: Any
    ) -> None:
        settings.THROTTLES = settings.THROTTLES | {"athena-results": f"{900 + secrets.randbelow(9)}/hour"}
        athena = client(live_server, retries={"max_attempts": 1})
        before = set(folder_of(released).glob("*"))
        refused = self.start(athena, self.LARGE)
        assert refused["Status"]["State"] == "FAILED"
        assert "EXCEEDED_LIMIT: Your queries have written as much" in refused["Status"]["StateChangeReason"]
        assert set(folder_of(released).glob("*")) == before
        assert self.start(athena, "SELECT 1 AS one")["Status"]["State"] == "SUCCEEDED"
        throttles.hit("athena-results", "127.0.0.1", cost=885)  # as many more small ones would
        with pytest.raises(ClientError, match="aggregate in SQL") as caught:
            athena.start_query_execution(QueryString="SELECT 1 AS one --" + "x" * 15_000)
        assert caught.value.response["Error"]["Code"] == "TooManyRequestsException"
        with pytest.raises(ClientError, match="aggregate in SQL"):  # parameters are stored too
            athena.start_query_execution(
                QueryString="SELECT " + ", ".join("?" * 16), ExecutionParameters=[f"'{'x' * 1000}'"] * 16
            )

    def test_an_answer_may_have_as_many_rows_as_a_file_and_more_fail_with_a_way_out(
        self, live_server: Any, released: ReleasedLake, settings: Any
    ) -> None:
        athena = client(live_server)
        many = "SELECT n FROM UNNEST(sequence(1, 10000)) AS u(n), UNNEST(sequence(1, {times})) AS v(m)"
        found = self.start(athena, many.format(times=2))
        assert found["Status"]["State"] == "SUCCEEDED"
        pages = athena.get_paginator("get_query_results").paginate(QueryExecutionId=found["QueryExecutionId"])
        assert sum(len(page["ResultSet"]["Rows"]) for page in islice(pages, 11)) == 11_000
        settings.QUERY_FILE_LIMITS = {"max_rows": 19_999}
        status = self.start(athena, many.format(times=2))["Status"]
        assert status["State"] == "FAILED"
        assert "more than 19,999 rows" in status["StateChangeReason"]
        assert "add LIMIT" in status["StateChangeReason"]

    def test_the_oldest_results_make_room_and_requests_for_them_get_an_error(
        self, live_server: Any, released: ReleasedLake, settings: Any
    ) -> None:
        settings.ATHENA_RESULTS_MB = 4
        athena = client(live_server)
        names = [self.start(athena, self.LARGE)["QueryExecutionId"] for _ in range(5)]
        kept = sum(path.stat().st_size for path in folder_of(released).glob("*"))
        assert 0 < kept <= 4 * 1024 * 1024
        assert athena.get_query_results(QueryExecutionId=names[-1])["ResultSet"]["Rows"]
        with pytest.raises(ClientError, match=r"Could not find results.*Run the query again"):
            athena.get_query_results(QueryExecutionId=names[0])
        status = athena.get_query_execution(QueryExecutionId=names[0])["QueryExecution"]["Status"]
        assert "removed to make room" in status["StateChangeReason"]

    def test_a_result_that_is_larger_than_all_room_is_refused(
        self, live_server: Any, released: ReleasedLake, settings: Any
    ) -> None:
        settings.ATHENA_RESULTS_MB = 0
        found = self.start(client(live_server), "SELECT 1 AS one")
        assert found["Status"]["State"] == "FAILED"
        assert "leave no room" in found["Status"]["StateChangeReason"]

    def test_a_query_that_finds_no_place_is_refused_at_once_and_leaves_no_row(
        self, live_server: Any, released: ReleasedLake, settings: Any
    ) -> None:
        settings.QUERY_LIMITS = {"parallel": 0}
        with pytest.raises(ClientError) as caught:
            client(live_server, retries={"max_attempts": 1}).start_query_execution(QueryString="SELECT 1 AS one")
        assert caught.value.response["Error"]["Code"] == "TooManyRequestsException"
        assert not AthenaQuery.objects.exists()

    def test_a_text_not_parsed_in_time_gets_an_error_in_athenas_format(
        self, live_server: Any, released: ReleasedLake, settings: Any
    ) -> None:
        settings.QUERY_LIMITS = {"parse_seconds": 0.2}
        with pytest.raises(ClientError, match="WITH clause"):
            client(live_server).start_query_execution(QueryString="SELECT a" + ".f()" * 1600)
        assert not AthenaQuery.objects.exists()

    def test_only_the_newest_queries_are_remembered(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("exports.athena.results.MOST_QUERIES", 2)
        now = utc_now()
        for number in range(4):
            AthenaQuery.objects.create(
                token=str(number), sql="SELECT 1", submitted_at=now + dt.timedelta(seconds=number), completed_at=now
            )
        forget_oldest()
        assert set(AthenaQuery.objects.values_list("token", flat=True)) == {"2", "3"}

    def test_no_network_of_a_client_is_kept(self, live_server: Any, released: ReleasedLake) -> None:
        self.start(client(live_server), "SELECT 1 AS one")
        names = {name.decode() for name in valkey.limits().scan_iter("*athena-results*")}
        assert names
        assert not any("127.0.0.1" in name for name in names)


def folder_of(lake: ReleasedLake) -> Path:
    return Path(lake.url.removeprefix("file://")) / FOLDER


@pytest.mark.django_db
class TestBadRequests:
    """Test requests that violate the protocol."""

    def ask(self, client: Client, target: str, body: bytes = b"{}") -> Any:
        return client.generic(
            "POST", "/athena", body, content_type="application/x-amz-json-1.1", headers={"X-Amz-Target": target}
        )

    @pytest.mark.parametrize(
        ("target", "body", "kind"),
        [
            ("", b"{}", "UnknownOperationException"),
            ("AmazonAthena.CreateNamedQuery", b"{}", "UnknownOperationException"),
            ("AmazonAthena.GetQueryExecution", b"[]", "SerializationException"),
            ("AmazonAthena.GetQueryExecution", b"\xff", "SerializationException"),
            ("AmazonAthena.GetQueryExecution", b"", "SerializationException"),
            ("AmazonAthena.GetQueryExecution", b'{"QueryExecutionId": ', "SerializationException"),
            ("AmazonAthena.GetQueryExecution", b"{}", "InvalidRequestException"),
            ("AmazonAthena.GetQueryExecution", b'{"QueryExecutionId": {"a": [1]}}', "InvalidRequestException"),
            ("AmazonAthena.GetQueryExecution", b'{"QueryExecutionId": "../../secrets"}', "InvalidRequestException"),
            ("AmazonAthena.GetQueryResults", b'{"QueryExecutionId": null}', "InvalidRequestException"),
            ("AmazonAthena.StartQueryExecution", b'{"QueryString": 1}', "InvalidRequestException"),
            (
                "AmazonAthena.StartQueryExecution",
                b'{"QueryString": "SELECT 1", "QueryExecutionContext": "x"}',
                "InvalidRequestException",
            ),
            (
                "AmazonAthena.StartQueryExecution",
                b'{"QueryString": "SELECT 1", "QueryExecutionContext": {"Database": ["covid-19"]}}',
                "InvalidRequestException",
            ),
            (
                "AmazonAthena.StartQueryExecution",
                b'{"QueryString": "SELECT ?", "ExecutionParameters": [1]}',
                "InvalidRequestException",
            ),
            (
                "AmazonAthena.StartQueryExecution",
                b'{"QueryString": "' + b"/* " * 20_000 + b'"}',
                "InvalidRequestException",
            ),
            (
                "AmazonAthena.StartQueryExecution",
                b'{"QueryString": "' + b" " * (64 << 10) + b'"}',
                "InvalidRequestException",
            ),
            ("AmazonAthena.GetWorkGroup", b'{"WorkGroup": "other"}', "InvalidRequestException"),
        ],
    )
    def test_is_refused_in_athenas_form(self, client: Client, target: str, body: bytes, kind: str) -> None:
        response = self.ask(client, target, body)
        assert (response.status_code, response["x-amzn-ErrorType"]) == (400, kind)
        assert response["Content-Type"] == "application/x-amz-json-1.1"
        assert set(json.loads(response.content)) == {"__type", "Message", "message"}

    def test_a_client_reads_why_a_body_is_too_large(self, live_server: Any) -> None:
        with pytest.raises(ClientError, match="too large") as caught:
            client(live_server).start_query_execution(QueryString="x" * (65 << 10))
        assert caught.value.response["Error"]["Code"] == "InvalidRequestException"

    @pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE"])
    def test_other_methods_get_an_error_that_says_what_the_url_is(self, client: Client, method: str) -> None:
        response = client.generic(method, "/athena")
        assert (response.status_code, response["Allow"]) == (405, "POST")
        assert response["x-amzn-ErrorType"] == "InvalidRequestException"
        if method != "HEAD":
            assert "StartQueryExecution" in json.loads(response.content)["Message"]

    def test_an_unsupported_operation_gets_the_list_of_supported_ones(self, client: Client) -> None:
        said = json.loads(self.ask(client, "AmazonAthena.CreateNamedQuery").content)
        assert "GetQueryResults" in said["Message"]

    def test_a_body_that_is_not_json_gets_the_position_of_the_error(self, client: Client) -> None:
        said = json.loads(self.ask(client, "AmazonAthena.GetWorkGroup", b'{"WorkGroup": primary}').content)
        assert "line 1, column 15" in said["Message"]

    def test_clients_retry_too_many_requests_and_server_errors(
        self, client: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        client.raise_request_exception = False
        raised: list[BaseException] = [TooMany(retry_after=7), OperationalError("secret"), ValueError("secret")]

        def fails(*_: object) -> None:
            raise raised.pop(0)

        monkeypatch.setattr("exports.athena.views.backend", fails)
        found = [self.ask(client, "AmazonAthena.GetWorkGroup") for _ in range(3)]
        assert [(each.status_code, each["x-amzn-ErrorType"]) for each in found] == [
            (400, "TooManyRequestsException"), (503, "InternalServerException"), (500, "InternalServerException"),
        ]  # fmt: skip
        assert found[0]["Retry-After"] == "7"
        assert not any(b"secret" in each.content for each in found)

    @pytest.mark.parametrize(
        ("target", "most"),
        [("StartQueryExecution", 5), ("GetQueryExecution", 1), ("GetQueryResults", 1), ("StopQueryExecution", 2),
         ("GetWorkGroup", 0)],
    )  # fmt: skip
    def test_an_answer_asks_the_database_few_times(
        self, client: Client, target: str, most: int, monkeypatch: pytest.MonkeyPatch, settings: Any, tmp_path: Path
    ) -> None:
        settings.LAKE_URL = tmp_path.as_uri()
        monkeypatch.setattr(
            "exports.athena.service._pool",
            lambda: SimpleNamespace(submit=lambda _run, _pk, accepted, _client: accepted.close()),
        )
        row = AthenaQuery.objects.create(token="x", sql="SELECT 1", state="SUCCEEDED", submitted_at=utc_now())
        storage().write(f"{FOLDER}/{row.pk}.arrow", to_arrow(pa.table({"one": [1]})))
        asked = {"QueryString": "SELECT 1", "ClientRequestToken": "t" * 32, "WorkGroup": GROUP}
        asked["QueryExecutionId"] = str(row.pk)
        with CaptureQueriesContext(connection) as statements:
            response = self.ask(client, f"AmazonAthena.{target}", json.dumps(asked).encode())
        assert response.status_code == 200, response.content
        assert len(statements) <= most

    def test_nothing_responds_if_it_is_disabled(self, client: Client, settings: Any) -> None:
        settings.ATHENA = "off"
        response = self.ask(client, "AmazonAthena.GetWorkGroup")
        assert json.loads(response.content)["__type"] == "AccessDeniedException"


@pytest.fixture
def in_a_bucket(settings: Any, bucket: Any, catalogue_url: str, tmp_path: Path) -> Any:
    """Release a day into a lake in a bucket."""
    settings.LAKE_URL, settings.LAKE_CATALOGUE_URL = bucket.url, catalogue_url
    settings.LAKE_S3_ENDPOINT, settings.QUERY_SLOTS = bucket.endpoint, str(tmp_path)
    settings.LAKE_S3_ACCESS_KEY, settings.LAKE_S3_SECRET_KEY = bucket.access_key, bucket.secret_key
    announce(SECOND, now=ANNOUNCED, size=1500)
    return bucket


@pytest.mark.django_db(transaction=True)
class TestFilesInABucket:
    """awswrangler against a lake in a bucket, without keys of the bucket."""

    @pytest.mark.peers
    def test_awswrangler_reads_the_published_queries(self, live_server: Any, in_a_bucket: Any) -> None:
        job = {
            "athena": f"{live_server.url}/athena",
            "s3": in_a_bucket.endpoint,
            "access_key": "anything",
            "secret_key": "anything",
            "database": "covid-19",
            "workgroup": GROUP,
            "queries": [published(name) for name in NAMES],
        }
        done = subprocess.run(
            [str(PEERS), str(ROOT / "tests" / "exports" / "wrangler_queries.py")],
            input=json.dumps(job),
            text=True,
            capture_output=True,
            timeout=240,
            check=False,
        )
        assert done.returncode == 0, done.stderr[-3000:]
        for name, answer in zip(NAMES, json.loads(done.stdout), strict=True):
            ours = run_query(sql=published(name)).result.table
            assert answer["columns"] == ours.column_names
            assert len(answer["rows"]) == ours.num_rows > 0
            assert {tuple(row) for row in answer["rows"]} == {
                tuple(str(value) for value in row.values()) for row in ours.to_pylist()
            }


@pytest.fixture(scope="module")
def amazon() -> Iterator[str]:
    """Yield Athena's control plane on loopback; it runs no queries and returns prepared answers."""
    with stand_in() as address:
        yield address


@pytest.mark.django_db(transaction=True)
class TestForwarding:
    """The same URL in front of Athena itself, in the operator's workgroup."""

    @pytest.fixture
    def forwarded(self, settings: Any, amazon: str) -> Any:
        settings.ATHENA, settings.ATHENA_ENDPOINT, settings.ATHENA_WORKGROUP = "forward", amazon, GROUP
        settings.LAKE_S3_ACCESS_KEY, settings.LAKE_S3_SECRET_KEY = "test", "test"
        there = boto3.client("athena", endpoint_url=amazon, **KEYS)
        if GROUP not in [group["Name"] for group in there.list_work_groups()["WorkGroups"]]:
            result = {"ResultConfiguration": {"OutputLocation": "s3://lake/results/"}}
            there.create_work_group(Name=GROUP, Configuration=result)
        return there

    def test_a_query_runs_in_the_operators_group_whatever_the_client_says(
        self, live_server: Any, forwarded: Any
    ) -> None:
        athena = client(live_server)
        name = athena.start_query_execution(
            QueryString=published(NAMES[0]),
            WorkGroup="primary",
            ResultConfiguration={"OutputLocation": "s3://somewhere-else/"},
        )["QueryExecutionId"]
        there = forwarded.get_query_execution(QueryExecutionId=name)["QueryExecution"]
        assert (there["WorkGroup"], there["Query"]) == (GROUP, published(NAMES[0]))
        assert "somewhere-else" not in json.dumps(there, default=str)
        assert there["QueryExecutionContext"]["Database"] == "covid-19"
        assert wait(athena, name)["QueryExecutionId"] == name
        assert "ResultSet" in athena.get_query_results(QueryExecutionId=name)
        athena.stop_query_execution(QueryExecutionId=name)
        assert athena.get_work_group(WorkGroup="any")["WorkGroup"]["Name"] == GROUP

    def test_only_queries_of_the_open_tables_of_the_lake_are_forwarded(self, live_server: Any, forwarded: Any) -> None:
        for sql in ("SELECT * FROM live_crowd", "CREATE TABLE x AS SELECT 1 AS one", 'SELECT * FROM "other"."t"'):
            with pytest.raises(ClientError):
                client(live_server).start_query_execution(QueryString=sql)

    def test_queries_of_other_groups_are_not_accessible(self, live_server: Any, forwarded: Any) -> None:
        theirs = forwarded.start_query_execution(
            QueryString="SELECT 1", ResultConfiguration={"OutputLocation": "s3://theirs/"}
        )["QueryExecutionId"]
        athena = client(live_server)
        for operation in (athena.get_query_execution, athena.get_query_results, athena.stop_query_execution):
            with pytest.raises(ClientError, match="not found"):
                operation(QueryExecutionId=theirs)

    def test_an_unreachable_athena_gives_an_error_in_its_format(
        self, client: Client, forwarded: Any, settings: Any
    ) -> None:
        settings.ATHENA_ENDPOINT = "http://127.0.0.1:9"
        response = client.generic(
            "POST",
            "/athena",
            b"{}",
            content_type="application/x-amz-json-1.1",
            headers={"X-Amz-Target": "AmazonAthena.GetWorkGroup"},
        )
        assert json.loads(response.content)["__type"] == "InternalServerException"
