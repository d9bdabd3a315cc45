"""Services of a home: shared, stopped by the last user, and never blocked by what a killed process left behind."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import psycopg
import pytest
import redis
from pytest_django.fixtures import Settings

import embedded
from common.time import utc_now
from common.web import throttles
from embedded import postgres, valkey
from embedded.network import free_port, is_free
from embedded.processes import Record, identify, wait_until

ADDRESSES = ("DATABASE_URL", "REDIS_URL", "LIMITS_URL")
VARIABLES = (*ADDRESSES, "SECRET_KEY", "PEPPER", "MASTER_KEY", "LAKE_URL", "CROWDTRACE_EMBEDDED")
SERVICES = ("postgres", "valkey", "limits")

USER = """if True:
    import os, sys
    import embedded
    with embedded.services(embedded.home()):
        print(os.environ["DATABASE_URL"], os.environ["REDIS_URL"], flush=True)
        sys.stdin.read()
"""


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hide the services of the test run itself."""
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(f"{name}_FILE", raising=False)
    monkeypatch.setenv("CROWDTRACE_FAST", "1")


@pytest.fixture
def make_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], Path]]:
    with ExitStack() as stack:

        def make(name: str) -> Path:
            monkeypatch.setenv("CROWDTRACE_HOME", str(tmp_path / name))
            home = embedded.home()
            stack.callback(embedded.destroy, home)
            return home

        yield make


@pytest.fixture(scope="module")
def shared_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Yield one home for all tests that leave it unchanged: creating a database takes longer than starting it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CROWDTRACE_HOME", str(tmp_path_factory.mktemp("shared") / "home"))
        home = embedded.home()
    yield home
    embedded.destroy(home)


@pytest.fixture
def home(shared_home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Yield that home, with nothing running before and after."""
    monkeypatch.setenv("CROWDTRACE_HOME", str(shared_home))
    yield shared_home
    if pids(shared_home) != [None, None, None]:  # after a failure
        with embedded.services(shared_home):
            pass


@pytest.fixture
def new_home(make_home: Callable[[str], Path]) -> Path:
    """Return a home for a test that damages it."""
    return make_home("home")


@dataclass
class User:
    """Another process that uses the services of a home."""

    process: "subprocess.Popen[str]"
    database: str
    broker: str

    def leave(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        assert self.process.wait(60) == 0

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


@contextmanager
def another_user(home: Path) -> Iterator[User]:
    process = subprocess.Popen(
        [sys.executable, "-c", USER],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "CROWDTRACE_HOME": str(home)},
    )
    assert process.stdout is not None
    assert process.stdin is not None
    try:
        line = process.stdout.readline().split()
        assert line, "the other user could not start the services"
        yield User(process, *line)
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
        process.stdout.close()
        process.stdin.close()


def running(home: Path, service: str) -> Record | None:
    return Record.read(home / "run" / f"{service}.json")


def pids(home: Path) -> list[int | None]:
    records = [running(home, service) for service in SERVICES]
    return [record.pid if record else None for record in records]


def ask(statement: str) -> object:
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as connection:
        row = connection.execute(statement.encode()).fetchone()
        return row[0] if row else None


@contextmanager
def broker() -> Iterator[redis.Redis]:
    client = redis.Redis.from_url(os.environ["REDIS_URL"], decode_responses=True)
    try:
        yield client
    finally:
        client.close()


def test_inside_both_services_answer_and_the_environment_says_where(home: Path) -> None:
    with embedded.services(home):
        assert ask("SELECT 1") == 1
        with broker() as client:
            assert client.ping()
        assert os.environ["LAKE_URL"] == f"file://{home}/lake"
        assert os.environ["CROWDTRACE_EMBEDDED"] == "1"
        assert {name: os.environ[name] for name in embedded.secrets(home)} == embedded.secrets(home)


def test_outside_nothing_of_it_is_left(home: Path) -> None:
    with embedded.services(home):
        ports = [urlsplit(os.environ[name]).port for name in ADDRESSES]
    assert not [name for name in VARIABLES if name in os.environ]
    assert pids(home) == [None, None, None]
    assert all(is_free(port) for port in ports if port)


def test_written_data_is_available_the_next_time(home: Path) -> None:
    with embedded.services(home), broker() as client:
        with psycopg.connect(os.environ["DATABASE_URL"]) as connection:
            connection.execute("CREATE TABLE kept (value int)")
        client.set("kept", "yes")
        first = os.environ["DATABASE_URL"]
    with embedded.services(home), broker() as client:
        assert ask("SELECT count(*) FROM kept") == 0
        assert client.get("kept") == "yes"
        assert os.environ["DATABASE_URL"] == first


def test_the_owner_of_the_database_may_make_databases_but_is_no_superuser(home: Path) -> None:
    with embedded.services(home):
        assert ask("SELECT rolcreatedb FROM pg_roles WHERE rolname = current_user") is True
        assert ask("SELECT rolsuper FROM pg_roles WHERE rolname = current_user") is False


def test_letters_beyond_ascii_are_lowered_and_time_is_utc(home: Path) -> None:
    with embedded.services(home):
        assert ask("SELECT lower('CAFÉ ÑANDÚ')") == "café ñandú"
        assert ask("SHOW timezone") == "UTC"
        assert ask("SHOW server_encoding") == "UTF8"


def test_only_the_fast_profile_gives_up_durability(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with embedded.services(home):
        assert ask("SHOW fsync") == "off"
    monkeypatch.delenv("CROWDTRACE_FAST")
    with embedded.services(home):
        assert ask("SHOW fsync") == "on"
        assert ask("SHOW synchronous_commit") == "on"


@pytest.mark.parametrize("password", ["", "wrong"])
def test_nobody_gets_in_without_the_password(home: Path, password: str) -> None:
    with embedded.services(home):
        database, queue = urlsplit(os.environ["DATABASE_URL"]), urlsplit(os.environ["REDIS_URL"])
        for user in ("crowdtrace", "postgres"):
            with pytest.raises(psycopg.OperationalError):
                psycopg.connect(f"postgresql://{user}:{password}@127.0.0.1:{database.port}/crowdtrace").close()
        client = redis.Redis(host="127.0.0.1", port=queue.port or 0, password=password or None)
        with pytest.raises(redis.AuthenticationError):
            client.ping()
        client.close()


def test_services_listen_on_loopback_only(home: Path) -> None:
    with embedded.services(home):
        for pid in pids(home):
            listening = [c for c in psutil.Process(pid).net_connections() if c.status == psutil.CONN_LISTEN]
            assert {connection.laddr.ip for connection in listening} == {"127.0.0.1"}


def test_no_secret_is_on_a_command_line_or_in_a_log(home: Path) -> None:
    with embedded.services(home):
        shown = "".join(" ".join(psutil.Process(pid).cmdline()) for pid in pids(home))
        with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as connection:
            connection.execute("CREATE TABLE person (code text PRIMARY KEY)")
            for _ in range(2):
                try:
                    connection.execute("INSERT INTO person VALUES ('GO1:SECRET')")
                except psycopg.errors.UniqueViolation:
                    continue
    logs = "".join(path.read_text() for path in (home / "log").iterdir())
    assert "person_pkey" in logs  # the violation is logged, its values are not
    hidden = [path.read_text() for path in (home / "secrets").iterdir()]
    assert len(hidden) == 6
    assert not [secret for secret in [*hidden, "GO1:SECRET"] if secret in shown + logs]


def test_the_days_key_of_rate_limits_and_what_it_names_are_in_no_file(home: Path, settings: Settings) -> None:
    with embedded.services(home), broker() as client:
        settings.LIMITS_URL = os.environ["LIMITS_URL"]
        verdict = throttles.hit("address", "192.0.2.77")
        assert verdict is not None
        limits = redis.Redis.from_url(settings.LIMITS_URL)
        names = [bytes(name) for name in limits.scan_iter(f"{throttles.PREFIX}*")]
        encrypted = limits.get(f"{throttles.KEY_NAME}:{utc_now().date().isoformat()}")
        limits.close()
        assert len(names) == 2  # a counter, and the key
        assert isinstance(encrypted, bytes)
        hidden = [
            throttles._day_key().key,
            encrypted,
            throttles._pseudonym("address", "192.0.2.77").encode(),
            b"192.0.2.77",
        ]
        client.set("task", "a task of the broker")
        client.bgrewriteaof()
        wait_for_append_only_file(home, b"a task of the broker")  # so this search finds what is written
        before = contents(home)
        assert b"a task of the broker" in before
        assert not [value for value in hidden if value in before]
    after = contents(home)  # nor when it ends
    assert b"a task of the broker" in after
    assert not [value for value in hidden if value in after]


def contents(home: Path) -> bytes:
    return b"".join(path.read_bytes() for path in home.rglob("*") if path.is_file())


def test_counters_of_rate_limits_survive_a_restart_and_a_kill_in_memory_alone(
    home: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    if valkey.memory_folder(home) is None:
        pytest.skip("no file system in memory")
    monkeypatch.setattr(valkey, "COPY_SECONDS", 1)
    settings.THROTTLES = {**settings.THROTTLES, "account": "3/hour"}

    def tries() -> list[bool]:
        verdicts = [throttles.hit("account", "somebody") for _ in range(2)]
        return [verdict is not None and verdict.allowed for verdict in verdicts]

    for name in ("run", "log"):
        (home / name).mkdir(mode=0o700, exist_ok=True)
    record = valkey.ensure(home, valkey.LIMITS)
    settings.LIMITS_URL = valkey.url(home, record)
    assert tries() == [True, True]
    valkey.stop(home, valkey.LIMITS)
    assert valkey.url(home, valkey.ensure(home, valkey.LIMITS)) == settings.LIMITS_URL
    assert tries() == [True, False]
    copy = Path(valkey.memory_folder(home) or "") / "dump.rdb"
    before = copy.stat().st_mtime_ns
    assert tries() == [False, False]
    throttles.hit("login", "somebody")
    assert wait_until(lambda: copy.stat().st_mtime_ns > before, seconds=20)
    os.kill(valkey.ensure(home, valkey.LIMITS).pid, signal.SIGKILL)
    killed = Record.read(valkey.record_path(home, valkey.LIMITS))
    assert killed is not None
    assert wait_until(lambda: not psutil.pid_exists(killed.pid) or is_zombie(killed.pid), seconds=20)
    valkey.ensure(home, valkey.LIMITS)
    assert tries() == [False, False]
    assert copy.parent.stat().st_mode & 0o077 == 0
    assert not list((home / "limits").rglob("*"))
    valkey.stop(home, valkey.LIMITS)


def is_zombie(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def test_files_of_the_home_are_private(home: Path) -> None:
    with embedded.services(home):
        files = [path for folder in ("run", "log", "secrets") for path in (home / folder).iterdir()]
        assert files
        assert not [path for path in files if path.stat().st_mode & 0o077 and path.suffix != ".port"]


def test_a_second_user_shares_what_runs_and_the_first_to_leave_leaves_it_on(home: Path) -> None:
    with embedded.services(home):
        first = pids(home)
        with another_user(home) as other:
            assert (other.database, other.broker) == (os.environ["DATABASE_URL"], os.environ["REDIS_URL"])
            other.leave()
        assert pids(home) == first
        assert ask("SELECT 1") == 1


def test_services_outlive_the_one_who_started_them_while_another_uses_them(home: Path) -> None:
    with another_user(home) as starter, another_user(home) as other:
        first = pids(home)
        starter.leave()
        assert pids(home) == first
        other.leave()
    assert pids(home) == [None, None, None]


def test_many_users_at_once_start_each_service_once(home: Path) -> None:
    with ExitStack() as stack:
        users = [stack.enter_context(another_user(home)) for _ in range(4)]
        assert len({(user.database, user.broker) for user in users}) == 1
        for user in users[:3]:
            user.leave()
        assert None not in pids(home)
        users[3].leave()
    assert pids(home) == [None, None, None]


def test_a_user_inside_a_user_of_the_same_process_stops_nothing(home: Path) -> None:
    with embedded.services(home):
        del os.environ["DATABASE_URL"]
        with embedded.services(home):
            pass
        assert None not in pids(home)


def test_services_left_by_a_killed_user_are_used_and_stopped_by_the_next(home: Path) -> None:
    with another_user(home) as other:
        left = pids(home)
        other.kill()
    assert pids(home) == left
    with embedded.services(home):
        assert pids(home) == left
        assert ask("SELECT 1") == 1
    assert pids(home) == [None, None, None]


def test_after_everything_was_killed_the_next_start_finds_all_that_was_committed(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CROWDTRACE_FAST")
    with another_user(home) as other:
        with psycopg.connect(other.database) as connection:
            connection.execute("CREATE TABLE survivor AS SELECT 7 AS value")
        client = redis.Redis.from_url(other.broker)
        client.set("survivor", "yes")
        client.close()
        wait_for_append_only_file(home, b"survivor")
        for pid in pids(home):
            assert pid
            os.kill(pid, signal.SIGKILL)
        other.kill()
    with embedded.services(home), broker() as client:
        assert ask("SELECT value FROM survivor") == 7
        assert client.get("survivor") == "yes"


def wait_for_append_only_file(home: Path, name: bytes) -> None:
    def has_it() -> bool:
        return any(name in path.read_bytes() for path in (home / "valkey" / "appendonlydir").iterdir())

    assert wait_until(has_it, seconds=10)


def test_a_stale_postmaster_file_with_the_number_of_a_stranger_stops_nothing(home: Path) -> None:
    with embedded.services(home):
        data = (home / "postgres" / "data").resolve()
    stranger = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    try:
        lines = [str(stranger.pid), str(data), "1", "5432", "", "127.0.0.1", "", "ready"]
        (data / "postmaster.pid").write_text("\n".join(lines) + "\n")
        with embedded.services(home):
            assert ask("SELECT 1") == 1
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_a_record_that_names_a_stranger_is_not_believed(home: Path) -> None:
    with embedded.services(home):
        pass
    me = identify(os.getpid())
    assert me is not None
    for service in SERVICES:
        Record(me.pid, "an earlier start", free_port()).write(home / "run" / f"{service}.json")
    with embedded.services(home):
        assert ask("SELECT 1") == 1
        assert os.getpid() not in pids(home)


def test_a_running_database_that_nobody_recorded_is_replaced(new_home: Path) -> None:
    with another_user(new_home) as other:
        left = pids(new_home)[0]
        (new_home / "run" / "postgres.json").unlink()
        other.kill()
    with embedded.services(new_home):
        assert ask("SELECT 1") == 1
        assert pids(new_home)[0] != left
    assert left
    assert not identify(left)


def test_a_making_of_the_database_that_was_cut_off_is_begun_again(new_home: Path) -> None:
    postgres.remove(new_home)
    with embedded.services(new_home):
        folder = (new_home / "postgres").resolve()
    (folder / "data").rename(folder / "draft")
    (folder / "draft" / "PG_VERSION").unlink()
    with embedded.services(new_home):
        assert ask("SELECT 1") == 1


def test_a_port_that_somebody_took_meanwhile_is_replaced(home: Path) -> None:
    with embedded.services(home):
        pass
    taken = {}
    with ExitStack() as stack:
        for service in SERVICES:
            port = int((home / "run" / f"{service}.port").read_text())
            taken[service] = stack.enter_context(listening_on(port))
        with embedded.services(home):
            assert ask("SELECT 1") == 1
            found = [urlsplit(os.environ[name]).port for name in ADDRESSES]
            assert not set(found) & set(taken.values())


@contextmanager
def listening_on(port: int) -> Iterator[int]:
    with socket.socket() as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        server.bind(("127.0.0.1", port))
        server.listen()
        yield port


def test_two_homes_live_side_by_side(make_home: Callable[[str], Path]) -> None:
    one, two = make_home("one"), make_home("two")
    with another_user(one) as first, another_user(two) as second:
        assert first.database != second.database
        with psycopg.connect(first.database) as connection:
            connection.execute("CREATE TABLE only_here ()")
        with psycopg.connect(second.database) as connection:
            assert connection.execute("SELECT to_regclass('only_here')").fetchone() == (None,)
        first.leave()
        second.leave()


def test_addresses_and_secrets_from_outside_are_left_as_they_are(
    home: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "pepper").write_text("from a file")
    monkeypatch.setenv("DATABASE_URL", "postgresql://example.invalid/db")
    monkeypatch.setenv("REDIS_URL", "redis://example.invalid/0")
    monkeypatch.setenv("LIMITS_URL", "redis://example.invalid/1")
    monkeypatch.setenv("SECRET_KEY", "mine")
    monkeypatch.setenv("PEPPER_FILE", str(tmp_path / "pepper"))
    with embedded.services(home):
        assert pids(home) == [None, None, None]
        assert os.environ["DATABASE_URL"] == "postgresql://example.invalid/db"
        assert os.environ["SECRET_KEY"] == "mine"
        assert "PEPPER" not in os.environ
    assert os.environ["SECRET_KEY"] == "mine"


def test_a_failed_start_stops_what_it_had_started(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_home: Path) -> Record:
        raise embedded.ServiceError("no database today")

    monkeypatch.setattr(postgres, "ensure", fail)
    with pytest.raises(embedded.ServiceError, match="no database today"), embedded.services(home):
        pytest.fail("entered without services")
    assert pids(home) == [None, None, None]


def test_a_database_of_another_major_version_is_refused_with_a_sentence(new_home: Path) -> None:
    with embedded.services(new_home):
        data = (new_home / "postgres" / "data").resolve()
    (data / "PG_VERSION").write_text("16\n")
    with pytest.raises(embedded.ServiceError, match=r"is of PostgreSQL 16"), embedded.services(new_home):
        pytest.fail("entered with the wrong version")
    assert pids(new_home) == [None, None, None]


def test_a_home_with_blanks_and_quotes_in_its_path_works(make_home: Callable[[str], Path]) -> None:
    with embedded.services(make_home("""a "strange" 'home' ñ\\""")), broker() as client:
        assert ask("SELECT 1") == 1
        assert client.ping()


def test_a_destroyed_home_leaves_nothing(make_home: Callable[[str], Path]) -> None:
    home = make_home("short")
    with another_user(home) as other:
        folder = (home / "postgres").resolve()
        left = [identify(pid) for pid in pids(home) if pid]
        counters = valkey.memory_folder(home)
        other.kill()
    embedded.destroy(home)
    assert not home.exists()
    assert not folder.exists()
    assert counters is None or not counters.exists()
    assert not [identity for identity in left if identity and identity.is_alive]


@pytest.mark.skipif(os.geteuid() != 0, reason="an ordinary user's database lies in its home")
class TestAsRoot:
    """PostgreSQL refuses to run as root; a separate user runs it, outside the home."""

    def test_the_database_runs_as_the_service_user_on_data_of_its_own(self, home: Path) -> None:
        with embedded.services(home):
            process = psutil.Process(pids(home)[0])
            assert process.username() == "crowdtrace"
            data = home / "postgres" / "data"
            assert data.owner() == "crowdtrace"
            assert data.stat().st_mode & 0o777 == 0o700
            assert data.resolve().parent.owner() == "root"

    def test_the_modes_of_parent_folders_are_left_as_they_are(self, home: Path, tmp_path: Path) -> None:
        before = [parent.stat().st_mode for parent in tmp_path.parents]
        with embedded.services(home):
            assert [parent.stat().st_mode for parent in tmp_path.parents] == before

    def test_programs_that_the_service_user_cannot_reach_are_copied(
        self, home: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(postgres, "_can_run", lambda _account: False)
        # Not below the temporary folder of the tests, which is closed to every other user.
        state = Path(tempfile.mkdtemp(prefix="crowdtrace-state-", dir="/var/tmp"))
        state.chmod(0o755)
        monkeypatch.setattr(postgres, "STATE", state)
        postgres._copied.cache_clear()
        try:
            with embedded.services(home):
                program = Path(psutil.Process(pids(home)[0]).exe())
                assert program.is_relative_to(state)
                assert ask("SELECT 1") == 1
        finally:
            postgres._copied.cache_clear()
            shutil.rmtree(state)

    def test_a_home_that_was_recreated_gets_a_new_database(self, make_home: Callable[[str], Path]) -> None:
        home = make_home("again")
        with embedded.services(home):
            ask_without_answer("CREATE TABLE former ()")
            folder = (home / "postgres").resolve()
        shutil.rmtree(home)
        home = make_home("again")
        with embedded.services(home):
            assert ask("SELECT to_regclass('former')") is None
        aside = folder.with_name(f"{folder.name}.old1")
        assert (aside / "data" / "PG_VERSION").exists()
        shutil.rmtree(aside)

    def test_a_home_that_was_moved_keeps_its_database(self, make_home: Callable[[str], Path], tmp_path: Path) -> None:
        home = make_home("here")
        with embedded.services(home):
            ask_without_answer("CREATE TABLE former ()")
        home.rename(tmp_path / "there")
        moved = make_home("there")
        with embedded.services(moved):
            assert ask("SELECT to_regclass('former')::text") == "former"


def ask_without_answer(statement: str) -> None:
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as connection:
        connection.execute(statement.encode())
