"""Two hosts behind the proxy of `infrastructure/`, with one PostgreSQL, Valkey and S3: a rolling restart under load.

Once with PgBouncer between web servers and database, pooling by transaction.
"""

import http.client
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest

from common.web import server
from embedded.home import CHECKOUT
from embedded.network import free_port
from embedded.processes import wait_until
from tests.databases import fresh_database
from tests.exports.s3 import s3_server
from tests.live import PATIENCE_S

SCANS = 3_000
"""More than six doors send while everything is restarted."""
FIRST = 60
"""Scans before the first restart, and after each."""
PROXY = (CHECKOUT / "infrastructure" / "proxy" / "nginx.conf").read_text()
AROUND = """
daemon off; pid {folder}/nginx.pid; worker_processes 1; error_log /dev/null;
events {{ worker_connections 512; }}
http {{
    client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
    include {folder}/crowdtrace.conf;
}}
"""


POOLER = """
[databases]
* = host=127.0.0.1 port={port} user={user} password={password} dbname={name}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {listen}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = 8
max_client_conn = 200
"""


class Host:
    """A web server and a worker in a separate home."""

    def __init__(self, home: Path, shared: dict[str, str], of_web: dict[str, str]) -> None:
        home.mkdir(mode=0o700)
        self.of_web = of_web
        self.port = free_port()
        self.environment = os.environ | shared | {"CROWDTRACE_HOME": str(home)}
        self.web = server.command("crowdtrace.asgi:application", host="127.0.0.1", port=self.port, workers=1)
        self.worker = [sys.executable, "-m", "celery", "--app", "crowdtrace.celery", "worker", "--concurrency", "1"]
        self.running: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, name: str, command: list[str], **more: str) -> None:
        self.running[name] = subprocess.Popen(
            command, cwd=CHECKOUT, env=self.environment | more, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )

    def stop(self, name: str) -> None:
        self.running[name].terminate()
        self.running.pop(name).wait(PATIENCE_S)

    def start_web(self) -> None:
        self.start("web", self.web, **self.of_web)
        assert wait_until(lambda: is_ready(self.port), seconds=PATIENCE_S)

    def start_worker(self) -> None:
        self.start("worker", self.worker)

    def stop_all(self) -> None:
        for name in list(self.running):
            self.stop(name)


def is_ready(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


def listens(port: int) -> bool:
    with socket.socket() as each:
        return each.connect_ex(("127.0.0.1", port)) == 0


@contextmanager
def proxy(folder: Path, hosts: list[Host]) -> Iterator[int]:
    """Run nginx as it is configured in `infrastructure/`, but for its ports and without TLS; yield its port."""
    folder.mkdir()
    port = free_port()
    text = re.sub(r"^ *ssl_.*\n", "", PROXY, flags=re.MULTILINE).replace("listen 443 ssl;", f"listen 127.0.0.1:{port};")
    for written, host in zip(("127.0.0.1:8000", "127.0.0.1:8001"), hosts, strict=True):
        assert text.count(written) == 1
        text = text.replace(written, f"127.0.0.1:{host.port}")
    (folder / "crowdtrace.conf").write_text(text)
    (folder / "nginx.conf").write_text(AROUND.format(folder=folder))
    command = [str(shutil.which("nginx")), "-p", str(folder), "-c", str(folder / "nginx.conf")]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
        try:
            assert wait_until(lambda: is_ready(port), seconds=PATIENCE_S)
            yield port
        finally:
            process.terminate()


@contextmanager
def pooler(database: str) -> Iterator[dict[str, str]]:
    """Run PgBouncer in front of a database; yield the settings of a web server that uses it."""
    # PgBouncer refuses to run as root, and another user cannot read the folders of a test.
    folder = Path(tempfile.mkdtemp(prefix="crowdtrace-pooler-"))
    folder.chmod(0o755)
    url, listen = urlsplit(database), free_port()
    values = {"port": url.port, "user": url.username, "password": url.password, "name": url.path[1:]}
    (folder / "pgbouncer.ini").write_text(POOLER.format(**values, listen=listen, folder=folder))
    user = ["--user", "nobody"] if os.geteuid() == 0 else []
    with subprocess.Popen([str(shutil.which("pgbouncer")), "--quiet", *user, str(folder / "pgbouncer.ini")]) as process:
        try:
            assert wait_until(lambda: listens(listen), seconds=PATIENCE_S)
            here = urlunsplit(url._replace(netloc=f"{url.username}@127.0.0.1:{listen}"))
            yield {"DATABASE_URL": here, "DATABASE_PREPARE_THRESHOLD": "0"}
        finally:
            process.terminate()
            shutil.rmtree(folder)


class Doors:
    """Run six doors that scan through the proxy."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process, self.last, self.acknowledged = process, "", 0
        self.reader = threading.Thread(target=self.read)
        self.reader.start()

    def read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.last = line
            if done := re.fullmatch(r"acknowledged (\d+)\n", line):
                self.acknowledged = int(done[1])

    def wait_for(self, more: int) -> None:
        aim = self.acknowledged + more
        assert wait_until(lambda: self.acknowledged >= aim or self.process.poll() is not None, seconds=PATIENCE_S)

    def end(self) -> dict[str, Any]:
        self.reader.join()
        assert self.process.wait(PATIENCE_S) == 0
        return dict(json.loads(self.last))


@pytest.mark.long
@pytest.mark.skipif(shutil.which("nginx") is None, reason="needs nginx")
@pytest.mark.parametrize(
    "is_pooled",
    [
        False,
        pytest.param(True, marks=pytest.mark.skipif(shutil.which("pgbouncer") is None, reason="needs pgbouncer")),
    ],
    ids=["without a pooler", "PgBouncer"],
)
def test_hosts_are_restarted_one_by_one_and_no_door_gets_an_error(tmp_path: Path, is_pooled: bool) -> None:
    with ExitStack() as stack:
        database = stack.enter_context(fresh_database())
        bucket = stack.enter_context(s3_server())
        of_web = stack.enter_context(pooler(database)) if is_pooled else {}
        lake = bucket.make_bucket("two-hosts", versioned=False)
        shared = {
            "DATABASE_URL": database,
            "DJANGO_SETTINGS_MODULE": "crowdtrace.settings",
            "LAKE_URL": lake.url,
            "LAKE_S3_ENDPOINT": bucket.endpoint,
            "AWS_ACCESS_KEY_ID": bucket.access_key,
            "AWS_SECRET_ACCESS_KEY": bucket.secret_key,
        }
        subprocess.run(
            [sys.executable, "manage.py", "migrate", "--verbosity", "0"],
            env=os.environ | shared,
            cwd=CHECKOUT,
            check=True,
        )
        hosts = [Host(tmp_path / f"host-{number}", shared, of_web) for number in (1, 2)]
        beat = [
            sys.executable,
            "-m",
            "celery",
            "--app",
            "crowdtrace.celery",
            "beat",
            "--schedule",
            str(tmp_path / "beat"),
        ]
        try:
            for host in hosts:
                host.start_web()
                host.start_worker()
            hosts[0].start("schedule", beat)
            with (
                proxy(tmp_path / "proxy", hosts) as port,
                subprocess.Popen(
                    [sys.executable, "-m", "tests.doors", f"http://127.0.0.1:{port}", str(SCANS)],
                    cwd=CHECKOUT,
                    env=os.environ | shared,
                    stdout=subprocess.PIPE,
                    text=True,
                ) as process,
            ):
                doors = Doors(process)
                for host in hosts:
                    doors.wait_for(FIRST)
                    host.stop("web")
                    doors.wait_for(FIRST)
                    host.start_web()
                    host.stop("worker")
                    host.start_worker()
                assert doors.acknowledged < SCANS, "the doors ended before the restarts"
                found = doors.end()
            # A schedule that starts asks for the crowd at once; a running one asks every five minutes.
            hosts[0].stop("schedule")
            hosts[0].start("schedule", beat)
            with psycopg.connect(database, autocommit=True) as session:
                count = "SELECT count(*) FROM passes_change"
                assert wait_until(lambda: session.execute(count).fetchone() == (0,), seconds=PATIENCE_S)
                crowd = session.execute("SELECT count(*) FROM risk_crowdday").fetchone()
        finally:
            for host in hosts:
                host.stop_all()
    assert found["refused"] == {}, "each request got a result from the first server that the proxy asked"
    assert {name: found[name] for name in ("lost", "doubled", "changed")} == {"lost": 0, "doubled": 0, "changed": 0}
    assert found["acknowledged"] == found["visits"] == SCANS
    assert crowd == (1,)
