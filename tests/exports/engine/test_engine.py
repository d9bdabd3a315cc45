"""Queries run in a separate process, within limits."""

import contextlib
import datetime as dt
import errno
import fcntl
import json
import os
import selectors
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import duckdb
import psutil
import pyarrow as pa
import pytest

from embedded.processes import wait_until
from exports.engine import process
from exports.engine.deployment import work_folder
from exports.engine.engine import Engine, job_of
from exports.engine.errors import MOST_OF_A_DETAIL, QueryBusyError, QueryError
from exports.engine.fork_server import _Server
from exports.engine.limits import Limits
from exports.engine.parse import Dialect
from tests.exports.engine.factories import accepted, an_engine, locked, published, some_rows
from tests.live import PATIENCE_S

ENDLESS = "WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t) SELECT count(*) FROM t"
CROWD = '"covid-19"."aspirevc_crowd_tracing"'


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    return an_engine(tmp_path)


def refused(engine: Engine, sql: str, dialect: Dialect = "athena") -> QueryError:
    with pytest.raises(QueryError) as caught:
        engine.run(sql, dialect=dialect)
    return caught.value


def test_the_published_daily_counts_run_unchanged(engine: Engine) -> None:
    rows = engine.run(published("daily_counts.sql")).table.to_pylist()
    day = dt.date(2020, 10, 15)
    names = ("date", "symptoms_count", "diagnosed_count", "contact_count", "near_count", "total_count")
    assert [tuple(row[name] for name in names) for row in rows] == [
        (dt.date(2020, 10, 14), 0, 1, 0, 0, 1),
        (day, 1, 0, 1, 1, 4),
    ]


def test_counts_and_sums_are_whole_numbers_of_64_bits(engine: Engine) -> None:
    result = engine.run(f"SELECT count_if(near) AS a, sum(location_maxcapacity) AS b, count(*) AS c FROM {CROWD}").table
    assert {str(field.type) for field in result.schema} == {"int64"}
    large = engine.run("SELECT CAST(10 AS DECIMAL(38, 0)) * 10000000000000000000 AS big", dialect="duckdb").table
    assert large["big"][0].as_py() == 10**20


def test_the_published_counts_by_state_run_unchanged(engine: Engine) -> None:
    rows = engine.run(published("counts_by_state_and_risklevel.sql")).table.to_pylist()
    found = {(row["zip"], row["state"], row["risklevel"], row["result"], row["total_count"]) for row in rows}
    assert found == {
        ("021", "MA", "High", "Declined", 1),
        ("021", "MA", "Low", "Approved", 1),
        ("902", "CA", "Moderate", "Approved", 1),
    }


def test_the_published_queries_run_on_empty_tables(tmp_path: Path) -> None:
    empty = an_engine(tmp_path, [])
    assert empty.run(published("daily_counts.sql")).table.num_rows == 0
    assert empty.run(published("counts_by_state_and_risklevel.sql")).table.num_rows == 0


def test_a_text_that_is_not_a_time_fails_the_whole_query(tmp_path: Path) -> None:
    spoilt = some_rows()
    spoilt[0]["scandate"] = "yesterday"
    assert refused(an_engine(tmp_path, spoilt), published("daily_counts.sql")).code == "bad-value"


@pytest.mark.parametrize(
    ("moment", "pattern", "expected"),
    [
        ("2020-10-15:00:00:00", "yyyy-MM-dd:HH:mm:ss", "2020-10-15T00:00:00+00:00"),
        ("2020-10-15", "yyyy-MM-dd", "2020-10-15T00:00:00+00:00"),
        ("2020-10-15T23:59:01", "yyyy-MM-dd''T''HH:mm:ss", "2020-10-15T23:59:01+00:00"),
        ("10/15/2020 07:05", "MM/dd/yyyy HH:mm", "2020-10-15T07:05:00+00:00"),
        ("2020-10-15 07:05:06.125", "yyyy-MM-dd HH:mm:ss.SSS", "2020-10-15T07:05:06.125000+00:00"),
    ],
)
def test_parse_datetime_knows_joda_patterns(engine: Engine, moment: str, pattern: str, expected: str) -> None:
    value = engine.run(f"SELECT parse_datetime('{moment}', '{pattern}') AS t").table["t"][0].as_py()
    assert value.isoformat() == expected


def test_an_unknown_joda_pattern_is_named(engine: Engine) -> None:
    assert "QQQ" in refused(engine, "SELECT parse_datetime('x', 'QQQ')").detail


def test_times_are_utc_whatever_the_machine_says(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "America/Los_Angeles")
    row = engine.run("SELECT cast(from_iso8601_timestamp('2020-10-15T23:30:00.000Z') as date) AS d").table
    assert row["d"][0].as_py() == dt.date(2020, 10, 15)


def test_an_unknown_column_is_placed_and_near_names_are_offered(engine: Engine) -> None:
    error = refused(engine, f"SELECT scandate,\n  symptomz\nFROM {CROWD}")
    assert (error.code, error.line, error.column) == ("unknown-name", 2, 3)
    assert "symptoms" in error.nearest


@pytest.mark.parametrize(
    ("asked", "code", "column", "nearest"),
    [
        ("coun(*)", "unknown-name", 8, "count"),
        ("aspirevc_crowd_tracing.symptom", "unknown-name", 8, "symptoms"),
        ("crowd.symptoms", "unknown-name", 8, "aspirevc_crowd_tracing"),
    ],
)
def test_every_kind_of_unknown_name_has_its_place_and_a_near_one(
    engine: Engine, asked: str, code: str, column: int, nearest: str
) -> None:
    error = refused(engine, f"SELECT {asked} FROM {CROWD}")
    assert (error.code, error.line, error.column) == (code, 1, column)
    assert error.nearest[0].removeprefix("covid-19.") == nearest


def test_names_that_are_known_but_used_wrongly_are_not_called_unknown(engine: Engine) -> None:
    grouped = refused(engine, f"SELECT risklevel, count(*) FROM {CROWD}")
    assert (grouped.code, grouped.column, grouped.nearest) == ("failed", 8, ())
    assert "\n" not in grouped.detail
    typed = refused(engine, f"SELECT substr(temp) FROM {CROWD}")
    assert (typed.code, typed.column, typed.nearest) == ("wrong-types", 8, ())
    assert "There is: substr(VARCHAR, BIGINT, BIGINT) -> VARCHAR; substr(VARCHAR, BIGINT) -> VARCHAR." in typed.detail
    assert "Candidate" not in refused(engine, f"SELECT temp + risklevel FROM {CROWD}").detail


def test_many_alternatives_are_one_query_and_an_endless_chain_is_refused_with_advice(engine: Engine) -> None:
    asked = " OR ".join([f"risklevel = '{number}'" for number in range(700)])
    assert engine.run(f"SELECT count(*) AS n FROM {CROWD} WHERE {asked}").table["n"][0].as_py() == 0
    error = refused(engine, "SELECT " + "+".join("1" * 2000))
    assert error.code == "too-deep"
    assert "IN ('a', 'b')" in error.detail
    assert "SET" not in error.detail


def test_a_failing_cast_is_an_answer_not_a_crash(engine: Engine) -> None:
    assert refused(engine, f"SELECT CAST(scandate AS BIGINT) FROM {CROWD}").code == "bad-value"


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT CAST(repeat('a', 3000000) AS BIGINT)",
        "SELECT strptime(repeat('a', 3000000), '%Y')",
        f"SELECT CAST('{'a' * 15_000}' AS DATE)",
        f'SELECT * FROM "{"a" * 15_000}"',
        f"SELECT {'a' * 15_000}(1)",
    ],
)
def test_an_error_quotes_only_a_part_of_a_long_value_or_name(engine: Engine, sql: str) -> None:
    detail = refused(engine, sql, dialect="duckdb").detail
    assert len(detail) <= MOST_OF_A_DETAIL
    assert "aaa … aaa" in detail


@pytest.mark.parametrize(
    "value",
    [
        "INTERVAL 3 DAY", "{'a': [INTERVAL 3 DAY]}", "MAP {'a': INTERVAL 3 DAY}", "[INTERVAL 3 DAY]::INTERVAL[1]",
        "(1, 2)", "union_value(k := 1)", "340282366920938463463374607431768211455::UHUGEINT", "'a'::VARIANT",
        "'101'::BIT",
        "DATE '5000000-01-01'", "DATE 'infinity'", "DATE '0044-03-15 (BC)'", "TIMESTAMP 'infinity'",
        "[TIMESTAMPTZ '290000-01-01 00:00:00+00']", "{'size': DATE '-infinity'}",
    ],
)  # fmt: skip
def test_a_value_that_no_answer_can_hold_is_refused_and_named(engine: Engine, value: str) -> None:
    with pytest.raises(QueryError, match=r'The column "v" .* Cast it to VARCHAR') as caught:
        engine.run(f"SELECT 1 AS one, {value} AS v", dialect="duckdb")
    assert caught.value.code == "bad-value"
    as_text = engine.run(f"SELECT CAST({value} AS VARCHAR) AS v", dialect="duckdb").table
    assert isinstance(as_text["v"][0].as_py(), str)


def test_advice_to_load_an_extension_is_left_out(engine: Engine) -> None:
    assert "INSTALL" not in refused(engine, "SELECT ST_Point(1, 2)").detail


def test_more_rows_than_the_limit_are_cut_and_said_so(tmp_path: Path) -> None:
    engine = an_engine(tmp_path, limits=Limits(max_rows=3))
    result = engine.run(f"SELECT * FROM {CROWD}")
    assert (result.table.num_rows, result.truncated) == (3, True)
    result = engine.run(f"SELECT * FROM {CROWD} LIMIT 3")
    assert (result.table.num_rows, result.truncated) == (3, False)


def children() -> set[int]:
    return {process.pid for process in psutil.Process().children(recursive=True)}


def test_a_query_that_runs_for_ever_is_killed(tmp_path: Path) -> None:
    engine = an_engine(tmp_path, limits=Limits(seconds=3))
    before = children()
    assert refused(engine, ENDLESS).code == "too-slow"
    assert children() <= before
    # The slot is free again; the limit of this engine is shorter than a start on a busy machine.
    assert an_engine(tmp_path).run("SELECT 1 AS one").table.num_rows == 1


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[process.ForkServer]:
    """Give queries a fork server that this test alone uses."""
    server = process.ForkServer()
    monkeypatch.setattr("exports.engine.process.SERVER", server)
    yield server
    server.end()


HUNGRY = (
    "SELECT list(a.range || 'x' || b.range) FROM range(20000) a, range(20000) b",
    "SELECT len(range(500000000))",
    "SELECT length(repeat('x', 2000000000))",
    "SELECT list_aggregate(range(200000000), 'string_agg', ',')",
    "SELECT map(range(90000000), range(90000000))",
    "WITH RECURSIVE t(s) AS (SELECT 'xxxxxxxxxxxxxxxxxxxx' UNION ALL SELECT s || s FROM t) SELECT max(s) FROM t",
)
# The peak of a started process includes what its parent held, so the parent must be small.
PEAK = """
import json, resource, sys
from pathlib import Path
from exports.engine import process
from exports.engine.errors import QueryError
from exports.engine.limits import Limits
from tests.exports.engine.factories import an_engine

engine = an_engine(Path(sys.argv[1]), rows=[], limits=Limits(memory_mb=512, seconds=60))
codes = []
for sql in json.load(sys.stdin):
    try:
        engine.run(sql, dialect="duckdb")
    except QueryError as error:
        codes.append(error.code)
process.SERVER.end()
print(json.dumps([codes, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss]))
"""


def test_queries_that_use_too_much_memory_are_killed(tmp_path: Path) -> None:
    root = Path(__file__).parents[3]
    command = [sys.executable, "-c", PEAK, str(tmp_path)]
    done = subprocess.run(command, input=json.dumps(HUNGRY), cwd=root, stdout=subprocess.PIPE, text=True, check=True)
    codes, peak = json.loads(done.stdout)
    assert codes == ["out-of-memory"] * len(HUNGRY)
    # In KiB: data, and pages of shared libraries.
    assert peak <= 700 * 1024


def test_a_process_cannot_hold_more_than_its_share_whatever_asks_for_it() -> None:
    started = process.SERVER.copy()
    asked = {"sql": "SELECT 1 AS one", "dialect": "athena", "schema": "x", "tables": [], "runs": True}
    try:
        talk = process.Conversation(started, Limits())
        talk.ask(json.dumps(asked | {"parse_seconds": 5, "memory_mb": 512}).encode())
        bound = psutil.Process(started.pid)
        assert bound.rlimit(psutil.RLIMIT_DATA) == (512 * 1024**2,) * 2
        assert bound.rlimit(psutil.RLIMIT_FSIZE) == (0, 0)
    finally:
        started.end()


def test_an_answer_that_is_too_large_is_refused(tmp_path: Path) -> None:
    engine = an_engine(tmp_path, limits=Limits(max_output_bytes=100_000, max_rows=10**6))
    assert refused(engine, "SELECT repeat('x', 1000) AS t FROM range(1000)", "duckdb").code == "too-large"


@pytest.mark.parametrize(
    ("sql", "code"),
    [
        ("SELECT list_transform(range(3000000), x -> NULL) AS v", "too-large"),
        ("SELECT [i % 2 = 0 FOR i IN range(600000)] AS v", "too-large"),
        ("SELECT 'a'::ENUM('a') AS v FROM range(9)", ""),
        ("SELECT ['a'::ENUM('a')] AS v", "bad-value"),
        (f"SELECT {'[' * 17}1{']' * 17} AS v", "bad-value"),
    ],
)
def test_an_answer_that_grows_where_it_is_read_is_refused(engine: Engine, sql: str, code: str) -> None:
    if not code:
        assert engine.run(sql, dialect="duckdb").table.schema.field("v").type == pa.string()
        return
    with pytest.raises(QueryError) as caught:
        engine.run(sql, dialect="duckdb")
    assert caught.value.code == code


@pytest.mark.parametrize("dialect", ["athena", "duckdb"])
@pytest.mark.parametrize("bomb", ["SELECT a" + ".f()" * 1600, "SELECT 1" + "[1]" * 1500])
def test_a_text_that_takes_long_to_parse_is_stopped_with_advice(tmp_path: Path, bomb: str, dialect: Dialect) -> None:
    engine = an_engine(tmp_path, limits=Limits(parse_seconds=0.2))
    before = children()
    with pytest.raises(QueryError) as caught:
        engine.run(bomb, dialect=dialect)
    assert caught.value.code in {"too-complex", "too-deep", "syntax"}
    if caught.value.code == "too-complex":
        assert "WITH clause" in caught.value.detail
    assert children() <= before


def test_texts_that_take_long_to_read_take_no_time_of_this_process(tmp_path: Path) -> None:
    """Thirty are refused, in other processes or because no slot is free. Only CPU time is measured."""
    engine = an_engine(tmp_path, limits=Limits(parse_seconds=0.2))

    def bomb(_: int) -> str:
        try:
            engine.run("SELECT a" + ".f()" * 1600, dialect="duckdb")
        except (QueryError, QueryBusyError) as error:
            return getattr(error, "code", "busy")
        return ""

    before = time.process_time()
    with ThreadPoolExecutor(30) as pool:
        said = list(pool.map(bomb, range(30)))
    assert set(said) == {"too-complex", "busy"}
    # One such text takes 28 s if it is parsed to its end.
    assert time.process_time() - before < 5


def test_work_folders_belong_to_a_home(settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    places = set()
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        monkeypatch.setenv("CROWDTRACE_HOME", str(tmp_path / name))
        places.add(work_folder())
    assert places == {tmp_path / "one" / "queries", tmp_path / "two" / "queries"}
    settings.EMBEDDED = False
    for name in ("one", "two"):
        monkeypatch.setattr("exports.conf.database_url", lambda name=name: f"postgresql://localhost/{name}")
        places.add(work_folder())
    assert len(places) == 4


def test_no_more_queries_run_at_once_than_may(tmp_path: Path) -> None:
    engine = an_engine(tmp_path, limits=Limits(parallel=1))
    with (tmp_path / "query-0.lock").open("ab") as taken:
        fcntl.flock(taken, fcntl.LOCK_EX)
        with pytest.raises(QueryBusyError):
            engine.run("SELECT 1")
    assert engine.run("SELECT 1 AS one").table.num_rows == 1


class TestAttacks:
    """Queries for anything except the tables; the second of each pair passes the check."""

    @pytest.mark.parametrize(
        "sql",
        [
            "SELECT * FROM read_csv('/etc/passwd')",
            "SELECT * FROM read_text('/etc/passwd')",
            "SELECT * FROM read_parquet('/tmp/x.parquet')",
            "SELECT * FROM read_parquet('s3://bucket/verified/x.parquet')",
            "SELECT * FROM '/etc/passwd'",
            "SELECT * FROM 'https://example.org/x.csv'",
            "SELECT * FROM glob('/*')",
            "SELECT getenv('PEPPER')",
            "SELECT current_setting('s3_secret_access_key')",
            "SELECT * FROM duckdb_settings()",
            "SELECT * FROM duckdb_secrets()",
            "SELECT * FROM duckdb_extensions()",
            "SELECT * FROM information_schema.tables",
            "SELECT * FROM pg_catalog.pg_tables",
            "SELECT * FROM sqlite_master",
            "SELECT * FROM query('SELECT 1')",
            "SELECT * FROM query_table('aspirevc_crowd_tracing')",
            'SELECT * FROM "covid-19-verified"."aspirevc_crowd_tracing_verified"',
            "SELECT * FROM memory.information_schema.tables",
            "SET memory_limit='100GB'",
            "SET enable_external_access=true",
            "RESET lock_configuration",
            "PRAGMA database_list",
            "ATTACH '/tmp/x.db'",
            "COPY (SELECT 1) TO '/tmp/x.csv'",
            "INSTALL httpfs",
            "LOAD httpfs",
            "EXPORT DATABASE '/tmp/x'",
            "CREATE TABLE x AS SELECT 1",
            "CREATE SECRET s (TYPE s3)",
            f"DROP TABLE {CROWD}",
            f"DELETE FROM {CROWD}",
            f"UPDATE {CROWD} SET result = ''",
            f"INSERT INTO {CROWD} SELECT * FROM {CROWD}",
            "CALL pragma_version()",
            "SELECT 1; SELECT 2",
            "SELECT 1; DROP SCHEMA main",
            "",
            "-- nothing",
            "EXPLAIN SELECT 1",
            "WITH x AS (SELECT * FROM read_text('/etc/hostname')) SELECT * FROM x",
            "SELECT (SELECT content FROM read_text('/etc/hostname'))",
            "SELECT 1 WHERE EXISTS (SELECT * FROM read_blob('/etc/hostname'))",
            "SELECT * FROM aspirevc_crowd_tracing WHERE userid = ?",
            "SELECT 'a\x00b'",
        ],
    )
    def test_a_statement_that_does_not_query_the_tables_is_refused_before_it_runs(self, sql: str) -> None:
        with pytest.raises(QueryError) as caught:
            accepted(sql)
        assert caught.value.detail

    @pytest.mark.parametrize(
        "sql",
        [
            "SELECT * FROM read_csv('/etc/passwd')",
            "SELECT * FROM read_text('/proc/self/environ')",
            "SELECT * FROM '/etc/passwd'",
            "SELECT * FROM glob('/*')",
            "SELECT * FROM read_csv('https://example.org/x.csv')",
            "COPY (SELECT 1) TO 'x.csv'",
            "COPY (SELECT 1) TO '/tmp/crowdtrace-attack.csv'",
            "ATTACH 'x.db'",
            "INSTALL httpfs",
            "LOAD httpfs",
            "SET enable_external_access=true",
            "SET lock_configuration=false",
            "SET memory_limit='100GB'",
            "SET allowed_paths=['/etc/passwd']",
            "RESET memory_limit",
            "CREATE PERSISTENT SECRET s (TYPE s3)",
            "EXPORT DATABASE '/tmp/crowdtrace-attack'",
            "SELECT * FROM job",
            "SELECT getenv('PATH')",
            "FROM read_json('/proc/1/environ')",
        ],
    )
    def test_a_query_that_passes_the_checks_is_stopped_by_the_locks(self, engine: Engine, sql: str) -> None:
        with pytest.raises(duckdb.Error):
            locked(engine).execute(sql).fetchall()
        assert not Path("/tmp/crowdtrace-attack.csv").exists()
        assert not Path("/tmp/crowdtrace-attack").exists()

    def test_the_query_process_has_no_environment_of_the_server(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("PEPPER", "canary")
        engine = an_engine(tmp_path, limits=Limits(seconds=3))
        seen: list[dict[str, str]] = []
        with ThreadPoolExecutor(1) as pool:
            running = pool.submit(engine.run, ENDLESS)
            while not running.done():
                with contextlib.suppress(psutil.Error):
                    there = psutil.Process().children(recursive=True)
                    seen += [each.environ() for each in there if "fork_server.py" in each.cmdline()[-1]]
                time.sleep(0.05)
            assert isinstance(running.exception(), QueryError)
        assert seen
        assert all(set(each) <= process.ENVIRONMENT.keys() for each in seen)

    def test_the_query_process_loads_no_settings_and_no_web_framework(self) -> None:
        loads = f"import runpy, sys; runpy.run_path({str(process.FORK_SERVER)!r})"
        code = f"{loads}; print(*{{'django', 'boto3'}} & set(sys.modules))"
        root = Path(__file__).parents[3]
        done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
        assert done.stdout.split() == []

    def test_a_process_answers_one_query_and_ends(self, engine: Engine) -> None:
        asked = {"sql": "SELECT 1 AS one", "dialect": "athena", "schema": "covid-19", "tables": [], "runs": True}
        begun = json.dumps(asked | {"parse_seconds": 5, "memory_mb": 1024}).encode() + b"\n"
        job = json.dumps(dict(job_of(engine.sources, engine.storage, engine.limits))).encode() + b"\n"
        started = process.SERVER.copy()
        started.stdin.write((begun + job) * 2)
        started.stdin.flush()
        answer = b"".join(iter(lambda: started.stdout.read(process.READ_BYTES), b""))
        started.end()
        assert answer.count(b'"steady"') == 1
        assert answer.count(b'"ok"') == 1

    def test_nothing_is_left_on_the_disk(self, engine: Engine, tmp_path: Path) -> None:
        def left() -> set[Path]:
            """Return the folders that name a query; concurrent tests make others."""
            return {path for path in Path("/tmp").glob("crowdtrace-quer*") if path.is_dir()}

        before = left()
        engine.run("SELECT 1 AS one")
        with pytest.raises(QueryError):
            engine.run("SELECT nothing")
        assert left() <= before


def children_of(server: process.ForkServer) -> list[psutil.Process]:
    """Return the process of the server, if it runs."""
    return [psutil.Process(server._running[0].pid)] if server._running else []


def descriptors(pid: int) -> set[str]:
    """Return what the descriptors of a process are, such as one pipe."""
    found = set()
    for each in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):  # such as that of the list itself
            found.add(str(each.readlink()))
    return found


class TestForkServer:
    """Libraries are loaded once; each query has a process of its own, a copy that has seen no other query."""

    @pytest.fixture
    def copies(self, server: process.ForkServer, monkeypatch: pytest.MonkeyPatch) -> list[int]:
        """Record the processes of queries."""
        copies: list[int] = []
        copy = server.copy

        def recorded() -> process.Process:
            made = copy()
            copies.append(made.pid)
            return made

        monkeypatch.setattr(server, "copy", recorded)
        return copies

    def test_each_query_has_a_process_of_its_own_which_ends_with_it(self, engine: Engine, copies: list[int]) -> None:
        assert engine.run("SELECT 1 AS one").table.to_pylist() == [{"one": 1}]
        assert refused(engine, "SELECT * FROM nothing").code == "unknown-table"
        assert engine.run("SELECT 2 AS two").table.to_pylist() == [{"two": 2}]
        assert len(set(copies)) == 3
        assert not [pid for pid in copies if psutil.pid_exists(pid)]

    def test_a_fork_server_that_was_killed_is_replaced(self, engine: Engine, server: process.ForkServer) -> None:
        engine.run("SELECT 1 AS one")
        [running] = children_of(server)
        running.kill()
        psutil.wait_procs([running], timeout=PATIENCE_S)
        assert engine.run("SELECT 2 AS two").table.to_pylist() == [{"two": 2}]

    def test_a_fork_server_that_does_not_respond_is_replaced_and_a_second_one_means_busy(
        self, engine: Engine, server: process.ForkServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        engine.run("SELECT 1 AS one")
        [running] = children_of(server)
        running.suspend()
        with monkeypatch.context() as patched:
            patched.setattr("exports.engine.process.PATIENCE_SECONDS", 0.05)  # too short for a new one to load
            with pytest.raises(QueryBusyError):
                engine.run("SELECT 2 AS two")
        assert not running.is_running()
        assert engine.run("SELECT 3 AS three").table.to_pylist() == [{"three": 3}]

    def test_a_query_over_the_limit_of_time_is_killed(
        self, tmp_path: Path, server: process.ForkServer, copies: list[int]
    ) -> None:
        engine = an_engine(tmp_path, limits=Limits(seconds=1))
        assert refused(engine, ENDLESS).code == "too-slow"
        assert not psutil.pid_exists(copies[0])

    def test_queries_end_with_the_process_that_asked(self) -> None:
        """It is killed, and tells nobody: the kernel closes its sockets."""
        code = (
            "import time; from exports.engine.process import SERVER; made = SERVER.copy(); "
            "print(made.pid, SERVER._running[0].pid, flush=True); time.sleep(600)"
        )
        with subprocess.Popen(
            [sys.executable, "-c", code], cwd=Path(__file__).parents[3], stdout=subprocess.PIPE, text=True
        ) as asker:
            assert asker.stdout is not None
            started = [psutil.Process(int(pid)) for pid in asker.stdout.readline().split()]
            asker.kill()
        _, left = psutil.wait_procs(started, timeout=PATIENCE_S)
        assert left == []

    def test_the_fork_server_kills_a_process_that_is_given_up(self, server: process.ForkServer) -> None:
        given_up = server.copy()
        given_up.end()
        assert given_up.wait() == -signal.SIGKILL

    def test_a_copy_has_no_descriptor_of_another(self, server: process.ForkServer) -> None:
        first, second = server.copy(), server.copy()

        def share_nothing() -> bool:
            return descriptors(first.pid) & descriptors(second.pid) == {"/dev/null"}  # of standard error

        # Its number is known before it has closed what it inherited.
        assert wait_until(share_nothing, seconds=PATIENCE_S)
        first.end()
        second.end()

    def test_a_query_whose_fork_server_is_gone_is_not_called_too_large(
        self, engine: Engine, server: process.ForkServer
    ) -> None:
        with ThreadPoolExecutor(1) as pool:
            running = pool.submit(engine.run, ENDLESS)
            assert wait_until(lambda: bool(children_of(server)) and bool(children_of(server)[0].children()), seconds=9)
            [parent] = children_of(server)
            [copy] = parent.children()
            parent.kill()
            copy.kill()
            error = running.exception()
        assert isinstance(error, QueryError)
        assert error.code == "failed"

    def test_a_process_that_cannot_be_started_leaves_no_descriptor_and_means_busy(
        self, engine: Engine, server: process.ForkServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        engine.run("SELECT 1 AS one")
        before = descriptors(os.getpid())

        def none_left() -> None:
            raise OSError(errno.EMFILE, "too many open files")

        with monkeypatch.context() as patched:
            patched.setattr("exports.engine.process.socket.socketpair", none_left)
            with pytest.raises(QueryBusyError):
                engine.run("SELECT 2 AS two")
        assert descriptors(os.getpid()) <= before

    def test_a_system_that_makes_no_more_processes_ends_no_fork_server(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def none_left() -> int:
            raise BlockingIOError(errno.EAGAIN, "resource temporarily unavailable")

        monkeypatch.setattr("os.fork", none_left)
        ours, theirs = socket.socketpair()
        requests, _other = socket.socketpair()
        with ours, requests, _other, selectors.DefaultSelector() as selector:
            served = _Server(requests, -1)
            served._copy(selector, [os.dup(theirs.fileno()), os.dup(theirs.fileno()), theirs.detach()])
            assert ours.recv(10) == b"0\n"
            assert ours.recv(10) == b""
        assert served.copies == {}
