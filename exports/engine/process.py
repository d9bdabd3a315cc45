"""Processes for queries: each answers one query and is gone, whatever it was asked.

Starting one takes longer than the published queries do on a million rows, nearly all of it for loading DuckDB and
Arrow. So a server keeps one ahead, that has loaded them and has seen no query, and starts the next when it was used.
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
    """A process that loads what it needs and waits for a job; without one it ends together with us."""
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
    """Kill the process with all it started, and close its pipes."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            with contextlib.suppress(BrokenPipeError):
                pipe.close()


class _Ahead:
    """The one process that waits, for all threads of this process and none of a fork of it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: Process | None = None
        os.register_at_fork(after_in_child=self._forget)

    def _forget(self) -> None:
        self._lock, self._waiting = threading.Lock(), None

    def take(self) -> Process | None:
        """The waiting process, now the caller's; `None` where there is none, or it was killed meanwhile."""
        with self._lock:
            waiting, self._waiting = self._waiting, None
        if waiting is not None and waiting.poll() is not None:
            end(waiting)
            return None
        return waiting

    def prepare(self) -> None:
        """Have one wait."""
        with self._lock:
            if self._waiting is None:
                self._waiting = start()


AHEAD: Final = _Ahead()
