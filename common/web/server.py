"""The command line of the web server, granian with what `crowdtrace.webserver` loads first, for an application."""

import sys
from typing import Final

CONNECTIONS: Final = 1000
"""Open connections of one process; further ones wait until one closes."""
HEAD_MILLISECONDS: Final = 10_000
"""Seconds after which a connection without a request, or with an incomplete head, is closed."""
HEAD_BYTES: Final = 32 * 1024
OPTIONS: Final = [
    *("--interface", "asginl", "--no-ws", "--no-access-log", "--log-level", "warning"),
    *("--http", "1"),  # one HTTP/2 connection would carry hundreds of requests past the connection limit
    *("--backpressure", str(CONNECTIONS), "--http1-buffer-size", str(HEAD_BYTES)),
    *("--http1-header-read-timeout", str(HEAD_MILLISECONDS)),
    *("--workers-kill-timeout", "5"),  # seconds for slow clients when a process is stopping
    "--respawn-failed-workers",  # otherwise all of them end with the first that does
]


def command(application: str, *, host: str, port: int, workers: int) -> list[str]:
    """Return the command that serves an ASGI application, named like `crowdtrace.asgi:application`."""
    listen = ["--host", host, "--port", str(port), "--workers", str(workers)]
    return [sys.executable, "-m", "crowdtrace.webserver", *OPTIONS, *listen, application]
