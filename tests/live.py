"""Real copies of CrowdTrace: `manage.py serve` in a separate home and on a separate port."""

import http.client
import json
import os
import secrets
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil

from embedded.home import CHECKOUT
from embedded.processes import Identity, Record, identify, wait_until

READY = "CrowdTrace is ready after "
# A wait ends with what it waits for: a long one takes time only where something is broken, or on a busy machine.
START_SECONDS = 900.0
PATIENCE_S = 120.0
OURS = (
    "DATABASE_URL",
    "REDIS_URL",
    "LIMITS_URL",
    "SECRET_KEY",
    "PEPPER",
    "MASTER_KEY",
    "LAKE_URL",
    "CROWDTRACE_EMBEDDED",
)


def environment(home: Path, **more: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name not in OURS}
    return {**kept, "CROWDTRACE_HOME": str(home), "CROWDTRACE_FAST": "1", **more}


class Copy:
    """One running copy: its home, port, process, and its output so far."""

    def __init__(self, home: Path, port: int, more: Mapping[str, str] | None = None) -> None:
        self.home, self.port = home, port
        # A separate file: the programs of a killed copy may still write to theirs.
        self.output = home.parent / f"{home.name}-{port}-{secrets.token_hex(4)}.txt"
        with self.output.open("w") as output:
            self.process = subprocess.Popen(
                [sys.executable, "manage.py", "serve"],
                cwd=CHECKOUT,
                env=environment(home, PORT=str(port), **(more or {})),
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    @property
    def said(self) -> str:
        return self.output.read_text()

    def wait_until_ready(self) -> None:
        wait_until(lambda: READY in self.said or self.process.poll() is not None, seconds=START_SECONDS)
        assert READY in self.said, self.said

    def healthz(self) -> int:
        return self.answer("/healthz")[0]

    def answer(self, path: str) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_S)
        try:
            connection.request("GET", path)
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()

    def members(self) -> list[Identity]:
        """Return every process that belongs to this copy, services included."""
        found = [process.pid for process in psutil.Process(self.process.pid).children(recursive=True)]
        for service in ("postgres", "valkey", "limits"):
            if record := Record.read(self.home / "run" / f"{service}.json"):
                found += [record.pid, *(child.pid for child in psutil.Process(record.pid).children(recursive=True))]
        return [identity for pid in {*found, self.process.pid} if (identity := identify(pid))]

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.process.wait(PATIENCE_S)


@contextmanager
def running(home: Path, port: int, more: Mapping[str, str] | None = None) -> Iterator[Copy]:
    copy = Copy(home, port, more)
    try:
        copy.wait_until_ready()
        yield copy
    finally:
        if copy.process.poll() is None:
            copy.stop()


def manage(home: Path, *arguments: str) -> str:
    """Return the output of a management command, run while the copy of this home is running."""
    done = subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=CHECKOUT,
        env=environment(home),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def demonstration(home: Path) -> dict[str, Any]:
    """Return URLs, log-in and new enrolment codes of a running copy."""
    found: dict[str, Any] = json.loads(manage(home, "demo", "--json"))
    return found
