"""Processes are identified by number and start time, and none is left behind."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from embedded.processes import Identity, Record, end, identify, tethered, wait_until
from embedded.supervisor import MAX_ENDS, Program, Supervisor, drop_mails, end_leftovers, rotate_logs

SLEEP = [sys.executable, "-c", "import time; time.sleep(60)"]
DEAF = [
    sys.executable,
    "-c",
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(60)",
]
FAMILY = [sys.executable, "-c", f"import subprocess; subprocess.run({SLEEP!r})"]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    for name in ("run", "log"):
        (tmp_path / name).mkdir()
    return tmp_path


@pytest.fixture
def supervise(home: Path) -> Callable[..., Supervisor]:
    def make(*commands: list[str], said: list[str] | None = None) -> Supervisor:
        programs = [Program(f"program {number}", command) for number, command in enumerate(commands)]
        report = (said if said is not None else []).append
        supervisor = Supervisor(home=home, environment=dict(os.environ), report=report)
        supervisor.start(*programs)
        return supervisor

    return make


def recorded(home: Path) -> list[int]:
    return [entry["pid"] for entry in json.loads((home / "run" / "programs.json").read_text())]


def session(leader: int) -> list[int]:
    found = []
    for process in psutil.process_iter():
        # Other processes of the machine may end while they are examined.
        with suppress(ProcessLookupError):
            if os.getsid(process.pid) == leader and identify(process.pid):
                found.append(process.pid)
    return found


def test_a_process_is_known_while_it_lives_and_no_longer() -> None:
    child = subprocess.Popen(SLEEP)
    identity = identify(child.pid)
    assert identity is not None
    assert identity.is_alive
    child.kill()
    # A zombie, not yet waited for, does not count as alive.
    assert wait_until(lambda: not identity.is_alive, seconds=5)
    child.wait()
    assert identify(child.pid) is None


def test_another_process_with_the_same_number_is_not_mistaken_for_ours() -> None:
    ours = identify(os.getpid())
    assert ours is not None
    assert not Identity(ours.pid, "an earlier start").is_alive


def test_a_stranger_with_a_recorded_number_is_not_ended() -> None:
    child = subprocess.Popen(SLEEP)
    try:
        assert end(Identity(child.pid, "an earlier start"), [(signal.SIGKILL, 1.0)])
        assert child.poll() is None
    finally:
        child.kill()
        child.wait()


def test_a_process_that_does_not_listen_is_ended_by_the_last_step() -> None:
    child = subprocess.Popen(DEAF, stdout=subprocess.PIPE)
    assert child.stdout is not None
    child.stdout.readline()
    identity = identify(child.pid)
    assert identity is not None
    assert end(identity, [(signal.SIGTERM, 0.1), (signal.SIGKILL, 5.0)])
    child.stdout.close()
    child.wait()


@pytest.mark.parametrize("content", ["", "{", "[]", '{"pid": 1}', '{"pid": "x", "mark": "", "port": 1}'])
def test_an_unreadable_record_is_removed(tmp_path: Path, content: str) -> None:
    path = tmp_path / "record.json"
    path.write_text(content)
    assert Record.read(path) is None
    assert not path.exists()


def test_the_record_of_a_dead_process_is_removed(tmp_path: Path) -> None:
    path = tmp_path / "record.json"
    Record(os.getpid(), "an earlier start", 1).write(path)
    assert Record.read(path) is None
    assert not path.exists()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ties a child to its parent")
def test_a_tethered_program_dies_with_a_parent_that_was_killed() -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", f"""if True:
            import subprocess
            from embedded.processes import tethered
            child = subprocess.Popen(tethered({SLEEP!r}), start_new_session=True)
            print(child.pid, flush=True)
            child.wait()
        """],
        stdout=subprocess.PIPE,
        text=True,
    )  # fmt: skip
    assert parent.stdout is not None
    child = identify(int(parent.stdout.readline()))
    assert child is not None
    # Until it has become the program, it may not be tied yet.
    assert wait_until(lambda: "tether" not in " ".join(psutil.Process(child.pid).cmdline()), seconds=10)
    parent.kill()
    parent.wait()
    parent.stdout.close()
    assert wait_until(lambda: not child.is_alive, seconds=5)


def test_a_tethered_program_whose_parent_is_gone_already_does_not_start() -> None:
    command = tethered([sys.executable, "-c", "print('started')"])
    command[command.index(str(os.getpid()))] = str(os.getppid())
    done = subprocess.run(command, capture_output=True, check=False)
    assert (done.returncode, done.stdout) == ((1, b"") if sys.platform == "linux" else (0, b"started\n"))


def test_stopping_leaves_no_process_of_a_session(home: Path, supervise: Callable[..., Supervisor]) -> None:
    supervisor = supervise(SLEEP, FAMILY)
    leaders = recorded(home)
    assert wait_until(lambda: len(session(leaders[1])) == 2, seconds=10)
    supervisor.stop()
    assert [session(leader) for leader in leaders] == [[], []]
    assert recorded(home) == []


def test_a_second_signal_ends_a_program_that_does_not_listen_at_once(
    home: Path, supervise: Callable[..., Supervisor]
) -> None:
    supervisor = supervise(DEAF)
    log = home / "log" / "program-0.log"
    assert wait_until(lambda: "deaf" in log.read_text(), seconds=10)
    leader = recorded(home)[0]
    supervisor.stop(in_a_hurry=lambda: True)
    assert session(leader) == []


def test_a_program_that_ends_is_started_again(home: Path, supervise: Callable[..., Supervisor]) -> None:
    said: list[str] = []
    supervisor = supervise(FAMILY, said=said)
    try:
        first = recorded(home)[0]
        assert wait_until(lambda: len(session(first)) == 2, seconds=10)
        os.kill(first, signal.SIGKILL)
        assert wait_until(lambda: supervisor.check() is None and recorded(home) != [first], seconds=10)
        assert "is being restarted" in said[0]
        assert session(first) == []
        assert len(recorded(home)) == 1
    finally:
        supervisor.stop()


def test_a_program_that_cannot_run_is_given_up_with_a_sentence(
    home: Path, supervise: Callable[..., Supervisor]
) -> None:
    said: list[str] = []
    problems: list[str] = []

    def gives_up() -> bool:
        problems.extend(filter(None, [supervisor.check(gives_up=True)]))
        return bool(problems)

    supervisor = supervise([sys.executable, "-c", "raise SystemExit('no')"], said=said)
    try:
        assert wait_until(gives_up, seconds=30)
    finally:
        supervisor.stop()
    assert f"ended {MAX_ENDS} times in a minute" in problems[0]
    assert len(said) == MAX_ENDS - 1
    assert (home / "log" / "program-0.log").read_text() == "no\n" * MAX_ENDS


def test_later_a_program_that_keeps_ending_is_restarted_more_slowly_and_stops_nothing(
    supervise: Callable[..., Supervisor], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("embedded.supervisor.FIRST_PAUSE_SECONDS", 0.01)
    monkeypatch.setattr("embedded.supervisor.LONGEST_PAUSE_SECONDS", 0.02)
    said: list[str] = []
    supervisor = supervise([sys.executable, "-S", "-c", "raise SystemExit('no')"], said=said)

    def has_ended_often() -> bool:
        assert supervisor.check() is None
        return len(said) > MAX_ENDS

    try:
        assert wait_until(has_ended_often, seconds=30)
    finally:
        supervisor.stop()


def test_leftovers_of_a_killed_supervisor_are_ended_at_the_next_start(
    home: Path, supervise: Callable[..., Supervisor]
) -> None:
    left = subprocess.Popen(FAMILY, start_new_session=True)
    identity = identify(left.pid)
    assert identity is not None
    (home / "run" / "programs.json").write_text(json.dumps([{"pid": identity.pid, "mark": identity.mark}]))
    assert wait_until(lambda: len(session(left.pid)) == 2, seconds=10)
    os.kill(left.pid, signal.SIGKILL)  # only the leader: its child stays
    left.wait()
    end_leftovers(home)
    assert session(left.pid) == []
    assert not (home / "run" / "programs.json").exists()


def test_a_stranger_that_has_a_leftovers_number_now_is_spared(home: Path) -> None:
    stranger = subprocess.Popen(SLEEP, start_new_session=True)
    try:
        (home / "run" / "programs.json").write_text(json.dumps([{"pid": stranger.pid, "mark": "an earlier start"}]))
        end_leftovers(home)
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


@pytest.mark.parametrize("content", ["", "{", "null", '[{"pid": 1}]', "[1]"])
def test_an_unreadable_list_of_leftovers_stops_nothing(home: Path, content: str) -> None:
    (home / "run" / "programs.json").write_text(content)
    end_leftovers(home)
    assert not (home / "run" / "programs.json").exists()


def test_a_rotated_log_continues_empty_next_to_its_past(home: Path) -> None:
    log = home / "log" / "worker.log"
    with log.open("a") as writer:
        writer.write("before\n")
        writer.flush()
        rotate_logs(home / "log")
        writer.write("after\n")
    assert log.read_text() == "after\n"
    assert log.with_name("worker.log.1").read_text() == "before\n"


def test_a_mail_that_was_kept_as_a_file_goes_when_it_is_old(home: Path) -> None:
    old, young = home / "20261125-120000-1.log", home / "20261127-120000-2.log"
    for letter in (old, young):
        letter.write_text("To: rosa@example.org")
    os.utime(old, (time.time() - 101, time.time() - 101))
    drop_mails(home, older_than=100)
    assert [letter.exists() for letter in (old, young)] == [False, True]
