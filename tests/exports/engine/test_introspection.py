"""Statements that describe databases, tables and columns, as Athena answers them."""

import re
from typing import Any

import pytest
from django.test import Client

from exports.dataset.tables import CROWD_TRACING, LIVE_CROWD, OPEN_TABLES
from exports.engine.errors import QueryError
from exports.engine.introspection import Catalogue, is_utility, located, tokens
from tests.exports.ledger import FIRST, SECOND, ReleasedLake

CATALOGUE = Catalogue("covid-19", (*OPEN_TABLES, LIVE_CROWD), "s3://bucket/lake")
NAMES = sorted(table.name for table in CATALOGUE.offered)


class TestTexts:
    """Statements are turned into queries without being parsed."""

    @pytest.mark.parametrize("sql", ["SELECT 1", "WITH a AS (SELECT 1) SELECT * FROM a", "", "VALUES 1", "shows"])
    def test_a_query_stays_as_it_is(self, sql: str) -> None:
        assert CATALOGUE.asked(sql).sql == sql
        assert not is_utility(sql)

    @pytest.mark.parametrize("sql", ["SHOW TABLES", "-- a\n/* b */ describe x", "Desc x", "explain SELECT 1"])
    def test_the_first_word_decides(self, sql: str) -> None:
        assert is_utility(sql)

    @pytest.mark.parametrize(
        ("sql", "expected"),
        [
            ("SELECT * FROM information_schema.tables", 'SELECT * FROM "information_schema.tables"'),
            ('SELECT * FROM "Information_Schema"."COLUMNS" c', 'SELECT * FROM "information_schema.columns" c'),
            ("SELECT 1 FROM AwsDataCatalog.information_schema.views v", 'SELECT 1 FROM "information_schema.views" v'),
            (
                "SELECT columns.table_name FROM information_schema.columns",
                'SELECT "information_schema.columns".table_name FROM "information_schema.columns"',
            ),
            (
                "SELECT information_schema.tables.table_name FROM information_schema.tables",
                'SELECT "information_schema.tables".table_name FROM "information_schema.tables"',
            ),
            (
                "SELECT tables.a FROM information_schema.columns AS tables",
                'SELECT tables.a FROM "information_schema.columns" AS tables',
            ),
        ],
    )  # fmt: skip
    def test_views_of_the_information_schema_are_found(self, sql: str, expected: str) -> None:
        assert located(sql) == expected

    @pytest.mark.parametrize(
        "sql",
        [
            "SELECT 'information_schema.tables'",
            "SELECT 1 -- information_schema.tables",
            "SELECT 1 /* information_schema.tables */",
            'SELECT "information_schema.tables" FROM t',
            "SELECT columns.a FROM t columns",
            "SELECT other.information_schema.tables FROM t",
            "SELECT information_schema FROM tables",
            "SELECT '",
            'SELECT "',
            "SELECT information_schema.",
        ],
    )
    def test_other_texts_stay_as_they_are(self, sql: str) -> None:
        assert located(sql) == sql

    def test_tokens_cover_a_text_of_any_kind(self) -> None:
        text = "a.\"b\"\"c\" 'd''e' `f` 1.5 ? -- g\n/* h */ é"
        assert [token.value for token in tokens(text)] == ["a", ".", 'b"c', "d'e", "f", "1.5", "?", "é"]

    def test_a_comment_that_is_not_closed_hides_the_rest(self) -> None:
        assert [token.value for token in tokens("a /* b ' ? /* \" c")] == ["a"]
        assert located("SELECT 1 /* information_schema.tables") == "SELECT 1 /* information_schema.tables"

    @pytest.mark.parametrize("pattern", ["*" * 40 + "~", "a*" * 9000 + "~", "|".join(["*a*c*d*~"] * 2000), "\n(\\["])
    def test_a_pattern_that_matches_nothing_is_found_out_without_trying_every_way(self, pattern: str) -> None:
        assert "WHERE false" in CATALOGUE.asked(f"SHOW TABLES LIKE '{pattern}'").sql

    def test_the_query_of_explain_keeps_its_place(self) -> None:
        asked = CATALOGUE.asked("EXPLAIN (TYPE\nDISTRIBUTED) SELECT 1")
        assert asked.explain == "plan"
        assert asked.sql == " " * 13 + "\n" + " " * 13 + "SELECT 1"
        assert CATALOGUE.asked("explain (type validate) SELECT 1").explain == "valid"

    @pytest.mark.parametrize(
        ("sql", "said", "at"),
        [
            ("SHOW", "This SHOW is not offered", (1, 5)),
            ("SHOW GRANTS", "This SHOW is not offered", (1, 6)),
            ("SHOW TABLES IN other", 'no database other. There is "covid-19"', (1, 16)),
            ("SHOW TABLES LIKE", "A pattern in quotes is missing", (1, 17)),
            ("SHOW TABLES 'a' 'b'", "'b' is not understood", (1, 17)),
            ("SHOW COLUMNS aspirevc_crowd_tracing", "is followed by IN", (1, 14)),
            ("SHOW COLUMNS IN aspirevc_crowd_tracin", 'Did you mean "covid-19"."aspirevc_crowd_tracing"', (1, 17)),
            ("SHOW CREATE VIEW x", "there are no views", (1, 13)),
            ("SHOW CREATE TABLE live_crowd", "has no files", (1, 19)),
            ("SHOW PARTITIONS aspirevc_crowd_tracing_zipcode_3digits", "has no partitions", (1, 17)),
            ("SHOW TBLPROPERTIES aspirevc_crowd_tracing ('a'", "brackets and quotes", (1, 43)),
            ("SHOW DATABASES IN other", "There is one catalogue", (1, 24)),
            ("DESCRIBE", "A name is missing", (1, 9)),
            ("DESCRIBE TABLE aspirevc_crowd_tracing", "There is no table TABLE", (1, 10)),
            ("DESCRIBE aspirevc_crowd_tracing symptomz", "has no column symptomz", (1, 33)),
            ('DESCRIBE "other"."aspirevc_crowd_tracing"', "There is no database other", (1, 18)),
            ("EXPLAIN", "is followed by a query", (1, 8)),
            ("EXPLAIN SHOW TABLES", "SELECT or WITH", (1, 9)),
            ("EXPLAIN ANALYZE SELECT 1", "EXPLAIN shows the plan", (1, 9)),
            ("EXPLAIN (TYPE X) SELECT 1", "Options of EXPLAIN", (1, 16)),
            ("EXPLAIN (TYPE", "Options of EXPLAIN", (1, 10)),
            ("EXPLAIN (FORMAT JSON) SELECT 1", "EXPLAIN gives text here", (1, 23)),
        ],
    )
    def test_a_wrong_statement_is_refused_at_its_place(self, sql: str, said: str, at: tuple[int, int]) -> None:
        with pytest.raises(QueryError, match=re.escape(said)) as caught:
            CATALOGUE.asked(sql)
        assert (caught.value.line, caught.value.column) == at

    def test_where_another_engine_answers_databases_that_are_not_ours_stay_unseen(self) -> None:
        forwarded = Catalogue("covid-19", OPEN_TABLES, "s3://bucket/lake", is_whole=False)
        for sql in ("SHOW DATABASES", "SHOW SCHEMAS", "SHOW TABLES IN other", "DESCRIBE information_schema.tables"):
            with pytest.raises(QueryError):
                forwarded.asked(sql)
        assert forwarded.asked("SELECT * FROM information_schema.tables").sql.endswith("information_schema.tables")
        assert forwarded.asked("SHOW TABLES").sql != "SHOW TABLES"


@pytest.mark.django_db
class TestAnswers:
    """The statements through the API."""

    def ask(self, client: Client, sql: str, **others: Any) -> Any:
        response = client.post("/api/v1/queries", {"sql": sql} | others, content_type="application/json")
        assert response.status_code == 200, response.content
        return response.json()

    @pytest.mark.parametrize(
        ("sql", "title", "expected"),
        [
            ("SHOW DATABASES", "database_name", ["covid-19"]),
            ("show schemas like 'covid*';", "database_name", ["covid-19"]),
            ("SHOW DATABASES LIKE 'other*|x'", "database_name", []),
            ("SHOW TABLES", "tab_name", NAMES),
            ('SHOW TABLES IN "covid-19"', "tab_name", NAMES),
            ("SHOW TABLES FROM `COVID-19` '*signals|live*'", "tab_name", [NAMES[2], NAMES[4]]),
            ('SHOW TABLES IN "AwsDataCatalog"."covid-19" LIKE \'nothing\'', "tab_name", []),
            ("SHOW TABLES IN information_schema", "tab_name", ["columns", "schemata", "tables", "views"]),
            ("SHOW VIEWS", "views", []),
            ("SHOW COLUMNS IN aspirevc_crowd_tracing", "field", list(CROWD_TRACING.names)),
            ('SHOW COLUMNS FROM aspirevc_crowd_tracing IN "covid-19"', "field", list(CROWD_TRACING.names)),
            ('SHOW COLUMNS FROM "covid-19".Aspirevc_Crowd_Tracing', "field", list(CROWD_TRACING.names)),
            ("SHOW PARTITIONS aspirevc_crowd_tracing", "partition", [f"scan_date={day}" for day in (FIRST, SECOND)]),
        ],
    )  # fmt: skip
    def test_lists(self, client: Client, released: ReleasedLake, sql: str, title: str, expected: list[str]) -> None:
        answer = self.ask(client, sql)
        assert answer["columns"] == [{"name": title, "type": "varchar"}]
        assert [row[0] for row in answer["rows"]] == expected

    def test_a_table_is_described(self, client: Client, released: ReleasedLake) -> None:
        answer = self.ask(client, 'DESCRIBE "covid-19".aspirevc_crowd_tracing')
        assert [column["name"] for column in answer["columns"]] == ["col_name", "data_type", "comment"]
        assert [tuple(row[:2]) for row in answer["rows"]] == [(each.name, each.kind) for each in CROWD_TRACING.columns]
        assert self.ask(client, "DESC aspirevc_crowd_tracing symptoms")["rows"][0][:2] == ["symptoms", "boolean"]
        whole = self.ask(client, "DESCRIBE FORMATTED aspirevc_crowd_tracing")["rows"]
        assert ["Location:", "s3://this_deployment_has_no_bucket/open/aspirevc_crowd_tracing", ""] in whole

    def test_the_definition_is_the_ddl_of_athena(self, client: Client, released: ReleasedLake) -> None:
        lines = [row[0] for row in self.ask(client, "SHOW CREATE TABLE aspirevc_crowd_tracing")["rows"]]
        assert lines[0] == "CREATE TABLE `covid-19`.`aspirevc_crowd_tracing` ("
        assert "PARTITIONED BY (`scan_date`)" in lines
        properties = self.ask(client, "SHOW TBLPROPERTIES aspirevc_crowd_tracing('table_type')")["rows"]
        assert properties == [["table_type", "ICEBERG"]]

    @pytest.mark.parametrize("dialect", ["athena", "duckdb"])
    def test_the_information_schema_is_queried_like_tables(
        self, client: Client, released: ReleasedLake, dialect: str
    ) -> None:
        sql = (
            "SELECT t.table_name, count(*) AS n FROM information_schema.tables t JOIN information_schema.columns c "
            "ON c.table_schema = t.table_schema AND c.table_name = t.table_name "
            "WHERE t.table_schema = 'covid-19' GROUP BY 1 ORDER BY 1"
        )
        answer = self.ask(client, sql, dialect=dialect)
        assert answer["rows"] == [
            [table.name, len(table.columns)] for table in sorted(CATALOGUE.offered, key=lambda t: t.name)
        ]
        [[kind]] = self.ask(
            client,
            "SELECT data_type FROM information_schema.columns WHERE columns.column_name = 'scannerdevice_zipcode'",
        )["rows"]
        assert kind == "varchar"
        schemas = self.ask(client, "SELECT schema_name FROM AwsDataCatalog.information_schema.schemata ORDER BY 1")
        assert [row[0] for row in schemas["rows"]] == ["covid-19", "information_schema"]

    def test_a_plan_is_shown_without_a_file_of_the_server(self, client: Client, released: ReleasedLake) -> None:
        answer = self.ask(client, "EXPLAIN SELECT risklevel, count(*) FROM aspirevc_crowd_tracing GROUP BY 1")
        assert [column["name"] for column in answer["columns"]] == ["Query Plan"]
        text = "\n".join(row[0] for row in answer["rows"])
        assert "group by" in text
        assert "risklevel" in text
        assert "file" not in text
        assert "/" not in text
        valid = self.ask(client, "EXPLAIN (TYPE VALIDATE) SELECT 1 AS a")
        assert (valid["columns"], valid["rows"]) == ([{"name": "Valid", "type": "boolean"}], [[True]])

    @pytest.mark.parametrize(
        ("sql", "column"),
        [("EXPLAIN SELECT symptomz FROM aspirevc_crowd_tracing", 16), ("EXPLAIN DROP TABLE x", None),
         ("EXPLAIN SELECT * FROM read_csv('/etc/passwd')", None), ("SHOW TABLES IN other", 16)],
    )  # fmt: skip
    def test_an_error_names_its_position(
        self, client: Client, released: ReleasedLake, sql: str, column: int | None
    ) -> None:
        response = client.post("/api/v1/queries", {"sql": sql}, content_type="application/json")
        assert response.status_code == 400
        if column:
            assert response.json()["column"] == column
