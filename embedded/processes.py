"""Processes that outlive the process that started them: identified by number and start time, ended in steps.

A process number alone is not an identity, because the system reuses it. Number and start time together are one.
"""

import atexit
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import psutil

from .home import replace_private

POLL_SECONDS = 0.02

Steps = Sequence[tuple[signal.Signals, float]]

_detached: list["subprocess.Popen[bytes]"] = []
"""Kept, so that dropping the handle of a child that continues to run causes no warning."""


class ServiceError(Exception):
    """A service cannot be started. The text is one sentence for the person who ran the command."""


@dataclass(frozen=True)
class Identity:
    """The identity of a process: its number, and a mark of its start that no later process with that number has."""

    pid: int
    mark: str

    @property
    def is_alive(self) -> bool:
        """Return whether that very process is still running; a zombie is not."""
        return _mark(self.pid) == self.mark


@dataclass(frozen=True)
class Record:
    """The record of a running service, by which another process can find it."""

    pid: int
    mark: str
    port: int

    @property
    def identity(self) -> Identity:
        return Identity(self.pid, self.mark)

    def write(self, path: Path) -> None:
        """Write the record, mode 0600."""
        replace_private(path, json.dumps(asdict(self)))

    @classmethod
    def read(cls, path: Path) -> "Record | None":
        """Return the record of a process that is still running; remove a record that is obsolete or unreadable."""
        try:
            content = json.loads(path.read_text())
            record = cls(pid=int(content["pid"]), mark=str(content["mark"]), port=int(content["port"]))
        except FileNotFoundError:
            return None
        except (ValueError, KeyError, TypeError):
            path.unlink(missing_ok=True)
            return None
        if record.identity.is_alive:
            return record
        path.unlink(missing_ok=True)
        return None


def identify(pid: int) -> Identity | None:
    """Return the identity of a running process; `None` if no process has this number."""
    mark = _mark(pid)
    return None if mark is None else Identity(pid, mark)


def end(identity: Identity, steps: Steps) -> bool:
    """Send the signals one after another, each with the seconds to wait; return whether the process has ended."""
    for number, patience in steps:
        try:
            process = psutil.Process(identity.pid)
            if not identity.is_alive:
                return True
            process.send_signal(number)
            process.wait(timeout=patience)
        except psutil.NoSuchProcess:
            return True
        except psutil.TimeoutExpired:
            continue
    return not identity.is_alive


def start_detached(command: Sequence[str], *, log: Path, folder: Path, **options: Any) -> "subprocess.Popen[bytes]":
    """Start a service in a separate session: it serves many users and must not end with the process that started it.

    Its output goes into a new log with mode 0600; the previous log is kept next to it.
    """
    if log.exists():
        log.replace(log.with_name(f"{log.name}.1"))
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND | os.O_CLOEXEC, 0o600)
    try:
        child = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=folder,
            start_new_session=True,
            **options,
        )
    finally:
        os.close(output)
    _detached[:] = [former for former in _detached if former.poll() is None]
    _detached.append(child)
    return child


@atexit.register
def _let_go() -> None:
    """Tell the standard library that services which outlive this process do so on purpose."""
    for child in _detached:
        if child.poll() is None:
            child.returncode = 0


def wait_until(condition: Callable[[], bool], *, seconds: float) -> bool:
    """Poll a condition until it holds or the time is up; return whether it held."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL_SECONDS)
    return True


def tethered(command: Sequence[str]) -> list[str]:
    """Return a command line that runs a command which the kernel ends when this process dies in any way (Linux).

    Start it from the main thread: the kernel watches the thread that started the child, not its process.
    """
    return [sys.executable, "-I", "-S", str(Path(__file__).with_name("tether.py")), str(os.getpid()), *command]


def _mark(pid: int) -> str | None:
    """Return boot and start tick on Linux (steady when the clock is set), elsewhere the creation time."""
    if sys.platform != "linux":
        try:
            process = psutil.Process(pid)
            return None if process.status() == psutil.STATUS_ZOMBIE else repr(process.create_time())
        except psutil.NoSuchProcess:
            return None
    try:
        # proc_pid_stat(5): after the name in parentheses, field 3 is the state and field 22 the start in clock ticks.
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if fields[0] in {"Z", "X"} else f"{boot}:{fields[19]}"
