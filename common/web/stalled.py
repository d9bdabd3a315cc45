"""Close connections on which nothing moves, which the web server would keep as long as their clients do.

The server's own limits end with the response: one of a few kilobytes has been sent as far as the application knows, and
after a body that never came some connections stay open. Clients that then read or send nothing would fill the
connections that a process keeps. So a thread asks the kernel about each of them (`TCP_INFO`, Linux).
"""

import os
import socket
import stat
import struct
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from typing import Final, NamedTuple

from django.conf import settings

FOLDER: Final = Path("/proc/self/fd")
LOOKS: Final = 6
"""Looks at each connection within the shortest limit."""
LEAST_BYTES: Final = 16 * 1024
"""Bytes that a client takes in twice `ANSWER_SECONDS`, unless fewer are left."""
# Offsets in `struct tcp_info` (linux/tcp.h): unacknowledged segments; bytes acknowledged and received; bytes not sent.
_UNACKNOWLEDGED: Final = struct.Struct("=24xI")
_BYTES: Final = struct.Struct("=120xQQ8xI")
_SIZE: Final = 256
_RESET: Final = struct.pack("ii", 1, 0)


_leaving: Final[set[tuple[str, int]]] = set()
"""Clients whose connections end within two looks; their addresses are then forgotten."""
_watching: Final = threading.Event()


class Flow(NamedTuple):
    """The bytes that a connection received and its client took, and whether some wait for the client."""

    received: int
    taken: int
    waits: bool
    client: tuple[str, int] = ("", 0)


class Seen(NamedTuple):
    """A connection's flow when it last moved, and that time."""

    flow: Flow
    at: float


def look(before: Mapping[int, Seen], flows: Mapping[int, Flow], now: float) -> dict[int, Seen]:
    """Return when each connection last moved. Pure."""
    return {key: _seen(before.get(key), flow, now) for key, flow in flows.items()}


def stalled(seen: Mapping[int, Seen], now: float, *, reading: float, idle: float) -> set[int]:
    """Return the connections whose client took too little for `reading` seconds, or that were idle for `idle`. Pure.

    A connection that received nothing is left to the server's limit for heads. A kernel that does not count bytes
    reports the same of every connection, so none of them is found there.
    """
    return {key for key, (flow, at) in seen.items() if flow.received and now - at >= (reading if flow.waits else idle)}


def _seen(before: Seen | None, flow: Flow, now: float) -> Seen:
    if before is None or flow.received != before.flow.received or flow.waits is not before.flow.waits:
        return Seen(flow, now)
    return Seen(flow, now) if flow.taken - before.flow.taken >= LEAST_BYTES else before


def watch() -> None:
    """Watch the connections that this process accepts, in a thread of its own."""
    if hasattr(socket, "TCP_INFO") and FOLDER.is_dir():
        _watching.set()
        threading.Thread(target=_watch, name="stalled", daemon=True).start()


def let_go(client: tuple[str, int] | None) -> None:
    """End the connection of a client after its response, within a few seconds, if connections are watched."""
    if client and _watching.is_set():
        _leaving.add((client[0], client[1]))


def _watch() -> None:
    # Longer than the front waits for the reader of a long file, so that this only ends what the front cannot.
    reading, idle = 2 * settings.ANSWER_SECONDS, settings.IDLE_SECONDS
    pause = min(reading, idle) / LOOKS
    seen: dict[int, Seen] = {}
    leaving: set[tuple[str, int]] = set()
    for number in count():
        time.sleep(pause)
        now, found = number * pause, _accepted()  # looks are counted: a process that was paused blames no client
        seen = look(seen, {key: flow for key, (_, flow) in found.items()}, now)
        # Only those of an earlier look, so that their responses have been sent.
        done = {key for key, (_, flow) in found.items() if flow.client in leaving}
        still = stalled(seen, now, reading=reading, idle=idle)
        for key in done | still:
            _end(key, found[key][0], reset=key in still)
        _leaving.difference_update(leaving)
        leaving = set(_leaving)


def _accepted() -> dict[int, tuple[int, Flow]]:
    """Return the connections to ports on which this process listens, by inode: descriptor and flow."""
    found: dict[int, tuple[int, int, Flow]] = {}
    ports = set()
    for descriptor in _descriptors():
        with _copy(descriptor) as (inode, connection):
            if connection is None:
                continue
            port = connection.getsockname()[1]
            if connection.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
                ports.add(port)
            else:
                found[inode] = port, descriptor, _flow(connection)
    return {inode: (descriptor, flow) for inode, (port, descriptor, flow) in found.items() if port in ports}


def _descriptors() -> list[int]:
    """Return the open descriptors of this process; none if it may open no file to read them: the next look may."""
    try:
        return [int(each.name) for each in FOLDER.iterdir()]
    except OSError:
        return []


@contextmanager
def _copy(descriptor: int) -> Iterator[tuple[int, socket.socket | None]]:
    """Yield inode and a copy of a TCP socket, which the server may close at any time; `None` for anything else."""
    try:
        copy = os.dup(descriptor)
    except OSError:
        yield 0, None
        return
    status = os.fstat(copy)
    if not stat.S_ISSOCK(status.st_mode):
        os.close(copy)
        yield 0, None
        return
    with socket.socket(fileno=copy) as connection, suppress(OSError):
        is_tcp = connection.type == socket.SOCK_STREAM and connection.family in (socket.AF_INET, socket.AF_INET6)
        yield status.st_ino, connection if is_tcp else None


def _flow(connection: socket.socket) -> Flow:
    info = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _SIZE).ljust(_SIZE, b"\0")
    (unacknowledged,) = _UNACKNOWLEDGED.unpack_from(info)
    taken, received, unsent = _BYTES.unpack_from(info)
    return Flow(received, taken, bool(unacknowledged or unsent), connection.getpeername()[:2])


def _end(inode: int, descriptor: int, *, reset: bool) -> None:
    """End a connection, which the server then closes; `reset`: drop what waits in it for the client."""
    with _copy(descriptor) as (current, connection):
        if connection is not None and current == inode:
            if reset:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            connection.shutdown(socket.SHUT_RDWR)
