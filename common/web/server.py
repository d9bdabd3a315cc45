"""The command line of the web server, granian, in front of an application."""

import sys
from typing import Final

CONNECTIONS: Final = 1000
"""Open ones of one process; the next wait until one closes."""
HEAD_MILLISECONDS: Final = 10_000
"""A connection without a request for so long, or with half of a head, is closed."""
HEAD_BYTES: Final = 32 * 1024
OPTIONS: Final = [
    *("--interface", "asginl", "--no-ws", "--no-access-log", "--log-level", "warning"),
    *("--http", "1"),  # one connection of HTTP/2 carries hundreds of requests past the limit of connections
    *("--backpressure", str(CONNECTIONS), "--http1-buffer-size", str(HEAD_BYTES)),
    *("--http1-header-read-timeout", str(HEAD_MILLISECONDS)),
    *("--workers-kill-timeout", "5"),  # a process that is told to stop waits for slow clients no longer
]


def command(application: str, *, host: str, port: int, workers: int) -> list[str]:
    """The command that serves an ASGI application, named like `crowdtrace.asgi:application`."""
    listen = ["--host", host, "--port", str(port), "--workers", str(workers)]
    return [sys.executable, "-m", "granian", *OPTIONS, *listen, application]
