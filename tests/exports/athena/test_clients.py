"""The matrix of clients: each runs its own code against a deployment whose lake is in a folder, and in a bucket."""

import asyncio
import datetime as dt
import decimal
import json
import os
import subprocess
import urllib.request
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import boto3
import pyathena
import pytest
import sqlalchemy
from botocore.config import Config
from botocore.exceptions import ClientError
from django.test import Client
from pyathena.aio.connection import AioConnection
from pyathena.formatter import DefaultParameterFormatter

from exports.dataset.tables import CROWD_TRACING, LIVE_CROWD, OPEN_TABLES
from tests.exports.ledger import ANNOUNCED, SECOND, ReleasedLake, announce

pytestmark = pytest.mark.django_db(transaction=True)
ROOT = Path(__file__).parents[3]
PEERS = Path(os.environ.get("CROWDTRACE_PEERS") or ROOT / ".venv-peers" / "bin" / "python")
GROUP = "covid-19-researchers"
DATABASE = "covid-19"
KEYS: dict[str, Any] = {
    "aws_access_key_id": "anything",
    "aws_secret_access_key": "anything",
    "region_name": "us-east-1",
}
NAMES = sorted(table.name for table in (*OPEN_TABLES, LIVE_CROWD))
# One value of each common type, an empty text, and nulls.
VALUES = (
    "SELECT 7 AS n, CAST('text' AS VARCHAR) AS t, '' AS empty, CAST(NULL AS VARCHAR) AS missing, true AS b, "
    "DATE '2020-10-15' AS d, CAST(-1.50 AS DECIMAL(9,2)) AS m, 0.5E0 AS x UNION ALL "
    "SELECT 8, 'b', 'c', 'd', false, DATE '2020-10-16', CAST(2.25 AS DECIMAL(9,2)), 1E0 ORDER BY 1"
)
FIRST = {
    "n": 7, "t": "text", "b": True, "d": dt.date(2020, 10, 15), "m": decimal.Decimal("-1.50"), "x": 0.5,
}  # fmt: skip


@pytest.fixture(autouse=True)
def local(settings: Any) -> None:
    """Set the deployment to answer the protocol itself."""
    settings.ATHENA = "local"


@pytest.fixture
def in_a_folder(released: ReleasedLake) -> None:
    """Put the lake into a folder."""


@pytest.fixture
def in_a_bucket(settings: Any, bucket: Any, catalogue_url: str, tmp_path: Path) -> None:
    """Put the lake into a bucket for which clients have no keys."""
    settings.LAKE_URL, settings.LAKE_CATALOGUE_URL, settings.QUERY_SLOTS = bucket.url, catalogue_url, str(tmp_path)
    settings.LAKE_S3_ENDPOINT = bucket.endpoint
    settings.LAKE_S3_ACCESS_KEY, settings.LAKE_S3_SECRET_KEY = bucket.access_key, bucket.secret_key
    announce(SECOND, now=ANNOUNCED, size=1500)


@pytest.fixture(params=["in_a_folder", pytest.param("in_a_bucket", marks=pytest.mark.long)])
def each_lake(request: pytest.FixtureRequest) -> None:
    """Run with each kind of lake."""
    request.getfixturevalue(request.param)


def given(server: Any) -> dict[str, Any]:
    return {"endpoint_url": f"{server.url}/athena", "work_group": GROUP, "poll_interval": 0.05} | KEYS


def client(server: Any) -> Any:
    return boto3.client("athena", endpoint_url=f"{server.url}/athena", **KEYS)


def run(server: Any, sql: str, **asked: Any) -> tuple[dict[str, Any], list[list[str | None]]]:
    """Run a statement with boto3; return the query and its rows, including the row of names."""
    athena = client(server)
    name = athena.start_query_execution(QueryString=sql, **asked)["QueryExecutionId"]
    while (told := athena.get_query_execution(QueryExecutionId=name)["QueryExecution"])["Status"]["State"] in (
        "QUEUED",
        "RUNNING",
    ):
        pass
    assert told["Status"]["State"] == "SUCCEEDED", told
    rows = athena.get_query_results(QueryExecutionId=name)["ResultSet"]["Rows"]
    return told, [[cell.get("VarCharValue") for cell in row["Data"]] for row in rows]


def as_row(found: Any) -> dict[str, Any]:
    return {name: found[name] for name in FIRST}


# How each kind of cursor returns its first row, as plain values.
def by_tuple(cursor: Any) -> dict[str, Any]:
    names = [column[0] for column in cursor.description]
    return as_row(dict(zip(names, cursor.fetchall()[0], strict=True)))


def by_dict(cursor: Any) -> dict[str, Any]:
    return as_row(cursor.fetchall()[0])


def by_frame(cursor: Any) -> dict[str, Any]:
    row = cursor.as_pandas().iloc[0].to_dict()
    return as_row(row | {"d": row["d"].date() if hasattr(row["d"], "date") else row["d"]})


def by_arrow(cursor: Any) -> dict[str, Any]:
    row = cursor.as_arrow().to_pylist()[0]
    # pyathena's tables contain decimals as text.
    return as_row(
        row | {"m": decimal.Decimal(row["m"]), "d": row["d"].date() if isinstance(row["d"], dt.datetime) else row["d"]}
    )


SYNCHRONOUS: list[tuple[str, Callable[[Any], dict[str, Any]]]] = [
    ("pyathena.cursor.Cursor", by_tuple),
    ("pyathena.cursor.DictCursor", by_dict),
    ("pyathena.pandas.cursor.PandasCursor", by_frame),
    ("pyathena.pandas.cursor.PandasCursor", by_tuple),
    ("pyathena.arrow.cursor.ArrowCursor", by_arrow),
    ("pyathena.s3fs.cursor.S3FSCursor", by_tuple),
]
ASYNCHRONOUS = [
    ("pyathena.async_cursor.AsyncCursor", by_tuple),
    ("pyathena.async_cursor.AsyncDictCursor", by_dict),
    ("pyathena.pandas.async_cursor.AsyncPandasCursor", by_frame),
    ("pyathena.arrow.async_cursor.AsyncArrowCursor", by_arrow),
    ("pyathena.s3fs.async_cursor.AsyncS3FSCursor", by_tuple),
]
AIO = [
    ("pyathena.aio.cursor.AioCursor", by_tuple),
    ("pyathena.aio.cursor.AioDictCursor", by_dict),
    ("pyathena.aio.pandas.cursor.AioPandasCursor", by_frame),
    ("pyathena.aio.arrow.cursor.AioArrowCursor", by_arrow),
    ("pyathena.aio.s3fs.cursor.AioS3FSCursor", by_tuple),
]


def named(path: str) -> Any:
    module, _, name = path.rpartition(".")
    return getattr(import_module(module), name)


def normal(row: dict[str, Any]) -> dict[str, Any]:
    """Return numbers and booleans of NumPy as Python's own."""
    return {name: value.item() if hasattr(value, "item") else value for name, value in row.items()}


class TestPyAthena:
    """Each cursor of pyathena, unmodified."""

    def test_every_cursor_reads_the_same_values(self, live_server: Any, each_lake: None) -> None:
        for path, read in SYNCHRONOUS:
            with pyathena.connect(cursor_class=named(path), **given(live_server)) as connection:
                assert normal(read(connection.cursor().execute(VALUES))) == FIRST, path
        for path, read in ASYNCHRONOUS:
            with pyathena.connect(cursor_class=named(path), **given(live_server)) as connection:
                _, future = connection.cursor().execute(VALUES)
                assert normal(read(future.result())) == FIRST, path
        for path, read in AIO:
            assert normal(asyncio.run(self.awaited(path, read, live_server))) == FIRST, path

    async def awaited(self, path: str, read: Callable[[Any], dict[str, Any]], server: Any) -> dict[str, Any]:
        async with await AioConnection.create(cursor_class=named(path), **given(server)) as connection:
            cursor: Any = await connection.cursor().execute(VALUES)
            if read in (by_tuple, by_dict):
                rows = await cursor.fetchall()
                names = [column[0] for column in cursor.description]
                return as_row(rows[0] if read is by_dict else dict(zip(names, rows[0], strict=True)))
            whole = await (cursor.as_pandas() if read is by_frame else cursor.as_arrow())
            return read(SimpleNamespace(as_pandas=lambda: whole, as_arrow=lambda: whole))

    def test_null_and_empty_text_differ(self, live_server: Any, released: ReleasedLake) -> None:
        with pyathena.connect(**given(live_server)) as connection:
            cursor = connection.cursor().execute(VALUES)
            names = [column[0] for column in cursor.description or ()]
            row = dict(zip(names, cursor.fetchall()[0], strict=True))
        assert (row["empty"], row["missing"]) == ("", None)

    def test_parameters_in_both_styles(self, live_server: Any, released: ReleasedLake) -> None:
        asked = "SELECT count(*) FROM aspirevc_crowd_tracing WHERE risklevel = ? AND scan_date = ?"
        with pyathena.connect(**given(live_server)) as connection:
            cursor = connection.cursor()
            [mark] = cursor.execute(asked, ["'Low'", f"DATE '{SECOND}'"], paramstyle="qmark").fetchall()
            written = asked.replace("?", "%(level)s", 1).replace("?", "%(day)s")
            [python] = cursor.execute(written, {"level": "Low", "day": SECOND}).fetchall()
        assert mark == python
        assert mark[0] > 0

    def test_statements_that_describe_the_catalogue(self, live_server: Any, released: ReleasedLake) -> None:
        with pyathena.connect(schema_name=DATABASE, **given(live_server)) as connection:
            cursor = connection.cursor()
            assert cursor.execute("SHOW DATABASES").fetchall() == [(DATABASE,)]
            assert [row[0] for row in cursor.execute("SHOW TABLES").fetchall()] == NAMES
            described = cursor.execute("DESCRIBE aspirevc_crowd_tracing").fetchall()
            assert [row[0] for row in described] == list(CROWD_TRACING.names)
            assert [column[0] for column in cursor.description] == ["col_name", "data_type", "comment"]
            assert cursor.execute("EXPLAIN SELECT 1 AS a").fetchall()
            assert [each.name for each in cursor.list_databases("AwsDataCatalog")] == [DATABASE]
            assert [each.name for each in cursor.list_table_metadata()] == NAMES
            columns = cursor.get_table_metadata("aspirevc_crowd_tracing").columns
            assert [(each.name, each.type) for each in columns] == [
                (each.name, each.kind) for each in CROWD_TRACING.columns
            ]

    def test_a_result_that_is_asked_for_again_is_run_again(self, live_server: Any, released: ReleasedLake) -> None:
        with pyathena.connect(**given(live_server)) as connection:
            [one] = connection.cursor().execute("SELECT 1 AS one", cache_size=10).fetchall()
        assert one == (1,)

    def test_unload_is_refused_with_advice(self, live_server: Any, released: ReleasedLake) -> None:
        cursor_class = named("pyathena.arrow.cursor.ArrowCursor")
        with (
            pyathena.connect(
                cursor_class=cursor_class,
                cursor_kwargs={"unload": True},
                s3_staging_dir="s3://x/",
                **given(live_server),
            ) as connection,
            pytest.raises(pyathena.error.DatabaseError, match="unload=False"),
        ):
            connection.cursor().execute("SELECT 1 AS a")

    def test_the_formatter_of_pyathena_is_understood(self, live_server: Any, released: ReleasedLake) -> None:
        sql = DefaultParameterFormatter().format("SELECT %(t)s AS t, %(d)s AS d", {"t": "it's", "d": SECOND})
        _, rows = run(live_server, sql)
        assert rows[1] == ["it's", SECOND.isoformat()]


class TestSqlAlchemy:
    """pyathena's dialect: reflection, and the questions that Superset and dbt ask first."""

    def engine(self, server: Any, kind: str = "rest") -> Any:
        address = f"awsathena+{kind}://anything:anything@athena.us-east-1.amazonaws.com:443/{DATABASE}"
        return sqlalchemy.create_engine(
            f"{address}?work_group={GROUP}&endpoint_url={server.url}/athena&poll_interval=0.05"
        )

    def test_tables_are_reflected_and_queried(self, live_server: Any, each_lake: None) -> None:
        engine = self.engine(live_server)
        inspector = sqlalchemy.inspect(engine)
        assert inspector.get_schema_names() == [DATABASE]
        assert inspector.get_table_names(schema=DATABASE) == NAMES
        assert inspector.get_view_names(schema=DATABASE) == []
        assert inspector.has_table("aspirevc_crowd_tracing", schema=DATABASE)
        assert not inspector.has_table("nothing", schema=DATABASE)
        assert inspector.get_table_comment("aspirevc_crowd_tracing")["text"] == CROWD_TRACING.meaning
        assert inspector.get_pk_constraint("aspirevc_crowd_tracing")["constrained_columns"] == []
        assert inspector.get_indexes("aspirevc_crowd_tracing") == []
        with pytest.raises(sqlalchemy.exc.NoSuchTableError):
            inspector.get_columns("nothing")
        table = sqlalchemy.Table("aspirevc_crowd_tracing", sqlalchemy.MetaData(schema=DATABASE), autoload_with=engine)
        kinds = {column.name: type(column.type).__name__ for column in table.columns}
        assert [*kinds] == list(CROWD_TRACING.names)
        assert (kinds["symptoms"], kinds["scan_date"], kinds["duration"]) == ("BOOLEAN", "DATE", "BIGINT")
        asked = sqlalchemy.select(sqlalchemy.func.count()).where(table.c.risklevel == "Low")
        with engine.connect() as connection:
            assert connection.execute(asked).scalar_one() > 0

    @pytest.mark.parametrize("kind", ["pandas", "arrow", "s3fs"])
    def test_other_cursors_of_the_dialect(self, live_server: Any, released: ReleasedLake, kind: str) -> None:
        with self.engine(live_server, kind).connect() as connection:
            assert connection.execute(sqlalchemy.text("SELECT 1 AS a")).scalar_one() == 1

    def test_columns_come_from_the_information_schema_too(self, live_server: Any, released: ReleasedLake) -> None:
        asked = (
            "SELECT ordinal_position, column_name, data_type, comment, extra_info FROM information_schema.columns "
            f"WHERE table_schema = '{DATABASE}' AND table_name = 'aspirevc_crowd_tracing'"
        )
        _, rows = run(live_server, asked)
        assert [row[1] for row in rows[1:]] == list(CROWD_TRACING.names)


# Statements that programs send first, from their own sources.
FIRST_QUESTIONS = [
    # Superset: the test of a connection, the tables of a schema, a preview, the rows of a chart, a limit around a query
    ("SELECT 1", [["1"]]),
    ("SHOW SCHEMAS", [[DATABASE]]),
    ("SHOW TABLES IN `covid-19`", [[name] for name in NAMES]),
    ("SHOW VIEWS IN `covid-19`", []),
    ('SELECT * FROM "covid-19"."aspirevc_crowd_tracing_zipcode_3digits" ORDER BY "zip" LIMIT 1', [["005", "NY"]]),
    (
        'SELECT "state" AS "state", COUNT(*) AS "count" FROM "covid-19"."aspirevc_crowd_tracing_zipcode_3digits" '
        "WHERE \"state\" IN ('WY') GROUP BY \"state\" ORDER BY \"count\" DESC LIMIT 1000",
        [["WY", "12"]],
    ),
    ('SELECT * FROM (SELECT "zip" FROM "covid-19"."live_crowd") AS virtual_table LIMIT 0', []),
    # dbt: its test of a connection, the columns of a relation, what is in a schema
    ("select 1 as id", [["1"]]),
    (
        "select distinct schema_name from awsdatacatalog.INFORMATION_SCHEMA.schemata "
        "where lower(schema_name) = 'covid-19'",
        [[DATABASE]],
    ),
    (
        "select table_name, table_type from information_schema.tables where lower(table_schema) = lower('covid-19') "
        "order by 1",
        [[name, "BASE TABLE"] for name in NAMES],
    ),
    (
        "select column_name, data_type, ordinal_position from awsdatacatalog.information_schema.columns "
        "where LOWER(table_name) = LOWER('aspirevc_crowd_tracing_zipcode_3digits') "
        "AND LOWER(table_schema) = LOWER('covid-19') order by ordinal_position",
        [["zip", "varchar", "1"], ["state", "varchar", "2"]],
    ),
    ("show tblproperties `covid-19`.`aspirevc_crowd_tracing`('table_type')", [["table_type", "ICEBERG"]]),
    ("-- a comment of dbt\nselect * from (select 1 as id) as __dbt_sbq where false limit 0", []),
]  # fmt: skip


class TestFirstQuestions:
    """The first statements of Superset and dbt, which are not installed."""

    def test_each_is_answered(self, live_server: Any, released: ReleasedLake) -> None:
        for sql, expected in FIRST_QUESTIONS:
            _, rows = run(live_server, sql, QueryExecutionContext={"Database": DATABASE, "Catalog": "awsdatacatalog"})
            assert rows[1:] == expected, sql

    def test_a_statement_that_would_write_is_refused_with_advice(
        self, live_server: Any, released: ReleasedLake
    ) -> None:
        for sql in (
            'create table "covid-19"."made" with (table_type=\'iceberg\') as select 1 as id',
            "CREATE OR REPLACE VIEW v AS SELECT 1 AS a",
            "UNLOAD (SELECT 1 AS a) TO 's3://x/' WITH (format = 'PARQUET')",
            "INSERT INTO t VALUES (1)",
        ):
            with pytest.raises(ClientError, match="ctas_approach=False"):
                client(live_server).start_query_execution(QueryString=sql)


class TestDescribing:
    """Operations of the API that describe what exists."""

    def test_lists_come_in_pages(self, live_server: Any, released: ReleasedLake) -> None:
        pages = (
            client(live_server)
            .get_paginator("list_table_metadata")
            .paginate(CatalogName="AwsDataCatalog", DatabaseName=DATABASE, PaginationConfig={"PageSize": 2})
        )
        found = [[table["Name"] for table in page["TableMetadataList"]] for page in pages]
        assert [len(names) for names in found] == [2, 2, 1]
        assert [name for names in found for name in names] == NAMES

    def test_catalogues_groups_and_engines(self, live_server: Any, released: ReleasedLake) -> None:
        athena = client(live_server)
        assert [each["CatalogName"] for each in athena.list_data_catalogs()["DataCatalogsSummary"]] == [
            "AwsDataCatalog"
        ]
        assert athena.get_data_catalog(Name="AwsDataCatalog")["DataCatalog"]["Type"] == "GLUE"
        assert athena.get_database(CatalogName="AwsDataCatalog", DatabaseName=DATABASE)["Database"]["Name"] == DATABASE
        assert [each["Name"] for each in athena.list_work_groups()["WorkGroups"]] == [GROUP]
        assert athena.get_work_group(WorkGroup=GROUP)["WorkGroup"]["Configuration"]["ManagedQueryResultsConfiguration"]
        assert athena.list_engine_versions()["EngineVersions"][0]["SelectedEngineVersion"] == "AUTO"
        assert athena.list_query_executions(WorkGroup=GROUP)["QueryExecutionIds"] == []

    def test_a_pattern_is_of_whole_names(self, live_server: Any, released: ReleasedLake) -> None:
        def listed(pattern: str) -> list[str]:
            found = client(live_server).list_table_metadata(
                CatalogName="AwsDataCatalog", DatabaseName=DATABASE, Expression=pattern
            )
            return [table["Name"] for table in found["TableMetadataList"]]

        assert listed("aspirevc_crowd_tracing") == ["aspirevc_crowd_tracing"]
        assert listed(".*signals|live.*") == ["aspirevc_crowd_tracing_signals", "live_crowd"]
        assert listed("(a+)+$") == []
        with pytest.raises(ClientError, match="not a regular expression"):
            listed("(")

    @pytest.mark.parametrize(
        "asked",
        [
            {"CatalogName": "other", "DatabaseName": DATABASE, "TableName": "live_crowd"},
            {"CatalogName": "AwsDataCatalog", "DatabaseName": "other", "TableName": "live_crowd"},
            {"CatalogName": "AwsDataCatalog", "DatabaseName": DATABASE, "TableName": "nothing"},
        ],
    )
    def test_a_missing_object_gets_the_error_of_glue(
        self, live_server: Any, released: ReleasedLake, asked: dict[str, str]
    ) -> None:
        with pytest.raises(ClientError, match="Error Code: EntityNotFoundException") as caught:
            client(live_server).get_table_metadata(**asked)
        assert caught.value.response["Error"]["Code"] == "MetadataException"


class TestParameters:
    """`ExecutionParameters`, by Athena's rules."""

    def test_literals_take_the_places_of_question_marks_in_order(
        self, live_server: Any, released: ReleasedLake
    ) -> None:
        sql = "SELECT count(*) AS n FROM (VALUES (1, 'a''?', DATE '2020-10-15', 0.5)) AS t(a, b, c, d) WHERE "
        told, rows = run(
            live_server,
            sql + "a = ? AND b = ? AND c = ? AND d > ? AND c >= ? -- ?",
            ExecutionParameters=["1", "'a''?'", "DATE '2020-10-15'", "-1.5e0", "CAST('2020-10-01' AS DATE)"],
        )
        assert rows[1] == ["1"]
        assert told["ExecutionParameters"][1] == "'a''?'"
        assert "?" in told["Query"]

    @pytest.mark.parametrize(
        ("sql", "parameters", "said"),
        [
            ("SELECT 1 WHERE 1 = ?", ["text"], "no literal"),
            ("SELECT 1 WHERE 1 = ?", ["1) OR (1 = 1"], "no literal"),
            ("SELECT 1 WHERE 'a' = ?", ["'a' OR 'b' = 'b'"], "no literal"),
            ("SELECT 1 WHERE 'a' = ?", ['"a"'], "no literal"),
            ("SELECT 1 WHERE 1 = ?", ["1 -- x"], "no literal"),
            ("SELECT 1 WHERE 1 = ?", ["(SELECT 1)"], "no literal"),
            ("SELECT 1 WHERE 1 = ?", ["1", "2"], "has 1 question marks.*has 2"),
            ("SELECT 1 WHERE '?' = '?'", ["1"], "has 0 question marks.*has 1"),
            ("SELECT 1 WHERE 1 = ?", [], "has 1 question marks.*has 0"),
            ("SHOW TABLES ?", ["'a'"], "not for SHOW"),
            ("SELECT 1 WHERE 'a' = ?", ["'" + "a" * 1100 + "'"], "1 to 1024 characters"),
        ],
    )
    def test_a_parameter_that_is_not_a_literal_is_refused(
        self, live_server: Any, sql: str, parameters: list[str], said: str
    ) -> None:
        asked = {"ExecutionParameters": parameters} if parameters else {}
        with pytest.raises(ClientError, match=said):
            boto3.client(
                "athena",
                endpoint_url=f"{live_server.url}/athena",
                config=Config(parameter_validation=False),
                **KEYS,
            ).start_query_execution(QueryString=sql, **asked)

    def test_a_token_belongs_to_one_query_and_its_parameters(self, live_server: Any, released: ReleasedLake) -> None:
        token, sql = "t" * 32, "SELECT 1 AS a WHERE 1 = ?"
        run(live_server, sql, ExecutionParameters=["1"], ClientRequestToken=token)
        with pytest.raises(ClientError, match="another query"):
            client(live_server).start_query_execution(
                QueryString=sql, ExecutionParameters=["2"], ClientRequestToken=token
            )


class TestSignedAddresses:
    """Results as a file, for clients without keys of a bucket."""

    def test_anyone_with_the_signed_url_reads_the_rows(self, live_server: Any, each_lake: None, client: Client) -> None:
        told, _ = run(live_server, VALUES)
        body = json.dumps({"QueryExecutionId": told["QueryExecutionId"]}).encode()
        target = {"X-Amz-Target": "AmazonAthena.GetQueryExecution"}
        answered = client.generic("POST", "/athena", body, content_type="application/x-amz-json-1.1", headers=target)
        raw = json.loads(answered.content)["QueryExecution"]
        path = raw["ResultAddress"].partition("//")[2].partition("/")[2]
        with urllib.request.urlopen(f"{live_server.url}/{path}") as answer:
            lines = answer.read().decode().splitlines()
        assert lines[0] == '"n","t","empty","missing","b","d","m","x"'
        assert lines[1].startswith('"7","text","",,"true","2020-10-15","-1.50"')
        for wrong in (f"/athena/results/{told['QueryExecutionId']}.csv", f"/{path}".replace(".csv", "x.csv")):
            assert client.get(wrong).status_code == 404


@pytest.mark.peers
class TestAwsWrangler:
    """awswrangler, in the second environment, without keys of a bucket."""

    def ask(self, server: Any, **job: Any) -> Any:
        given = {"athena": f"{server.url}/athena", "database": DATABASE, "workgroup": GROUP, "access_key": "anything",
                 "secret_key": "anything", "s3": "http://127.0.0.1:9"}  # fmt: skip
        done = subprocess.run(
            [str(PEERS), str(ROOT / "tests" / "exports" / "wrangler_queries.py")],
            input=json.dumps(given | job), text=True, capture_output=True, timeout=240, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr[-3000:]
        return json.loads(done.stdout)

    def test_it_reads_without_ctas_and_is_refused_with_it(self, live_server: Any, each_lake: None) -> None:
        [answer] = self.ask(live_server, queries=[VALUES])
        assert answer["columns"] == ["n", "t", "empty", "missing", "b", "d", "m", "x"]
        assert answer["rows"][0][:2] == ["7", "text"]
        assert "ctas_approach=False" in self.ask(live_server, queries=["SELECT 1 AS a"], ctas=True)["refused"]
