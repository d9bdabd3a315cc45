"""Processes for queries: each checks and runs one query and exits, or is killed at a limit.

Starting one takes longer than the published queries do on a million rows, mostly to load DuckDB, Arrow and the parser.
So a server keeps one process ready that has loaded them and has seen no query, and starts the next when it is used.
"""

import contextlib
import os
import selectors
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final

from exports.engine.errors import QueryError
from exports.engine.limits import Limits

WORKER: Final = Path(__file__).with_name("worker.py")
TOO_SLOW: Final = "The query took more than %g seconds and was ended. Read fewer days (by scan_date), or join less."
TOO_LARGE: Final = "The answer is larger than %d MB. Ask for fewer columns or rows, or fetch the release's files."
TOO_COMPLEX: Final = (
    "Reading the text took more than %g seconds of a processor, and nothing was run. Shorten chains of calls and of "
    "brackets, or name parts of the query in a WITH clause."
)
OUT_OF_MEMORY: Final = (
    "The query was ended without an answer: it needed more than %d MB, or what DuckDB lacks. Read fewer days, or group "
    "before you join."
)
READ_BYTES: Final = 1 << 16
ASK_SECONDS: Final = 0.5
# The response of a check has the query's tables, or the error.
MOST_OF_A_CHECK: Final = 1 << 16

Process = subprocess.Popen[bytes]
IsCancelled = Callable[[], bool]


def start() -> Process:
    """Start a process that loads its libraries and waits for a job; it exits if this process does."""
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
    """The one waiting process, shared by all threads of this process, but not by its forks."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: Process | None = None
        os.register_at_fork(after_in_child=self._forget)

    def _forget(self) -> None:
        self._lock, self._waiting = threading.Lock(), None

    def take(self) -> Process | None:
        """Return the waiting process and forget it; `None` if there is none, or it was killed."""
        with self._lock:
            waiting, self._waiting = self._waiting, None
        if waiting is not None and waiting.poll() is not None:
            end(waiting)
            return None
        return waiting

    def prepare(self) -> None:
        """Start a waiting process if there is none."""
        with self._lock:
            if self._waiting is None:
                self._waiting = start()


AHEAD: Final = _Ahead()


class Conversation:
    """The exchange with a process that checks and runs one query; its time is counted from the first message."""

    def __init__(self, process: Process, limits: Limits) -> None:
        self._process, self._limits = process, limits
        self._started = time.monotonic()

    @property
    def elapsed_ms(self) -> int:
        """Return the time since the start."""
        return round((time.monotonic() - self._started) * 1000)

    def ask(self, message: bytes) -> bytes:
        """Send the text and return the result of the check; raise `QueryError`."""
        self._send(message)
        return self._receive(lambda: False, until_line=True, most=MOST_OF_A_CHECK)

    def finish(self, message: bytes, is_cancelled: IsCancelled) -> bytes:
        """Send the job and return the whole response; raise `QueryError`."""
        self._send(message)
        with contextlib.suppress(BrokenPipeError):
            _pipe(self._process.stdin).close()
        return self._receive(is_cancelled, until_line=False, most=self._limits.max_output_bytes)

    def _send(self, message: bytes) -> None:
        with contextlib.suppress(BrokenPipeError):
            _pipe(self._process.stdin).write(message + b"\n")
            _pipe(self._process.stdin).flush()

    def _receive(self, is_cancelled: IsCancelled, *, until_line: bool, most: int) -> bytes:
        end = self._started + self._limits.seconds
        source = _pipe(self._process.stdout).fileno()
        answer = bytearray()
        with selectors.DefaultSelector() as selector:
            selector.register(source, selectors.EVENT_READ)
            while True:
                if not selector.select(max(0.0, min(ASK_SECONDS, end - time.monotonic()))):
                    if time.monotonic() >= end:
                        raise QueryError("too-slow", TOO_SLOW % self._limits.seconds)
                    if is_cancelled():
                        raise QueryError("cancelled", "The query was cancelled.")
                    continue
                part = os.read(source, READ_BYTES)
                answer += part
                if not part:
                    if not answer.startswith(b"{") or b"\n" not in answer:
                        raise self._death()
                    return bytes(answer)
                if until_line and answer.endswith(b"\n"):
                    return bytes(answer)
                if len(answer) > most:
                    raise QueryError("too-large", TOO_LARGE % (most // 1024**2))

    def _death(self) -> QueryError:
        """Return the error for a process that exited without a response."""
        self._process.wait()
        match -self._process.returncode:
            case signal.SIGPROF:
                return QueryError("too-complex", TOO_COMPLEX % self._limits.parse_seconds)
            case signal.SIGXCPU:
                return QueryError("too-slow", TOO_SLOW % self._limits.seconds)
        return QueryError("out-of-memory", OUT_OF_MEMORY % self._limits.memory_mb)


def _pipe(pipe: IO[bytes] | None) -> IO[bytes]:
    if pipe is None:
        raise AssertionError("the worker has no pipes")
    return pipe


@contextmanager
def conversing(limits: Limits, *, ahead: bool) -> Iterator[Conversation]:
    """Hold a process for one query, the waiting one if `ahead`; kill it at the end."""
    process = (AHEAD.take() if ahead else None) or start()
    try:
        yield Conversation(process, limits)
    finally:
        end(process)
        if ahead:
            AHEAD.prepare()
