"""Processes for queries: each answers one query and ends.

Starting one takes longer than the published queries do on a million rows, nearly all of it for loading DuckDB and
Arrow. So a server keeps one ready that has loaded them and has seen no query, and starts the next when it is used.
"""

import contextlib
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Final

WORKER: Final = Path(__file__).with_name("worker.py")
Process = subprocess.Popen[bytes]


def start() -> Process:
    """Start a process that loads its libraries and waits for a job; without one it ends with this process."""
    return subprocess.Popen(
        [sys.executable, "-I", "-B", str(WORKER)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd="/",
        env={"HOME": "/nonexistent", "TZ": "UTC"},
        start_new_session=True,
    )


def end(process: Process) -> None:
    """Kill the process and its children, and close its pipes."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            with contextlib.suppress(BrokenPipeError):
                pipe.close()


class _Ahead:
    """The one waiting process, shared by all threads of this process but by no fork."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: Process | None = None
        os.register_at_fork(after_in_child=self._forget)

    def _forget(self) -> None:
        self._lock, self._waiting = threading.Lock(), None

    def take(self) -> Process | None:
        """Hand the waiting process to the caller; `None` if there is none, or it was killed meanwhile."""
        with self._lock:
            waiting, self._waiting = self._waiting, None
        if waiting is not None and waiting.poll() is not None:
            end(waiting)
            return None
        return waiting

    def prepare(self) -> None:
        """Start a waiting process unless there is one."""
        with self._lock:
            if self._waiting is None:
                self._waiting = start()


AHEAD: Final = _Ahead()
