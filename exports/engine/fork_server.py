"""The process that copies itself for each query, after it has loaded DuckDB, Arrow and the parser once.

`exports.engine.process` starts it by path with an empty environment, one for each process that runs queries, and it
exits with that process. It never reads a query: it forks a copy, which runs `worker.main` on the pipes it was given.

Standard input is a Unix socket. Each message on it asks for a copy, and carries three file descriptors: the copy's
input, the copy's output, and a socket for this copy alone. On the latter are sent, as lines, the copy's process number
(0 if the system makes no more processes) and, when it has ended, its return code as in `subprocess`. When the other end
is closed, the copy is killed.

All copies share one layout of memory and one hash seed until the server is replaced.
"""

import contextlib
import gc
import os
import resource
import selectors
import signal
import socket
import sys
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Final, NoReturn

# Doors on the same machine have priority.
NICENESS: Final = 10
DESCRIPTORS: Final = 3
REFUSED: Final = -1
if __name__ == "__main__":
    os.nice(NICENESS)
    sys.path.append(str(Path(__file__).resolve().parents[2]))
    # DuckDB and Arrow import pandas if it is installed, which takes longer than the published queries do.
    sys.modules["pandas"] = None  # type: ignore[assignment]

from exports.engine import worker  # noqa: E402


@dataclass
class _Server:
    """The requests, and the copies that have not ended: their process numbers and sockets."""

    requests: socket.socket
    ended: int
    copies: dict[int, socket.socket] = field(default_factory=dict)

    def serve(self) -> None:
        """Fork copies until the other process is gone; then kill those that are left."""
        with selectors.DefaultSelector() as selector:
            selector.register(self.requests, selectors.EVENT_READ)
            selector.register(self.ended, selectors.EVENT_READ)
            while True:
                for key, _ in selector.select():
                    if key.fileobj is self.requests:
                        message, descriptors, _, _ = socket.recv_fds(self.requests, 1, DESCRIPTORS)
                        if not message:
                            return self._kill_all()
                        self._copy(selector, descriptors)
                    elif key.fileobj == self.ended:
                        os.read(self.ended, 1 << 10)
                        self._report(selector)
                    elif key.data in self.copies:
                        # Its other end is closed: nobody waits for this copy. It stays until it is reported.
                        selector.unregister(key.fileobj)
                        _kill(key.data)

    def _copy(self, selector: selectors.BaseSelector, descriptors: list[int]) -> None:
        if len(descriptors) != DESCRIPTORS:  # this process has no room for them
            for each in descriptors:
                os.close(each)
            return
        source, target, own = descriptors
        channel = socket.socket(fileno=own)
        try:
            process = os.fork()
        except OSError:  # the system makes no more processes
            process = REFUSED
        if process == 0:
            selector.close()
            self._become_worker(source, target)
        os.close(source)
        os.close(target)
        _tell(channel, max(process, 0))
        if process == REFUSED:
            channel.close()
            return
        self.copies[process] = channel
        selector.register(channel, selectors.EVENT_READ, process)

    def _become_worker(self, source: int, target: int) -> NoReturn:
        code = 1
        try:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            os.setsid()
            os.dup2(source, 0)
            os.dup2(target, 1)
            # Other clients must see that the fork server is gone, even while this copy runs.
            os.closerange(3, resource.getrlimit(resource.RLIMIT_NOFILE)[0])
            worker.main()
            code = 0
        finally:
            os._exit(code)

    def _report(self, selector: selectors.BaseSelector) -> None:
        for process, channel in list(self.copies.items()):
            ended, status = os.waitpid(process, os.WNOHANG)
            if not ended:
                continue
            del self.copies[process]
            with contextlib.suppress(KeyError):
                selector.unregister(channel)
            _tell(channel, os.waitstatus_to_exitcode(status))
            channel.close()

    def _kill_all(self) -> None:
        for process in self.copies:
            _kill(process)


def _tell(channel: socket.socket, number: int) -> None:
    with contextlib.suppress(OSError):  # the other process is gone
        channel.sendall(b"%d\n" % number)


def _kill(process: int) -> None:
    """Kill a copy with all processes of its session; it is not reaped yet, so the number is still its own."""
    for kill in (os.killpg, os.kill):  # a new copy may have no group yet
        with contextlib.suppress(ProcessLookupError, PermissionError):
            kill(process, signal.SIGKILL)


def _ignore(_number: int, _frame: FrameType | None) -> None:
    """Receive SIGCHLD, so that it is written to the wake-up descriptor."""


def main() -> None:
    """Load what queries need, and serve."""
    ended, wakes = os.pipe()
    os.set_blocking(ended, False)
    os.set_blocking(wakes, False)
    signal.set_wakeup_fd(wakes, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, _ignore)
    gc.collect()
    gc.freeze()  # a collection in a copy would otherwise copy every page of memory that they share
    _Server(socket.socket(fileno=0), ended).serve()


if __name__ == "__main__":
    main()
