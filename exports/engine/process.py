"""Processes for queries: each checks and runs one query and exits, or is killed at a limit.

Loading DuckDB, Arrow and the parser takes longer than the published queries do on a million rows. So the first query of
this process starts a fork server (`exports.engine.fork_server`), which loads them once and copies itself for each
query: a copy has seen no other query.
"""

import contextlib
import logging
import os
import selectors
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, Final

from exports.engine.errors import QueryBusyError, QueryError
from exports.engine.limits import Limits

log = logging.getLogger(__name__)

FORK_SERVER: Final = Path(__file__).with_name("fork_server.py")
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
# A fork server that does not respond for so long is replaced.
PATIENCE_SECONDS: Final = 30.0
# Arrow's allocator starts a thread otherwise; a process that copies itself should have few.
ENVIRONMENT: Final = {"HOME": "/nonexistent", "TZ": "UTC", "JE_ARROW_MALLOC_CONF": "background_thread:false"}
# The response of a check has the query's tables, or the error.
MOST_OF_A_CHECK: Final = 1 << 16

IsCancelled = Callable[[], bool]


class Process:
    """A copy of the fork server: it reads messages from `stdin`, and writes its responses to `stdout`."""

    def __init__(self, stdin: IO[bytes], stdout: IO[bytes], channel: socket.socket) -> None:
        self.stdin, self.stdout, self._channel = stdin, stdout, channel
        channel.settimeout(PATIENCE_SECONDS)
        self._lines = channel.makefile("rb")
        self._has_ended = False
        self._code: int | None = None
        number = self._number()
        self.pid, self.is_refused = number or 0, number == 0

    @property
    def is_started(self) -> bool:
        """Return whether the fork server made the copy."""
        return bool(self.pid)

    def wait(self) -> int | None:
        """Wait until the process has ended, and return its code as in `subprocess`; `None` if nobody knows it."""
        if not self._has_ended:
            self._has_ended, self._code = True, self._number()
            if self._code is None and self.is_started:  # the fork server is gone, and does not kill it
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.killpg(self.pid, signal.SIGKILL)
        return self._code

    def end(self) -> None:
        """Kill the process and its children, and close its pipes."""
        with contextlib.suppress(OSError):
            self._channel.shutdown(socket.SHUT_WR)
        self.wait()
        for each in (self.stdin, self.stdout, self._lines, self._channel):
            with contextlib.suppress(BrokenPipeError):
                each.close()

    def _number(self) -> int | None:
        """Return the next number that the fork server sends; `None` if it is gone."""
        try:
            line = self._lines.readline()
        except OSError:
            return None
        return int(line) if line.endswith(b"\n") else None


class ForkServer:
    """The fork server of this process, started with its first query; its threads share it, but not its forks."""

    def __init__(self) -> None:
        self._forget()
        os.register_at_fork(after_in_child=self._forget)

    def _forget(self) -> None:
        self._lock = threading.Lock()
        self._running: tuple[subprocess.Popen[bytes], socket.socket] | None = None

    def copy(self) -> Process:
        """Return a new copy; a fork server that ended, or does not respond, is replaced once.

        Raise `QueryBusyError` if the second one does not respond either.
        """
        for _ in range(2):
            try:
                made = self._copy_of(server := self._server())
            except OSError as error:
                log.error("no process for a query could be started", exc_info=error)
                break
            if made.is_started:
                return made
            made.end()
            if made.is_refused:
                log.error("no process for a query could be started: the system makes no more")
                break
            self._drop(server)
        else:
            log.error("the fork server of queries ended or did not respond, twice")
        raise QueryBusyError("no process for the query could be started; try again in a moment")

    def end(self) -> None:
        """End the fork server, and with it all copies."""
        if self._running:
            self._drop(self._running)

    def _server(self) -> tuple[subprocess.Popen[bytes], socket.socket]:
        with self._lock:
            if self._running is None:
                self._running = _started()
            return self._running

    def _drop(self, server: tuple[subprocess.Popen[bytes], socket.socket]) -> None:
        with self._lock:
            if self._running is server:
                self._running = None
        process, requests = server
        process.kill()
        process.wait()
        requests.close()

    @staticmethod
    def _copy_of(server: tuple[subprocess.Popen[bytes], socket.socket]) -> Process:
        with ExitStack() as theirs, ExitStack() as ours:
            source, stdin = os.pipe()
            theirs.callback(os.close, source)
            ours.callback(os.close, stdin)
            stdout, target = os.pipe()
            theirs.callback(os.close, target)
            ours.callback(os.close, stdout)
            channel, own = socket.socketpair()
            theirs.callback(own.close)
            ours.callback(channel.close)
            with contextlib.suppress(OSError):  # it ended, or was replaced: nothing comes from the channel
                socket.send_fds(server[1], [b"+"], [source, target, own.fileno()])
            ours.pop_all()
        return Process(os.fdopen(stdin, "wb"), os.fdopen(stdout, "rb", buffering=0), channel)


def _started() -> tuple[subprocess.Popen[bytes], socket.socket]:
    """Start a fork server; it ends if the socket is closed, as it is when this process ends."""
    requests, theirs = socket.socketpair()
    with theirs:
        process = subprocess.Popen(
            [sys.executable, "-I", "-B", str(FORK_SERVER)],
            stdin=theirs.fileno(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd="/",
            env=ENVIRONMENT,
            start_new_session=True,
        )
    return process, requests


SERVER: Final = ForkServer()


class Conversation:
    """The exchange with a process that checks and runs one query; its time counts from `started`, by default now."""

    def __init__(self, process: Process, limits: Limits, started: float | None = None) -> None:
        self._process, self._limits = process, limits
        self._started = time.monotonic() if started is None else started

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
            self._process.stdin.close()
        return self._receive(is_cancelled, until_line=False, most=self._limits.max_output_bytes)

    def _send(self, message: bytes) -> None:
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.write(message + b"\n")
            self._process.stdin.flush()

    def _receive(self, is_cancelled: IsCancelled, *, until_line: bool, most: int) -> bytes:
        end = self._started + self._limits.seconds
        source = self._process.stdout.fileno()
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
        code = self._process.wait()
        if code is None:
            return QueryError("failed", "The query was ended without an answer. Send it again.")
        match -code:
            case signal.SIGPROF:
                return QueryError("too-complex", TOO_COMPLEX % self._limits.parse_seconds)
            case signal.SIGXCPU:
                return QueryError("too-slow", TOO_SLOW % self._limits.seconds)
        return QueryError("out-of-memory", OUT_OF_MEMORY % self._limits.memory_mb)


@contextmanager
def conversing(limits: Limits) -> Iterator[Conversation]:
    """Hold a process for one query; kill it at the end."""
    started = time.monotonic()
    process = SERVER.copy()
    try:
        yield Conversation(process, limits, started)
    finally:
        process.end()
