"""Keep a few programs running until asked to stop, and leave none of them behind.

Each program leads a separate session, so that it can be ended with all its workers. The kernel ends it when the
supervisor dies (Linux); survivors are recorded in `run/programs.json` and ended at the next start.
"""

import json
import os
import shutil
import signal
import subprocess
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import psutil

from .home import replace_private
from .processes import Identity, identify, tethered, wait_until

MAX_ENDS = 5
WINDOW_SECONDS = 60.0
FIRST_PAUSE_SECONDS = 0.25
"""Seconds before the first restart; each further one in the window waits twice as long."""
LONGEST_PAUSE_SECONDS = 15.0
STOP_SECONDS = 10.0
"""Time for the worker to finish its task; an interrupted task is delivered again, since all tasks are idempotent."""
LEFTOVER_SECONDS = 3.0
"""Leftovers of a killed run were asked to stop when it died, so the next start waits only briefly for them."""
KILL_SECONDS = 5.0
ROTATE_SECONDS = 6 * 86_400.0
"""A line is in the log for at most this long, and then as long in the previous one: together less than 14 days."""


@dataclass(frozen=True)
class Program:
    """One program: its display name, which also names its log, and the command line."""

    name: str
    command: Sequence[str]
    output: IO[str] | None = None
    """Destination of its standard output; its log by default. Standard error always goes into the log."""


@dataclass
class _Running:
    program: Program
    child: "subprocess.Popen[bytes]"
    identity: Identity | None
    ends: deque[float] = field(default_factory=deque)
    due: float | None = None
    """When to restart it after it ended."""


class Supervisor:
    """Start programs, restart those that end, and stop them all. Use it from the main thread only."""

    def __init__(self, *, home: Path, environment: Mapping[str, str], report: Callable[[str], None]) -> None:
        self._home = home
        self._environment = dict(environment)
        self._report = report
        self._running: list[_Running] = []
        self._rotated = time.monotonic()

    def start(self, *programs: Program) -> None:
        """Start those programs in addition to the running ones."""
        for program in programs:
            child = self._spawn(program)
            self._running.append(_Running(program, child, identify(child.pid)))
            self._record()

    def check(self, *, gives_up: bool = False) -> str | None:
        """Restart programs that have ended, after a pause that grows with each end in a minute.

        If it gives up, return a sentence about a program that ends too often. That is for a start: later, what ended a
        program may pass, like a full disk, and the others still do their work.
        """
        now = time.monotonic()
        for running in self._running:
            if running.due is not None and now >= running.due:
                _kill_session(running.child.pid)
                running.child = self._spawn(running.program)
                running.identity = identify(running.child.pid)
                running.due = None
                self._record()
            elif running.due is None and (code := running.child.poll()) is not None:
                log = self._log(running.program)
                running.ends.append(now)
                while now - running.ends[0] > WINDOW_SECONDS:
                    running.ends.popleft()
                if gives_up and len(running.ends) >= MAX_ENDS:
                    return f"The {running.program.name} ended {MAX_ENDS} times in a minute; see {log}."
                running.due = now + min(LONGEST_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2 ** (len(running.ends) - 1))
                self._report(f"The {running.program.name} ended with {code} and is being restarted; see {log}.")
        self._rotate_when_due()
        return None

    def renew(self, environment: Mapping[str, str]) -> None:
        """Restart every program, in another environment."""
        self._environment = dict(environment)
        for running in self._running:
            _kill_session(running.child.pid, patience=LEFTOVER_SECONDS)
            running.child.wait(KILL_SECONDS)
            running.child, running.due = self._spawn(running.program), None
            running.identity = identify(running.child.pid)
        self._record()

    def stop(self, *, in_a_hurry: Callable[[], bool] = lambda: False) -> None:
        """Ask every program to end, wait, then kill what is left of their sessions."""
        for running in self._running:
            if running.child.poll() is None:
                running.child.terminate()
        wait_until(
            lambda: in_a_hurry() or all(running.child.poll() is not None for running in self._running),
            seconds=STOP_SECONDS,
        )
        for running in self._running:
            _kill_session(running.child.pid)
            with suppress(subprocess.TimeoutExpired):
                running.child.wait(KILL_SECONDS)
        self._running.clear()
        self._record()

    def _spawn(self, program: Program) -> "subprocess.Popen[bytes]":
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
        log = os.open(self._log(program), flags, 0o600)
        try:
            return subprocess.Popen(
                tethered(program.command),
                stdin=subprocess.DEVNULL,
                stdout=program.output or log,
                stderr=log,
                env=self._environment,
                start_new_session=True,
            )
        finally:
            os.close(log)

    def _record(self) -> None:
        alive = [running.identity for running in self._running if running.identity is not None]
        content = [{"pid": identity.pid, "mark": identity.mark} for identity in alive]
        replace_private(_record_path(self._home), json.dumps(content))

    def _log(self, program: Program) -> Path:
        return self._home / "log" / f"{program.name.replace(' ', '-')}.log"

    def _rotate_when_due(self) -> None:
        if time.monotonic() - self._rotated > ROTATE_SECONDS:
            rotate_logs(self._home / "log")
            drop_mails(self._home / "mail", older_than=ROTATE_SECONDS)
            self._rotated = time.monotonic()


def rotate_logs(folder: Path) -> None:
    """Copy each log next to it and empty the original, to which its program continues to append."""
    for log in folder.glob("*.log"):
        former = log.with_name(f"{log.name}.1")
        shutil.copyfile(log, former)
        former.chmod(0o600)
        os.truncate(log, 0)


def drop_mails(folder: Path, *, older_than: float) -> None:
    """Delete mails stored as files (for lack of a mail server) once they are older than `older_than` seconds."""
    for mail in folder.glob("*.log"):
        if time.time() - mail.stat().st_mtime > older_than:
            mail.unlink(missing_ok=True)


def end_leftovers(home: Path) -> None:
    """End the programs, with their workers, that a killed supervisor of this home left running."""
    path = _record_path(home)
    try:
        identities = [Identity(int(entry["pid"]), str(entry["mark"])) for entry in json.loads(path.read_text())]
    except (OSError, ValueError, KeyError, TypeError):
        identities = []
    for identity in identities:
        # The number of a session's leader is not reused while the session has members. If another process has that
        # number now, nothing is left of the session.
        if identity.is_alive or not psutil.pid_exists(identity.pid):
            _kill_session(identity.pid, patience=LEFTOVER_SECONDS)
    path.unlink(missing_ok=True)


def _kill_session(leader: int, *, patience: float = 0.0) -> None:
    """End every process of the session: at once, or after asking and waiting."""
    if patience and _members(leader):
        _signal_all(leader, signal.SIGTERM)
        wait_until(lambda: not _members(leader), seconds=patience)
    _signal_all(leader, signal.SIGKILL)
    wait_until(lambda: not _members(leader), seconds=KILL_SECONDS)


def _signal_all(leader: int, number: signal.Signals) -> None:
    for process in _members(leader):
        with suppress(psutil.NoSuchProcess):
            process.send_signal(number)


def _members(leader: int) -> list[psutil.Process]:
    found = []
    for process in psutil.process_iter(["status"]):
        with suppress(OSError, psutil.Error):
            if os.getsid(process.pid) == leader and process.info["status"] != psutil.STATUS_ZOMBIE:
                found.append(process)
    return found


def _record_path(home: Path) -> Path:
    return home / "run" / "programs.json"
